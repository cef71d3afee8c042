"""Options as frozen values, one class a stage; the only place where defaults live.

TOML in, TOML out: ``Config.from_toml(path)``; an unknown key is reported with the nearest valid name.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from hipporag_like.errors import ConfigError
from hipporag_like.no_secrets import check_no_secret
from hipporag_like.plain_files import read_plain

METHODS = ("graph", "hipporag", "hipporag2", "dense", "bm25", "hybrid")
LLM_KINDS = ("openai", "transformers", "scripted")
SWITCHES = ("auto", "on", "off")
FRACTION = "a number from 0 to 1"
WALK_ENGINES = ("push", "power", "prpack")
FUSIONS = ("full", "fast", "weights")
LEXICAL_ENGINES = ("eager", "rank_bm25")
# Vectors of one kind in one namespace that are searched exactly, as float32; more are kept as float16, with codes.
EXACT_LIMIT = 100_000
PRESETS = ("auto", "light", "full")
_MOST_SHOWN = 200  # characters of a bad value in a message; a path is shorter


def _require(ok: bool, name: str, rule: str, value: object) -> None:
    if not ok:
        raise ConfigError(f"{name} must be {rule}, got {_shown(value)}")


def _shown(value: object) -> str:
    """Return a value for a message; hexadecimal TOML makes numbers that Python refuses to write out."""
    try:
        text = repr(value)
    except ValueError:
        return "a number too long to show"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


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

    extractor: str = "rules"  # rules | spacy:NAME | llm | openie:FILE
    # Of the extractor llm. Two calls a passage as in both papers: its entities, then triples about them; or one
    # call for both, which sends the passage and the instructions once.
    llm_calls: int = 2
    gazetteer: bool = True  # second pass: known names found again everywhere
    mine_terms: bool = True  # lower-case technical terms by corpus statistics

    def __post_init__(self) -> None:
        kind, _, argument = self.extractor.partition(":") if isinstance(self.extractor, str) else ("", "", "")
        known = self.extractor in ("rules", "llm") or (kind in ("spacy", "openie") and argument != "")
        _require(known, "extractor", "rules, spacy:NAME, llm or openie:FILE", self.extractor)
        _require_whole("extract.llm_calls", self.llm_calls, 1, 2, "1 or 2")
        for name, value in (("gazetteer", self.gazetteer), ("mine_terms", self.mine_terms)):
            _require(isinstance(value, bool), f"extract.{name}", "true or false", value)


_EMBED_DTYPES = ("auto", "float32", "bfloat16")


@dataclass(frozen=True, slots=True)
class EmbedConfig:
    """Texts to vectors."""

    model: str = "minilm"  # minilm | hashing | openai:MODEL | a path or hub name (extra `local`)
    batch_tokens: int = 4096  # word pieces a forward pass; 512 to 4096 measured within 5 % of each other
    # What is embedded. full: passages, sentences or triples, and entities. light: passages and single words, of which
    # the vectors of sentences are made (indexing/words.py), in 0.4 to 0.5 of the time and a third of the disk; recall@5
    # of graph on the four dev sets is 97.5, 87.4, 82.6 and 99.0 with full, 97.5, 87.2, 79.9 and 99.0 with light.
    # auto: light in a namespace of more than EXACT_LIMIT passages.
    preset: str = "auto"
    # auto | float32 | bfloat16: of passages' products. auto: bfloat16 for minilm where the processor multiplies it,
    # float32 elsewhere.
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"

    def __post_init__(self) -> None:
        _require(self.preset in PRESETS, "embed.preset", f"one of {', '.join(PRESETS)}", self.preset)
        named = isinstance(self.model, str) and self.model.strip() != ""
        _require(named, "embed.model", "a model name or path", self.model)
        _require(self.dtype in _EMBED_DTYPES, "embed.dtype", f"one of {', '.join(_EMBED_DTYPES)}", self.dtype)
        rule = "a whole number from 64 to 1000000"
        _require_whole("embed.batch_tokens", self.batch_tokens, 64, 1_000_000, rule)

    def is_light(self, passages: int) -> bool:
        """Return whether a namespace of so many passages is indexed light: by its size alone, not by how it grew."""
        return self.preset == "light" or (self.preset == "auto" and passages > EXACT_LIMIT)


@dataclass(frozen=True, slots=True)
class GraphConfig:
    """Entities and facts to the graph."""

    # A title entity against a mention's 1 + ln(tf): 1, 2, 4 and 8 give recall@5 of 92.0, 93.5, 95.0 and 94.5
    # on HotpotQA, within 0.5 of each other on 2Wiki and MuSiQue.
    title_weight: float = 4.0
    term_weight: float = 0.3  # a mined term against a name
    synonym_threshold: float = 0.9  # cosine; HippoRAG 2's 0.8 costs recall here (retrieval/search.py)
    synonym_neighbours: int = 8
    phrase_synonym_threshold: float = 0.8  # of hipporag and hipporag2; both papers' default

    def __post_init__(self) -> None:
        _require_number("graph.phrase_synonym_threshold", self.phrase_synonym_threshold, 0, 1, FRACTION)
        _require_number("graph.title_weight", self.title_weight, 0, 1000, "a number from 0 to 1000")
        _require_number("graph.term_weight", self.term_weight, 0, 1000, "a number from 0 to 1000")
        _require_number("graph.synonym_threshold", self.synonym_threshold, 0, 1, FRACTION)
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
    # How graph fuses its signals. full: fixed weights and learned trees, which also look at the question's windows;
    # fast: without windows, so that nothing but the question is embedded; weights: fixed weights only. Or the file
    # of trees that were fitted elsewhere (eval/benchmarks/fit_fusion.py).
    fusion: str = "full"
    # Recognition memory: an LLM keeps the facts that bear on the question (HippoRAG 2, section 3.2).
    # auto: hipporag2 filters where an LLM is configured, graph only where it is asked to.
    filter: str = "auto"
    # Who finds the question's entities for hipporag. auto: the LLM where one is configured, else the rules.
    question_entities: str = "auto"  # auto | llm | rules
    steps: int = 3  # retrievals of an iterative question, at most; HippoRAG took 2 to 4

    def __post_init__(self) -> None:
        _require(self.filter in SWITCHES, "search.filter", f"one of {', '.join(SWITCHES)}", self.filter)
        finders = ("auto", "llm", "rules")
        rule = f"one of {', '.join(finders)}"
        _require(self.question_entities in finders, "search.question_entities", rule, self.question_entities)
        _require_whole("search.steps", self.steps, 1, 20, "a whole number from 1 to 20")
        _require(self.method in METHODS, "method", f"one of {', '.join(METHODS)}", self.method)
        _require(
            self.engine in WALK_ENGINES, "search.engine", f"one of {', '.join(WALK_ENGINES)}", self.engine
        )
        # A path would be written into no TOML and no manifest, so it has to be a text.
        known = isinstance(self.fusion, str) and (self.fusion in FUSIONS or self.fusion.endswith(".json"))
        _require(known, "search.fusion", f"one of {', '.join(FUSIONS)} or FILE.json", self.fusion)
        _require_whole("k", self.k, 1, sys.maxsize, "a whole number of at least 1")
        _require_number("search.damping", self.damping, 0.01, 0.99, "a number from 0.01 to 0.99")
        _require_number("search.sharpness", self.sharpness, 0, 50, "a number from 0 to 50")
        _require_number("search.tolerance", self.tolerance, 1e-12, 1e-1, "a number from 1e-12 to 0.1")


@dataclass(frozen=True, slots=True)
class ReadConfig:
    """Hits to an answer."""

    # extractive | llm, which is the model of [llm] | openai:MODEL | transformers:PATH | scripted:FILE
    reader: str = "extractive"
    passages: int = 8  # top passages shown to the reader; 5 to 8 gains 4.7 F1 on 2Wiki and 1.5 on HotpotQA
    answer_tokens: int = 512  # room for an LLM's answer and its citations

    def __post_init__(self) -> None:
        known = self.reader in ("extractive", "llm") or is_llm(self.reader)
        names = "extractive, llm, openai:MODEL, transformers:PATH or scripted:FILE"
        _require(known, "reader", names, self.reader)
        rule = "a whole number from 16 to 100000"
        _require_whole("read.answer_tokens", self.answer_tokens, 16, 100_000, rule)
        _require_whole("read.passages", self.passages, 1, 100, "a whole number from 1 to 100")


@dataclass(frozen=True, slots=True)
class HippoConfig:
    """Methods ``hipporag`` and ``hipporag2``; the defaults are the papers' and their code's."""

    damping: float = 0.5  # HippoRAG appendix; HippoRAG 2 appendix
    linking_top_k: int = 5  # facts linked to the question, and entities kept of them (HippoRAG 2)
    passage_weight: float = 0.05  # of a passage's similarity in the reset vector (HippoRAG 2, section 3.3)
    specificity: bool = True  # seeds weigh one over the passages that hold them (HippoRAG, section 2.4)
    ensemble: bool = False  # average with dense scores where a question's entity is linked badly (HippoRAG)
    ensemble_threshold: float = 0.9  # cosine below which it is linked badly

    def __post_init__(self) -> None:
        _require_number("hipporag.damping", self.damping, 0.01, 0.99, "a number from 0.01 to 0.99")
        rule = "a whole number from 1 to 1000"
        _require_whole("hipporag.linking_top_k", self.linking_top_k, 1, 1000, rule)
        _require_number("hipporag.passage_weight", self.passage_weight, 0, 1000, "a number from 0 to 1000")
        _require_number(
            "hipporag.ensemble_threshold", self.ensemble_threshold, -1, 1, "a number from -1 to 1"
        )
        for name, value in (("specificity", self.specificity), ("ensemble", self.ensemble)):
            _require(isinstance(value, bool), f"hipporag.{name}", "true or false", value)


def is_llm(name: object) -> bool:
    """Return whether ``name`` names an LLM: ``openai:MODEL``, ``transformers:PATH`` or ``scripted:FILE``."""
    kind, _, argument = name.partition(":") if isinstance(name, str) else ("", "", "")
    return kind in LLM_KINDS and argument.strip() != ""


@dataclass(frozen=True, slots=True)
class LLMConfig:
    """The language model, for whatever needs one; nothing does unless it is asked for."""

    model: str = ""  # openai:MODEL | transformers:PATH | scripted:FILE; empty: none
    base_url: str = (
        ""  # of an OpenAI-compatible server; empty: what OPENAI_BASE_URL says, else the official one
    )
    api_key_env: str = "OPENAI_API_KEY"  # the variable that holds the key; the key itself is stored nowhere
    temperature: float = 0.0  # both papers
    seed: int = 0
    structured: str = "auto"  # schema | json | none; auto: the best that the server accepts
    concurrency: int = 8  # calls at once
    requests_per_minute: int = 0  # 0: no limit
    tokens_per_minute: int = 0  # 0: no limit; counts tokens in and out
    timeout: float = 120.0  # seconds without an answer
    retries: int = 5  # after 429, 5xx, timeouts and cut connections
    context_tokens: int = 8192  # the model's window: what is sent and what comes back
    device: str = "auto"  # of transformers: auto, cpu, cuda, cuda:1, mps
    dtype: str = "auto"  # of transformers: auto, float32, bfloat16, float16
    quantization: str = "none"  # of transformers: none, 8bit, 4bit
    batch_size: int = 8  # of transformers: prompts answered together
    prompts: str = ""  # a folder whose files stand in for ours of the same name
    input_price: float = 0.0  # of a million tokens
    output_price: float = 0.0
    embed_price: float = 0.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        known = self.model == "" or is_llm(self.model)
        _require(known, "llm.model", "openai:MODEL, transformers:PATH or scripted:FILE", self.model)
        for name in ("base_url", "api_key_env", "device", "prompts", "currency"):
            _require(isinstance(getattr(self, name), str), f"llm.{name}", "a text", getattr(self, name))
        check_no_secret(self.base_url, self.api_key_env)
        for name, allowed in _LLM_CHOICES.items():
            value = getattr(self, name)
            _require(value in allowed, f"llm.{name}", f"one of {', '.join(allowed)}", value)
        _require_number("llm.temperature", self.temperature, 0, 2, "a number from 0 to 2")
        _require_number("llm.timeout", self.timeout, 0.01, 86_400, "seconds, at least 0.01")
        for name, low in _LLM_WHOLE.items():
            rule = f"a whole number of at least {low}"
            _require_whole(f"llm.{name}", getattr(self, name), low, 10**9, rule)
        for name in ("input_price", "output_price", "embed_price"):
            _require_number(f"llm.{name}", getattr(self, name), 0, 10**9, "a price of at least 0")


_LLM_CHOICES = {
    "structured": ("auto", "schema", "json", "none"),
    "dtype": ("auto", "float32", "bfloat16", "float16"),
    "quantization": ("none", "8bit", "4bit"),
}
_LLM_WHOLE = {
    "seed": 0,
    "concurrency": 1,
    "requests_per_minute": 0,
    "tokens_per_minute": 0,
    "retries": 0,
    "context_tokens": 256,
    "batch_size": 1,
}


@dataclass(frozen=True, slots=True)
class Config:
    """All options; each stage receives its own part and never the whole."""

    chunk: ChunkConfig = field(default_factory=ChunkConfig)
    extract: ExtractConfig = field(default_factory=ExtractConfig)
    embed: EmbedConfig = field(default_factory=EmbedConfig)
    graph: GraphConfig = field(default_factory=GraphConfig)
    lexical: LexicalConfig = field(default_factory=LexicalConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    hipporag: HippoConfig = field(default_factory=HippoConfig)
    read: ReadConfig = field(default_factory=ReadConfig)
    llm: LLMConfig = field(default_factory=LLMConfig)

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
                raise ConfigError(f"[{name}] must be a table of options, not {type(options).__name__}")
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
            values = tomllib.loads(read_plain(path).decode("utf-8"))
        except OSError as error:
            raise ConfigError(
                f"cannot read the configuration {path} ({error.strerror}); check the path"
            ) from error
        except (
            ValueError,
            RecursionError,
        ) as error:  # tomllib's own, no UTF-8, a number of 5,000 digits; [[[[
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
