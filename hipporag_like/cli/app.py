"""The group of commands: what they are called, and how their errors end the process."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hipporag_like.cli import _errors
from hipporag_like.errors import HippoRAGLikeError

# Order of --help: the order in which a person needs them.
COMMANDS = (
    "demo",
    "index",
    "query",
    "ask",
    "explain",
    "delete",
    "stats",
    "export",
    "verify",
    "repair",
    "eval",
    "experiment",
    "report",
    "study",
)


class Commands(TyperGroup):
    """The commands, with every error as one line on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what it still holds back for stdout is written here, where errors are met."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise typer.Exit(_errors.interrupted()) from None
        except BrokenPipeError:
            _errors.drop_stdout()
            raise typer.Exit(0) from None
        return result

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; a bare ``hipporag-like`` shows the help, on stderr since it is no data, and exits with 2."""
        if not args and not ctx.resilient_parsing:
            sys.stderr.write(ctx.get_help() + "\n")
            raise typer.Exit(2)
        return super().parse_args(ctx, args)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the process: parse, invoke, report, exit."""
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except typer.Abort:
            code = _errors.interrupted()
        except (HippoRAGLikeError, OSError, _errors.CommandLineError) as error:
            code = _errors.report(error)
        sys.exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _help_of(function: Callable[..., None]) -> str:
    """Return the docstring as help; the character before the example keeps its lines as they are."""
    return inspect.cleandoc(function.__doc__ or "").replace("\nExample:", "\n\b\nExample:")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"hipporag-like {version('hipporag-like')}\n")
        raise typer.Exit()


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Search your documents by what ties them together, and get answers with citations, offline.

    Example:
      hipporag-like demo
      hipporag-like index notes/ papers.jsonl --index my_index
      hipporag-like ask "Who directed the film that won in 1998?" --index my_index
    """


app.callback(help=_help_of(_root))(_root)
for _name in COMMANDS:
    _run = importlib.import_module(f"hipporag_like.cli.{_name}").run
    app.command(_name, help=_help_of(_run))(_run)
