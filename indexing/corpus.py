"""All that a namespace's arrays are made of, row by row: documents, passages, and what was read in them.

A corpus is made of the rows of an older one and of rows read now. Everything that is numbered (entities, spellings,
words) is numbered by the order of its text, so that a corpus does not tell how it came about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.beside import beside
from hipporag_like.indexing.joint import Joint
from hipporag_like.indexing.limits import check_rows
from hipporag_like.indexing.numbers import places
from hipporag_like.indexing.packed import NO_STRINGS, Strings, Texts, merged, no_texts, table
from hipporag_like.indexing.postings import Postings, joined, no_postings
from hipporag_like.indexing.ragged import Rows2, starts_of
from hipporag_like.indexing.reading import Reading
from hipporag_like.store.tables import key_hashes
from hipporag_like.text import entity_key, fold


@dataclass(frozen=True, slots=True)
class Corpus:
    """A namespace.

    Attributes
    ----------
    texts
        Documents and passages.
    reading
        What they hold, but for their words; keys are entities, all numbers are places in the tables below.
    keys, forms, terms
        Entity keys, spellings of names, BM25's words; each sorted.
    form_entity
        int32, (n_forms,): the entity that a spelling stands for, -1 where it is none.
    form_key, form_first
        uint64, (n_forms,): ``text.hash64`` of its key, and of its first word, folded.
    postings
        Which passages hold each word.
    """

    texts: Texts
    reading: Reading
    keys: Strings
    forms: Strings
    form_entity: NDArray[np.int32]
    form_key: NDArray[np.uint64]
    form_first: NDArray[np.uint64]
    terms: Strings
    postings: Postings


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

    Raises
    ------
    UsageError
        There would be more rows than 32 bits can number.
    """
    passages = documents.inner(old.texts.documents, found.texts.documents)
    facts = passages.inner(old.reading.facts, found.reading.facts)
    check_rows(
        {
            "passages": len(passages.source),
            "facts": len(facts.source),
            "names": len(old.keys[0]) - 1 + len(found.keys),
            "spellings": len(old.forms[0]) - 1 + len(found.forms),
            "words": len(old.terms[0]) - 1 + len(found.terms),
        }
    )
    with beside() as begin:
        texts = begin(lambda: merged(old.texts, found.texts, documents, passages))
        terms = Joint(old.terms, found.terms, np.unique(found.reading.term))
        words = begin(lambda: joined(terms, old.postings, found.reading, passages))
        used_keys = np.unique(np.concatenate([found.reading.key, found.reading.title]))
        keys = Joint(old.keys, found.keys, used_keys)
        forms = Joint(old.forms, found.forms, np.unique(found.reading.form >> 1))
        codes = found.reading.form
        new = replace(
            found.reading,
            key=keys.joint[found.reading.key],
            title=keys.joint[found.reading.title],
            form=2 * forms.joint[codes >> 1] + (codes & 1),
        )
        reading = _reading(old.reading, new, passages, facts)
        keys_of, number = keys.settled(keys.counts(reading.key) + keys.counts(reading.title))
        forms_of, form_number = forms.settled(forms.counts(reading.form >> 1))
        reading = replace(
            reading,
            key=number[reading.key],
            title=number[reading.title],
            form=2 * form_number[reading.form >> 1] + (reading.form & 1),
        )
        _sort(reading)
        keys_now, forms_now = keys_of.ragged(old.keys, keys.extra), forms_of.ragged(old.forms, forms.extra)
        new_forms = list(table(forms.extra))
        new_keys = [entity_key(form) for form in new_forms]
        first = [fold(form.split(" ", 1)[0]) for form in new_forms]
        postings, terms_of, term_number = words()
        corpus = Corpus(
            texts=texts(),
            reading=replace(reading, bag=term_number[terms.joint[reading.bag]]),
            keys=keys_now,
            forms=forms_now,
            form_entity=_form_entities(
                old, number, forms_of, new_keys, key_hashes(list(table(keys.extra))), keys_now
            ),
            form_key=forms_of.flat(old.form_key, key_hashes(new_keys)),
            form_first=forms_of.flat(old.form_first, key_hashes(first)),
            terms=terms_of.ragged(old.terms, terms.extra),
            postings=postings,
        )
        return corpus, Origin(documents, passages, facts, keys_of, forms_of, terms_of)


def _reading(old: Reading, new: Reading, passages: Rows2, facts: Rows2) -> Reading:
    starts, key = facts.ragged((old.mentions, old.key), (new.mentions, new.key))
    titles, title = passages.ragged((old.titles, old.title), (new.titles, new.title))
    spelled, form = passages.ragged((old.spelled, old.form), (new.spelled, new.form))
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
        terms=old.terms,
        term=old.term,
        frequency=old.frequency,
        bags=new.bags,
        bag=new.bag,
        triples=new.triples if len(old.start) == 0 else {},
    )


def _sort(reading: Reading) -> None:
    from hipporag_like.indexing.kernels import sort_rows

    sort_rows(reading.mentions, reading.key, reading.count)
    sort_rows(reading.titles, reading.title, np.zeros(len(reading.title), np.uint16))
    sort_rows(reading.spelled, reading.form, np.zeros(len(reading.form), np.uint16))


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
    hashes = np.zeros(0, np.uint64)
    return Corpus(no_texts(), reading, NO_STRINGS, NO_STRINGS, no, hashes, hashes, NO_STRINGS, no_postings())
