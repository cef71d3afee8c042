"""How entities are shown: by their most frequent spelling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.corpus import Corpus
from hipporag_like.indexing.packed import Strings, strings_of, table
from hipporag_like.indexing.ragged import Rows2
from hipporag_like.text import is_unspaced


@dataclass(frozen=True, slots=True)
class Display:
    """What is shown of entities.

    Attributes
    ----------
    names
        Of each entity.
    is_term
        bool, (n_entities,): known only as a mined term or a noun phrase; neither a name nor a title.
    """

    names: Strings
    is_term: NDArray[np.bool_]


def display(corpus: Corpus) -> Display:
    """Return the most frequent spelling of each entity; among equals the alphabetically first."""
    codes, n_entities = corpus.reading.form, len(corpus.keys[0]) - 1
    n_forms = len(corpus.form_entity)
    counts = np.bincount(codes >> 1, minlength=n_forms)
    as_name = np.bincount(codes[(codes & 1) > 0] >> 1, minlength=n_forms) > 0
    entity = corpus.form_entity
    is_term = np.ones(n_entities, dtype=bool)
    is_term[entity[as_name & (entity >= 0)]] = False
    forms = np.flatnonzero(entity >= 0)
    order = forms[np.lexsort((forms, -counts[forms], entity[forms]))]
    shown = np.full(n_entities, -1, dtype=np.int64)
    shown[entity[order[::-1]]] = order[::-1]  # the first of each entity is written last
    unspelled = np.flatnonzero(shown < 0)
    keys = table(corpus.keys)
    shown[unspelled] = n_forms + np.arange(len(unspelled))
    bare = strings_of([spaced(keys[row]) for row in unspelled.tolist()])
    return Display(Rows2(shown).ragged(corpus.forms, bare), is_term)


def spaced(key: str) -> str:
    """Return a key as it is written: without spaces between the characters of a script that has none."""
    words = key.split(" ")
    return "".join(words) if all(map(is_unspaced, words)) else key
