"""docs/scaling.md shows what was measured, and nothing older."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from hipporag_like.errors import InputError
from hipporag_like.eval.benchmarks import scale_plots, scale_tables
from hipporag_like.eval.benchmarks.scale import RESULTS
from hipporag_like.eval.benchmarks.scale_bars import bars
from hipporag_like.eval.benchmarks.scale_read import at, first, fitted, points, shown
from hipporag_like.eval.benchmarks.scale_tables import DOCUMENT, TABLES, marks, with_tables

ROOT = Path(__file__).parents[3]


def _spread(value):
    return {"p50": value, "p95": 2 * value}


def _size(passages, factor):
    """Return results of one size, all times in proportion to ``factor``."""
    methods = {
        method: {
            "seconds": _spread(0.01 * factor),
            "stages": {"walk": _spread(0.004), method: _spread(0.001 * factor)},
            "recall@5": 100.0 - factor,
            "recall@10": 100.0,
        }
        for method in ("graph", "hybrid", "dense", "bm25")
    }
    walks = {engine: _spread(value * factor) for engine, value in (("push", 0.004 / factor), ("prpack", 0.5))}
    return {
        "made_with": {"at": "2026-01-02T03:04:05", "commit": "abcdef123456", "dirty": True, "cpu": "Some CPU",
                      "cores": 2, "memory_gb": 24.0, "python": "3.11.7"},
        "build": {"seconds": 100.0 * factor, "bytes": {"journal": 2000 * passages, "graph": 500 * passages},
                  "process": {"peak_mb": 1000.0 * factor}},
        "warm": {"methods": methods, "process": {"peak_mb": 400.0}},
        "first": {"seconds": 0.5, "growth_mb": 200.0},
        "walks": {"seconds": walks, "times_slower_than_push": {"prpack": 125.0 * factor},
                  "top_20_shared_mean": {"prpack": 0.995}},
        "change": {"add 100": {"seconds": 0.8 * factor}, "process": {"peak_mb": 300.0}},
        "lexical": {"failed": "no memory"},
    }  # fmt: skip


@pytest.fixture
def measured():
    sizes = {str(n): _size(n, n / 10_000) for n in (1_000, 10_000, 100_000, 1_000_000)}
    sizes["10000"]["standin"] = {"seconds": _spread(0.2)}
    embedding = {"systems": {"minilm": {"passages_per_second": 300.0, "speed_relative_to_minilm": 1.0},
                             "sentence_transformers": {"speed_relative_to_minilm": 0.5}}}  # fmt: skip
    datasets = {"some_set": {"build": {"passages": 1890, "seconds": 3.0}, "embedding": embedding}}
    return {"sizes": sizes, "datasets": datasets}


def test_a_straight_line_on_log_axes_is_found_again(measured):
    curve = fitted(points(measured, at("build", "seconds")))
    assert curve.power == pytest.approx(1) and curve(10_000_000) == pytest.approx(100_000)
    assert curve.up_to == 1_000_000
    flat = fitted(points(measured, at("first", "seconds")))
    assert flat.power == pytest.approx(0, abs=1e-9) and flat(1e8) == pytest.approx(0.5)


def test_too_few_points_make_no_curve():
    assert fitted(([1_000, 10_000], [1.0, 2.0])) is None
    assert fitted(([], [])) is None


def test_what_is_missing_or_failed_is_no_number(measured):
    assert points(measured, at("lexical", "seconds", "ours", "p50")) == ([], [])
    assert points(measured, first("add")) == (
        [1_000, 10_000, 100_000, 1_000_000],
        pytest.approx([0.08, 0.8, 8, 80]),
    )
    assert points(measured, first("update")) == ([], [])


def test_bars_hold_or_do_not(measured):
    found = {bar.what: bar for bar in bars(measured)}
    assert found["build from extracted passages, vectors given"].met is False  # 10,000 s
    assert found["open and first query, no embedding"].met is True
    assert found["walk's time at 1,000,000 over that at 10,000"].measured == "1.00 x"
    assert found["walk against igraph prpack"].measured == "12,500 x"
    assert (
        found["add 100 passages at 10,000"].met is True
        and found["add 100 passages at 1,000,000"].met is False
    )
    assert found["query at 10,000 against the stand-in for HippoRAG 2"].measured == "20.0 x"
    assert found["the same at 50,000"].met is None and found["the same at 50,000"].measured == "not measured"
    assert found["recall@5 at 1,000,000 over that at 10,000"].met is False  # 0 of 99
    assert found["bulk embedding against sentence-transformers, some_set"].measured == "2.00 x"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567.8, "1,234,568"), (12.345, "12.3"), (0.98765, "0.988"), (0.000123456, "0.000123")],
)
def test_three_digits_that_count(value, text):
    assert shown(value) == text


def test_tables_say_what_was_measured(measured):
    tables = {name: table(measured) for name, table in TABLES.items()}
    assert "| build, s | 10.0 | 100 | 1,000 | 10,000 |" in tables["build"]
    assert "| journal | 2,000 | 2,000 | 2,000 | 2,000 |" in tables["disk"]
    assert "| `graph` | 1.00 / 2.00 | 10.0 / 20.0 | 100 / 200 | 1,000 / 2,000 |" in tables["query"]
    assert "| `graph`: walk | 4.00 / 8.00 |" in tables["query"]
    assert "| `dense` | 99.9 / 100.0 |" in tables["recall"]
    assert "| HippoRAG 2, stand-in, one query, ms | - | 200 | - | - |" in tables["engines"]
    assert "| build, hours | 2.78e-06 n^1.00 | 2.78 | 27.8 | 278 |" in tables["extrapolation"]
    assert "| passages | 1,890 |" in tables["datasets"]
    assert "abcdef12 and changes | Some CPU, 2 cores, 24.0 GB" in tables["machine"]


def test_every_table_has_columns_alike(measured):
    for name, table in TABLES.items():
        widths = {line.count("|") for line in table(measured).splitlines()}
        assert len(widths) == 1, name


def test_a_document_without_room_is_refused(measured):
    text = "".join("{}\nold\n{}\n".format(*marks(name)) for name in TABLES)
    assert "old" not in with_tables(text, measured)
    assert with_tables(with_tables(text, measured), measured) == with_tables(text, measured)
    with pytest.raises(InputError, match="no place for a table"):
        with_tables("nothing", measured)


def test_the_document_shows_what_the_file_holds():
    found = json.loads((ROOT / RESULTS).read_text(encoding="utf-8"))
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    assert with_tables(text, found) == text


def test_the_pictures_of_the_document_are_there():
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    shown_there = {Path(place).name for place in re.findall(r"\((\S+\.svg)\)", text)}
    assert shown_there == set(scale_plots.PLOTS)
    assert all((ROOT / RESULTS).with_name(name).is_file() for name in shown_there)


def test_plots_have_log_axes_and_a_line_for_each_thing_measured(measured, tmp_path):
    for file in scale_plots.draw(measured, tmp_path):
        ElementTree.parse(file)
    text = (tmp_path / "query.svg").read_text(encoding="utf-8")
    assert "igraph prpack" in text and "rank-bm25" not in text
    first_time = (tmp_path / "time.svg").read_bytes()
    scale_plots.draw(measured, tmp_path)
    assert (tmp_path / "time.svg").read_bytes() == first_time


def test_the_axes_are_logarithmic(measured):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    scale_plots._panel(axes, measured, *scale_plots.PLOTS["time.svg"][0])
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert list(axes.lines[0].get_xdata()) == [1_000, 10_000, 100_000, 1_000_000]


@pytest.mark.parametrize("module", [scale_tables, scale_plots])
def test_without_results_one_sentence_and_an_exit_code(module, tmp_path, capsys):
    assert module.main([str(tmp_path)]) == 2
    assert "run make bench" in capsys.readouterr().err
