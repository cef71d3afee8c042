"""The tables of docs/method.md, made from the committed result file.

``python -m hipporag_like.eval.benchmarks.method_tables``, run from the root of the checkout; ``make ablation`` measures
first. A test compares the document with the file, so that no number there can be older than its measurement.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hipporag_like.errors import HippoRAGLikeError, InputError
from hipporag_like.eval.correction import holm

DOCUMENT = Path("docs", "method.md")
# A folder of its own: the README's table takes in every JSON file of eval/results itself.
RESULTS = Path("eval", "results", "ablation", "ablation.json")
SYSTEMS = ("hybrid", "weights", "fast", "full")
COLUMNS = ("recall@2", "recall@5", "recall@10")
AGAINST = "recall@5 against full"
# The conditions that are shown; the file has more of preset light.
CONDITIONS = {
    "without_titles_in_text": "without titles",
    "lower_cased": "small letters",
    "light": "light",
    "crowded+light": "light, in a crowd",
}
LEVEL = 0.05  # a difference is set in bold up to here, after correction

Found = Mapping[str, Any]


def held_out(found: Found) -> str:
    """Return the recalls of each system on each data set and condition, none of it fitted on."""
    head = ["recall@2 / @5 / @10 (questions)", *(f"`{name}`" for name in SYSTEMS)]
    systems = found["systems"]
    rows = [
        [_label(name, found), *(_recalls(systems[system][name]) for system in SYSTEMS)]
        for name in _shown(found)
    ]
    return _markdown(head, rows)


def gain(found: Found) -> str:
    """Return what ``full`` gains in recall@5 over each other system."""
    others = [name for name in SYSTEMS if name != "full"]
    sets = _shown(found)
    columns = [
        _column([_turned(found["systems"][other][name][AGAINST]) for name in sets]) for other in others
    ]
    head = ["recall@5 of `full` minus that of", *(f"`{name}`" for name in others)]
    rows = [[_label(name, found), *cells] for name, *cells in zip(sets, *columns, strict=True)]
    return _markdown(head, rows)


def parts(found: Found) -> str:
    """Return what is lost without each part."""
    table = found["parts"]
    columns = [_column([row[column] for row in table.values()]) for column in COLUMNS]
    head = ["trees fitted without", "columns", *COLUMNS]
    rows = [
        [name, str(row["columns"]), *cells]
        for (name, row), *cells in zip(table.items(), *columns, strict=True)
    ]
    return _markdown(head, rows)


def types(found: Found) -> str:
    """Return the recalls by kind of question."""
    head = ["recall@2 / @5 / @10", "questions", *(f"`{name}`" for name in SYSTEMS)]
    rows = [
        [name, str(row["n"]), *(_recalls(row[system]) for system in SYSTEMS)]
        for name, row in found["types"].items()
    ]
    return _markdown(head, rows)


def cost(found: Found) -> str:
    """Return the milliseconds that a query takes."""
    seconds = found["seconds"]
    rows = [
        [f"`{name}`", f"{seconds[name]['p50_ms']:.1f}", f"{seconds[name]['p95_ms']:.1f}"]
        for name in SYSTEMS
        if name in seconds
    ]
    return _markdown(["milliseconds a query", "median", "95th percentile"], rows)


TABLES: Mapping[str, Callable[[Found], str]] = {
    "held-out": held_out,
    "gain": gain,
    "parts": parts,
    "types": types,
    "cost": cost,
}


def marks(name: str) -> tuple[str, str]:
    """Return the two lines that a table stands between."""
    return f"<!-- {name}: start -->", f"<!-- {name}: end -->"


def with_tables(document: str, found: Found) -> str:
    """Return the document with every table between its two marks.

    Raises
    ------
    InputError
        A table has no place in the document.
    """
    for name, table in TABLES.items():
        start, end = marks(name)
        before, started, rest = document.partition(start)
        _, ended, after = rest.partition(end)
        if not started or not ended:
            raise InputError(f"{DOCUMENT} has no place for a table; put {start} and {end} where it belongs")
        document = f"{before}{start}\n{table(found)}\n{end}{after}"
    return document


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _shown(found: Found) -> list[str]:
    """Return the data sets and conditions that have a row."""
    names = ((name, name.partition("+")[2]) for name in found["systems"]["full"])
    return [name for name, condition in names if not condition or condition in CONDITIONS]


def _label(name: str, found: Found) -> str:
    """Return a data set's name with its size, or how it was changed."""
    base, _, condition = name.partition("+")
    if not condition:
        return f"{base} ({found['n_questions'][base]})"
    return f"{base}, {CONDITIONS[condition]}"


def _recalls(row: Mapping[str, float]) -> str:
    return " / ".join(f"{row[column]:.1f}" for column in COLUMNS)


def _column(differences: Sequence[Mapping[str, float]]) -> list[str]:
    """Return differences with interval and p, in bold where p holds after Holm's correction for the whole column."""
    corrected = holm([difference["p"] for difference in differences])
    return [_cell(one, p <= LEVEL) for one, p in zip(differences, corrected, strict=True)]


def _cell(one: Mapping[str, float], clear: bool) -> str:
    difference = f"**{_signed(one['difference'])}**" if clear else _signed(one["difference"])
    p = "p < 0.001" if one["p"] < 0.001 else f"p = {one['p']:.3f}"
    return f"{difference} [{_signed(one['low'])}, {_signed(one['high'])}], {p}"


def _signed(value: float) -> str:
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _turned(one: Mapping[str, float]) -> dict[str, float]:
    """Return the difference seen from the other side."""
    return {"difference": -one["difference"], "low": -one["high"], "high": -one["low"], "p": one["p"]}


def rewrite(root: Path) -> None:
    """Put the tables into the document of a checkout.

    Raises
    ------
    InputError
        There are no results, or no place for them.
    """
    try:
        found = json.loads((root / RESULTS).read_text(encoding="utf-8"))
        text = (root / DOCUMENT).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{error.filename} is not there; run make ablation in the checkout") from error
    (root / DOCUMENT).write_text(with_tables(text, found), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Rewrite the document in the given folder, the current one by default."""
    try:
        rewrite(Path(arguments[0] if arguments else "."))
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
