"""Fuzz targets: what a user configures, from TOML and filters to the names of models and the environment."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import fuzz_mutate as mutate
import numpy as np
from fuzz_parsers_run import Target, require

from hipporag_like import config as settings
from hipporag_like.cli import _where
from hipporag_like.config import Config
from hipporag_like.errors import ConfigError, InputError, MissingExtraError, ModelError, UsageError
from hipporag_like.indexing.columns import metadata_columns
from hipporag_like.models import (
    embedders,
    endpoint_address,
    extractors,
    llms,
    model_files,
    prompts,
    readers,
    scripted,
)
from hipporag_like.retrieval import filters, trees
from hipporag_like.store.tables import StringTable

DEFAULTS = Config().to_dict()
NAMES = [*DEFAULTS, *(name for options in DEFAULTS.values() for name in options)]
TOML = [
    Config().to_toml(),
    '[search]\nk = 10\nmethod = "bm25"\ndamping = 0.5\n[read]\nreader = "openai:gpt-4o"\n',
    "[llm]\nmodel = 'scripted:a.json'\nseed = 0x1F\nretries = 1_0\ntimeout = 1e2\n[hipporag]\nensemble = true # yes\n",
    'chunk = { max_tokens = 100, overlap = 10 }\n[[search]]\nk = 1979-05-27T07:32:00Z\n"quoted key" = """\na"""\n',
]
TOML_WORDS = ("[search]", "[[", "]]", '"""', "'''", "k = ", "= inf", "= -nan", "\\u0000", "\\U0010FFFF", "\\uD800",
              "0o7", "0b1", "07:32:00", "a.b.c = 1", '"a\\nb" = 1', "{ a = 1 }", *NAMES[:30])  # fmt: skip


def make_options(rng: random.Random, kept: Any) -> Any:
    """Return nested options."""
    if kept is None:
        stages = rng.sample(list(DEFAULTS), rng.randint(1, 3))
        kept = {stage: DEFAULTS[stage] for stage in stages}
    return mutate.changed_value(rng, kept, NAMES)


def run_options(values: Any) -> None:
    """Read options; what was read goes to TOML and back, and to JSON and back."""
    if not isinstance(values, dict):
        raise ConfigError("no options")
    made = Config.from_dict(values)
    require(isinstance(made, Config), "no configuration")
    require(Config.from_dict(made.to_dict()) == made, "options do not come back")
    require(
        Config.from_dict(json.loads(json.dumps(made.to_dict()))) == made, "options do not come back from JSON"
    )


def make_toml(rng: random.Random, kept: bytes | None) -> bytes:
    """Return a configuration file."""
    text = rng.choice(TOML) if kept is None else kept.decode("utf-8", "replace")
    if rng.random() < 0.1:
        return mutate.changed_bytes(rng, text.encode("utf-8", "surrogatepass"), [])
    return mutate.changed_text(rng, text, TOML, TOML_WORDS).encode("utf-8", "surrogatepass")


SPECS = ("openai:gpt-4o-mini", "transformers:/no/such", "scripted:FILE", "scripted:no.json", "extractive",
    "llm", "rules",
         "openie:FILE", "openie:no.json", "minilm", "hashing", "owner/name", "./folder", "FOLDER", "spacy:no_such", "~",
         "~nobody/x", "http://localhost:8000/v1", "https://me:pw@host/v1?key=1#x", "https://[::1", "http://a:99999/",
         "http://h\u00f6st:0", "sk-abc\u00e9", "OPENAI_API_KEY", "")  # fmt: skip
SPEC_WORDS = ("openai:", "transformers:", "scripted:", "openie:", "spacy:", ":", "/", "//", "..", "@", "?", "[", "http://",
              "\0", "\n", "FILE", "FOLDER", "~", "%00", "x" * 300)  # fmt: skip


def make_spec(rng: random.Random, kept: str | None) -> str:
    """Return the name of a model, or the address of one."""
    spec = rng.choice(SPECS) if kept is None else kept
    return spec if rng.random() < 0.05 else mutate.changed_text(rng, spec, SPECS, SPEC_WORDS)


CONDITIONS = ("year>=2000", "lang=en", "lang in en,de", 'title="a b"', "n in [1, 2.5, null]", "a != true",
    'x in "a,b", c',
              "tags=[1]", "y<1e3")  # fmt: skip
