"""Options as frozen values, one class a stage; the only place where defaults live.

TOML in, TOML out: ``Config.from_toml(path)``; an unknown key is reported with the nearest valid name.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from hipporag_like.errors import ConfigError

METHODS = ("graph", "dense", "bm25", "hybrid")
WALK_ENGINES = ("push", "power", "prpack")
LEXICAL_ENGINES = ("eager", "rank_bm25")


def _require(ok: bool, name: str, rule: str, value: object) -> None:
    if not ok:
        raise ConfigError(f"{name} must be {rule}, got {value!r}")


def _require_number(name: str, value: object, low: float, high: float, rule: str) -> None:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    _require(ok, name, rule, value)


def _require_whole(name: str, value: object, low: int, high: int, rule: str) -> None:
    ok = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _require(ok, name, rule, value)


@dataclass(frozen=True, slots=True)
class ChunkConfig:
    """Documents to passages; lengths in word tokens of ``hipporag_like.text``."""

    max_tokens: int = 240  # about 320 word pieces: two windows of the default embedder at most
    overlap: int = 40  # tokens of whole sentences repeated from the passage before

    def __post_init__(self) -> None:
        _require_whole("chunk.max_tokens", self.max_tokens, 8, 100_000, "a whole number from 8 to 100000")
        rule = "a whole number from 0 to half of max_tokens"
        _require_whole("chunk.overlap", self.overlap, 0, self.max_tokens // 2, rule)


@dataclass(frozen=True, slots=True)
class ExtractConfig:
    """Passages to mentions and facts."""

    extractor: str = "rules"  # rules | spacy:NAME | openie:FILE
    gazetteer: bool = True  # second pass: known names found again everywhere
    mine_terms: bool = True  # lower-case technical terms by corpus statistics

    def __post_init__(self) -> None:
        kind, _, argument = self.extractor.partition(":") if isinstance(self.extractor, str) else ("", "", "")
        known = (self.extractor == "rules") or (kind in ("spacy", "openie") and argument != "")
        _require(known, "extractor", "rules, spacy:NAME or openie:FILE", self.extractor)
        for name, value in (("gazetteer", self.gazetteer), ("mine_terms", self.mine_terms)):
            _require(isinstance(value, bool), f"extract.{name}", "true or false", value)


@dataclass(frozen=True, slots=True)
class EmbedConfig:
    """Texts to vectors."""

    model: str = "minilm"  # minilm | hashing | a path or hub name (extra `local`)
    batch_tokens: int = 4096  # word pieces a forward pass; 512 to 4096 measured within 5 % of each other

    def __post_init__(self) -> None:
        named = isinstance(self.model, str) and self.model.strip() != ""
        _require(named, "embed.model", "a model name or path", self.model)
        rule = "a whole number from 64 to 1000000"
        _require_whole("embed.batch_tokens", self.batch_tokens, 64, 1_000_000, rule)


@dataclass(frozen=True, slots=True)
class GraphConfig:
    """Entities and facts to the graph."""

    # A title entity against a mention's 1 + ln(tf): 1, 2, 4 and 8 give recall@5 of 92.0, 93.5, 95.0 and 94.5
    # on HotpotQA, within 0.5 of each other on 2Wiki and MuSiQue.
    title_weight: float = 4.0
    term_weight: float = 0.3  # a mined term against a name
    synonym_threshold: float = 0.9  # cosine; HippoRAG 2's 0.8 costs recall here (retrieval/search.py)
    synonym_neighbours: int = 8

    def __post_init__(self) -> None:
        _require_number("graph.title_weight", self.title_weight, 0, 1000, "a number from 0 to 1000")
        _require_number("graph.term_weight", self.term_weight, 0, 1000, "a number from 0 to 1000")
        _require_number("graph.synonym_threshold", self.synonym_threshold, 0, 1, "a number from 0 to 1")
        rule = "a whole number from 0 to 1000"
        _require_whole("graph.synonym_neighbours", self.synonym_neighbours, 0, 1000, rule)


@dataclass(frozen=True, slots=True)
class LexicalConfig:
    """BM25 as in rank-bm25's BM25Okapi, whose defaults these are."""

    k1: float = 1.5
    b: float = 0.75
    epsilon: float = 0.25
    engine: str = "eager"

    def __post_init__(self) -> None:
        _require(
            self.engine in LEXICAL_ENGINES,
            "lexical.engine",
            f"one of {', '.join(LEXICAL_ENGINES)}",
            self.engine,
        )
        _require_number("lexical.k1", self.k1, 0, 100, "a number from 0 to 100")
        _require_number("lexical.b", self.b, 0, 1, "a number from 0 to 1")
        _require_number("lexical.epsilon", self.epsilon, 0, 10, "a number from 0 to 10")


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """Question to hits."""

    method: str = "graph"
    k: int = 5
    damping: float = 0.85
    # Unspread mass a node may keep, per neighbour. 1e-6, 1e-5 and 1e-4 give recall@5 of 79.6, 79.6 and 78.9 on
    # MuSiQue; 1e-5 does a fifth of the pushes of 1e-6.
    tolerance: float = 1e-5
    sharpness: float = 4.0  # b of the walk's exp(b * cosine); 3 to 5 are alike on the dev sets
    engine: str = "push"

    def __post_init__(self) -> None:
        _require(self.method in METHODS, "method", f"one of {', '.join(METHODS)}", self.method)
        _require(
            self.engine in WALK_ENGINES, "search.engine", f"one of {', '.join(WALK_ENGINES)}", self.engine
        )
        _require_whole("k", self.k, 1, sys.maxsize, "a whole number of at least 1")
        _require_number("search.damping", self.damping, 0.01, 0.99, "a number from 0.01 to 0.99")
        _require_number("search.sharpness", self.sharpness, 0, 50, "a number from 0 to 50")
        _require_number("search.tolerance", self.tolerance, 1e-12, 1e-1, "a number from 1e-12 to 0.1")


