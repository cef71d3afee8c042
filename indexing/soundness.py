"""Whether the arrays of a segment fit one another, so that no number in them leads outside of another array.

What the checksums cannot tell: that what was written was right. Compiled code follows these numbers unchecked.
The names are those of ``hipporag_like.indexing.assemble`` and ``hipporag_like.indexing.state``; an array of a name
not known here is not checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.rows import bits_for
from hipporag_like.indexing.scales import scales_of
from hipporag_like.indexing.spelling import BUCKETS
from hipporag_like.store.snapshot import Snapshot

_CHUNK = 1 << 22  # numbers looked at at once: some tens of megabytes, whatever the size of the index

# What the numbers in an array count, and what it has one of each of.
IDS = {
    "passage_document": "documents",
    "entity_facts_index": "facts",
    "fact_entities_index": "entities",
    "synonyms_index": "entities",
    "posting_passage": "passages",
    "fact_passage": "passages",
    "title_passage": "passages",
    "title_entity": "entities",
    "trigram_entity": "entities",
    "triple_fact": "facts",
    "relation_passage": "passages",
    "passage_relations_index": "relations",
    "relation_ends": "phrases",
    "phrase_mentions_index": "phrases",
    "phrase_graph_index": "phrases and passages",
    "term_row": "terms",
    "entity_key_row": "entities",
    "form_row": "spellings",
    "mention_entity": "entities",
    "spelled_form": "spellings, by case",
    "near_pair": "entities",
}
ROWS = {
    "passage_start": "passages",
    "passage_end": "passages",
    "passage_length": "passages",
    "passage_vectors": "passages",
    "passage_codes": "passages",
    "entity_vectors": "entities",
    "entity_codes": "entities",
    "entity_is_term": "entities",
    "trigram_size": "entities",
    "fact_start": "facts",
    "fact_end": "facts",
    "fact_vectors": "facts",
    "fact_codes": "facts",
    "fact_signs": "facts",
    "fact_steps": "facts",
    "term_hash": "terms",
    "term_row": "terms",
    "entity_key_hash": "entities",
    "entity_key_row": "entities",
    "form_hash": "spellings",
    "form_row": "spellings",
    "form_entity": "spellings",
    "form_key": "spellings",
    "form_first": "spellings",
    "near_code": "entities",
    "census_word_count": "words of the census",
    "census_name_count": "names of the census",
    "phrase_vectors": "phrases",
    "relation_vectors": "relations",
    "relation_passage": "relations",
    "relation_ends": "relations",
}
# One row more than there are of these: where each begins, and where the last one ends.
STARTS = {
    "passage_facts": "passages",
    "entity_facts_indptr": "entities",
    "fact_entities_indptr": "facts",
    "synonyms_indptr": "entities",
    "posting_indptr": "terms",
    "passage_offset": "passages",
    "passage_id_offset": "passages",
    "document_title_offset": "documents",
    "document_metadata_offset": "documents",
    "document_stamp_offset": "documents",
    "entity_name_offset": "entities",
    "entity_key_offset": "entities",
    "phrase_mentions_indptr": "passages",
    "phrase_graph_indptr": "phrases and passages",
    "passage_relations_indptr": "passages",
    "mention_indptr": "facts",
    "spelled_indptr": "passages",
    "trigram_indptr": "buckets",
    "triple_offset": "triples",
}
_ALIKE = {"near_pair": "near_cosine", "title_passage": "title_entity"}  # one row of each belongs together
# Looked through by halves, or taken to stand in runs.
_ORDERED = {
    "passage_document",
    "fact_passage",
    "title_passage",
    "triple_fact",
    "term_hash",
    "entity_key_hash",
    "form_hash",
}
_FOLLOWERS = (
    "_index",
    "_weight",
    "_edge",
    "_passage",
    "_score",
    "_count",
    "_entity",
    "_form",
)  # of an array of row starts
_FINITE = re.compile(r".*_(vectors|weight|score|cosine)")
_CODE = re.compile(r"(field[0-9]+)_code")


def problems(snapshot: Snapshot, group: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each array that does not fit the others, and why; reads all of them.

    Parameters
    ----------
    snapshot
        Open, and with sound files.
    group
        One of its groups.
    """
    arrays = {name: snapshot.array(group, name) for name in snapshot.entries(group)}
    sizes = _sizes(arrays)
    for name, array in arrays.items():
        for what in _problems(name, array, arrays, sizes):
            yield name, what


def _sizes(arrays: dict[str, NDArray[Any]]) -> dict[str, int]:
    """Return how many there are of each kind."""
    sizes = {
        "passages": _length(arrays, "passage_document"),
        "entities": _length(arrays, "entity_passages"),
        "facts": _length(arrays, "fact_passage"),
        "documents": _length(arrays, "document_id_offset") - 1,
        "terms": _length(arrays, "term_offset") - 1,
        "spellings": _length(arrays, "form_offset") - 1,
        "triples": _length(arrays, "triple_fact"),
        "words of the census": _length(arrays, "census_word_offset") - 1,
        "names of the census": _length(arrays, "census_name_offset") - 1,
        "buckets": BUCKETS,
        "phrases": _length(arrays, "phrase_offset") - 1,
        "relations": _length(arrays, "relation_offset") - 1,
    }
    return {
        **sizes,
        "phrases and passages": sizes["phrases"] + sizes["passages"],
        "spellings, by case": 2 * sizes["spellings"],
    }


