"""What a model's folder says, read without torch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hipporag_like.config import LLMConfig
from hipporag_like.errors import MissingExtraError, ModelError
from hipporag_like.models import torch_model
from hipporag_like.models.model_files import architectures, fetch, identity, positions, read_config
from hipporag_like.models.qa_reader import QAReader, is_question_answering
from hipporag_like.models.transformers_llm import TransformersLLM

MIB = 1 << 20
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def made_up_model(folder: Path, **config: object) -> Path:
    """Write files that look like a model; the weights are no weights."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 4096, **config}
    (folder / "config.json").write_text(json.dumps(whole), encoding="utf-8")
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * (3 * MIB // 256))
    return folder


def altered(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(bytes(data))


def test_a_copy_elsewhere_is_the_same_model(tmp_path: Path) -> None:
    one = made_up_model(tmp_path / "one")
    other = Path(shutil.copytree(one, tmp_path / "other"))
    assert identity(str(one)) == identity(str(other))


@pytest.mark.parametrize("place", [0, MIB - 1, 2 * MIB, -1])
def test_other_weights_are_another_model(tmp_path: Path, place: int) -> None:
    folder = made_up_model(tmp_path)
    before = identity(str(folder))
    altered(folder / "model.safetensors", place)
    assert identity(str(folder)) != before


def test_whatever_changes_answers_changes_the_identity(tmp_path: Path) -> None:
    folder = made_up_model(tmp_path)
    seen = {identity(str(folder))}
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    seen.add(identity(str(folder)))
    (folder / "tokenizer.json").write_text('{"other": 1}')
    seen.add(identity(str(folder)))
    (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
    seen.add(identity(str(folder)))
    made_up_model(folder, max_position_embeddings=8192)
    seen.add(identity(str(folder)))
    assert len(seen) == 5


def test_a_file_smaller_than_its_ends_is_read_once(tmp_path: Path) -> None:
    folder = made_up_model(tmp_path)
    seen = set()
    for content in (b"", b"a", b"ab", b"x" * MIB, b"x" * (MIB + 1)):
        (folder / "model.safetensors").write_bytes(content)
        seen.add(identity(str(folder)))
    assert len(seen) == 5


def test_readme_and_pickles_do_not_count(tmp_path: Path) -> None:
    folder = made_up_model(tmp_path)
    before = identity(str(folder))
    (folder / "README.md").write_text("words")
    (folder / "pytorch_model.bin").write_bytes(b"never opened")
    assert identity(str(folder)) == before


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 512}, 512),
        ({"n_positions": 1024}, 1024),
        ({"text_config": {"max_position_embeddings": 131072}}, 131072),
        ({"model_type": "roberta", "max_position_embeddings": 514}, 512),
        ({"max_position_embeddings": -1}, None),
        ({}, None),
    ],
)
def test_positions(config: dict[str, object], expected: int | None) -> None:
    assert positions(config) == expected


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["RobertaForQuestionAnswering"], True),
        (["LlamaForCausalLM"], False),
        ([], False),
        (None, False),
        ("RobertaForQuestionAnswering", False),
    ],
)
def test_a_question_answering_head_is_told_by_the_class(
    tmp_path: Path, classes: object, expected: bool
) -> None:
    folder = made_up_model(tmp_path, architectures=classes)
    assert is_question_answering(str(folder)) is expected


@pytest.mark.parametrize("name", ["/no/such/folder", "plain", "./models/mine", "a/b/c", "~/none"])
def test_a_path_that_is_no_folder_is_no_hub_name_either(name: str) -> None:
    for ask in (read_config, architectures, identity, fetch, is_question_answering):
        with pytest.raises(ModelError, match="neither a folder nor a name"):
            ask(name)


@pytest.mark.parametrize(
    ("content", "said"), [(b"{", "cannot be read"), (b"\xff", "cannot be read"), (b"[]", "no configuration")]
)
def test_a_broken_configuration_is_said_in_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (made_up_model(tmp_path) / "config.json").write_bytes(content)
    with pytest.raises(ModelError, match=said) as caught:
        is_question_answering(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no model"):
        identity(str(tmp_path))


def test_an_unreachable_hub_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host\nsecond line")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(ModelError, match="no route to host") as caught:
        identity("owner/model-that-nobody-has")
    assert "\n" not in str(caught.value)


def test_a_hub_model_is_known_by_its_commit_without_the_network_or_torch(tmp_path: Path) -> None:
    repository = tmp_path / "models--owner--tiny"
    made_up_model(repository / "snapshots" / COMMIT, architectures=["BertForQuestionAnswering"])
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    script = (
        "import sys\n"
        "from hipporag_like.models.model_files import identity\n"
        "from hipporag_like.models.qa_reader import is_question_answering\n"
        "print(identity('owner/tiny'), is_question_answering('owner/tiny'))\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert run.stdout.split() == [f"owner/tiny@{COMMIT}", "True"], run.stderr


def test_without_the_extra_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_model, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"hipporag-like\[local\]"):
        TransformersLLM(str(made_up_model(tmp_path)), LLMConfig())
    with pytest.raises(MissingExtraError, match=r"hipporag-like\[local\]"):
        QAReader(str(made_up_model(tmp_path)), LLMConfig(), "transformers:PATH")


def test_a_model_of_another_kind_is_refused_before_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_model, "find_spec", lambda _: "found")
    writer = str(made_up_model(tmp_path / "writer"))
    masked = str(made_up_model(tmp_path / "masked", architectures=["BertForMaskedLM"]))
    with pytest.raises(ModelError, match="BertForMaskedLM, which writes no text"):
        TransformersLLM(masked, LLMConfig())
    for path in (writer, masked):
        with pytest.raises(ModelError, match="no question-answering head"):
            QAReader(path, LLMConfig(), "transformers:PATH")
    assert TransformersLLM(writer, LLMConfig(context_tokens=2048)).context == 2048
    assert TransformersLLM(writer, LLMConfig(context_tokens=9999)).context == 4096


def test_every_option_of_the_answers_is_in_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_model, "find_spec", lambda _: "found")
    folder = str(made_up_model(tmp_path))
    options = [{}, {"temperature": 0.7}, {"seed": 1}, {"dtype": "float16"}, {"quantization": "8bit"}]
    prints = [TransformersLLM(folder, LLMConfig(**option)).fingerprint for option in options]
    assert len(set(prints)) == len(options)
    assert prints[0] == TransformersLLM(folder, LLMConfig(batch_size=3, concurrency=2)).fingerprint
