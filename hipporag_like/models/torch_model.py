"""A model of transformers onto its device: number format, quantization, errors in one sentence."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hipporag_like.config import LLMConfig
from hipporag_like.errors import MissingExtraError, ModelError
from hipporag_like.models.model_files import WEIGHTS, fetch, reason

_QUANTIZERS = ("bitsandbytes", "accelerate")  # what transformers asks for before it quantizes to 8 or 4 bits
# Of 4 bits: the format of Dettmers et al., "QLoRA", section 3, whose levels are the quantiles of a normal
# distribution, as weights have; transformers' own default is the evenly spaced one.
_FOUR_BITS = "nf4"

_quiet_lock = threading.Lock()
_quiet_holders = 0
_loud: tuple[int, int, bool] = (0, 0, False)


@dataclass(frozen=True, slots=True)
class TorchModel:
    """A model ready to compute.

    Attributes
    ----------
    module
        In evaluation mode, on ``device``.
    device
        As torch writes it.
    """

    module: Any
    tokenizer: Any
    device: str


def require_torch(feature: str) -> None:
    """Raise :class:`MissingExtraError` where torch or transformers is not installed; imports neither."""
    for library in ("torch", "transformers"):
        if find_spec(library) is None:
            raise MissingExtraError(feature, "local")


def load_model(name: str, kind: str, config: LLMConfig) -> TorchModel:
    """Load a model and its tokenizer; no code of the model's is run and no pickle opened.

    Parameters
    ----------
    name
        A folder or a hub name.
    kind
        The class of transformers that opens it, such as ``AutoModelForCausalLM``.
    config
        ``device``, ``dtype`` and ``quantization`` are read.

    Raises
    ------
    ModelError
        The weights are missing, damaged, not of this kind or too large for the memory, or the device or
        the quantization is not to be had.
    """
    device = _device(config.device)
    options = {"dtype": _dtype(config.dtype, device), **_quantization(config.quantization, device)}
    folder = fetch(name)
    if not any(folder.glob(WEIGHTS)):
        raise ModelError(
            f"{name} holds no weights as safetensors, the only format opened here; convert them with "
            "save_pretrained."
        )
    try:
        module, report = _open(folder, kind, options)
        if config.quantization == "none":
            module.to(device)
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, MemoryError) as error:
        raise _unloadable(name, device, error) from error
    missing = sorted(report.get("missing_keys", ()))
    if missing:
        raise ModelError(
            f"{name} could not be loaded (its weights lack {missing[0]}, the first of {len(missing)}); name a "
            "model that was saved for this use."
        )
    module.eval()
    return TorchModel(module, load_tokenizer(name), str(module.device))


def _open(folder: Path, kind: str, options: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """Return the model and the report of what its files lack."""
    import transformers
    from safetensors import SafetensorError

    try:
        with quiet():
            opened: tuple[Any, Mapping[str, Any]] = getattr(transformers, kind).from_pretrained(
                folder,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
                **options,
            )
    except SafetensorError as error:  # a plain Exception
        raise ValueError(str(error)) from error
    return opened


def _unloadable(name: str, device: str, error: Exception) -> ModelError:
    if out_of_memory(error):
        return ModelError(
            f"{name} does not fit the memory of {device}; use a smaller model, llm.dtype bfloat16 or "
            "llm.quantization 8bit or 4bit."
        )
    return ModelError(f"{name} could not be loaded ({reason(error)}); check that the folder is whole.")


def load_tokenizer(name: str) -> Any:
    """Load the tokenizer of a model alone; raises :class:`ModelError` where it cannot be opened."""
    from transformers import AutoTokenizer

    folder = fetch(name)
    try:
        with quiet():
            return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError) as error:
        raise ModelError(
            f"The tokenizer of {name} could not be loaded ({reason(error)}); copy it again."
        ) from error


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error of torch says that the memory is full; torch has no one type for it."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and bitsandbytes from writing to the terminal; the last of several holders undoes it."""
    import logging as standard

    from transformers.utils import logging

    quantizer = standard.getLogger("bitsandbytes")

    global _quiet_holders, _loud
    with _quiet_lock:
        if _quiet_holders == 0:
            _loud = (quantizer.level, logging.get_verbosity(), bool(logging.is_progress_bar_enabled()))
            quantizer.setLevel(standard.CRITICAL)
            # Above ERROR, at which it reports what it also raises.
            logging.set_verbosity(logging.CRITICAL)
            logging.disable_progress_bar()
        _quiet_holders += 1
    try:
        yield
    finally:
        with _quiet_lock:
            _quiet_holders -= 1
            if _quiet_holders == 0:
                quantizer.setLevel(_loud[0])
                logging.set_verbosity(_loud[1])
                if _loud[2]:
                    logging.enable_progress_bar()


def _device(wanted: str) -> str:
    import torch

    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next(kind for kind in ("cuda", "mps", "cpu") if here[kind])
    kind, _, number = wanted.partition(":")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    known = here.get(kind, False) and (number == "" or (number.isdecimal() and int(number) < count))
    if not known:
        present = ", ".join(kind for kind, found in here.items() if found)
        raise ModelError(f"llm.device {wanted!r} is not to be had here; use auto or one of: {present}.")
    return wanted


def _dtype(wanted: str, device: str) -> Any:
    """Return torch's number format, or "auto": the one that the weights are stored in.

    A CPU computes in float32 by itself: few have instructions for the halved formats, and float32 makes answers
    depend least on how prompts were put together.
    """
    import torch

    if wanted == "auto":
        return torch.float32 if device == "cpu" else "auto"
    return getattr(torch, wanted)


def _quantization(wanted: str, device: str) -> dict[str, Any]:
    if wanted == "none":
        return {}
    absent = [library for library in _QUANTIZERS if find_spec(library) is None]
    if absent:
        raise ModelError(
            f"llm.quantization {wanted} needs {' and '.join(absent)}; install with: pip install {' '.join(absent)}"
        )
    from transformers import BitsAndBytesConfig

    if wanted == "8bit":
        settings = BitsAndBytesConfig(load_in_8bit=True)
    else:
        settings = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=_FOUR_BITS)
    return {"quantization_config": settings, "device_map": {"": device}}
