"""A data set among passages that mention its names: what a large corpus does to the questions of a small one.

In a million passages a name that a question goes through stands in many that have nothing to do with it, and other
passages say the same kind of thing of others. The sets that can be had are small, so the crowd is made of copies of
their own passages, about somebody else and with the names in them exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hipporag_like.eval.questions import Dataset, make_dataset
from hipporag_like.text import hash64
from hipporag_like.types import Document

COPIES = (
    2  # of each passage; 1 or 2 passages mention a name that a question needs, and with them 4 or 5 (medians)
)
SHORTEST = 4  # letters of a title that counts as a name: "It" and "Us" are everywhere
CROWD = "crowd:"
# A name as it stands in a sentence: capitalised words, small ones between them, numbers after them.
_NAME = re.compile(
    r"[^\W\d_a-z][\w'’-]*"
    r"(?: (?:of|the|de|and|von|van|la|du|in|for)(?= [^\W\d_a-z])| [^\W\d_a-z][\w'’.-]*|  ?\d+)*"
)
_ENDS = ("'s", "’s", ".")  # what a name may end in that is not of the name


def crowded(dataset: Dataset, copies: int = COPIES, seed: int = 0) -> Dataset:
    """Return ``dataset`` with changed copies of its passages behind its own; the questions stay.

    A copy has a new title, put together from two others, wherever the passage has its own; each other title that it
    mentions becomes another one, half of the time that of a passage which some question needs. A passage that does
    not repeat its title is not copied, for its copy would still be about the same thing.

    Parameters
    ----------
    copies
        How many of each passage.
    seed
        Of the choice of names, which is otherwise determined by the documents' ids.
    """
    cast = _Cast.of(dataset, seed)
    prefix = CROWD
    while any(document.id.startswith(prefix) for document in dataset.documents):
        prefix += CROWD
    crowd = [
        _copy(document, cast, f"{copy} {document.id}", f"{prefix}{copy}:{document.id}")
        for copy in range(copies)
        for document in dataset.documents
        if len(bare(document.title)) >= SHORTEST and bare(document.title) in document.text
    ]
    return make_dataset(f"{dataset.name}+crowded", (*dataset.documents, *crowd), dataset.questions)


def bare(title: str) -> str:
    """Return a title without a parenthesis at its end: "Ran (film)" is "Ran" in sentences."""
    return re.sub(r"\s*\([^)]*\)\s*$", "", title).strip()


@dataclass(frozen=True, slots=True)
class _Cast:
    """The names of a data set: all titles, and those of passages that a question needs."""

    titles: tuple[str, ...]
    needed: tuple[str, ...]
    known: frozenset[str]
    seed: int

    @classmethod
    def of(cls, dataset: Dataset, seed: int) -> _Cast:
        gold = {needed for question in dataset.questions for needed in question.supporting}
        titles = _names(dataset.documents)
        needed = _names(tuple(document for document in dataset.documents if document.id in gold))
        return cls(titles, needed or titles, frozenset(titles), seed)

    def other(self, key: str) -> str:
        """Return the name that stands in for another."""
        number = hash64(f"{self.seed} {key}")
        names = self.needed if number % 2 else self.titles
        return names[(number >> 1) % len(names)]

    def title(self, key: str) -> str:
        """Return a title that is like others: the first half of one, the second half of another."""
        first, second = (self._any(f"{half}{key}").split(" ") for half in "ab")
        return " ".join(first[: max(1, len(first) // 2)] + second[len(second) // 2 :])

    def _any(self, key: str) -> str:
        return self.titles[(hash64(f"{self.seed} {key}") >> 1) % len(self.titles)]


def _names(documents: tuple[Document, ...]) -> tuple[str, ...]:
    titles = (bare(document.title) for document in documents)
    return tuple(dict.fromkeys(title for title in titles if len(title) >= SHORTEST))


def _copy(document: Document, cast: _Cast, key: str, name: str) -> Document:
    own, title = bare(document.title), cast.title(key)

    def exchanged(run: re.Match[str]) -> str:
        return " ".join(_exchanged(run.group().split(" "), cast, key, own, title))

    return replace(document, id=name, title=title, text=_NAME.sub(exchanged, document.text))


def _exchanged(words: list[str], cast: _Cast, key: str, own: str, title: str) -> Iterator[str]:
    """Yield a run of words with the longest names in it exchanged."""
    at = 0
    while at < len(words):
        for end in range(len(words), at, -1):
            name = " ".join(words[at:end])
            stem = next((n for n in _stems(name) if n == own or n in cast.known), None)
            if stem is not None:
                yield (title if stem == own else cast.other(f"{key} {stem}")) + name[len(stem) :]
                at = end
                break
        else:
            yield words[at]
            at += 1


def _stems(name: str) -> Iterator[str]:
    yield name
    yield from (name.removesuffix(end) for end in _ENDS if name.endswith(end))
