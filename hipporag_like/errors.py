"""The errors a user can meet. Each message is one sentence that says what to do.

::

    HippoRAGLikeError
    +-- UsageError             a bad argument, option or question           (exit code 2)
    |   +-- ConfigError        an option out of range or unknown
    +-- InputError             a source that cannot be read or parsed       (exit code 2)
    +-- MissingExtraError      an optional dependency is not installed      (exit code 2)
    +-- ModelError             weights missing, altered or unusable         (exit code 1)
    |   +-- LLMError               one call of a language model failed
    |       +-- EndpointDownError  the endpoint answers nobody, or refuses the key; the run stops
    +-- StoreError             anything about the index folder              (exit code 1)
        +-- IndexNotFoundError     no index, or nothing published yet       (exit code 2)
        +-- IndexFormatError       written by a newer version
        |   +-- IndexOutdatedError     a snapshot of an older version, to be rebuilt from the journal
        +-- IndexMismatchError     another embedder than the index was made with  (exit code 2)
        +-- IndexCorruptError      a file is missing, cut or altered
        +-- IndexLockedError       another writer is at work
"""

from __future__ import annotations


class HippoRAGLikeError(Exception):
    """Root of all errors raised on purpose by this package."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the sentence on one line: what is quoted in it may hold line breaks or escapes of the terminal."""
        return printable(super().__str__())


def printable(text: str) -> str:
    """Return ``text`` with escapes for line breaks, control signs and all else that does not print as itself."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class UsageError(HippoRAGLikeError):
    """A bad argument, option or question."""

    exit_code = 2


class ConfigError(UsageError):
    """An option that is unknown or out of range."""


class InputError(HippoRAGLikeError):
    """A source that cannot be read or parsed."""

    exit_code = 2


class MissingExtraError(HippoRAGLikeError):
    """An optional dependency is not installed.

    Parameters
    ----------
    feature
        What was asked for, as the subject of a sentence.
    extra
        The extra of this package that brings it.
    """

    exit_code = 2

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs an optional part; install it with: pip install 'hipporag-like[{extra}]'"
        )
        self.feature = feature
        self.extra = extra


class ModelError(HippoRAGLikeError):
    """Model weights are missing, altered or unusable."""


class LLMError(ModelError):
    """One call of a language model failed, after all retries; others may do better.

    Attributes
    ----------
    spent
        Retries, tokens in and tokens out of its attempts, where known: a useless answer is paid for too.
    """

    spent: tuple[int, int, int] = (0, 0, 0)


class EndpointDownError(LLMError):
    """The endpoint cannot be reached or refuses every call, so that the run is stopped."""


class StoreError(HippoRAGLikeError):
    """Anything about the index folder."""


class IndexNotFoundError(StoreError):
    """There is no index at the given folder, or nothing was published yet."""

    exit_code = 2


class IndexFormatError(StoreError):
    """The index was written by a newer version of this package."""


class IndexOutdatedError(IndexFormatError):
    """The snapshot was written by an older version; the journal can make it again without a model."""


class IndexMismatchError(StoreError):
    """The index was made with another embedder or extractor than the one asked for."""

    exit_code = 2


class IndexCorruptError(StoreError):
    """A file of the index is missing, cut or altered."""


class IndexLockedError(StoreError):
    """Another writer is at work on the index."""
