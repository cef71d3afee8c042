"""The command line: parse, call the library, print. One file a command.

stdout is data, stderr is talk and progress; exit codes are 0 fine, 2 usage or bad input, 1 anything else.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``hipporag-like`` command with the arguments of the process, and exit."""
    import sys

    from typer.main import get_command

    from hipporag_like.cli import _errors

    _errors.open_closed_streams()
    sys.excepthook = _errors.last_resort
    try:
        from hipporag_like.cli.app import app

        get_command(app)(prog_name="hipporag-like")
    except KeyboardInterrupt:  # outside of a command; inside, the command's own errors go first
        _errors.interrupted()
        _errors.leave()
    except SystemExit as end:
        if end.code == _errors.INTERRUPTED:
            _errors.leave()
        raise
