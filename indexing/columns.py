"""Metadata as columns: one array of codes a field, so that a filter looks at each distinct value once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.store.tables import pack_strings

ABSENT = -1


def metadata_columns(metadata: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays of all fields.

    ``field_text``/``field_offset`` name the fields in sorted order; field i has ``field{i}_code``, int32,
    (n_documents,), -1 where a document lacks it, and its distinct values as JSON in ``field{i}_value_*``.
    """
    fields = sorted({name for values in metadata for name in values})
    text, offset = pack_strings(fields)
    yield "field_text", text
    yield "field_offset", offset
    for i, field in enumerate(fields):
        coded = [_coded(m[field]) if field in m else None for m in metadata]
        distinct = sorted({value for value in coded if value is not None})
        number = {value: code for code, value in enumerate(distinct)}
        codes = [ABSENT if value is None else number[value] for value in coded]
        yield f"field{i}_code", np.array(codes, dtype=np.int32)
        text, offset = pack_strings(distinct)
        yield f"field{i}_value_text", text
        yield f"field{i}_value_offset", offset


def _coded(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
