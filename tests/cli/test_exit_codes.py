"""Mistakes end with 2, other failures with 1, and always with one sentence on stderr."""

import os
import re
import signal
import subprocess
import sys

import pytest

from hipporag_like.errors import (
    IndexCorruptError,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    InputError,
    MissingExtraError,
    ModelError,
)
from hipporag_like.types import Failure, IndexReport


def assert_one_sentence(result, code, *words):
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), result.stderr
    assert all(word in lines[0] for word in words), lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["query"], ["QUESTION", "--help"]),
        (["query", "q"], ["--index", "--help"]),
        (["qery", "q"], ["qery", "query"]),
        (["query", "q", "--index", "DIR", "--metod", "graph"], ["--metod"]),
        (["query", "q", "--index", "DIR", "-k", "many"], ["-k", "integer"]),
        (["query", "q", "--index", "DIR", "-k", "0"], ["at least 1"]),
        (["query", "  ", "--index", "DIR"], ["question is empty"]),
        (["ask", "", "--index", "DIR"], ["question is empty"]),
        (["query", "q", "--index", "DIR", "--method", "grap"], ["graph", "grap"]),
        (["ask", "q", "--index", "DIR", "--reader", "psychic"], ["extractive", "psychic"]),
        (["query", "q", "--index", "DIR", "--where", "year"], ["year>=2000"]),
        (["query", "q", "--index", "DIR", "--config", "missing.toml"], ["missing.toml"]),
        (["index", "x", "--index", "DIR", "--extractor", "magic"], ["rules", "magic"]),
        (["export", "--index", "DIR", "--format", "pdf", "--out", "x"], ["graphml", "pdf"]),
        (["query", "-", "--index", "DIR"], ["no question on stdin"]),
    ],
)
def test_usage_mistakes_exit_2(cli, fake, index_dir, arguments, words):
    arguments = [str(index_dir) if word == "DIR" else word for word in arguments]
    assert_one_sentence(cli(*arguments, stdin=""), 2, *words)
    assert fake.calls == []  # nothing was opened for nothing


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IndexNotFoundError("no index at x"), 2),
        (IndexMismatchError("made with another embedder"), 2),
        (InputError("cannot read x"), 2),
        (MissingExtraError("this reader", "local"), 2),
        (IndexCorruptError("a file is cut"), 1),
        (IndexLockedError("another writer\nis at work"), 1),
        (ModelError("weights altered"), 1),
    ],
)
def test_errors_of_the_library_carry_their_own_exit_code(cli, fake, index_dir, error, code):
    fake.error = error
    assert_one_sentence(cli("query", "q", "--index", index_dir), code, " ".join(str(error).split()))


def test_a_folder_that_cannot_be_written_is_one_sentence(cli, fake, index_dir):
    fake.error = PermissionError(13, "Permission denied", "/x/journal.db")
    assert_one_sentence(cli("stats", "--index", index_dir), 1, "Permission denied", "/x/journal.db")


def test_ctrl_c_says_that_nothing_is_lost(cli, fake, index_dir):
    fake.error = KeyboardInterrupt()
    result = cli("stats", "--index", index_dir)
    assert (result.exit_code, result.stdout) == (130, "")
    assert result.stderr == "stopped; what was finished is kept, run the same command again to go on\n"


def test_delete_names_unknown_ids_and_fails_only_when_all_are(cli, fake, index_dir):
    missing = Failure("nope", "no such document")
    fake.report = IndexReport(deleted=1, failures=(missing,))
    some = cli("delete", "a", "nope", "--index", index_dir)
    assert some.exit_code == 0 and "nope" in some.stderr and "1 deleted" in some.stdout
    fake.report = IndexReport(failures=(missing,))
    none = cli("delete", "nope", "--index", index_dir)
    assert_one_sentence(none, 2, "nope")


def test_delete_of_nothing_is_an_error_even_where_the_report_names_nothing(cli, fake, index_dir):
    fake.report = IndexReport()
    assert_one_sentence(cli("delete", "a", "b", "--index", index_dir), 2, "holds no document a, b")


def test_index_fails_only_when_nothing_could_be_used(cli, fake, tmp_path, monkeypatch):
    from hipporag_like.cli import _session

    monkeypatch.setattr(_session, "load_sources", lambda *arguments: ([], []))
    for report, code in (
        (IndexReport(added=1, failures=(Failure("x", "y"),)), 0),
        (IndexReport(failures=(Failure("x", "y"),)), 2),
    ):
        fake.report = report
        assert cli("index", "x", "--index", tmp_path).exit_code == code


STAND_IN = """
import sys, types
module = types.ModuleType("hipporag_like.rag")
class HippoRAG:
    def __init__(self, *a, **k): pass
    def stats(self, **_): {body}
module.HippoRAG = HippoRAG
sys.modules["hipporag_like.rag"] = module
from hipporag_like.cli import main
main()
"""


def _process(body, before="", **options):
    command = [
        sys.executable,
        "-c",
        before + STAND_IN.replace("{body}", body),
        "stats",
        "--index",
        "x",
        "--json",
    ]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_listen_to_interrupts,
        **options,
    )


def _listen_to_interrupts():
    """Undo what a shell does to its background jobs: there, children would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_what_nobody_foresaw_is_one_sentence_and_exit_1():
    environment = {k: v for k, v in os.environ.items() if k != "HIPPORAG_LIKE_DEBUG"}
    process = _process("return 1 / 0", env=environment)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    place = r"in \S+, line \d+"  # and not what it says, which may quote a document
    sentence = (
        f"unexpected error: ZeroDivisionError {place}; run with HIPPORAG_LIKE_DEBUG=1 for the traceback\n"
    )
    assert re.fullmatch(sentence, err), err


WAITING = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
def work():
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(time.sleep, 60)
        print("ready", file=sys.stderr, flush=True)
        slow.result()
"""


def test_a_second_ctrl_c_waits_for_nobody():
    process = _process("return work()", WAITING)
    assert process.stderr.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):  # what was begun is waited for
        process.wait(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    assert err == "stopped; what was finished is kept, run the same command again to go on\n"


def test_debug_shows_the_traceback():
    _, err = _process("return 1 / 0", env={**os.environ, "HIPPORAG_LIKE_DEBUG": "1"}).communicate(timeout=60)
    assert "Traceback" in err and "unexpected error: ZeroDivisionError" in err


def test_a_reader_that_goes_away_is_no_error():
    process = _process("return {'rows': ['x' * 1000] * 1000}")
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


def test_an_interrupted_process_exits_with_130():
    body = "sys.stderr.write('ready\\n'); sys.stderr.flush(); import time; time.sleep(60)"
    process = _process(body)
    assert process.stderr.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err.startswith("stopped; ") and "Traceback" not in err
