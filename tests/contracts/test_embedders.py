"""What every embedder promises."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hipporag_like.config import EmbedConfig
from hipporag_like.errors import ConfigError, MissingExtraError, ModelError
from hipporag_like.models.embedders import load_embedder
from hipporag_like.models.protocols import Embedder
from hipporag_like.models.weights import find_weights

WORDS = "the river crosses a city where many people live and work near old bridges of stone".split()
TEXTS = [
    "The river crosses the city.",
    "",
    "   \n\t ",
    "a",
    "Zürich, Αθήνα, Москва, 東京, القاهرة, हिन्दी, 🙂",
    "a lone \ud800 surrogate",
    " ".join(WORDS * 60),
    "no \x00 zero",
]


def tiny_bert(folder: Path) -> Path:
    """Save a random BERT of two small layers, with a tokenizer of a few words and all letters."""
    pytest.importorskip("torch", reason="the extra `local` is not installed")
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted({*WORDS, *letters}), *(f"##{c}" for c in letters)]
    tokenizer = Tokenizer(models.WordPiece({p: n for n, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(pieces), max_position_embeddings=64, **shape)).save_pretrained(folder)
    return folder


def prompted(folder: Path) -> Path:
    """Wrap the tiny BERT as a sentence-transformers model that tells questions from passages."""
    pytest.importorskip("sentence_transformers", reason="the extra `local` is not installed")
    import json

    tiny_bert(folder)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    prompts = {"prompts": {"query": "where many people ", "passage": "of stone "}}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    return folder


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An embedding model behind a server on loopback."""
    pytest.importorskip("openai", reason="the extra `openai` is not installed")
    from llm_server import LLMServer

    with LLMServer() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", server.base_url)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield "openai:embed-test"


@pytest.fixture(
    scope="module", params=["minilm", "hashing", "transformers", "sentence-transformers", "openai"]
)
def model_name(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "openai":
        return str(request.getfixturevalue("endpoint"))
    if request.param == "minilm":
        try:
            find_weights()
        except ModelError as error:
            pytest.skip(str(error))
    if request.param == "transformers":
        return str(tiny_bert(tmp_path_factory.mktemp("bert")))
    if request.param == "sentence-transformers":
        return str(prompted(tmp_path_factory.mktemp("prompted")))
    return str(request.param)


@pytest.fixture(scope="module")
def embedder(model_name: str) -> Embedder:
    return load_embedder(EmbedConfig(model=model_name, batch_tokens=128))


def test_has_the_members_of_the_protocol(embedder: Embedder) -> None:
    assert isinstance(embedder, Embedder)
    assert embedder.dim > 0


def test_gives_one_unit_row_a_text_whatever_the_text(embedder: Embedder) -> None:
    rows = embedder.embed(TEXTS)
    assert rows.shape == (len(TEXTS), embedder.dim)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    rows = embedder.embed([])
    assert rows.shape == (0, embedder.dim)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("kind", ["query", "passage"])
def test_a_row_depends_on_its_text_alone(embedder: Embedder, kind: str) -> None:
    rows = embedder.embed(TEXTS, kind)
    np.testing.assert_allclose(embedder.embed(TEXTS[::-1], kind)[::-1], rows, atol=1e-5)
    for text, row in zip(TEXTS, rows, strict=True):
        np.testing.assert_allclose(embedder.embed([text], kind)[0], row, atol=1e-5)


def test_equal_texts_get_equal_rows(embedder: Embedder) -> None:
    rows = embedder.embed(["stone", "river", "stone"])
    np.testing.assert_array_equal(rows[0], rows[2])
    assert not np.allclose(rows[0], rows[1])


def test_no_part_of_a_long_text_is_cut_off(embedder: Embedder) -> None:
    base = " ".join(WORDS * 60)
    plain, longer = embedder.embed([base, f"{base} zebra zebra zebra zebra zebra zebra"])
    assert np.abs(plain - longer).max() > 1e-4


def test_loading_again_gives_the_same_fingerprint_and_vectors(embedder: Embedder, model_name: str) -> None:
    again = load_embedder(EmbedConfig(model=model_name))
    assert again.fingerprint == embedder.fingerprint
    np.testing.assert_allclose(again.embed(TEXTS), embedder.embed(TEXTS), atol=1e-5)


def test_several_threads_may_embed_at_once(embedder: Embedder) -> None:
    expected = embedder.embed(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(lambda _: embedder.embed(TEXTS), range(6)):
            np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_prompts_of_the_model_are_put_before_the_text(tmp_path: Path) -> None:
    from hipporag_like.models.local import LocalEmbedder

    folder = prompted(tmp_path / "prompted")
    with_prompts = LocalEmbedder(folder)
    (folder / "config_sentence_transformers.json").unlink()
    without = LocalEmbedder(folder)
    assert with_prompts.fingerprint != without.fingerprint
    np.testing.assert_allclose(
        with_prompts.embed(["river"], "query"), without.embed(["where many people river"]), atol=1e-5
    )
    np.testing.assert_allclose(with_prompts.embed(["river"]), without.embed(["of stone river"]), atol=1e-5)


def test_other_weights_or_number_formats_have_other_fingerprints(tmp_path: Path) -> None:
    from hipporag_like.models.local import LocalEmbedder

    one, other = (tiny_bert(tmp_path / name) for name in ("one", "other"))
    prints = {LocalEmbedder(one).fingerprint, LocalEmbedder(other).fingerprint}
    halved = LocalEmbedder(one, dtype="bfloat16")
    assert len({*prints, halved.fingerprint}) == 3
    similarity = LocalEmbedder(one).embed(WORDS[:5]) @ halved.embed(WORDS[:5]).T
    assert similarity.diagonal().min() > 0.99


def test_a_folder_without_a_model_is_said_in_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra `local` is not installed")
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="could not be loaded as an encoder") as caught:
        load_embedder(EmbedConfig(model=str(tmp_path)))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(find_spec("torch") is not None, reason="the extra `local` is installed")
def test_a_folder_without_the_extra_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(MissingExtraError, match=r"hipporag-like\[local\]"):
        load_embedder(EmbedConfig(model=str(tmp_path)))


def test_a_misspelt_name_gets_the_right_one() -> None:
    with pytest.raises(ConfigError, match="did you mean minilm"):
        load_embedder(EmbedConfig(model="minlm"))


def test_a_folder_with_the_default_weights_needs_no_extra() -> None:
    try:
        folder = find_weights()
    except ModelError as error:
        pytest.skip(str(error))
    default = load_embedder(EmbedConfig())
    assert load_embedder(EmbedConfig(model=str(folder))).fingerprint == default.fingerprint
    assert load_embedder(EmbedConfig(model="sentence-transformers/all-MiniLM-L6-v2")).dim == 384
