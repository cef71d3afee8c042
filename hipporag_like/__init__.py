"""Graph-based retrieval-augmented generation that runs offline.

Names are loaded when they are first used, so that importing the package stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hipporag_like.config import Config
    from hipporag_like.errors import (
        ConfigError,
        EndpointDownError,
        HippoRAGLikeError,
        IndexCorruptError,
        IndexFormatError,
        IndexLockedError,
        IndexMismatchError,
        IndexNotFoundError,
        IndexOutdatedError,
        InputError,
        LLMError,
        MissingExtraError,
        ModelError,
        StoreError,
        UsageError,
    )
    from hipporag_like.rag import HippoRAG
    from hipporag_like.types import Answer, Citation, Document, Hit, IndexReport, Passage, Trace, Usage

__version__ = "0.1.0"

_HOME = {
    "Answer": "types",
    "Citation": "types",
    "Config": "config",
    "ConfigError": "errors",
    "Document": "types",
    "EndpointDownError": "errors",
    "HippoRAG": "rag",
    "HippoRAGLikeError": "errors",
    "Hit": "types",
    "IndexCorruptError": "errors",
    "IndexFormatError": "errors",
    "IndexLockedError": "errors",
    "IndexMismatchError": "errors",
    "IndexNotFoundError": "errors",
    "IndexOutdatedError": "errors",
    "IndexReport": "types",
    "InputError": "errors",
    "LLMError": "errors",
    "MissingExtraError": "errors",
    "ModelError": "errors",
    "Passage": "types",
    "StoreError": "errors",
    "Trace": "types",
    "Usage": "types",
    "UsageError": "errors",
}

__all__ = [
    "Answer",
    "Citation",
    "Config",
    "ConfigError",
    "Document",
    "EndpointDownError",
    "HippoRAG",
    "HippoRAGLikeError",
    "Hit",
    "IndexCorruptError",
    "IndexFormatError",
    "IndexLockedError",
    "IndexMismatchError",
    "IndexNotFoundError",
    "IndexOutdatedError",
    "IndexReport",
    "InputError",
    "LLMError",
    "MissingExtraError",
    "ModelError",
    "Passage",
    "StoreError",
    "Trace",
    "Usage",
    "UsageError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return list(__all__)
