"""The report says what the JSON says, marks what is best, and survives any name and any gap."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hipporag_like.errors import InputError, MissingExtraError
from hipporag_like.eval import report_numbers as show
from hipporag_like.eval import report_plots
from hipporag_like.eval.report import write_report
from hipporag_like.eval.report_lead import lead, means
from hipporag_like.eval.report_markdown import escape_markdown

SPEC = importlib.util.spec_from_file_location("report_example", Path(__file__).with_name("report_example.py"))
EXAMPLE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLE)

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a|b\n# c",
    "[x](javascript:alert(1))",
    "$\\frac{",
    "\x00\x1b[31m&amp;",
    "字漢 " + "long" * 40,
)
SETS = {"2wiki_dev": (500, {"bridge": 300, "comparison": 200}), "musique": (100, {})}
TAGS = set(
    "html head meta link title style body header h1 div p dl dt dd nav ul li a main section h2 h3 table thead tr "
    "th tbody td strong span small wbr details summary pre figure svg g defs path use text clippath rect".split()
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("experiment"), EXAMPLE.example(datasets=SETS))


def written(folder, results):
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    write_report(folder)
    return folder


class Reader(HTMLParser):
    """What a browser would make of the page: its elements, and its tables as text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.tables, self.titles, self._text, self._cell = [], {}, [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("h1", "h2", "h3"):
            self._text = ""
        if tag == "table":
            self.tables[self.titles[-2] if self.titles[-1] == "" else self.titles[-1]] = []
        if tag == "tr":
            list(self.tables.values())[-1].append([])
        if tag in ("td", "th"):
            self._cell = ["", "", False]  # text, note, best
        if tag == "strong" and self._cell:
            self._cell[2] = True
        self._small = tag == "small"

    def handle_endtag(self, tag):
        if tag == "h2":
            self.section = self._text
        if tag == "h3":
            self.titles.append(f"{self.section}/{self._text}")
        if tag in ("td", "th"):
            list(self.tables.values())[-1][-1].append(tuple(self._cell))
            self._cell = None

    def handle_data(self, data):
        self._text += data
        if self._cell:
            self._cell[1 if self._small else 0] += data


def html_of(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def markdown_tables(text):
    """Return the tables below each heading: rows of cells, unescaped."""
    tables, section, title = {}, "", ""
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        found = re.match(r"(?:### |<details><summary>)(.*?)(?:</summary>)?$", line)
        title = found[1] if found else title
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            tables.setdefault(f"{section}/{title}", []).append([cell.strip() for cell in cells])
    return tables


def plain(text):
    return re.sub(r"[\\*]| [▲▼]", "", text).strip()


def shown(metric, value):
    if value is None:
        return "–"
    return f"{value:.3f}" if metric in ("mrr", "map", "ndcg@10") else f"{value:.1f}"


def test_both_tables_of_scores_say_what_the_json_says(folder):
    results = json.loads((folder / "results.json").read_text())
    pages = Reader(html_of(folder)).tables, markdown_tables((folder / "report.md").read_text())
    for dataset, systems in results["results"].items():
        metrics = [m for m in EXAMPLE.METRICS if m != "span_iou"]  # which nobody has
        name = f"Data set {dataset}/Scores"
        expected = [[shown(m, system["scores"][m]) for m in metrics] for system in systems.values()]
        html_rows, markdown_rows = pages[0][name], pages[1][name]
        assert [cell[0] for cell in html_rows[0]] == ["system", *metrics]
        assert [plain(cell) for cell in markdown_rows[0]] == ["system", *metrics]
        assert [[plain(cell[0]) for cell in row[1:]] for row in html_rows[1:]] == expected
        assert [[plain(cell) for cell in row[1:]] for row in markdown_rows[1:]] == expected
        recall = [row[metrics.index("recall@5") + 1] for row in html_rows[1:]]
        low, high = systems["graph"]["intervals"]["recall@5"]
        assert recall[0][1] == f"{low:.1f} to {high:.1f}"


def test_comparisons_with_the_baseline_say_what_the_json_says(folder):
    results = json.loads((folder / "results.json").read_text())
    pages = Reader(html_of(folder)).tables, markdown_tables((folder / "report.md").read_text())
    for dataset, systems in results["results"].items():
        rows = pages[0][f"Data set {dataset}/Against hybrid"][1:]
        texts = [[plain(cell[0]) for cell in row] for row in rows]
        assert [
            [plain(cell) for cell in row] for row in pages[1][f"Data set {dataset}/Against hybrid"][1:]
        ] == [[cell.replace("<", "&lt;") for cell in row] for row in texts]
        assert {row[1] for row in texts} == set(systems) - {"hybrid"}
        for (metric, name, gap, _, p, corrected, n), row in zip(texts, rows, strict=True):
            truth = systems[name]["against_baseline"][metric]
            assert float(gap.replace("−", "-")) == pytest.approx(truth["difference"], abs=0.0501)
            for shown_p, value in ((p, truth["p"]), (corrected, truth["p_corrected"])):
                assert shown_p == ("< 0.001" if value < 0.001 else f"{value:.3f}")
            assert int(n) == truth["n"]
            beyond = truth["p_corrected"] < 0.05
            mark = ("▲" if truth["difference"] > 0 else "▼") if beyond else ""
            assert re.sub(r"[^▲▼]", "", row[2][0]) == mark


def test_every_best_value_is_marked_as_shown_and_no_other(tmp_path):
    results = EXAMPLE.example(systems=("graph", "hybrid", "dense"), datasets={"toy": (100, {})})
    values = {"graph": 70.04, "hybrid": 70.0, "dense": 69.9}  # the first two are both shown as 70.0
    for name, value in values.items():
        results["results"]["toy"][name]["scores"] = {"recall@5": value, "f1": None}
        results["results"]["toy"][name]["intervals"] = {}
    page = written(tmp_path, results)
    rows = Reader(html_of(page)).tables["Data set toy/Scores"]
    assert [row[1][0].split()[0] for row in rows[1:]] == ["70.0", "70.0", "69.9"]
    assert [row[1][2] for row in rows[1:]] == [True, True, False]
    table = markdown_tables((page / "report.md").read_text())["Data set toy/Scores"]
    assert [row[1].startswith("**70.0**") for row in table[1:]] == [True, True, False]


def test_where_all_are_alike_none_is_best():
    assert show.best("recall@5", [100.0, 99.96, None]) == ""
    assert show.best("recall@5", [100.0]) == ""
    assert show.best("recall@5", [3.0, 2.0, float("nan")]) == "3.0"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.985 ms", 0.000985),
        ("27.0 ms", 0.027),
        ("100 ms", 0.1),
        ("1.00 s", 0.9996),
        ("119 s", 119),
        ("2.0 min", 120),
        ("–", None),
        ("–", float("nan")),
    ],
)
def test_durations_have_three_digits(text, value):
    assert show.seconds(value) == text


