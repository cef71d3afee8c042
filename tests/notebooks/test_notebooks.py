"""The notebooks: fit to be read, free of this machine, and right from top to bottom with what their text promises."""

from __future__ import annotations

import ast
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
LONGEST_CELL = 18  # lines of code: more does not stand on a screen beside its explanation
LONGEST_TEXT = 900  # characters of a piece of prose
SECONDS = 60  # each, on two cores that others use too
ABSOLUTE = re.compile(r"""(?<![\w.:/])(?:/(?:home|Users|root|tmp|var|opt|work|mnt)/|[A-Za-z]:\\)""")


def read_notebook(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def cells(path: Path, kind: str | None = None) -> list[str]:
    kept = [cell for cell in read_notebook(path)["cells"] if kind in (None, cell["cell_type"])]
    return ["".join(cell["source"]) for cell in kept]


def code_of(source: str) -> str:
    """The cell without lines that are IPython's and not Python's."""
    return "\n".join(line for line in source.splitlines() if not line.startswith("%"))


def test_the_four_notebooks_are_here():
    assert [path.stem for path in PATHS] == [
        "01_quickstart",
        "02_inside_one_query",
        "03_evaluate_and_compare",
        "04_your_own_llm",
    ]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
class TestToRead:
    def test_the_form_is_valid(self, path):
        notebook = read_notebook(path)
        assert (notebook["nbformat"], notebook["nbformat_minor"]) >= (4, 5)
        ids = [cell["id"] for cell in notebook["cells"]]
        assert len(set(ids)) == len(ids)
        nbformat = pytest.importorskip("nbformat")
        nbformat.validate(notebook)

    def test_it_is_stored_without_outputs(self, path):
        for cell in read_notebook(path)["cells"]:
            assert cell.get("outputs", []) == [] and cell.get("execution_count") is None
            assert cell["metadata"] == {}

    def test_cells_are_short_and_code_is_introduced(self, path):
        everything = cells(path)
        code, text = cells(path, "code"), cells(path, "markdown")
        assert everything[0].startswith("# ") and everything[0] in text
        assert max(len(source.splitlines()) for source in code) <= LONGEST_CELL
        assert max(map(len, text)) <= LONGEST_TEXT
        assert len(text) >= len(code) / 2

    def test_code_is_python_and_nothing_is_left_of_the_machine(self, path):
        for source in cells(path):
            assert not ABSOLUTE.search(source), source
        for source in cells(path, "code"):
            ast.parse(code_of(source))
            assert "http" not in source  # no network: servers are named in the prose only

    def test_links_lead_to_files(self, path):
        for source in cells(path, "markdown"):
            for target in re.findall(r"\]\(([^)#]+)\)", source):
                assert "://" in target or (FOLDER / target).is_file(), target


def test_the_check_for_absolute_paths_finds_them():
    home = "home"
    assert ABSOLUTE.search(f'open("/{home}/me/x")') and ABSOLUTE.search("C:\\data")
    assert not ABSOLUTE.search("notes/tmp/x http://localhost/v1 a/b")


# Run


@dataclass(frozen=True)
class Run:
    """What came out: all printed lines, and the number of pictures."""

    lines: list[str]
    pictures: int
    seconds: float

    def after(self, start: str) -> str:
        """Return the rest of the one line that begins with ``start``."""
        (found,) = [line[len(start) :] for line in self.lines if line.startswith(start)]
        return found.strip()

    def having(self, words: str) -> list[str]:
        return [line for line in self.lines if words in line]


def run_notebook(path: Path) -> Run:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, 4)
    start = time.perf_counter()
    NotebookClient(
        notebook, timeout=3 * SECONDS, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    seconds = time.perf_counter() - start
    outputs = [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    assert not [out for out in outputs if out.output_type == "error"]
    printed = "".join(out.text for out in outputs if out.output_type == "stream" and out.name == "stdout")
    pictures = sum("image/png" in out.get("data", {}) for out in outputs)
    return Run(printed.splitlines(), pictures, seconds)


def promised_by_01(run: Run) -> None:
    assert run.having("100 unchanged, 0 extracted, 0 embedded")
    assert run.after("Answer:") == "Skerrow"
    assert {line.split(":")[0].strip() for line in run.having("“")} == {"Jonas Téley", "Fenn's Comet"}
    assert not [line for line in run.lines if re.fullmatch(r"s\d+ \d+ \d+ False", line)]
    assert run.having(" True")
    assert run.pictures == 1
    people = [line for line in run.lines if re.match(r"\d\. ", line)]
    assert len(people) == 3 and all(line.endswith("(person)") for line in people)
    assert "Jonas Téley" not in run.after("without it:")
    assert "Jonas Téley" in run.after("back again:")


def promised_by_02(run: Run) -> None:
    assert run.having("outcome: ok | method: graph")
    assert run.pictures == 4
    assert any(line.split()[-3:] == ["ngram", "Lucan", "Iddesmar"] for line in run.lines)
    sums = [re.search(r"score (\S+) = sum of shares (\S+)", line) for line in run.having("sum of shares")]
    assert len(sums) == 3
    for found in sums:
        assert float(found[1]) == pytest.approx(float(found[2]), abs=2e-4)
    for kind in ("entity", "fact", "passage"):
        assert run.having(f"     {kind:8} ")
    ranks = {line.split()[0]: int(line.split()[-1]) for line in run.having("finds it at rank")}
    assert set(ranks) == {"graph", "hybrid", "dense", "bm25"}
    assert ranks["graph"] <= 5 and ranks["graph"] < min(ranks["hybrid"], ranks["dense"], ranks["bm25"])
    assert run.having(" ms")
    assert run.having("outcome: no_seeds | method: hybrid")


def promised_by_03(run: Run) -> None:
    assert run.lines[0] == "sample: 100 documents, 40 questions"
    rows = {
        line.split()[0]: line.split()[1:]
        for line in run.lines
        if re.match(r"(graph|hybrid|dense|bm25) +\d", line)
    }
    assert list(rows) == ["graph", "hybrid", "dense", "bm25"]
    recall = {method: float(values[1]) for method, values in rows.items()}
    assert recall["graph"] > max(recall["hybrid"], recall["dense"], recall["bm25"])
    assert run.pictures == 3
    tests = [
        re.search(r"([+-][\d.]+) points \[([+-][\d.]+), ([+-][\d.]+)\]  p = ([\d.]+)", line)
        for line in run.having("points")
    ]
    assert len(tests) == 3
    for found in tests:
        difference, low, high, p = map(float, found.groups())
        assert low <= difference <= high and 0 < p <= 1
    (missed,) = run.having("questions miss a passage")
    assert int(missed.split()[0]) < 40 and run.having("   missed: ")


def promised_by_04(run: Run) -> None:
    assert run.after("0.0009 USD;").endswith("calls so far: 0")
    assert run.having("entities  4 calls") and run.having("triples   4 calls")
    assert run.having("Anna Berg — founded → Lumen Works")
    assert run.having("calls: 0 | usage: {}")
    assert run.having('-> it answered: {"facts": [1, 2]}')
    assert "Fog Song" in run.after("filter=False starts from")
    assert "Fog Song" not in run.after("filter=True  starts from")
    assert "Old Pell" in run.lines and run.having("[tarn] “ruled by Old Pell”")
    assert run.having("quotes dropped, since they stand in no such passage: 1")
    assert run.having("10 calls, ")


PROMISES = {
    "01_quickstart": promised_by_01,
    "02_inside_one_query": promised_by_02,
    "03_evaluate_and_compare": promised_by_03,
    "04_your_own_llm": promised_by_04,
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of jupyter's own modules; a notebook's warnings stay in its kernel
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom_and_keeps_its_promises(path, monkeypatch):
    for module in ("nbclient", "ipykernel", "matplotlib"):
        pytest.importorskip(module)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there: a look at the network fails
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run = run_notebook(path)
    assert run.seconds < SECONDS
    PROMISES[path.stem](run)
