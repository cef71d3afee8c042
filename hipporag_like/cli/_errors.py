"""From an exception to one line on stderr and an exit code."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

import typer

from hipporag_like.errors import HippoRAGLikeError
from hipporag_like.text import squeeze

DEBUG = "HIPPORAG_LIKE_DEBUG"
_LONGEST = 2000  # characters of a sentence: a screen
INTERRUPTED = 130  # 128 + SIGINT, what shells report for a process stopped by Ctrl-C

# Newer typer carries its own copy of click, older typer imports it; the class all usage errors share is
# reached through the public BadParameter -> UsageError -> ClickException, which is the same in both.
CommandLineError: Any = typer.BadParameter.__mro__[2]


def say(message: str) -> None:
    """Write one line to stderr; of one that quotes something endless its beginning and its end."""
    line = squeeze(message)
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST * 3 // 4]} ... {line[-_LONGEST // 4 :]}"  # at the end stands the fix
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def report(error: Exception) -> int:
    """Say an expected error in one sentence on stderr and return the exit code it stands for."""
    _trace(error)
    if isinstance(error, HippoRAGLikeError):
        say(f"error: {error}")
        return error.exit_code
    if isinstance(error, OSError):
        what = f"{error.filename}" if error.filename else "the output"
        fix = "check the path, the permissions and the free space"
        say(f"error: cannot read or write {what} ({error.strerror or error}); {fix}")
        return 1
    return _report_usage(error)


def last_resort(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what nobody foresaw in one sentence: a ``sys.excepthook``, after which Python exits with 1.

    What the exception says is left out: nobody knows whether it quotes a document or a key.
    """
    if issubclass(kind, KeyboardInterrupt):
        interrupted()
        return
    _trace(error)
    say(f"unexpected error: {kind.__name__}{_place(trace)}; run with {DEBUG}=1 for the traceback")


def _place(trace: TracebackType | None) -> str:
    """Return the file and line where it was raised, for who reports it."""
    import traceback

    frames = traceback.extract_tb(trace)
    return f" in {os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else ""


def _trace(error: BaseException) -> None:
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)


def interrupted() -> int:
    """Say what an interruption leaves behind and return its exit code."""
    say("stopped; what was finished is kept, run the same command again to go on")
    return INTERRUPTED


def leave() -> None:
    """End an interrupted process now: Python would wait for calls that a second Ctrl-C has given up."""
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(INTERRUPTED)


def open_closed_streams() -> None:
    """Give a process started with a standard stream closed (``>&-``) one that holds and keeps nothing."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))


def drop_stdout() -> None:
    """Send what is left of stdout nowhere: its reader has gone, and that is no error (``| head``)."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _report_usage(error: Exception) -> int:
    message = str(getattr(error, "format_message", error.__str__)()) or "no command given"
    context = getattr(error, "ctx", None)
    hint = f" (try: {context.command_path} --help)" if context is not None else ""
    say(f"error: {message.rstrip('.')}{hint}")
    return int(getattr(error, "exit_code", 2))
