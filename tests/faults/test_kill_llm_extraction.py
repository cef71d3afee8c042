"""Killed while a language model extracts: no answer that was kept is paid for again, and nothing of the kill shows."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from llm_server import LLMServer, Sent, chat

from hipporag_like.store.snapshot import open_snapshot

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

_spec = importlib.util.spec_from_file_location("forks", Path(__file__).with_name("forks.py"))
_forks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_forks)
Forks, Fork = _forks.Forks, _forks.Fork

PASSAGES = 60
AT_ONCE = 4
KILLS = min(50, int(os.environ.get("HIPPORAG_LIKE_KILLS", "20")))  # `make faults-long`: 50
# Every document but each third has two passages; each seventh passage is first answered in prose.
SCRIPT = """
import json, os, sys
from pathlib import Path
from hipporag_like.config import ChunkConfig, Config, EmbedConfig, ExtractConfig, LLMConfig
from hipporag_like.indexing import extract as extracting
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document
folder, url, calls, passages, at_once = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
os.fsync = lambda descriptor: None
extracting.COMMIT_EVERY = 7
config = Config(
    chunk=ChunkConfig(max_tokens=12, overlap=0),
    extract=ExtractConfig(extractor="llm", llm_calls=calls),
    embed=EmbedConfig(model="hashing"),
    llm=LLMConfig(model="openai:tiny", base_url=url, concurrency=at_once),
)
texts = [f"Item {n} is made by Maker {n % 7} in Town {n % 5}." for n in range(passages)]
documents = [Document(" ".join(texts[n : n + 1 + (n % 3 == 0)]), f"d{n}", f"Item {n}")
             for n in range(passages) if n % 3 != 1]
report = HippoRAG(folder, config=config).index(documents)
spent = {stage: [usage.calls, usage.cached, usage.failed] for stage, usage in report.usage.items()}
print(json.dumps({"passages": report.passages, "failures": len(report.failures), "spent": spent}))
"""


@dataclass
class Model:
    """What the server says, with a note in each answer that tells the call; and a trigger at a given request."""

    asked: list[str] = field(default_factory=list)
    trigger: threading.Event = field(default_factory=threading.Event)
    at: int = -1

    def __call__(self, body: dict[str, Any]) -> Sent:
        messages = body["messages"]
        about = [m["content"] for m in messages if "Item " in m["content"] and m["role"] == "user"][0]
        number = int(re.search(r"Item (\d+) is", about)[1])
        stage = "triples" if "Entities:" in about else "entities"
        note = f"{number} {stage} {len(messages)}"
        self.asked.append(note)
        if len(self.asked) == self.at:
            self.trigger.set()
        item, maker, town = f"Item {number}", f"Maker {number % 7}", f"Town {number % 5}"
        answer = {
            "note": note,
            "entities": [item, maker, town],
            "triples": [[item, "made by", maker], [maker, "works in", town]],
        }
        wrong = number % 7 == 0 and messages[-1]["content"] == about
        text = f"Well, let me see. ({note})" if wrong else json.dumps(answer)
        return replace(chat(text)(body), delay=0.002 + 0.001 * (number % 4))


# What a run imports when it first needs it, and what a machine may say of proxies and keys.
IMPORTS = """
import os, tempfile
os.environ.update(NO_PROXY="127.0.0.1", no_proxy="127.0.0.1")
for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
    os.environ.pop(name, None)
import openai
from hipporag_like.config import Config
from hipporag_like.models import llm_extractor, openai_llm
from hipporag_like.rag import HippoRAG
with tempfile.TemporaryDirectory() as folder:
    with HippoRAG(folder + "/index", config=Config.from_dict({"embed": {"model": "hashing"}})) as rag:
        rag.index(["Anna met Otto in Oslo.", "Berta met Otto in Bergen."])
"""
Start = Callable[..., "Fork"]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start the script with an index, a server, and calls a passage."""
    pytest.importorskip("openai", reason="the extra `openai` is not installed")
    with Forks(SCRIPT, IMPORTS, tmp_path_factory.mktemp("forks")) as forks:
        yield lambda folder, server, calls=2: forks.start(
            str(folder), server.base_url, str(calls), str(PASSAGES), str(AT_ONCE)
        )


