"""The results of a study as markdown: what was measured, in tables, and what they say in a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from hipporag_like.eval.studies.bench import ALPHA, METRICS, TESTED

Result = Mapping[str, Any]
SHOWN_PATHS = 10  # of the questions of a path-finding study; all are in the JSON


def markdown(study: str, results: Mapping[str, Result]) -> str:
    """Return the page of a study over one or more data sets, by name."""
    parts = [f"# Study: {TITLES[study]}", ""]
    for name, result in results.items():
        counts = f"{result['n_questions']:,} questions, {result['n_documents']:,} documents"
        parts += [f"## {name}", "", f"{counts}; checksum `{result['checksum']}`.", "", *BODIES[study](result)]
    return "\n".join(parts).rstrip() + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a markdown table; every column but the first is a number and stands right."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return [
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, rule, *rows)
    ] + [""]


def shown(metric: str, value: float | None) -> str:
    """Return a score: percent with one decimal, shares of one with three."""
    if value is None:
        return "-"
    return f"{value:.3f}" if metric == "mrr" else f"{value:.1f}"


def difference(test: Mapping[str, Any] | None) -> str:
    """Return a difference with its interval; in bold where it is more than chance after correction."""
    if test is None:
        return "-"
    text = f"{test['difference']:+.1f} [{test['low']:+.1f}, {test['high']:+.1f}]"
    return f"**{text}**" if test["p_corrected"] <= ALPHA else text


def p_value(test: Mapping[str, Any] | None) -> str:
    """Return a corrected p-value, or a dash where nothing was tested."""
    if test is None:
        return "-"
    return "< 0.001" if test["p_corrected"] < 0.001 else f"{test['p_corrected']:.3f}"


def _scores(entry: Mapping[str, Any]) -> list[str]:
    return [shown(metric, entry["scores"][metric]) for metric in METRICS]


def _growth(result: Result) -> list[str]:
    work = [
        [
            str(step["segment"]),
            *(f"{step[name]:,}" if name == "documents" else f"{step['index'][name]:,}" for name in _COUNTS),
            f"{step['again']['extracted']:,}",
            f"{step['again']['embedded']:,}",
            f"{step['index']['seconds']:.1f}",
        ]
        for step in result["steps"]
    ]
    head = ["segment", "documents so far", "added", "unchanged", "extracted", "embedded"]
    head += ["extracted again", "embedded again", "seconds"]
    said = (
        "Nothing was extracted or embedded twice." if result["nothing_again"] else "**Work was done twice.**"
    )
    lines = [said, "", *table(head, work)]
    for which, title in (("first", "the first segment's questions"), ("so_far", "all questions so far")):
        rows = [
            [method, *(shown(TESTED, step[which][method]["scores"][TESTED]) for step in result["steps"])]
            for method in result["change"]
        ]
        asked = [f"after {s['segment']} ({s[which][next(iter(s[which]))]['n']} q)" for s in result["steps"]]
        lines += [f"{TESTED}, {title}:", "", *table(["method", *asked], rows)]
    rows = [[method, difference(test), p_value(test)] for method, test in result["change"].items()]
    lines += ["Change on the first segment's questions, from the first to the last step:", ""]
    return [*lines, *table(["method", f"{TESTED}, change", "p (corrected)"], rows)]


_COUNTS = ("documents", "added", "unchanged", "extracted", "embedded")


def _paths(result: Result) -> list[str]:
    many = result["many"]
    lines: list[str] = []
    for kind, said in (
        ("finding", f"Path finding: even the rarest starting point leads to more than {many} passages"),
        ("following", f"Path following: some starting point leads to {many} passages or fewer"),
    ):
        entry = result["kinds"][kind]
        lines += [f"{said} ({entry['n']:,} question{'' if entry['n'] == 1 else 's'}).", ""]
        if entry["n"]:
            rows = [
                [method, *_scores(row), difference(row["against_baseline"]), p_value(row["against_baseline"])]
                for method, row in entry["methods"].items()
            ]
            lines += table(["method", *METRICS, "against hybrid", "p (corrected)"], rows)
    finding = [row for row in result["questions"] if row["kind"] == "finding"]
    for row in (finding or result["questions"])[:SHOWN_PATHS]:
        lines += _one_path(row)
    return lines


def _one_path(row: Mapping[str, Any]) -> list[str]:
    begun = ", ".join(f"{start['entity']} ({start['passages']:,})" for start in row["starts"])
    ends = ", ".join(end["title"] for end in row["ends"])
    ranks = ", ".join(f"{method} {rank or 'not found'}" for method, rank in row["ranks"].items())
    path = " → ".join(_short(step["text"]) for step in row["path"][1:])
    return [
        f"* {row['question']}",
        f"  * starts (passages that name them): {begun or 'none found'}",
        f"  * ends: {ends}; rank: {ranks}",
        f"  * path: {path or 'none'}",
        "",
    ]


def _short(text: str, longest: int = 110) -> str:
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _knobs(result: Result) -> list[str]:
    lines: list[str] = []
    for entry in result["knobs"]:
        rows = [
            [
                f"{row['value']}{' (default)' if row['default'] else ''}",
                *_scores(row),
                difference(row["against_default"]),
                p_value(row["against_default"]),
            ]
            for row in entry["values"]
        ]
        lines += [f"### `{entry['knob']}`, {entry['method']}", ""]
        lines += table(["value", *METRICS, "against default", "p (corrected)"], rows)
    curves = result["recall_by_k"]
    if curves:
        ks = list(next(iter(curves.values())))
        rows = [[method, *(shown("recall", curve[k]) for k in ks)] for method, curve in curves.items()]
        lines += ["### Recall by k, with the default options", "", *table(["method", *ks], rows)]
    return lines


def _robustness(result: Result) -> list[str]:
    head = ["condition", "method", *METRICS, "against plain", "p (corrected)"]
    rows = [["as it is", method, *_scores(row), "-", "-"] for method, row in result["plain"].items()]
    for condition, entry in result["conditions"].items():
        for method, row in entry["methods"].items():
            test = row["against_plain"]
            rows.append([condition, method, *_scores(row), difference(test), p_value(test)])
    left = [f"Left out: {name}, because {why}." for name, why in result["left_out"].items()]
    return [*table(head, rows), *left, *([""] if left else [])]


TITLES: Mapping[str, str] = MappingProxyType(
    {
        "growth": "continual growth",
        "paths": "path finding",
        "knobs": "knobs",
        "robustness": "robustness",
    }
)
BODIES: Mapping[str, Callable[[Result], list[str]]] = MappingProxyType(
    {"growth": _growth, "paths": _paths, "knobs": _knobs, "robustness": _robustness}
)
