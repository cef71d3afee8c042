"""What a model's folder says about it, read without torch: architecture, window, identity."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hipporag_like.errors import ModelError
from hipporag_like.models.named_path import named_path
from hipporag_like.plain_files import read_plain

WEIGHTS = "*.safetensors"
# Besides the weights, these decide what a model answers.
_DESCRIPTIONS = ("*.json", "*.jinja", "*.model", "*.txt")
# Folders hold the same model for other programs, and so does the whole of the weights in a single file.
_OTHER_FORMS = ["*/*", "consolidated*"]
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
# The ends of a file tell two sets of weights apart: its header is at the start, the last layers at the end. The
# whole would take 10 s a billion parameters.
_END_BYTES = 1 << 20
# How the configurations of different architectures call the longest input.
_POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length", "seq_length")
# Their positions start after the padding token's, so that two of max_position_embeddings are never used.
_SHIFTED = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer", "mpnet", "data2vec-text"}
)
_SHIFT = 2


def read_config(name: str) -> Mapping[str, Any]:
    """Return what ``config.json`` of a model says.

    Parameters
    ----------
    name
        A model's folder, or its name ``OWNER/NAME`` on the hub; from there only this file is fetched, and
        none if it is in the hub's cache.

    Raises
    ------
    ModelError
        There is no such folder or model, or it has no readable ``config.json``.
    """
    path = _config_path(name)
    try:
        config = json.loads(read_plain(path).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({reason(error)}); copy the model again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} is no configuration of a model; copy the model again.")
    return config


def architectures(name: str) -> tuple[str, ...]:
    """Return the classes that the weights are made for, such as ``LlamaForCausalLM``; errors as above."""
    said = read_config(name).get("architectures")
    return tuple(str(item) for item in said) if isinstance(said, list) else ()


def positions(config: Mapping[str, Any]) -> int | None:
    """Return how many tokens a model takes at most by its configuration; ``None`` where it names no limit."""
    inner = config.get("text_config")
    for table in (config, inner if isinstance(inner, dict) else {}):
        for key in _POSITIONS:
            value = table.get(key)
            if isinstance(value, int) and value > 0:
                return value - (_SHIFT if str(table.get("model_type")) in _SHIFTED else 0)
    return None


def identity(name: str) -> str:
    """Return what tells a model from all others; equal identities, equal weights, tokenizer and template.

    Of a folder: 16 hexadecimal digits over the small files and over name, size and both ends of each file of
    weights. Of a model on the hub: its name and commit. Errors as above.
    """
    path = _config_path(name)
    if not _is_folder(name):
        return f"{name}@{path.parent.name}"
    digest = hashlib.sha256()
    small = {file for pattern in _DESCRIPTIONS for file in path.parent.glob(pattern)}
    try:
        for file in sorted(small | set(path.parent.glob(WEIGHTS))):
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape"))
            digest.update(file.read_bytes() if file in small else _ends(file))
    except OSError as error:
        raise ModelError(f"{path.parent} cannot be read ({reason(error)}); check its permissions.") from error
    return digest.hexdigest()[:16]


def fetch(name: str) -> Path:
    """Return the folder with all files of a model, from the hub if need be; weights in pickles stay there."""
    folder = _config_path(name).parent
    if _is_folder(name):
        return folder
    from huggingface_hub import snapshot_download

    wanted = [*_DESCRIPTIONS, WEIGHTS]
    try:
        return Path(
            snapshot_download(name, revision=folder.name, allow_patterns=wanted, ignore_patterns=_OTHER_FORMS)
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(name, error) from error


def reason(error: BaseException) -> str:
    """Return what an error of a library says, as a part of a sentence: its first line, without its end mark."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".:; ") if lines else type(error).__name__


def _is_folder(name: str) -> bool:
    return named_path(name).is_dir()


def _config_path(name: str) -> Path:
    if _is_folder(name):
        path = named_path(name) / "config.json"
        if not path.is_file():
            raise ModelError(f"{name} holds no model (config.json); name a model's folder")
        return path
    if not _HUB_NAME.fullmatch(name):
        raise ModelError(f"{name} is neither a folder nor a name OWNER/NAME on the hub; check the path")
    return _hub_config(name)


def _hub_config(name: str) -> Path:
    """Return the configuration in the hub's cache; its folder is named after the commit."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(name, "config.json")
        return Path(cached if isinstance(cached, str) else hf_hub_download(name, "config.json"))
    except (OSError, ValueError, RuntimeError) as error:
        raise _unreachable(name, error) from error


def _unreachable(name: str, error: Exception) -> ModelError:
    return ModelError(
        f"{name} is not a folder here and did not come from the hub ({reason(error)}); check the name"
    )


def _ends(file: Path) -> bytes:
    with file.open("rb") as stream:
        start = stream.read(_END_BYTES)
        stream.seek(max(_END_BYTES, file.stat().st_size - _END_BYTES))
        return start + stream.read()
