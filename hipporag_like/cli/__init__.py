"""The command line: parse, call the library, print. One file a command.

stdout is data, stderr is talk and progress; exit codes are 0 fine, 2 usage or bad input, 1 anything else.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``hipporag-like`` command with the arguments of the process, and exit."""
    from hipporag_like.cli.app import app

    app(prog_name="hipporag-like")
