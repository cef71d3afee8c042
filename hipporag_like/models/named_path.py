"""From a path that a user names to one that can be opened."""

from __future__ import annotations

import errno
from pathlib import Path

from hipporag_like.errors import ConfigError


def named_path(name: str) -> Path:
    """Return the path that ``name`` stands for, ``~`` resolved; it need not exist.

    Raises
    ------
    ConfigError
        No file can have this name: it is too long, holds NUL or half a character, or ``~`` names nobody.
    """
    try:
        path = Path(name).expanduser()
        path.stat()
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"no file can be named {name[:200]!r} ({error}); check the path") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ConfigError(f"the path {name[:200]!r}... is too long; check it") from error
    return path
