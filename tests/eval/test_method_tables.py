"""docs/method.md names every column, and no number in it is older than its measurement."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.errors import InputError
from hipporag_like.eval.benchmarks.ablation import PARTS
from hipporag_like.eval.benchmarks.method_tables import (
    DOCUMENT,
    RESULTS,
    TABLES,
    cost,
    gain,
    held_out,
    main,
    marks,
    parts,
    types,
    with_tables,
)
from hipporag_like.retrieval.features import NAMES

ROOT = Path(__file__).parents[2]


def _row(at: float) -> dict[str, float]:
    return {"recall@2": at, "recall@5": at + 10, "recall@10": at + 20.06}


def _test(difference: float, p: float) -> dict[str, float]:
    return {"difference": difference, "low": difference - 1, "high": difference + 2, "p": p}


@pytest.fixture
def found() -> dict[str, Any]:
    """Return results as ``ablation.measure`` does; the full fusion is compared with nothing."""
    sets = ("one", "one+lower_cased", "one+lower_cased+light")  # the last one has no row
    others = {
        system: {name: {**_row(at), "recall@5 against full": _test(-at, 0.03)} for name in sets}
        for system, at in (("hybrid", 40.0), ("weights", 50.0), ("fast", 60.0))
    }
    recalls = dict(zip(("recall@2", "recall@5", "recall@10"), (-0.04, -1.26, 0.5), strict=True))
    return {
        "format": 1,
        "n_questions": {"one": 7},
        "systems": {**others, "full": {name: _row(70.04) for name in sets}},
        "parts": {
            name: {"columns": 3, **{k: _test(by, p) for k, by in recalls.items()}}
            for name, p in (("walks", 0.0001), ("windows", 0.04), ("the rest", 0.5))
        },
        "types": {
            "one, bridge": {
                "n": 4,
                "hybrid": _row(1),
                "weights": _row(2),
                "fast": _row(3),
                "full": _row(4),
            }
        },
        "seconds": {name: {"p50_ms": 12.34, "p95_ms": 56.0} for name in ("full", "fast", "weights")},
    }


def test_recalls_are_shown_by_set_and_condition(found: dict[str, Any]) -> None:
    lines = held_out(found).splitlines()
    assert lines[0] == "| recall@2 / @5 / @10 (questions) | `hybrid` | `weights` | `fast` | `full` |"
    numbers = "40.0 / 50.0 / 60.1 | 50.0 / 60.0 / 70.1 | 60.0 / 70.0 / 80.1 | 70.0 / 80.0 / 90.1 |"
    assert lines[2:] == [f"| one (7) | {numbers}", f"| one, small letters | {numbers}"]


def test_a_gain_is_the_loss_turned_round(found: dict[str, Any]) -> None:
    lines = gain(found).splitlines()
    # Two rows: the smaller of two equal p of 0.03 counts twice, so neither is clear.
    assert lines[2].startswith("| one (7) | +40.0 [+38.0, +41.0], p = 0.030 | +50.0 [+48.0, +51.0]")
    found["systems"]["hybrid"]["one"]["recall@5 against full"]["p"] = 0.0004
    assert gain(found).splitlines()[2].startswith("| one (7) | **+40.0** [+38.0, +41.0], p < 0.001 |")


def test_a_difference_is_bold_where_it_holds_among_all_parts(found: dict[str, Any]) -> None:
    lines = parts(found).splitlines()
    assert lines[2] == (
        "| walks | 3 | **0.0** [-1.0, +2.0], p < 0.001 | **-1.3** [-2.3, +0.7], p < 0.001 "
        "| **+0.5** [-0.5, +2.5], p < 0.001 |"
    )
    # 0.04 among three is 0.08.
    assert lines[3].startswith("| windows | 3 | 0.0 [-1.0, +2.0], p = 0.040 |")


def test_types_and_cost(found: dict[str, Any]) -> None:
    assert types(found).splitlines()[2].startswith("| one, bridge | 4 | 1.0 / 11.0 / 21.1 | 2.0 / 12.0 /")
    assert cost(found).splitlines()[2:] == [
        "| `weights` | 12.3 | 56.0 |",
        "| `fast` | 12.3 | 56.0 |",
        "| `full` | 12.3 | 56.0 |",
    ]


def test_every_table_is_as_wide_as_its_head(found: dict[str, Any]) -> None:
    for table in TABLES.values():
        assert len({line.count("|") for line in table(found).splitlines()}) == 1


def test_a_checkout_is_rewritten_between_the_marks_only(found: dict[str, Any], tmp_path: Path) -> None:
    for file in (RESULTS, DOCUMENT):
        (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / RESULTS).write_text(json.dumps(found), encoding="utf-8")
    places = ["\n".join((start, "old", end)) for start, end in map(marks, TABLES)]
    (tmp_path / DOCUMENT).write_text("before\n" + "\nbetween\n".join(places) + "\nafter\n", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    text = (tmp_path / DOCUMENT).read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert text.count("\nbetween\n") == len(TABLES) - 1
    assert all(
        f"{marks(name)[0]}\n{table(found)}\n{marks(name)[1]}" in text for name, table in TABLES.items()
    )
    assert with_tables(text, found) == text


def test_what_is_missing_is_said_in_a_sentence(
    found: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == InputError.exit_code
    assert "run make ablation" in capsys.readouterr().err
    with pytest.raises(InputError, match="no place for a table"):
        with_tables("nothing", found)


def test_the_document_explains_every_column_once() -> None:
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    table = text.partition("| column | what it is |")[2].partition("\n\n")[0]
    explained = Counter(re.findall(r"^\| `(\w+)` \| \S", table, re.MULTILINE))
    assert explained == Counter(NAMES)


def test_every_column_belongs_to_one_part() -> None:
    assert Counter(name for names in PARTS.values() for name in names) == Counter(NAMES)


def test_the_document_has_a_place_for_every_table(found: dict[str, Any]) -> None:
    with_tables((ROOT / DOCUMENT).read_text(encoding="utf-8"), found)


def test_the_document_is_up_to_date() -> None:
    if not (ROOT / RESULTS).is_file():
        pytest.skip("no results beside this test (nothing was measured yet, or it runs from elsewhere)")
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    found = json.loads((ROOT / RESULTS).read_text(encoding="utf-8"))
    assert text == with_tables(text, found)
    parts_now = {name: len(columns) for name, columns in PARTS.items()}
    assert {name: row["columns"] for name, row in found["parts"].items()} == parts_now