@dataclass(frozen=True, slots=True)
class ReadConfig:
    """Hits to an answer."""

    reader: str = "extractive"
    passages: int = 8  # top passages shown to the reader; 5 to 8 gains 4.7 F1 on 2Wiki and 1.5 on HotpotQA

    def __post_init__(self) -> None:
        _require(self.reader == "extractive", "reader", "extractive", self.reader)
        _require_whole("read.passages", self.passages, 1, 100, "a whole number from 1 to 100")


@dataclass(frozen=True, slots=True)
class Config:
    """All options; each stage receives its own part and never the whole."""

    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    embed: EmbedConfig = field(default_factory=EmbedConfig)
    graph: GraphConfig = field(default_factory=GraphConfig)
    lexical: LexicalConfig = field(default_factory=LexicalConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    read: ReadConfig = field(default_factory=ReadConfig)

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return the options as plain nested dictionaries."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], base: Config | None = None) -> Config:
        """Return a configuration from nested dictionaries; what is left out is as in ``base``, or the default.

        Raises
        ------
        ConfigError
            Unknown names, all of them in one sentence, each with the nearest valid one; or a bad value.
        """
        stages: dict[str, Any] = {f.name: f.default_factory for f in fields(cls)}
        unknown = [_unknown(name, list(stages)) for name in values if name not in stages]
        given = {name: values[name] for name in stages if name in values}
        for name, options in given.items():
            if not isinstance(options, Mapping):
                raise ConfigError(f"[{name}] must be a table of options, got {options!r}")
            valid = [f.name for f in fields(stages[name])]
            unknown += [_unknown(key, valid, f"{name}.") for key in options if key not in valid]
        if unknown:
            raise ConfigError("unknown option " + ", ".join(sorted(unknown)))
        start = cls() if base is None else base
        return replace(
            start, **{name: replace(getattr(start, name), **options) for name, options in given.items()}
        )

    @classmethod
    def from_toml(cls, path: str | Path, base: Config | None = None) -> Config:
        """Return the configuration in a TOML file; what is left out is as in ``base``, or the default.

        Raises
        ------
        ConfigError
            The file cannot be read, is no TOML, or holds unknown options or bad values.
        """
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        try:
            values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(
                f"cannot read the configuration {path} ({error.strerror}); check the path"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
        return cls.from_dict(values, base)

    def to_toml(self) -> str:
        """Return the options as TOML text that :meth:`from_toml` reads back."""
        lines: list[str] = []
        for stage, options in self.to_dict().items():
            lines.append(f"[{stage}]")
            lines += [f"{key} = {_toml(value)}" for key, value in options.items()]
            lines.append("")
        return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        import json

        # As it is, because TOML knows no surrogate pairs; DEL is the one control that JSON lets stand.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(float(value)) if isinstance(value, float) else repr(value)


def _unknown(name: object, valid: list[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(str(name), valid, n=1, cutoff=0.5)
    return f"{prefix}{name}" + (f" (did you mean {prefix}{near[0]}?)" if near else "")
