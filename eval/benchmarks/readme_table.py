"""README's table of numbers, made from the committed result files.

``python -m hipporag_like.eval.benchmarks.readme_table``, run from the root of the checkout after
``hipporag-like eval DATASET --json eval/results/NAME.json``. A test compares the README with the files, so that no
number there can be older than its measurement.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

START, END = "<!-- numbers: start -->", "<!-- numbers: end -->"
METHODS = ("graph", "hipporag2", "hipporag", "hybrid", "dense", "bm25")
COLUMNS = ("recall@2", "recall@5", "recall@10")


def table(results: Path) -> str:
    """Return the table as markdown.

    Parameters
    ----------
    results
        Folder with one JSON file a data set, as ``hipporag-like eval --json`` writes it.
    """
    files = sorted(results.glob("*.json"), key=lambda file: file.stem.partition("+"))
    reports = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
    names = [f"{_label(name)} ({report['n_questions']} questions)" for name, report in reports.items()]
    lines = ["| recall@2 / @5 / @10 | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for method in METHODS:
        cells = [_cell(report["systems"][method]) for report in reports.values()]
        lines.append(
            f"| `{method}`" + (" (default)" if method == "graph" else "") + " | " + " | ".join(cells) + " |"
        )
    answers = [_answers(report["systems"]["graph"]) for report in reports.values()]
    lines.append("| answers, EM / F1 | " + " | ".join(answers) + " |")
    return "\n".join(lines)


def _label(stem: str) -> str:
    """Return a data set's name, and after a + in the file's name, in what way it was indexed."""
    name, _, way = stem.partition("+")
    return f"{name}, {way.replace('-triples', ' triples')}" if way else name


def _cell(system: dict[str, float]) -> str:
    return " / ".join(f"{system[column]:.1f}" for column in COLUMNS)


def _answers(system: dict[str, float]) -> str:
    return f"{system['em']:.1f} / {system['f1']:.1f}"


def with_table(readme: str, numbers: str) -> str:
    """Return the README with the table between its two marks."""
    before, rest = readme.split(START, 1)
    return f"{before}{START}\n{numbers}\n{END}{rest.split(END, 1)[1]}"


def main(arguments: Sequence[str]) -> int:
    """Rewrite the README in the given folder, the current one by default."""
    root = Path(arguments[0] if arguments else ".")
    readme = root / "README.md"
    text = with_table(readme.read_text(encoding="utf-8"), table(root / "eval" / "results"))
    readme.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
