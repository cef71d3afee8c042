"""From a trace to the reader's view of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hipporag_like.models.reader_view import Place, Sentence, View
from hipporag_like.models.reader_words import stems
from hipporag_like.sentences import sentence_spans
from hipporag_like.text import entity_key
from hipporag_like.types import Hit, Trace

MAX_PASSAGES = (
    10  # recall@10 is 98 % on 2WikiMultiHopQA and HotpotQA; more passages only add wrong candidates
)
MAX_SENTENCES = 48  # of all passages together: half a second of the default embedder at most

Similarity = Callable[[str, Sequence[str]], Sequence[float]]


def build_view(question: str, trace: Trace, similarity: Similarity) -> View:
    """Return the view of a trace.

    Parameters
    ----------
    similarity
        Cosines of the question to texts; asked once, for the sentences that the trace has no cosine of.
    """
    hits = trace.hits[:MAX_PASSAGES]
    places = _sentence_places(question, hits)
    texts = [hits[p.passage].passage.text[p.start : p.end] for p in places]
    known = {(f.fact.passage_id, f.fact.text): f for f in trace.facts if f.fact.triple is None}
    facts = [known.get((hits[p.passage].passage.id, t)) for p, t in zip(places, texts, strict=True)]
    missing = [n for n, fact in enumerate(facts) if fact is None]
    headed = [_headed(hits[places[n].passage].passage.title, texts[n]) for n in missing]
    cosines = dict(zip(missing, similarity(question, headed) if headed else (), strict=True))
    sentences = tuple(
        Sentence(
            place=place,
            text=texts[n],
            similarity=float(cosines[n] if fact is None else fact.similarity),
            first=not hits[place.passage].passage.text[: place.start].strip(),
        )
        for n, (place, fact) in enumerate(zip(places, facts, strict=True))
    )
    return View(
        question=question,
        passages=tuple(h.passage for h in hits),
        scores=_relative([h.score for h in hits]),
        sentences=sentences,
        entities=_entity_weights(trace),
        facts=_fact_weights(trace),
    )


def _sentence_places(question: str, hits: Sequence[Hit]) -> list[Place]:
    """Return the sentences to look at: all, or the first ones and those with most of the question's words."""
    cut = [
        (depth, Place(i, a, b))
        for i, hit in enumerate(hits)
        for depth, (a, b) in enumerate(sentence_spans(hit.passage.text))
    ]
    if len(cut) <= MAX_SENTENCES:
        return [place for _, place in cut]
    wanted = {s for s, _, _ in stems(question)}
    ranks = []
    for number, (depth, place) in enumerate(cut):
        told = {s for s, _, _ in stems(hits[place.passage].passage.text[place.start : place.end])}
        ranks.append((depth > 0, -len(wanted & told), depth, number))
    kept = sorted(number for *_, number in sorted(ranks)[:MAX_SENTENCES])
    return [cut[number][1] for number in kept]


def _entity_weights(trace: Trace) -> dict[str, float]:
    """Return the walk's mass on the entities of paths and facts, by key, relative to the heaviest."""
    told = [(step.text, step.weight) for hit in trace.hits for step in hit.path if step.kind == "entity"]
    told += [(name, fact.score) for fact in trace.facts for name in fact.fact.entities]
    found: dict[str, float] = {}
    for name, weight in told:
        key = entity_key(name)
        found[key] = max(found.get(key, 0.0), weight)
    most = max(found.values(), default=0.0)
    return {key: weight / most for key, weight in found.items()} if most > 0 else {}


def _relative(scores: Sequence[float]) -> tuple[float, ...]:
    """Return scores moved to [-1, 0]: those of BM25, cosines and a walk have scales of their own."""
    best, last = max(scores, default=0.0), min(scores, default=0.0)
    return tuple((s - best) / (best - last) if best > last else 0.0 for s in scores)


def _fact_weights(trace: Trace) -> dict[tuple[str, str], float]:
    most = max((f.score for f in trace.facts), default=0.0)
    return {(f.fact.passage_id, f.fact.text): f.score / most for f in trace.facts} if most > 0 else {}


def _headed(title: str, text: str) -> str:
    """Return a sentence as the index embeds it."""
    return f"{title}: {text}" if title else text
