"""Nothing is sent anywhere: indexing, asking, evaluating, the demo and the report open no connection at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# An audit hook sees the calls of compiled libraries' Python parts too, cannot be removed, and is inherited by threads.
HOOK = """
import os, sys
WATCHED = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
def hook(event, arguments):
    if event in WATCHED:
        os.write(2, f"NETWORK {event} {arguments!r}\\n".encode())
        os._exit(77)
sys.addaudithook(hook)
from typer.testing import CliRunner
from hipporag_like.cli.app import app

def run(line, code=0):
    words = [part.replace("_", " ") for part in line.split(" ")] if "?" in line else line.split(" ")
    done = CliRunner().invoke(app, words, prog_name="hipporag-like")
    if done.exit_code != code:
        sys.exit(f"{line}: {done.exit_code} {done.output} {done.exception!r}")
"""
COMMANDS = {
    "demo": 'run("demo --index demo")',
    "index, ask, explain, export, check": """
run("index sample.jsonl --index ix --preset light")
run("query Who_built_it? --index ix")
run("ask Who_built_it? --index ix")
run("explain Who_built_it? --index ix")
run("stats --index ix")
run("export --index ix --format json --out graph.json")
run("verify --index ix")
run("repair --index ix")
run("delete s001 --index ix")
""",
    "evaluate, experiment, report, catalogue": """
run("eval sample --limit 2 --embedder hashing --json numbers.json")
run("experiment sample --limit 2 --embedder hashing --method bm25 --out ex")
run("report ex")
run("eval --download")
""",
}


def process(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script after the hook is set; neither a proxy nor a key nor an offline switch is in its environment."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().endswith("_PROXY") and not name.startswith(("OPENAI_", "HF_", "TRANSFORMERS_"))
    }
    return subprocess.run(
        [sys.executable, "-c", HOOK + script],
        cwd=folder,
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("what", COMMANDS)
def test_no_connection_is_opened(what, tmp_path):
    lines = (ROOT / "eval" / "sample" / "corpus.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "sample.jsonl").write_bytes(b"".join(lines[:10]))
    done = process(COMMANDS[what], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "call",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import threading, socket; t = threading.Thread(target=lambda: socket.socket().connect(('127.0.0.1', 9)))\n"
        "t.start(); t.join()",
    ],
)
def test_the_hook_would_see_one(call, tmp_path):
    done = process(call, tmp_path)
    assert done.returncode == 77 and done.stderr.startswith("NETWORK ")


def test_a_configured_endpoint_is_the_only_address_asked(tmp_path):
    """With a model on a server, there is one connection, to that server."""
    pytest.importorskip("openai")
    (tmp_path / "sample.jsonl").write_text('{"_id": "a", "text": "Ossiane lit the lamp of Calverin."}\n')
    done = process(
        'run("index sample.jsonl --index ix --embedder hashing")\n'
        'run("ask Who_lit_it? --index ix --reader openai:m --base-url http://127.0.0.1:9/v1")',
        tmp_path,
        OPENAI_API_KEY="sk-none",
    )
    assert done.returncode == 77, done.stdout + done.stderr
    assert "127.0.0.1" in done.stderr and done.stderr.count("NETWORK") == 1


def test_the_hub_is_asked_only_for_weights_that_are_missing_and_not_when_told_to_stay_offline(tmp_path):
    """HF_HUB_OFFLINE is respected where the default embedder's weights are not on the machine."""
    script = """
from hipporag_like.models import weights
from hipporag_like.errors import ModelError
weights._known_folders = lambda: iter(())
try:
    weights.find_weights()
except ModelError as error:
    sys.exit(str(error))
"""
    done = process(script, tmp_path, HF_HUB_OFFLINE="1", HOME=str(tmp_path))
    assert done.returncode == 1 and "install them with" in done.stderr and "NETWORK" not in done.stderr
