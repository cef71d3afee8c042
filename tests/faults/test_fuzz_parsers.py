"""Parsers given what nobody would write: a value of the right kind or a typed error of one line, and nothing else.

``HIPPORAG_LIKE_FUZZ`` says how many inputs a parser is given in the slow test, 1,000 unless told; ``make faults-long``
gives 100,000.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("fuzz_parsers_run.py")
INPUTS = int(os.environ.get("HIPPORAG_LIKE_FUZZ", "1000"))
FEW = 60  # of each target, in a few seconds
TARGETS = {
    *("answer-lists", "answer-numbers", "answer-asked", "answer-cited", "server-body", "openie-file"),
    *("config-values", "config-toml", "model-names", "filters", "files"),
    *("journal-rows", "journal-bytes", "manifest", "array-header"),
    *("dataset-folder", "dataset-native", "trec-run", "results"),
    *("text-words", "text-sentences", "text-names", "text-questions"),
}


def fuzz(target: str, number: int, seed: int) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), target, str(number), str(seed)],
        capture_output=True,
        text=True,
        timeout=600 + number,  # an input takes a few ms
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(rows: list[dict[str, Any]], number: int) -> None:
    assert [row["failures"] for row in rows if row["failed"]] == []
    for row in rows:
        assert row["executions"] == row["accepted"] + row["refused"] == number
        assert row["accepted"] > 0 and row["lines"] > 0, row[
            "target"
        ]  # it came past the first line of the parser


def test_few_inputs_of_every_target():
    rows = fuzz("all", FEW, 3)
    assert {row["target"] for row in rows} == TARGETS
    check(rows, FEW)


def test_the_same_seed_gives_the_same_inputs():
    first, second = (fuzz("openie-file", 100, 11)[0] for _ in range(2))
    assert [first[key] for key in ("accepted", "refused", "lines")] == [
        second[key] for key in ("accepted", "refused", "lines")
    ]


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_many_inputs(target: str):
    check(fuzz(target, INPUTS, 1), INPUTS)
