"""Killed while it indexes: the next run goes on from what was kept, and nothing of the kill shows."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hipporag_like.errors import IndexNotFoundError
from hipporag_like.rag import HippoRAG
from hipporag_like.store.snapshot import open_snapshot

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

_spec = importlib.util.spec_from_file_location("forks", Path(__file__).with_name("forks.py"))
_forks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_forks)
Forks = _forks.Forks

# Models that write down what they were asked, one text a line, and kill the process at a given call.
SCRIPT = """
import json, os, re, signal, sys
from pathlib import Path
from hipporag_like.indexing import embed as embedding, extract as extracting, ingest as ingesting
from hipporag_like.models.hashing import HashingEmbedder
from hipporag_like.rag import HippoRAG
from hipporag_like.text import content_hash
from hipporag_like.types import Document, Extraction, Mention
folder, log, victim, number = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ingesting.COMMIT_EVERY, extracting.COMMIT_EVERY, embedding.COMMIT_EVERY = 3, 2, 4
os.fsync = lambda descriptor: None
calls = {}

def called(stage, texts=()):
    calls[stage] = calls.get(stage, 0) + 1
    with log.open("a") as file:
        file.writelines(json.dumps([stage, calls[stage], text]) + "\\n" for text in texts)
    if stage == victim and calls[stage] == number:
        os.kill(os.getpid(), signal.SIGKILL)

class Embedder:
    fingerprint, dim = "scripted", 16
    def embed(self, texts, kind="passage"):
        called("embed", texts)
        return HashingEmbedder(16).embed(texts)

class Extractor:
    fingerprint = "scripted"
    def key(self, passage):
        return content_hash(passage.text)
    def extract(self, passages):
        for at in range(0, len(passages), 2):
            called("extract", [passage.text for passage in passages[at : at + 2]])
            for passage in passages[at : at + 2]:
                found = re.finditer(r"[A-Z]\\w+", passage.text)
                yield Extraction(((0, len(passage.text)),), tuple(Mention(m.start(), m.end()) for m in found))

def documents():
    for i in range(10):
        called("documents")
        yield Document(f"Anna{i} met Otto{i % 3} in Oslo.", f"d{i}", f"Title {i}")

rename, replace = os.rename, os.replace
def renamed(*arguments):
    called("rename")
    rename(*arguments)
def replaced(*arguments):
    called("replace")
    replace(*arguments)
    called("replaced")
os.rename, os.replace = renamed, replaced
rag = HippoRAG(folder, embedder=Embedder(), extractor=Extractor())
if victim == "delete":
    rag.index(documents())
    victim = "replaced"
    calls.clear()
    rag.delete(["d3", "d4"])
else:
    report = rag.index(documents())
    print(json.dumps([report.added, report.unchanged, report.extracted, report.embedded]))
"""


# What a run imports when it first needs it.
IMPORTS = """
import tempfile
from hipporag_like.config import Config
from hipporag_like.rag import HippoRAG
with tempfile.TemporaryDirectory() as folder:
    with HippoRAG(folder + "/index", config=Config.from_dict({"embed": {"model": "hashing"}})) as rag:
        rag.index(["Anna met Otto in Oslo.", "Berta met Otto in Bergen."])
"""
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run the script with an index, a log, and whom to kill at which call."""
    with Forks(SCRIPT, IMPORTS, tmp_path_factory.mktemp("forks")) as forks:
        yield lambda folder, log, victim="", number=0: forks.run(str(folder), str(log), victim, str(number))


def calls_of(log: Path, stage: str) -> list[list[str]]:
    """Return the texts of each call that a model got."""
    calls: dict[int, list[str]] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        kind, number, text = json.loads(line)
        if kind == stage:
            calls.setdefault(number, []).append(text)
    return list(calls.values())


def texts_of(log: Path, stage: str) -> list[str]:
    return [text for texts in calls_of(log, stage) for text in texts]


def arrays(folder: Path) -> dict[tuple[str, str], bytes]:
    with open_snapshot(folder) as snapshot:
        return {
            (group, name): path.read_bytes()
            for group in snapshot.groups
            for name, (path, _) in snapshot.entries(group).items()
        }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, run: Run) -> dict[str, Any]:
    """What a run that nobody disturbs makes and asks its models."""
    folder = tmp_path_factory.mktemp("whole")
    log = folder / "log"
    done = run(folder / "index", log)
    assert (done.returncode, done.stderr) == (0, "")
    return {
        "folder": folder / "index",
        "arrays": arrays(folder / "index"),
        "embed": texts_of(log, "embed"),
        "extract": texts_of(log, "extract"),
        "report": json.loads(done.stdout),
    }


@pytest.mark.parametrize(
    ("victim", "number"),
    [
        ("documents", 5),
        ("extract", 4),
        ("embed", 5),
        ("embed", 9),
        ("replace", 1),
        ("replaced", 1),
    ],
)
def test_the_next_run_goes_on(run: Run, tmp_path: Path, whole: dict[str, Any], victim: str, number: int):
    folder = tmp_path / "index"
    killed = run(folder, tmp_path / "first", victim, number)
    assert killed.returncode == -9, killed.stderr
    if victim != "replaced":  # nothing was published yet, and that is said
        with pytest.raises(IndexNotFoundError):
            HippoRAG(folder, read_only=True)
    again = run(folder, tmp_path / "second")
    assert (again.returncode, again.stderr) == (0, "")
    assert arrays(folder) == whole["arrays"]
    for stage in ("extract", "embed"):
        before, after = texts_of(tmp_path / "first", stage), texts_of(tmp_path / "second", stage)
        repeated = Counter(before) & Counter(after)
        assert Counter(before) + Counter(after) - repeated == Counter(whole[stage])
        # Only the batch in flight was lost.
        in_flight = calls_of(tmp_path / "first", stage)[-1] if stage == victim else []
        assert repeated == Counter(in_flight)
    added, unchanged, extracted, embedded = json.loads(again.stdout)
    assert added + unchanged == 10
    assert unchanged == {"documents": 3}.get(victim, 10)
    assert embedded == len(texts_of(tmp_path / "second", "embed"))
    assert extracted == len(texts_of(tmp_path / "second", "extract"))


def test_a_kill_after_every_batch_still_ends(run: Run, tmp_path: Path, whole: dict[str, Any]):
    folder, log = tmp_path / "index", tmp_path / "log"
    for _ in range(3):
        assert run(folder, log, "embed", 2).returncode == -9
    assert run(folder, log).returncode == 0
    assert arrays(folder) == whole["arrays"]
    assert max(Counter(texts_of(log, "embed")).values()) <= 2
    assert Counter(texts_of(log, "extract")) == Counter(whole["extract"])


def test_a_kill_between_deleting_and_tidying_up(run: Run, tmp_path: Path):
    folder = tmp_path / "index"
    killed = run(folder, tmp_path / "first", "delete", 1)
    assert killed.returncode == -9, killed.stderr
    with open_snapshot(folder) as snapshot:
        assert snapshot.verify() == []
        assert snapshot.manifest["namespaces"]["default"]["documents"] == 8


def test_a_finished_index_calls_no_model_again(run: Run, tmp_path: Path, whole: dict[str, Any]):
    shutil.copytree(whole["folder"], tmp_path / "index")
    again = run(tmp_path / "index", tmp_path / "log", "embed", 1)
    assert (again.returncode, json.loads(again.stdout)) == (0, [0, 10, 0, 0])
    assert not (tmp_path / "log").exists() or (tmp_path / "log").read_text() == ""
