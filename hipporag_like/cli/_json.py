"""Values as JSON on stdout. The key order of each row is a contract; it is the order written here."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from hipporag_like.types import (
    Answer,
    Citation,
    Failure,
    Hit,
    IndexReport,
    ScoredFact,
    Step,
    Trace,
    Usage,
)

if TYPE_CHECKING:
    from hipporag_like.cli._costs import Cost
    from hipporag_like.indexing.estimate import Estimate


def plain(value: Any) -> Any:
    """Return ``value`` as what JSON knows: frozen values become objects, numbers that are not finite null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, without importing numpy
        return plain(value.tolist())
    return str(value)


def dumps(value: Any, indent: int | None = None, encoding: str = "utf-8") -> str:
    """Return ``value`` as JSON text that ``encoding`` can carry: readable if it can, escaped if not."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, indent=indent)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(plain(value), allow_nan=False, indent=indent)
    return text


def emit(value: Any, indent: int | None = None) -> None:
    """Write ``value`` to stdout as JSON and a line break."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    sys.stdout.write(dumps(value, indent, encoding) + "\n")


def hit_row(hit: Hit) -> dict[str, Any]:
    """Return the row of a hit: what ``query --json`` prints a line of."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "score": hit.score,
        "document_id": passage.document_id,
        "passage_id": passage.id,
        "title": passage.title,
        "text": passage.text,
        "signals": hit.signals,
        "start": passage.start,
        "end": passage.end,
        "namespace": passage.namespace,
        "metadata": passage.metadata,
        "path": hit.path,
        "reasons": hit.reasons,
    }


def _citation_row(citation: Citation) -> dict[str, Any]:
    names = ("document_id", "passage_id", "quote", "start", "end", "title")
    return {name: getattr(citation, name) for name in names}


def _money(cost: Cost) -> dict[str, Any]:
    """Return the price of what was used; ``unpriced`` are the stages that ``money`` leaves out."""
    return {"money": cost.money, "currency": cost.currency, "unpriced": list(cost.unpriced)}


def answer_row(answer: Answer, cost: Cost) -> dict[str, Any]:
    """Return what ``ask --json`` prints."""
    return {
        "answer": answer.text,
        "citations": [_citation_row(c) for c in answer.citations],
        "confidence": answer.confidence,
        "reader": answer.reader,
        "usage": answer.usage,
        "found": answer.found,
        "question": answer.question,
        "dropped_citations": answer.dropped_citations,
        **_money(cost),
        "steps": [_step_row(step) for step in answer.steps],
    }


def _step_row(step: Step) -> dict[str, Any]:
    return {"query": step.query, "thought": step.thought, "trace": _trace_fields(step.trace)}


def _fact_row(scored: ScoredFact) -> dict[str, Any]:
    row = plain(scored.fact)
    return {**row, "score": scored.score, "similarity": scored.similarity}


def trace_row(trace: Trace, cost: Cost) -> dict[str, Any]:
    """Return what ``explain --json`` prints: the whole trace, its hits as in ``query --json``."""
    return {**_trace_fields(trace), **_money(cost)}


def _trace_fields(trace: Trace) -> dict[str, Any]:
    return {
        "question": trace.question,
        "requested_method": trace.requested_method,
        "method": trace.method,
        "outcome": trace.outcome,
        "note": trace.note,
        "seeds": trace.seeds,
        "facts": [_fact_row(fact) for fact in trace.facts],
        "hits": [hit_row(hit) for hit in trace.hits],
        "walk": trace.walk,
        "seconds": trace.seconds,
        "usage": trace.usage,
        "steps": [_step_row(step) for step in trace.steps],
    }


def report_row(report: IndexReport, cost: Cost) -> dict[str, Any]:
    """Return what ``index --json`` and ``delete --json`` print: every count, every failure, the price."""
    return {**plain(report), **_money(cost)}


def estimate_row(estimate: Estimate, failures: Sequence[Failure]) -> dict[str, Any]:
    """Return what ``index --estimate --json`` prints."""
    total = sum(estimate.usage.values(), Usage())
    return {
        "documents": estimate.documents,
        "passages": estimate.passages,
        "known": estimate.known,
        "new": estimate.passages - estimate.known,
        "calls": total.calls,
        "cached": total.cached,
        "input_tokens": total.input_tokens,
        "output_tokens": total.output_tokens,
        "money": estimate.money,
        "currency": estimate.currency,
        "usage": estimate.usage,
        "note": estimate.note,
        "failures": list(failures),
    }
