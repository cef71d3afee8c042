"""The command line is fast because it imports little; this is what keeps it so."""

import subprocess
import sys

# Each costs from 50 ms to seconds; `query` needs some of them, `--help` and a mistake need none.
HEAVY = {
    "numpy",
    "scipy",
    "numba",
    "spacy",
    "faiss",
    "torch",
    "transformers",
    "igraph",
    "networkx",
    "rich",
    "pydantic",
}


def loaded_by(code):
    script = (
        f"{code}\nimport sys\nprint(' '.join(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(run.stdout.split())


def test_the_commands_import_nothing_heavy():
    loaded = loaded_by(
        "from typer.main import get_command\nfrom hipporag_like.cli.app import app\nget_command(app)"
    )
    assert "hipporag_like" in loaded and not loaded & HEAVY


def test_json_output_needs_no_rich():
    loaded = loaded_by("import hipporag_like.cli._json, hipporag_like.cli._session, hipporag_like.cli._where")
    assert not loaded & HEAVY
