"""The group of commands: what they are called, and how their errors end the process."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from hipporag_like.cli import _errors

# Order of --help: the order in which a person needs them.
COMMANDS = ("demo", "index", "query", "ask", "explain", "delete", "stats", "export", "eval")


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

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the process: parse, invoke, report, exit."""
        options["standalone_mode"] = False
        try:
            code = super().main(*args, **options)
        except typer.Abort:
            code = _errors.interrupted()
        except Exception as error:  # noqa: BLE001  the outermost frame: a person gets a sentence, never a traceback
            code = _errors.report(error)
        sys.exit(code if isinstance(code, int) else 0)


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"hipporag-like {version('hipporag-like')}\n")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Search your documents by what ties them together, and get answers with citations, offline.

    \b
    Example:
      hipporag-like demo
      hipporag-like index notes/ papers.jsonl --index my_index
      hipporag-like ask "Who directed the film that won in 1998?" --index my_index
    """


for _name in COMMANDS:
    app.command(_name)(importlib.import_module(f"hipporag_like.cli.{_name}").run)
