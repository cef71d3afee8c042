"""Ctrl-C while a language model extracts: what only waits is given up at once, what was sent is kept."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llm_server import LLMServer, Sent, chat, status

pytest.importorskip("openai", reason="the extra `openai` is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

WAIT = 60  # seconds that the server asks for; none of them may pass
SLOW = 1.5  # seconds until a call is answered that was sent before the interruption
ANSWER = json.dumps({"entities": ["Tarn"], "triples": []})


def judge(body: dict[str, Any]) -> Sent:
    """Answer slowly about slow passages; be too busy for the others."""
    asked = body["messages"][-1]["content"]
    if "slow" in asked:
        return replace(chat(ANSWER)(body), delay=SLOW)
    return status(429, "busy", **{"Retry-After": str(WAIT)})


@pytest.fixture
def run(tmp_path: Path, llm_server: LLMServer) -> Iterator[subprocess.Popen[str]]:
    llm_server.judge = judge
    texts = ["busy", "slow one", "busy again", "slow two"]
    rows = [{"_id": f"d{n}", "text": f"Tarn is {text}."} for n, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "c.toml").write_text(
        f'[llm]\nmodel = "openai:tiny"\nbase_url = "{llm_server.base_url}"\nconcurrency = 4\n'
    )
    command = [sys.executable, "-m", "hipporag_like.cli", "index", "rows.jsonl", "--index", "ix"]
    command += ["--embedder", "hashing", "--extractor", "llm", "--config", "c.toml"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while len(llm_server.requests) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(llm_server.requests) == 4
    time.sleep(0.2)  # the busy ones have been told to wait
    yield process
    process.kill()
    process.communicate()


def test_the_first_ctrl_c_waits_for_answers_and_nothing_else(
    run: subprocess.Popen[str], tmp_path: Path, llm_server: LLMServer
) -> None:
    run.send_signal(signal.SIGINT)
    began = time.monotonic()
    _, err = run.communicate(timeout=WAIT / 2)
    assert run.returncode == 130 and time.monotonic() - began < WAIT / 4
    assert err.splitlines() == [
        "stopping: finishing 2 calls; Ctrl-C again to stop at once",
        "stopped; what was finished is kept, run the same command again to go on",
    ]
    with sqlite3.connect(tmp_path / "ix" / "journal.db") as connection:
        (kept,) = connection.execute("SELECT count(*) FROM calls").fetchone()
    connection.close()
    assert (kept, len(llm_server.requests)) == (2, 4)  # both answers; what would follow on them is not asked


def test_the_second_ctrl_c_waits_for_nothing(run: subprocess.Popen[str]) -> None:
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    assert run.stderr.readline().startswith("stopping: ")
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130
    assert time.monotonic() - began < SLOW / 2