CONDITION_WORDS = (
    ">=",
    "<=",
    "!=",
    "=",
    "<",
    ">",
    " in ",
    '"',
    "[",
    "]",
    ",",
    "null",
    "year",
    "lang",
    "tags",
)
METADATA: list[dict[str, Any]] = [
    {"year": 1999, "lang": "en", "tags": ["a", 1, True], "n": None},
    {"year": 2000.5, "lang": "d\u00e9\ud83d\ude00", "x": {"y": [1]}, "tags": []},
    {"year": "2000", "n": 10**30, "tags": [["a"]]},
    {},
]
WHERES: list[Any] = [
    {"year": 2000}, {"year": {"gte": 2000, "lt": 2010}}, {"lang": {"in": ["en", "de"]}, "tags": "a"}, {"n": {"ne": 1}},
    {"x": {"eq": {"y": [1]}}}, {"tags": ["a", 1, True]},
]  # fmt: skip
WHERE_NAMES = ("year", "lang", "tags", "n", "x", "eq", "ne", "lt", "lte", "gt", "gte", "in")


class Columns:
    """The part of a segment that a filter reads; one passage a document."""

    def __init__(self) -> None:
        self._arrays = dict(metadata_columns(METADATA))
        self._arrays["passage_document"] = np.arange(len(METADATA), dtype=np.int32)

    def array(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def strings(self, name: str) -> StringTable:
        return StringTable(self._arrays[f"{name}_text"], self._arrays[f"{name}_offset"])


def make_where(rng: random.Random, kept: Any) -> Any:
    """Return conditions as they are typed, or a filter as it is passed."""
    if kept is None and rng.random() < 0.5 or isinstance(kept, dict):
        return mutate.changed_value(rng, kept or rng.choice(WHERES), WHERE_NAMES)
    typed = list(kept) if isinstance(kept, list) and kept else rng.sample(CONDITIONS, rng.randint(1, 3))
    typed = [c if isinstance(c, str) else str(c) for c in typed]
    at = rng.randrange(len(typed))
    typed[at] = mutate.changed_text(rng, typed[at], CONDITIONS, CONDITION_WORDS)
    return typed


def run_where(given: Any) -> None:
    """Read conditions and look which documents satisfy them."""
    typed = isinstance(given, list) and all(isinstance(condition, str) for condition in given)
    where = _where.parse_where(given) if typed else given
    mask = filters.allowed_passages(COLUMNS, where)
    if mask is None:
        require(not where, "a filter that filters nothing")
        return
    require(mask.dtype == bool and mask.shape == (len(METADATA),), "no mask")
    for field, condition in where.items():
        lacks = np.array([field not in metadata for metadata in METADATA])
        unconditional = condition == {}
        require(unconditional or not (mask & lacks).any(), "a document without the field passes")


FILES: dict[str, list[str]] = {
    "prompt": [
        "## system\nBe brief.\n## user\n$question\n$passages\n",
        "## user\n$$5 ${question} $passages\n## assistant\nx\n## user\ny",
    ],
    "trees": [
        '{"format": 1, "names": ["a", "b"], "roots": [0], "feature": [0, 1], "threshold": [0.5, 1.0],'
        ' "left": [1, -1], "right": [-1, -2], "leaf": [0.1, 0.2]}'
    ],
    "script": [
        '{"rules": [{"stage": "read", "contains": "Tarn", "answer": {"entities": ["Tarn"]}}], "default": "x"}'
    ],
    "model": [
        '{"architectures": ["BertModel"], "max_position_embeddings": 512, "model_type": "mpnet",'
        ' "text_config": {}}'
    ],
}
FILE_WORDS = ("## user", "## system", "## assistant", "$question", "$passages", "${", "$$", "$", "rules",
    "answer", "roots",
              "left", "leaf", "format", "names", "architectures", "text_config")  # fmt: skip


def make_file(rng: random.Random, kept: tuple[str, bytes] | None) -> tuple[str, bytes]:
    """Return a kind of file and its content."""
    kind = rng.choice(list(FILES)) if kept is None else kept[0]
    text = rng.choice(FILES[kind]) if kept is None else kept[1].decode("utf-8", "replace")
    if kind != "prompt" and kept is None and rng.random() < 0.6:
        text = mutate.written(rng, mutate.changed_value(rng, json.loads(text), FILE_WORDS))
    else:
        text = mutate.changed_text(rng, text, FILES[kind], FILE_WORDS)
    data = text.encode("utf-8", "surrogatepass")
    return kind, mutate.changed_bytes(rng, data, []) if rng.random() < 0.1 else data


def read_file(folder: Path, kind: str, data: bytes) -> None:
    """Read a file as what it says it is."""
    path = (
        folder
        / {"prompt": "answer.md", "trees": "trees.json", "script": "script.json", "model": "config.json"}[
            kind
        ]
    )
    path.write_bytes(data)
    if kind == "prompt":
        own = prompts.Prompts.load(str(folder))
        require(all(m.content for m in own.fill("answer", question="q", passages="p")), "an empty turn")
    elif kind == "script":
        require(scripted.ScriptedLLM.from_file(path).fingerprint.startswith("scripted:"), "no model")
    elif kind == "model":
        config = model_files.read_config(str(folder))
        names, most = model_files.architectures(str(folder)), model_files.positions(config)
        require(
            all(isinstance(n, str) for n in names) and (most is None or type(most) is int), "no description"
        )
    else:
        trees._loaded.cache_clear()  # a file of the same size within the clock's tick counts as the same
        found = trees.load_trees(path)
        require(all(np.isfinite(found.leaf)) and all(0 <= found.feature), "trees that lead nowhere")


def targets(folder: Path) -> dict[str, Target]:
    """Return the targets of this module."""
    global COLUMNS
    COLUMNS = Columns()
    file, script = folder / "config.toml", folder / "s.json"
    script.write_text('{"default": "x"}')
    kinds = {kind: folder / kind for kind in FILES}
    for path in kinds.values():
        path.mkdir()

    def run_toml(data: bytes) -> None:
        file.write_bytes(data)
        made = Config.from_toml(file)
        file.write_text(made.to_toml(), encoding="utf-8")
        require(Config.from_toml(file) == made, "options do not come back from TOML")

    def run_spec(spec: str) -> None:
        named = spec.replace("FILE", str(script)).replace("FOLDER", str(folder))
        errors, most = [], 0
        for read in (_llm, _reader, _extractor, _embedder, _address, _key):
            most += 1
            try:
                read(named)
            except (ConfigError, InputError, MissingExtraError, ModelError) as error:
                errors.append(error)
        for error in errors[1:]:
            require(len(str(error).splitlines()) == 1, f"not one line: {error}")
        if len(errors) == most:
            raise errors[0]

    typed = (ConfigError, InputError, MissingExtraError, ModelError)
    return {
        "config-values": Target(make_options, run_options, (ConfigError,), [settings.__name__]),
        "config-toml": Target(make_toml, run_toml, (ConfigError,), [settings.__name__]),
        "model-names": Target(make_spec, run_spec, typed, [m.__name__ for m in (
            settings, llms, readers, extractors, embedders, endpoint_address)]),
        "filters": Target(make_where, run_where, (UsageError,), [_where.__name__, filters.__name__]),
        "files": Target(make_file, lambda given: read_file(kinds[given[0]], *given), (ConfigError, InputError,
        ModelError),
                        [m.__name__ for m in (prompts, trees, scripted, model_files)]),
    }  # fmt: skip


def _llm(spec: str) -> None:
    require(settings.is_llm(spec) == (spec == settings.LLMConfig(model=spec).model != ""), "is_llm")
    if spec.partition(":")[0] == "scripted":
        llms.load_llm(settings.LLMConfig(model=spec))


def _reader(spec: str) -> None:
    made = settings.ReadConfig(reader=spec)
    if spec.partition(":")[0] in ("extractive", "scripted"):
        helpers = readers.Helpers(lambda: None, lambda: None, lambda llm: llm)  # type: ignore[arg-type,return-value]
        readers.load_reader(made, settings.LLMConfig(), helpers)


def _extractor(spec: str) -> None:
    made = settings.ExtractConfig(extractor=spec)
    if spec.partition(":")[0] == "openie":
        extractors.load_extractor(made, lambda: None, lambda: None)  # type: ignore[arg-type,return-value]


def _embedder(spec: str) -> None:
    made = settings.EmbedConfig(model=spec)
    if not spec.startswith(("openai:", "minilm", "sentence-transformers/")):
        embedders.load_embedder(made)


def _address(spec: str) -> None:
    try:
        os.environ[endpoint_address.BASE_URL_VARIABLE] = spec
    except ValueError:  # NUL and lone surrogates cannot be there
        raise ConfigError("no environment holds it") from None
    address = endpoint_address.base_address(settings.LLMConfig())
    require(address.startswith(("http", "HTTP", "Http")) or address[:4].lower() == "http", "no address")
    require("@" not in address.partition("//")[2].partition("/")[0], "a password is shown")


def _key(spec: str) -> None:
    try:
        os.environ["FUZZED_KEY"] = spec
    except ValueError:
        raise ConfigError("no environment holds it") from None
    key = endpoint_address.read_key(settings.LLMConfig(api_key_env="FUZZED_KEY"), "http://localhost")
    require(key.isascii() and key == key.strip() and "\n" not in key, "no key")
    endpoint_address.read_key(settings.LLMConfig(api_key_env=spec), "http://localhost")