def test_a_difference_has_its_sign_and_zero_has_none():
    texts = [show.difference("recall@5", value) for value in (1.25, -1.25, -0.04, 0.0, None)]
    assert texts == ["+1.2", "−1.2", "0.0", "0.0", "–"]


def test_what_is_special_about_a_run_is_said(tmp_path):
    results = EXAMPLE.example(datasets={"toy": (40, {})}, read=False)
    page = written(tmp_path, {**results, "limit": 40, "condition": "untitled"})
    for name in ("report.md", "report.html"):
        text = (page / name).read_text(encoding="utf-8")
        assert "the first 40 questions of each data set" in text and "untitled" in text
        assert "not read, so there are no em and f1" in text
        assert "0123456789ab with changes that are not in it" in text and "2 cores, 7.8 GB memory" in text


def test_names_are_harmless(tmp_path):
    results = EXAMPLE.example(
        systems=("hybrid", *NASTY),
        datasets={name: (100, dict.fromkeys(NASTY, 9) if name == NASTY[0] else {}) for name in NASTY},
    )
    results["config"] = {name: name for name in NASTY}
    results["made"].update(cpu=NASTY[0], commit=NASTY[1], platform=NASTY[2])
    for system in results["results"][NASTY[0]].values():
        system["seconds"] = EXAMPLE.seconds_like(EXAMPLE.random.Random(0), 0.01)
    page = written(tmp_path, results)
    reader = Reader(html_of(page))
    assert {tag for tag, _ in reader.elements} <= TAGS
    assert not [a for _, attributes in reader.elements for a in attributes if a.startswith("on")]
    assert all(at.get("href", "#").startswith(("#", "data:,")) for _, at in reader.elements)
    assert "Data set " + NASTY[0] + "/Scores" in reader.tables
    text = (page / "report.md").read_text(encoding="utf-8")
    assert not re.search(r"<script|<img|(?<!\\)\]\(javascript", text)
    for rows in markdown_tables(text).values():
        assert len({len(row) for row in rows}) == 1
    for path in (page / "plots").iterdir():
        assert re.fullmatch(r"[a-z]+-\d+(-\d+)?-[a-z0-9-]+\.svg", path.name)
        assert "<script" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all_recall@5", "all_recall@5"),
        ("__all__", r"\_\_all\_\_"),
        ("a|b", r"a\|b"),
        ("- a", r"\- a"),
        ("1. a", r"1\. a"),
        ("# a", r"\# a"),
        ("a\n\n<b>&", "a &lt;b&gt;&amp;"),
        ("![x](y)", r"!\[x\](y)"),
    ],
)
def test_markdown_shows_text_as_it_is(text, expected):
    assert escape_markdown(text) == expected


