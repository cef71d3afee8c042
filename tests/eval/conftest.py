"""A small world of people, towns and rivers, for tests that index for real."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hipporag_like.config import Config
from hipporag_like.rag import HippoRAG
from hipporag_like.types import Document

TOY_TEXTS = {
    "ada": "Ada Byron was born in Marlow. She wrote about engines.",
    "bert": "Bert Colman was born in Tilbury. He paints boats.",
    "marlow": "Marlow is a town on the river Thames, known for its bridge.",
    "tilbury": "Tilbury is a town on the river Arno, known for its docks.",
    "thames": "The Thames is 346 kilometres long and flows to the North Sea.",
    "arno": "The Arno is 241 kilometres long and flows through Florence.",
    "cleo": "Cleo Dent plays the cello in Vienna. She was a pupil of Bert Colman.",
    "vienna": "Vienna is a city on the Danube.",
}
TOY_QUESTIONS = (
    ("q1", "On which river is the town where Ada Byron was born?", ["Thames"], ["ada", "marlow"], "bridge"),
    ("q2", "How long is the river on which Tilbury lies?", ["241 kilometres"], ["tilbury", "arno"], "bridge"),
    ("q3", "Who was the teacher of Cleo Dent?", ["Bert Colman"], ["cleo"], "single"),
    ("q4", "Is the Thames longer than the Arno?", ["yes"], ["thames", "arno"], "comparison"),
)
TOY_CONFIG = Config.from_dict({"embed": {"model": "hashing"}})


@pytest.fixture
def make_toy(tmp_path):
    """Write the toy data set, or a part of it, as a folder; returns its path."""

    def make(name="toy", texts=TOY_TEXTS, questions=TOY_QUESTIONS) -> Path:
        folder = tmp_path / "sets" / name
        folder.mkdir(parents=True)
        corpus = [{"_id": key, "title": key.title(), "text": text} for key, text in texts.items()]
        names = ("id", "question", "answers", "supporting", "type")
        asked = [dict(zip(names, row, strict=True)) for row in questions]
        for file, rows in (("corpus", corpus), ("questions", asked)):
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{file}.jsonl").write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def toy_indexes(tmp_path_factory) -> Path:
    """A folder with the indexes of the data sets ``toy`` and ``other``, which have the same documents."""
    root = tmp_path_factory.mktemp("toy_indexes")
    with HippoRAG(root / "toy", config=TOY_CONFIG) as rag:
        rag.index([Document(text, key, key.title()) for key, text in TOY_TEXTS.items()])
    shutil.copytree(root / "toy", root / "other")
    return root