def finish(run: Fork) -> dict[str, Any]:
    output, errors = run.communicate(timeout=120)
    assert (run.returncode, errors) == (0, "")
    return dict(json.loads(output))


def settle() -> None:
    """Wait until the server has read what a killed client left in its sockets: on a busy machine it would otherwise
    do so during the next run, and count as asked there.
    """
    quiet = 0
    while quiet < 3:
        busy = any("process_request_thread" in thread.name for thread in threading.enumerate())
        quiet = 0 if busy else quiet + 1
        time.sleep(0.02)


def kept(folder: Path) -> set[str]:
    """Return the notes of the answers in the journal."""
    if not (folder / "journal.db").exists():
        return set()
    connection = sqlite3.connect(folder / "journal.db")
    try:
        rows = connection.execute("SELECT payload FROM calls").fetchall()
    except sqlite3.OperationalError:  # killed before there was a table
        return set()
    finally:
        connection.close()
    return {re.search(r"\d+ (entities|triples) \d+", json.loads(payload)[0])[0] for (payload,) in rows}


def content(folder: Path) -> dict[Any, Any]:
    """Return all that an index holds; its number and revision count runs and commits."""
    with open_snapshot(folder) as snapshot:
        assert snapshot.verify() == []
        found: dict[Any, Any] = {
            (group, name): path.read_bytes()
            for group in snapshot.groups
            for name, (path, _) in snapshot.entries(group).items()
        }
        return found | {
            name: value for name, value in snapshot.manifest.items() if name not in ("revision", "journal")
        }


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def server(llm_server: LLMServer, model: Model) -> LLMServer:
    llm_server.judge = model
    return llm_server


def campaign(
    start: Start, folder: Path, server: LLMServer, model: Model, kills: int, seed: int, calls: int = 2
) -> None:
    """Kill so many times; where an index is finished before, go on with another one."""
    chance = random.Random(seed)
    whole = finish(start(folder / "whole", server, calls))
    wanted, expected = content(folder / "whole"), set(model.asked)
    assert whole["passages"] == PASSAGES and whole["failures"] == 0
    assert len(model.asked) == len(expected) == sum(spent[0] for spent in whole["spent"].values())
    done = number = 0
    while done < kills:
        number += 1
        place = folder / str(number)
        asked: list[str] = []
        known: set[str] = set()
        while True:
            model.asked, model.trigger = [], threading.Event()
            model.at = chance.randint(1, max(1, len(expected - known) // 3)) if done < kills else -1
            run = start(place, server, calls)
            if done < kills and reached(run, model):
                time.sleep(chance.random() * 0.01)
                run.kill()
            output, errors = run.communicate(timeout=120)
            assert run.returncode in (0, -9), errors
            settle()
            done += run.returncode == -9
            assert not known & set(model.asked), "an answer that was kept was asked for again"
            assert len(set(model.asked)) == len(model.asked)
            asked += model.asked
            known = kept(place)
            if run.returncode == 0:
                break
        assert set(asked) == known == expected
        # A call is made again only where a kill caught it before its answer was kept.
        assert len(asked) - len(expected) <= AT_ONCE * done
        assert json.loads(output)["failures"] == 0
        assert content(place) == wanted


def reached(run: Fork, model: Model) -> bool:
    """Wait for the request at which to kill; return False where the process ended before."""
    while run.poll() is None:
        if model.trigger.wait(0.002):
            return True
    return False


def test_a_few_kills(start: Start, tmp_path: Path, server: LLMServer, model: Model) -> None:
    campaign(start, tmp_path, server, model, kills=3, seed=1)
    model.asked = []
    again = finish(start(tmp_path / "whole", server))  # a finished index asks nothing
    assert model.asked == [] and again["spent"] == {}


@pytest.mark.slow
@pytest.mark.parametrize("calls", [1, 2])
def test_many_kills(start: Start, tmp_path: Path, server: LLMServer, model: Model, calls: int) -> None:
    campaign(start, tmp_path, server, model, kills=KILLS, seed=2 + calls, calls=calls)