def test_the_same_results_make_the_same_bytes(folder, tmp_path):
    again = written(tmp_path, EXAMPLE.example(datasets=SETS))
    first = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
    assert {path.relative_to(again): path.read_bytes() for path in again.rglob("*.*")} == first
    assert len(first) == 3 + 2 * 3 + 2  # the JSON and two pages; three plots a data set; two types


def test_the_page_needs_nothing_else_and_its_links_lead_somewhere(folder):
    text = html_of(folder)
    assert not re.search(r"https?://|//[a-z]|@import|src=|url\((?!#)|<script", text)
    elements = Reader(text).elements
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = re.findall(r"(?:href=\"|url\()#([^\")]+)", text)
    assert links and set(links) <= set(ids)
    assert all(at.get("aria-label") for tag, at in elements if tag == "svg")


def test_plots_in_the_page_follow_its_colours_and_plots_in_files_have_their_own(folder):
    figures = re.findall(r"<svg.*?</svg>", html_of(folder), re.DOTALL)
    assert len(figures) == 8
    assert all("var(--ink)" in svg and "var(--series-0)" in svg for svg in figures)
    assert not any(re.search(r"(fill|stroke): #(?!000000)", svg) for svg in figures)
    assert "#d55e00" in (folder / "plots" / "recall-1-2wiki-dev.svg").read_text()


def test_without_matplotlib_there_are_tables_and_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    (tmp_path / "results.json").write_text(json.dumps(EXAMPLE.example(datasets=SETS)), encoding="utf-8")
    paths = write_report(tmp_path)
    assert [path.name for path in paths] == ["report.html", "report.md"]
    assert not (tmp_path / "plots").exists()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        assert "hipporag-like" in text and "report" in text and "There are no plots" in text
        assert "<svg" not in text and "![" not in text and "Against hybrid" in text
    with pytest.raises(MissingExtraError, match=r"hipporag-like\[report\]"):
        report_plots.draw_figures({}, [])


def bare(scores, **more):
    return {"scores": scores, **more}


