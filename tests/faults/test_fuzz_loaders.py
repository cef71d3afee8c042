"""Loaders and the command line, fuzzed: documents or reasons, results or a sentence, and never anything else.

``HIPPORAG_LIKE_FUZZ`` says how often, five times: ``make faults-long`` runs 20,000 a target, and 2,000 of each office
format, whose converters take a tenth of a second a file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes, signals and devices of POSIX")

HERE = Path(__file__).parent
NUMBER = int(os.environ.get("HIPPORAG_LIKE_FUZZ", "2500")) // 5
TEXTS = ("txt", "md", "html", "jsonl", "json", "csv", "tsv", "stdin", "folder")
OFFICE = ("docx", "pptx", "xlsx", "pdf")


def fuzz(program: str, target: str, number: int, seed: int) -> dict:
    done = subprocess.run(
        [sys.executable, str(HERE / program), target, str(number), str(seed)],
        capture_output=True,
        text=True,
        timeout=300 + 5 * number,
    )
    assert done.stdout, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told.get("failures", []) == []
    return told


def assert_fuzzed(told: dict, number: int) -> None:
    """A fuzzer that makes only good or only bad files finds nothing."""
    assert told["executions"] == number
    assert min(told["accepted"], told["refused"]) >= number // 50


def test_some_files_of_every_loader():
    done = subprocess.run(
        [sys.executable, str(HERE / "fuzz_loaders_run.py"), "texts", "40", "1"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (rows, done.stderr[-2000:])
    assert [row["target"] for row in rows] == list(TEXTS)
    assert sum(row["executions"] for row in rows) == 40 * len(TEXTS)


def test_some_command_lines():
    told = fuzz("fuzz_cli_run.py", "cli", 60, 1)
    assert told["executions"] == 60 and told["commands"] >= 6


@pytest.mark.slow
@pytest.mark.parametrize("target", TEXTS)
def test_files_of_a_loader(target):
    assert_fuzzed(fuzz("fuzz_loaders_run.py", target, NUMBER, 7), NUMBER)


@pytest.mark.slow
@pytest.mark.parametrize("target", OFFICE)
def test_office_files(target):
    pytest.importorskip("markitdown")
    number = max(20, NUMBER // 10)
    assert_fuzzed(fuzz("fuzz_loaders_run.py", target, number, 7), number)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_command_lines(seed):
    told = fuzz("fuzz_cli_run.py", "cli", NUMBER // 4, seed)
    assert_fuzzed(told, NUMBER // 4)
    assert told["commands"] >= 10
