"""Options: what goes out as TOML comes back in, and what is wrong is named."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hipporag_like.config import (
    FUSIONS,
    LEXICAL_ENGINES,
    METHODS,
    WALK_ENGINES,
    ChunkConfig,
    Config,
    EmbedConfig,
    ExtractConfig,
    GraphConfig,
    LexicalConfig,
    ReadConfig,
    SearchConfig,
)
from hipporag_like.errors import ConfigError, UsageError


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False) | st.integers(-(-low // 1), high // 1).map(int)


NAMES = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda s: s.strip() != "")
CONFIGS = st.builds(
    Config,
    chunk=st.integers(8, 100_000).flatmap(
        lambda most: st.builds(ChunkConfig, max_tokens=st.just(most), overlap=st.integers(0, most // 2))
    ),
    extract=st.builds(
        ExtractConfig,
        extractor=st.just("rules") | NAMES.map("spacy:{}".format) | NAMES.map("openie:{}".format),
        gazetteer=st.booleans(),
        mine_terms=st.booleans(),
    ),
    embed=st.builds(
        EmbedConfig,
        model=NAMES,
        batch_tokens=st.integers(64, 1_000_000),
        dtype=st.sampled_from(["auto", "float32", "bfloat16"]),
    ),
    graph=st.builds(
        GraphConfig,
        title_weight=number(0, 1000),
        term_weight=number(0, 1000),
        synonym_threshold=number(0, 1),
        synonym_neighbours=st.integers(0, 1000),
    ),
    lexical=st.builds(
        LexicalConfig,
        k1=number(0, 100),
        b=number(0, 1),
        epsilon=number(0, 10),
        engine=st.sampled_from(LEXICAL_ENGINES),
    ),
    search=st.builds(
        SearchConfig,
        method=st.sampled_from(METHODS),
        k=st.integers(1, 10**6),
        damping=st.floats(0.01, 0.99),
        engine=st.sampled_from(WALK_ENGINES),
        fusion=st.sampled_from(FUSIONS) | NAMES.map("{}.json".format),
    ),
    read=st.builds(ReadConfig, passages=st.integers(1, 100)),
)


@settings(max_examples=40)
@given(CONFIGS)
@example(Config(embed=EmbedConfig('models/🙂\x7f\t"\\\u2028')))
def test_what_goes_out_as_toml_and_json_comes_back(tmp_path_factory: pytest.TempPathFactory, config: Config):
    file = tmp_path_factory.getbasetemp() / "config.toml"
    file.write_text(config.to_toml(), encoding="utf-8", newline="")
    assert Config.from_toml(file) == config
    assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_what_is_left_out_keeps_its_default():
    assert Config.from_dict({}) == Config()
    assert Config.from_dict({"search": {"k": 7}}) == Config(search=SearchConfig(k=7))
    assert Config().search.method == "graph"


def test_what_is_left_out_is_as_in_the_base():
    base = Config(search=SearchConfig(k=9, method="bm25"), read=ReadConfig(passages=3))
    merged = Config.from_dict({"search": {"k": 7}}, base)
    assert merged == Config(search=SearchConfig(k=7, method="bm25"), read=ReadConfig(passages=3))


def test_all_unknown_names_are_told_at_once_with_the_nearest():
    values = {"serach": {}, "graph": {"title_wieght": 1, "qqq": 2}, "chunk": {"max_token": 5, "overlap": -1}}
    with pytest.raises(ConfigError) as caught:
        Config.from_dict(values)
    assert str(caught.value) == (
        "unknown option chunk.max_token (did you mean chunk.max_tokens?), graph.qqq, "
        "graph.title_wieght (did you mean graph.title_weight?), serach (did you mean search?)"
    )


def test_an_unknown_name_that_is_no_text_is_told_too():
    with pytest.raises(ConfigError, match="unknown option 3"):
        Config.from_dict({3: {}})  # type: ignore[dict-item]


BAD = [
    ("chunk", "max_tokens", 7),
    ("chunk", "max_tokens", 50.5),
    ("chunk", "max_tokens", True),
    ("chunk", "max_tokens", "100"),
    ("chunk", "overlap", 121),
    ("chunk", "overlap", -1),
    ("extract", "extractor", "magic"),
    ("extract", "extractor", "spacy:"),
    ("extract", "extractor", "rules:x"),
    ("extract", "extractor", 3),
    ("extract", "gazetteer", "no"),
    ("extract", "mine_terms", 0),
    ("embed", "model", " "),
    ("embed", "model", 3),
    ("embed", "preset", "small"),
    ("embed", "preset", True),
    ("embed", "batch_tokens", 63),
    ("embed", "batch_tokens", 100.5),
    ("embed", "dtype", "float16"),
    ("graph", "title_weight", -0.1),
    ("graph", "title_weight", float("nan")),
    ("graph", "term_weight", float("inf")),
    ("graph", "synonym_threshold", 1.1),
    ("graph", "synonym_neighbours", 2.5),
    ("lexical", "k1", None),
    ("lexical", "b", 2),
    ("lexical", "epsilon", -1),
    ("lexical", "engine", "fast"),
    ("search", "method", "magic"),
    ("search", "k", 0),
    ("search", "k", 2.0),
    ("search", "k", "5"),
    ("search", "k", True),
    ("search", "damping", 1.0),
    ("search", "damping", 0),
    ("search", "tolerance", 0),
    ("search", "sharpness", "b"),
    ("search", "engine", "pull"),
    ("search", "fusion", "magic"),
    ("search", "fusion", 3),
    ("search", "fusion", "trees.txt"),
    ("search", "fusion", Path("trees.json")),  # would not go out as TOML or JSON
    ("read", "reader", "magic"),
    ("read", "passages", 0),
    ("read", "passages", 2.5),
    ("read", "reader", "openai:"),
    ("read", "answer_tokens", 15),
    ("extract", "llm_calls", 3),
    ("graph", "phrase_synonym_threshold", -0.1),
    ("search", "filter", "yes"),
    ("search", "question_entities", "magic"),
    ("search", "steps", 0),
    ("hipporag", "damping", 1.0),
    ("hipporag", "linking_top_k", 0),
    ("hipporag", "passage_weight", -1),
    ("hipporag", "specificity", "yes"),
    ("hipporag", "ensemble", 1),
    ("hipporag", "ensemble_threshold", 2),
    ("llm", "model", "gpt-4o-mini"),
    ("llm", "model", "openai: "),
    ("llm", "base_url", 3),
    ("llm", "api_key_env", None),
    ("llm", "temperature", -1),
    ("llm", "seed", 0.5),
    ("llm", "structured", "yaml"),
    ("llm", "concurrency", 0),
    ("llm", "requests_per_minute", -1),
    ("llm", "tokens_per_minute", "many"),
    ("llm", "timeout", 0),
    ("llm", "retries", -1),
    ("llm", "context_tokens", 100),
    ("llm", "device", 0),
    ("llm", "dtype", "int3"),
    ("llm", "quantization", "2bit"),
    ("llm", "batch_size", 0),
    ("llm", "prompts", 1),
    ("llm", "input_price", -0.1),
    ("llm", "output_price", "free"),
    ("llm", "embed_price", -2),
    ("llm", "currency", 978),
]


@pytest.mark.parametrize(("stage", "option", "value"), BAD)
def test_a_bad_value_is_refused_by_name(stage: str, option: str, value: object):
    with pytest.raises(ConfigError) as caught:
        Config.from_dict({stage: {option: value}})
    message = str(caught.value)
    assert option in message
    assert repr(value) in message
    assert " must be " in message
    assert isinstance(caught.value, UsageError)


def test_every_option_has_a_bad_value_that_is_refused():
    options = {
        (stage.name, option.name) for stage in fields(Config) for option in fields(stage.default_factory)
    }
    assert options - {(stage, option) for stage, option, _ in BAD} == set()


@pytest.mark.parametrize("value", [3, "k = 5", None, [("k", 5)]])
def test_a_stage_must_be_a_table(value: object):
    with pytest.raises(ConfigError, match=r"\[search\] must be a table of options"):
        Config.from_dict({"search": value})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[search\nk = 1", "is not valid TOML"),
        (b"\xff\xfe", "is not valid TOML"),
        (b"k = 1", "unknown option k"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: bytes, message: str):
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        Config.from_toml(file)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"cannot read the configuration .*none\.toml.*No such file"):
        Config.from_toml(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        Config.from_toml(tmp_path)


def test_options_are_values():
    assert Config() == Config()
    assert len({Config(), Config(), replace(Config(), search=SearchConfig(k=9))}) == 2
    with pytest.raises(AttributeError):
        Config().search.k = 9  # type: ignore[misc]
