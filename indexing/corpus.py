"""All that a namespace's arrays are made of, row by row: documents, passages, and what was read in them.

A corpus is made of the rows of an older one and of rows read now. Everything that is numbered (entities, spellings,
words) is numbered by the order of its text, so that a corpus does not tell how it came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.numbers import places
from hipporag_like.indexing.ragged import Rows2, Starts, starts_of
from hipporag_like.indexing.reading import Reading
from hipporag_like.store.tables import StringTable, key_hashes, pack_strings
from hipporag_like.text import entity_key, fold
from hipporag_like.types import Passage

Strings = tuple[Starts, NDArray[np.uint8]]  # where each text starts, and the bytes of all
NO_STRINGS: Strings = (np.zeros(1, np.int64), np.zeros(0, np.uint8))


def strings_of(texts: Sequence[str]) -> Strings:
    """Return texts as bytes end to end."""
    data, offsets = pack_strings(texts)
    return offsets, data


def table(strings: Strings) -> StringTable:
    """Return texts that are decoded when asked for."""
    return StringTable(strings[1], strings[0])


@dataclass(frozen=True, slots=True)
class Texts:
    """Documents and passages.

    Attributes
    ----------
    documents
        int64, (n_documents + 1,): where each document's passages start.
    document_id, title, metadata, stamp
        Of each document; metadata as JSON, ``stamp`` its hash in the journal.
    start, end
        int64, (n_passages,): character span in the document.
    text, passage_id
        Of each passage.
    """

    documents: Starts
    document_id: Strings
    title: Strings
    metadata: Strings
    stamp: Strings
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    text: Strings
    passage_id: Strings

    @property
    def n_passages(self) -> int:
        """Number of passages."""
        return len(self.start)

    @property
    def owner(self) -> NDArray[np.int32]:
        """int32, (n_passages,): the document of each passage."""
        lengths = np.diff(self.documents)
        return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)


@dataclass(frozen=True, slots=True)
class Corpus:
    """A namespace.

    Attributes
    ----------
    texts
        Documents and passages.
    reading
        What they hold; keys are entities, all numbers are places in the tables below.
    keys, forms, terms
        Entity keys, spellings of names, BM25's words; each sorted.
    form_entity
        int32, (n_forms,): the entity that a spelling stands for, -1 where it is none.
    form_key, form_first
        uint64, (n_forms,): ``text.hash64`` of its key, and of its first word, folded.
    """

    texts: Texts
    reading: Reading
    keys: Strings
    forms: Strings
    form_entity: NDArray[np.int32]
    form_key: NDArray[np.uint64]
    form_first: NDArray[np.uint64]
    terms: Strings


@dataclass(frozen=True, slots=True)
class Origin:
    """Which rows a new corpus is made of.

    Attributes
    ----------
    documents, passages, facts
        Rows of the old one, then of what was read now.
    keys, forms, terms
        Entities, spellings and words of the old one, then new ones.
    """

    documents: Rows2
    passages: Rows2
    facts: Rows2
    keys: Rows2
    forms: Rows2
    terms: Rows2


@dataclass(frozen=True, slots=True)
class Found:
    """What was read now: texts, reading, and the texts behind its numbers."""

    texts: Texts
    reading: Reading
    keys: Sequence[str]
    forms: Sequence[str]
    terms: Sequence[str]


def pack_texts(passages: Sequence[Passage], metadata: Sequence[str], stamps: Sequence[str]) -> Texts:
    """Return passages as columns.

    Parameters
    ----------
    passages
        Those of a document stand together.
    metadata, stamps
        Of each document, in order.
    """
    firsts = [i for i, p in enumerate(passages) if i == 0 or p.document_id != passages[i - 1].document_id]
    heads = [passages[i] for i in firsts]
    return Texts(
        documents=np.array([*firsts, len(passages)], dtype=np.int64),
        document_id=strings_of([p.document_id for p in heads]),
        title=strings_of([p.title for p in heads]),
        metadata=strings_of(metadata),
        stamp=strings_of(stamps),
        start=np.array([p.start for p in passages], dtype=np.int64),
        end=np.array([p.end for p in passages], dtype=np.int64),
        text=strings_of([p.text for p in passages]),
        passage_id=strings_of([p.id for p in passages]),
    )


def join(old: Corpus, found: Found, documents: Rows2) -> tuple[Corpus, Origin]:
    """Return the corpus of some old and all new documents, and where its rows are from.

    Parameters
    ----------
    old
        The corpus before; see :func:`empty`.
    found
        What was read now, with a context that reads all old passages that stay as they were read before.
    documents
        In their new order.
    """
    passages = documents.inner(old.texts.documents, found.texts.documents)
    facts = passages.inner(old.reading.facts, found.reading.facts)
    used_keys = np.unique(np.concatenate([found.reading.key, found.reading.title]))
    keys = _Table(old.keys, found.keys, used_keys)
    forms = _Table(old.forms, found.forms, np.unique(found.reading.form >> 1))
    terms = _Table(old.terms, found.terms, np.unique(found.reading.term))
    codes = found.reading.form
    new = replace(
        found.reading,
        key=keys.joint[found.reading.key],
        title=keys.joint[found.reading.title],
        form=2 * forms.joint[codes >> 1] + (codes & 1),
        term=terms.joint[found.reading.term],
        bag=terms.joint[found.reading.bag],
    )
    reading = _reading(old.reading, new, passages, facts)
    keys_of, number = keys.settled(np.concatenate([reading.key, reading.title]))
    forms_of, form_number = forms.settled(reading.form >> 1)
    terms_of, term_number = terms.settled(reading.term)
    reading = replace(
        reading,
        key=number[reading.key],
        title=number[reading.title],
        form=2 * form_number[reading.form >> 1] + (reading.form & 1),
        term=term_number[reading.term],
        bag=term_number[reading.bag],
    )
    _sort(reading)
    keys_now, forms_now = keys_of.ragged(old.keys, keys.extra), forms_of.ragged(old.forms, forms.extra)
    new_forms = list(table(forms.extra))
    new_keys = [entity_key(form) for form in new_forms]
    first = [fold(form.split(" ", 1)[0]) for form in new_forms]
    corpus = Corpus(
        texts=_texts(old.texts, found.texts, documents, passages),
        reading=reading,
        keys=keys_now,
        forms=forms_now,
        form_entity=_form_entities(
            old, number, forms_of, new_keys, key_hashes(list(table(keys.extra))), keys_now
        ),
        form_key=forms_of.flat(old.form_key, key_hashes(new_keys)),
        form_first=forms_of.flat(old.form_first, key_hashes(first)),
        terms=terms_of.ragged(old.terms, terms.extra),
    )
    return corpus, Origin(documents, passages, facts, keys_of, forms_of, terms_of)


class _Table:
    """Two tables of texts becoming one: the old one, sorted, and what is new.

    ``joint`` numbers the found ones after the old ones, by number in ``texts``; ``extra`` are the new ones, sorted.
    """

    def __init__(self, old: Strings, texts: Sequence[str], used: NDArray[np.integer]) -> None:
        self._n_old = len(old[0]) - 1
        wanted = sorted((texts[number], number) for number in used.tolist())
        place, held = places(old, [text for text, _ in wanted])
        self.extra = strings_of(
            [text for (text, _), known in zip(wanted, held.tolist(), strict=True) if not known]
        )
        self._before = place[~held]
        place[~held] = self._n_old + np.arange(len(self._before))
        self.joint = np.zeros(len(texts), dtype=np.int32)
        self.joint[[number for _, number in wanted]] = place

    def settled(self, ids: NDArray[np.int32]) -> tuple[Rows2, NDArray[np.int32]]:
        """Return the rows of what is in use, in order of text, and the final number of each joint number."""
        n_old, n_new = self._n_old, len(self.extra[0]) - 1
        if n_old == 0:
            order = np.arange(n_new, dtype=np.int64)
        else:
            order = np.insert(np.arange(n_old), self._before, np.arange(n_old, n_old + n_new))
        used = np.bincount(ids, minlength=n_old + n_new) > 0
        order = order[used[order]]
        number = np.full(n_old + n_new, -1, dtype=np.int32)
        number[order] = np.arange(len(order), dtype=np.int32)
        return Rows2(order.astype(np.int64)), number


def _reading(old: Reading, new: Reading, passages: Rows2, facts: Rows2) -> Reading:
    starts, key = facts.ragged((old.mentions, old.key), (new.mentions, new.key))
    titles, title = passages.ragged((old.titles, old.title), (new.titles, new.title))
    spelled, form = passages.ragged((old.spelled, old.form), (new.spelled, new.form))
    terms, term = passages.ragged((old.terms, old.term), (new.terms, new.term))
    bags, bag = old.bags, new.bag
    if len(new.bags) > 1 or len(old.bags) > 1:
        bags, bag = facts.ragged((old.bags, old.bag), (new.bags, new.bag))
    return Reading(
        facts=starts_of(passages.lengths(old.facts, new.facts)),
        start=facts.flat(old.start, new.start),
        end=facts.flat(old.end, new.end),
        mentions=starts,
        key=key,
        count=facts.ragged((old.mentions, old.count), (new.mentions, new.count))[1],
        titles=titles,
        title=title,
        spelled=spelled,
        form=form,
        terms=terms,
        term=term,
        frequency=passages.ragged((old.terms, old.frequency), (new.terms, new.frequency))[1],
        bags=bags,
        bag=bag,
        triples=new.triples if len(old.start) == 0 else {},
    )


def _sort(reading: Reading) -> None:
    from hipporag_like.indexing.kernels import sort_rows

    sort_rows(reading.mentions, reading.key, reading.count)
    sort_rows(reading.titles, reading.title, np.zeros(len(reading.title), np.uint16))
    sort_rows(reading.spelled, reading.form, np.zeros(len(reading.form), np.uint16))
    sort_rows(reading.terms, reading.term, reading.frequency)


def _texts(old: Texts, new: Texts, documents: Rows2, passages: Rows2) -> Texts:
    return Texts(
        documents=starts_of(documents.lengths(old.documents, new.documents)),
        document_id=documents.ragged(old.document_id, new.document_id),
        title=documents.ragged(old.title, new.title),
        metadata=documents.ragged(old.metadata, new.metadata),
        stamp=documents.ragged(old.stamp, new.stamp),
        start=passages.flat(old.start, new.start),
        end=passages.flat(old.end, new.end),
        text=passages.ragged(old.text, new.text),
        passage_id=passages.ragged(old.passage_id, new.passage_id),
    )


def _form_entities(
    old: Corpus,
    number: NDArray[np.int32],
    rows: Rows2,
    new_keys: Sequence[str],
    fresh: NDArray[np.uint64],
    keys: Strings,
) -> NDArray[np.int32]:
    """Return the entity of each spelling.

    Parameters
    ----------
    old, number
        The corpus before, and the number that each of its entities has now, -1 for none.
    rows, new_keys
        Which spellings there are, and the keys of those that are new.
    fresh
        Hashes of the entities that are new: a spelling that was no entity's may only be one of these.
    keys
        Of all entities.
    """
    known = old.form_entity
    moved = np.where(known >= 0, number[known], -1) if len(known) else known
    found = rows.flat(moved.astype(np.int32), np.full(len(new_keys), -1, np.int32))
    looked_up = rows.flat((known < 0) & np.isin(old.form_key, fresh), np.ones(len(new_keys), dtype=bool))
    missing = np.flatnonzero(looked_up)
    source, forms = rows.source[missing], table(old.forms)
    n_old = len(known)
    texts = [new_keys[row - n_old] if row >= n_old else entity_key(forms[row]) for row in source.tolist()]
    at, held = places(keys, texts)
    found[missing] = np.where(held, at, -1)
    return found


def empty() -> Corpus:
    """Return a corpus without documents."""
    no, start = np.zeros(0, np.int32), np.zeros(1, np.int64)
    counts = np.zeros(0, np.uint16)
    reading = Reading(
        start, no, no, start, no, counts, start, no, start, no, start, no, counts, start, no, {}
    )
    nothing = np.zeros(0, np.int64)
    texts = Texts(
        start, NO_STRINGS, NO_STRINGS, NO_STRINGS, NO_STRINGS, nothing, nothing, NO_STRINGS, NO_STRINGS
    )
    hashes = np.zeros(0, np.uint64)
    return Corpus(texts, reading, NO_STRINGS, NO_STRINGS, no, hashes, hashes, NO_STRINGS)


def stack_readings(parts: Sequence[Reading]) -> Reading:
    """Return the readings of passages that follow each other as one."""
    if not parts:
        return empty().reading
    triples: dict[int, tuple[str, str, str]] = {}
    before = 0
    for part in parts:
        triples.update((before + fact, triple) for fact, triple in part.triples.items())
        before += len(part.start)
    joined: dict[str, Any] = {
        f.name: stacked([getattr(p, f.name) for p in parts], f.name in STARTS)
        for f in fields(Reading)
        if f.name != "triples"
    }
    return Reading(**joined, triples=triples)


STARTS = ("facts", "mentions", "titles", "spelled", "terms", "bags")


def stacked(parts: Sequence[NDArray[Any]], starts: bool) -> NDArray[Any]:
    """Return arrays end to end; ``starts`` go on counting."""
    if not starts:
        return np.concatenate(parts)
    return starts_of(np.concatenate([np.diff(part) for part in parts]))


def stack_texts(parts: Sequence[Texts]) -> Texts:
    """Return the texts of documents that follow each other as one."""
    if not parts:
        return empty().texts
    joined: dict[str, Any] = {}
    for f in fields(Texts):
        values = [getattr(p, f.name) for p in parts]
        if isinstance(values[0], tuple):
            starts = stacked([v[0] for v in values], True)
            joined[f.name] = (starts, np.concatenate([v[1] for v in values]))
        else:
            joined[f.name] = stacked(values, f.name == "documents")
    return Texts(**joined)