@pytest.mark.parametrize(
    "results",
    [
        {"toy": {"graph": bare({})}},
        {"toy": {"graph": bare({"recall@5": None})}},
        {"toy": {"graph": bare({"recall@5": float("nan")}), "hybrid": bare({"recall@5": 50})}},
        {"toy": {"graph": bare({"recall@5": 0.0}, seconds={"mean": 0.0, "quantiles": [0.0] * 101})}},
        {"toy": {"graph": bare({"mrr": 1.0}, seconds={"mean": 300.0, "quantiles": []})}},
        {
            "toy": {"graph": bare({"f1": 3.0}, per_type={"x": {"n": 0, "scores": {}}})},
            "b": {"hybrid": bare({})},
        },
        {"toy": {"graph": bare({"recall@5": 100.0}, per_hops={"2": {"n": 1, "scores": {"recall@5": 1}}})}},
        {
            "mean": {"graph": bare({"ndcg@10": 0.5}), "hybrid": bare({"ndcg@10": 0.4})},
            "b": {"graph": bare({})},
        },
    ],
)
def test_what_is_missing_is_left_out(tmp_path, results):
    names = {name for systems in results.values() for name in systems}
    whole = {
        "format": 1,
        "made": {},
        "config": {},
        "baseline": "hybrid",
        "datasets": {name: {} for name in results},
        "systems": {name: {} for name in sorted(names)},
        "results": results,
    }
    page = written(tmp_path, whole)
    assert "nan" not in html_of(page).lower() and "None" not in html_of(page)


def changed(**parts):
    return {**EXAMPLE.example(datasets={"toy": (100, {})}), **parts}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there are no results at"),
        ("{", "does not hold the results"),
        ("[" * 100_000, "does not hold the results"),
        ("[]", "does not hold the results"),
        (json.dumps(changed(format=2)), "has format 2"),
        (json.dumps(changed(made=None)), "has no made"),
        (json.dumps(changed(baseline=3)), "has no baseline"),
        (json.dumps(changed(results={})), "has no finished data set"),
        (json.dumps(changed(results={"toy": {}})), "has no systems for 'toy'"),
        (json.dumps(changed(datasets={})), "does not describe the data set 'toy'"),
        (json.dumps(changed(systems={})), "does not describe the system 'graph'"),
        (json.dumps(changed(results={"toy": {"graph": {}}})), "has no scores of 'graph' on 'toy'"),
    ],
)
def test_what_is_no_result_is_refused_in_one_sentence(tmp_path, text, message):
    if text is not None:
        (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        write_report(tmp_path)
    assert "\n" not in str(raised.value) and ";" in str(raised.value)
    assert {path.name for path in tmp_path.iterdir()} <= {"results.json"}


def one(recall, p=None, difference=1.0, mean=0.01):
    against = None if p is None else {"recall@5": {"difference": difference, "p": p / 2, "p_corrected": p}}
    return bare({"recall@5": recall}, against_baseline=against, seconds={"mean": mean})


def test_the_headline_says_what_was_found_and_how_sure_it_is():
    results = {
        "a": {"graph": one(80, 0.01), "hybrid": one(70), "theirs": one(99, 0.01)},
        "b": {"graph": one(60, 0.2), "hybrid": one(50)},
        "c": {"graph": one(40, 0.04, -5.0, 0.04), "hybrid": one(45)},
    }
    assert means(results, "recall@5") == pytest.approx({"graph": 60, "hybrid": 55})
    assert lead(results, "hybrid") == (
        "graph has the highest mean recall@5 over the 3 data sets: 60.0, against 55.0 for hybrid, the baseline.",
        "Compared with hybrid question by question, and corrected for many comparisons, it is better beyond "
        "chance on 1, worse beyond chance on 1, not clearly different on 1 of 3 data sets.",
        "A query takes 20.0 ms with graph and 10.0 ms with hybrid on average.",
    )
    assert "It is the baseline: no system is above it." in lead(results, "graph")[0]
    only = {"b": results["b"]}
    assert (
        lead(only, "hybrid")[0]
        == "graph has the highest recall@5 on b: 60.0, against 50.0 for hybrid, the baseline."
    )
    assert lead(only, "hybrid")[1].endswith("it is not clearly different.")
    assert "no overall best" in lead({"a": {"x": bare({})}}, "x")[0]