def _length(arrays: dict[str, NDArray[Any]], name: str) -> int:
    return len(arrays[name]) if name in arrays and arrays[name].ndim else 0


def _problems(
    name: str, array: NDArray[Any], arrays: dict[str, NDArray[Any]], sizes: dict[str, int]
) -> Iterator[str]:
    if name in ROWS and _length(arrays, name) != sizes[ROWS[name]]:
        yield f"it has {_length(arrays, name)} rows for {sizes[ROWS[name]]} {ROWS[name]}"
    if name in STARTS and len(array) != sizes[STARTS[name]] + 1:
        yield f"it has {len(array)} borders for {sizes[STARTS[name]]} {STARTS[name]}"
    if name.endswith(("_indptr", "_offset")) or name == "passage_facts":
        yield from _borders(name, array, arrays, sizes)
    if name in IDS and not _within(array, 0, sizes[IDS[name]]):
        yield f"a number in it is none of the {sizes[IDS[name]]} {IDS[name]}"
    yield from _special(name, array, arrays, sizes)
    code = _CODE.fullmatch(name)
    if code and not _within(array, -1, _length(arrays, f"{code[1]}_value_offset") - 1):
        yield "a number in it stands for no value"
    if _FINITE.fullmatch(name) and not _finite(array):
        yield "a number in it is not finite"


def _special(
    name: str, array: NDArray[Any], arrays: dict[str, NDArray[Any]], sizes: dict[str, int]
) -> Iterator[str]:
    """Yield what is wrong with an array of which more is asked than of others."""
    if name == "form_entity" and not _within(array, -1, sizes["entities"]):
        yield f"a number in it is none of the {sizes['entities']} entities"
    if name.endswith("_edge"):
        yield from _edges(name.removesuffix("_edge"), array, arrays, sizes)
    if name in ("fact_signs", "fact_steps") and not _finite(scales_of(array)):
        yield "a scale in it is not finite"
    if name in _ORDERED and not _ascending(array):
        yield "it is not in order"
    other = _ALIKE.get(name)
    if other is not None and len(array) != _length(arrays, other):
        yield f"it has {len(array)} rows and {other} {_length(arrays, other)}"


def _edges(
    stem: str, array: NDArray[Any], arrays: dict[str, NDArray[Any]], sizes: dict[str, int]
) -> Iterator[str]:
    """Yield what is wrong with columns that hold the kinds of their weights; see ``indexing.rows.Rows``."""
    what, kinds = IDS[f"{stem}_index"], _length(arrays, f"{stem}_weight")
    bits = bits_for(kinds)
    if not _within(array, 0, sizes[what] << bits):
        yield f"a number in it is none of the {sizes[what]} {what}"
    if not all(int((part & ((1 << bits) - 1)).max()) < kinds for part in _chunks(array)):
        yield "a number in it is the kind of no weight"


def _borders(
    name: str, array: NDArray[Any], arrays: dict[str, NDArray[Any]], sizes: dict[str, int]
) -> Iterator[str]:
    """Yield what is wrong with an array of borders: it must ascend from 0 to the end of what it divides."""
    if array.ndim != 1 or len(array) == 0 or int(array[0]) != 0 or not _ascending(array):
        yield "its borders do not ascend from 0"
        return
    stem, _, kind = name.rpartition("_")
    if name == "passage_facts":
        ends = {"fact_passage": sizes["facts"]}
    elif kind == "offset":
        ends = {f"{stem}_text": _length(arrays, f"{stem}_text")}
    else:
        followers = [f"{stem}{end}" for end in _FOLLOWERS if f"{stem}{end}" in arrays]
        if f"{stem}_edge" in arrays:
            followers.remove(f"{stem}_weight")  # one of each kind
        ends = {follower: len(arrays[follower]) for follower in followers}
    for other, length in ends.items():
        if int(array[-1]) != length:
            yield f"it ends at {int(array[-1])} and {other} at {length}"


def _chunks(array: NDArray[Any], overlap: int = 0) -> Iterator[NDArray[Any]]:
    rows = max(1, _CHUNK // max(1, array[:1].size))
    for start in range(0, len(array), rows):
        yield array[start : start + rows + overlap]


def _ascending(array: NDArray[Any]) -> bool:
    return all(bool((part[1:] >= part[:-1]).all()) for part in _chunks(array, 1))


def _within(array: NDArray[Any], least: int, end: int) -> bool:
    """Return whether all numbers are in ``[least, end)``."""
    return all(int(part.min()) >= least and int(part.max()) < end for part in _chunks(array) if part.size)


def _finite(array: NDArray[Any]) -> bool:
    return all(bool(np.isfinite(part).all()) for part in _chunks(array))
