"""A made-up corpus of any size: ``python -m hipporag_like.eval.benchmarks.synthetic --passages 10000 --out DIR``.

Text that an index behaves on as on encyclopedia text: names of one to three words with Zipf's frequencies, a few of
them in one passage of ten, most in one or two; more and more of them the larger the corpus; a title a passage;
sentences of 10 to 25 words from a vocabulary of 30,000 small words; dates. And planted questions of two hops
(``synthetic_planted``), which are the same in a corpus of 10,000 passages and in one of a million.

Passages come in blocks made from the seed and the block's number alone, so that a smaller corpus is the beginning
of a larger one, but for where the planted passages stand. Streams of random numbers belong to numpy's version.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ConfigError, HippoRAGLikeError
from hipporag_like.eval.benchmarks.synthetic_cut import Batch
from hipporag_like.eval.benchmarks.synthetic_planted import (
    ATTRIBUTES,
    PER_QUESTION,
    RELATIONS,
    Planted,
    plant,
    planted_names,
)
from hipporag_like.eval.benchmarks.synthetic_text import Subjects, write_passages
from hipporag_like.eval.benchmarks.synthetic_words import names_of, objects
from hipporag_like.eval.questions import Question
from hipporag_like.store.files import file_errors
from hipporag_like.types import Document

BLOCK = 1000  # passages made together
QUESTIONS = 200
# Of 5 passages 1 at most is planted, so that a small corpus is no heap of questions.
_QUESTION_SHARE = 1 / (5 * PER_QUESTION)
# New entities a passage: its title, and one more in five passages; 1.2 million at a million passages.
NEW_ENTITIES = 1.2
_SAME_TITLE = 0.03  # of the passages: one more about what another is about
_PARENTHESES = 0.03  # of the titles: "Name (band)"
_SORTS = ("band", "film", "album", "politician", "village", "ship")
_PLANTED_KNOWN = 12_000  # entities that planted passages mention: those of the first 10,000 passages
_RELATION_SHARE, _ATTRIBUTE_SHARE = 0.3, 0.3  # of the passages that say such a thing of their subject


@dataclass(frozen=True)
class Corpus:
    """A corpus to be made.

    Attributes
    ----------
    passages
        How many.
    seed
        Another one makes another corpus.
    questions
        Planted ones; fewer in a corpus too small for them.
    """

    passages: int
    seed: int = 0
    questions: int = QUESTIONS

    def __post_init__(self) -> None:
        if self.passages < 1 or self.seed < 0 or self.questions < 0:
            raise ConfigError("a corpus needs at least 1 passage, and a seed and questions of at least 0")

    @property
    def planted(self) -> int:
        """How many questions there are."""
        return min(self.questions, int(self.passages * _QUESTION_SHARE))

    def asked(self) -> list[Question]:
        """Return the planted questions."""
        return plant(self.planted, self.seed)[0]

    def batches(self) -> Iterator[Batch]:
        """Yield the corpus in batches of about a thousand passages."""
        planted = plant(self.planted, self.seed)[1]
        order = np.random.default_rng([self.seed, 3]).permutation(len(planted))
        rest = self.passages - len(planted)
        blocks = -(-rest // BLOCK) if rest else 0
        through = objects(planted_names(self.questions, self.seed))
        done = 0
        for block in range(blocks):
            yield background(self.seed, block, min(BLOCK, rest - block * BLOCK), through)
            due = len(planted) * (block + 1) // blocks
            if due > done:
                yield planted_batch(self.seed, [planted[i] for i in order[done:due]])
                done = due
        if done < len(planted):
            yield planted_batch(self.seed, [planted[i] for i in order[done:]])

    def documents(self) -> Iterator[Document]:
        """Yield the documents; each is one passage."""
        for batch in self.batches():
            yield from batch.documents


def background(seed: int, block: int, count: int, through: NDArray[np.object_]) -> Batch:
    """Return passages ``block * BLOCK`` and on.

    Parameters
    ----------
    seed, block
        What they are made from.
    count
        How many, up to ``BLOCK``; the whole block is made.
    through
        Names of planted entities, which are mentioned now and then as any other.
    """
    draw = np.random.default_rng([seed, block, 1])
    number = block * BLOCK + np.arange(BLOCK)
    same = draw.random(BLOCK) < _SAME_TITLE
    about = (NEW_ENTITIES * np.where(same, number * draw.random(BLOCK), number)).astype(np.int64)
    names = names_of(about)
    titles = names.copy()
    marked = np.flatnonzero(draw.random(BLOCK) < _PARENTHESES)
    sorts = objects([f" ({sort})" for sort in _SORTS])
    titles[marked] = titles[marked] + sorts[draw.integers(0, len(_SORTS), len(marked))]
    says = draw.random((2, BLOCK)) < np.array([[_RELATION_SHARE], [_ATTRIBUTE_SHARE]])
    subjects = Subjects(
        ids=[f"s{i}" for i in number.tolist()],
        titles=titles,
        names=names,
        entity=about,
        relation=np.where(says[0], draw.integers(0, len(RELATIONS), BLOCK), -1),
        attribute=np.where(says[1], draw.integers(0, len(ATTRIBUTES), BLOCK), -1),
        known=int(NEW_ENTITIES * (block + 1) * BLOCK),
    )
    return write_passages(subjects, draw, through).first(count)


def planted_batch(seed: int, rows: Sequence[Planted]) -> Batch:
    """Return the passages of questions; each is the same in whatever corpus and company it stands."""
    made = [_planted_passage(seed, row) for row in rows]
    return Batch([batch.documents[0] for batch in made], [batch.extractions[0] for batch in made])


def _planted_passage(seed: int, row: Planted) -> Batch:
    draw = np.random.default_rng([seed, int(row.id[1:-1]), ord(row.id[-1]), 4])
    subjects = Subjects(
        ids=[row.id],
        titles=objects([row.title]),
        names=objects([row.title]),
        entity=np.array([draw.integers(_PLANTED_KNOWN)]),
        relation=np.array([row.relation]),
        attribute=np.array([row.attribute]),
        known=_PLANTED_KNOWN,
        made_by=objects([row.made_by]),
        value=objects([row.value]),
    )
    return write_passages(subjects, draw, objects([]))


def write(corpus: Corpus, folder: Path) -> None:
    """Write ``corpus.jsonl`` and ``questions.jsonl``, a data set that ``hipporag-like eval`` takes.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    with file_errors("write", folder):
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
            for document in corpus.documents():
                row = {"_id": document.id, "title": document.title, "text": document.text}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        with (folder / "questions.jsonl").open("w", encoding="utf-8") as file:
            for question in corpus.asked():
                file.write(json.dumps(_question_row(question), ensure_ascii=False) + "\n")


def _question_row(question: Question) -> dict[str, object]:
    return {
        "id": question.id,
        "question": question.question,
        "answers": list(question.answers),
        "supporting": list(question.supporting),
        "type": question.type,
    }


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description="A made-up corpus of any size.")
    parser.add_argument("--passages", type=int, default=10_000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="another one makes another corpus")
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="planted ones, at most")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    given = parser.parse_args()
    try:
        write(Corpus(given.passages, given.seed, given.questions), given.out)
    except HippoRAGLikeError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
