"""Columns of the learned fusion: by hand, by a slow restatement of each, and what must not change them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.retrieval.clues import Clues
from hipporag_like.retrieval.features import NAMES, WINDOW_COLUMNS, Asked, Opinion, Sheet, features

ASKED = Asked(rarity=0.5, names=2, titled=0.25, words=6, plain_share=0.125)
SEEDS = st.integers(0, 10**6)


def part_of(
    walk: Sequence[Sequence[float]],
    passage: Sequence[Sequence[float]],
    facts: Sequence[Sequence[Sequence[float]]],
    subject: Sequence[Sequence[float]],
    mentions: Sequence[tuple[int, int, float]] = (),
    onward: Sequence[Sequence[float]] | None = None,
    rest: Sequence[float] | None = None,
) -> Clues:
    """Return clues; ``facts`` are the cosines of each candidate's facts to each vector."""
    n_vectors = len(passage[0])
    known = np.array([row for held in facts for row in held], np.float64).reshape(-1, n_vectors)
    best = [np.max(held, axis=0) if len(held) else np.full(n_vectors, -np.inf) for held in facts]
    sums = [np.full(n_vectors, float(len(known))), known.sum(axis=0), (known**2).sum(axis=0)]
    pairs = list(mentions)
    return Clues(
        walk=np.array(walk, np.float64),
        onward=np.zeros((len(walk), 3)) if onward is None else np.array(onward, np.float64),
        passage=np.array(passage, np.float64),
        sentence=np.array(best, np.float64),
        moments=np.array(sums),
        rest=np.zeros(len(walk)) if rest is None else np.array(rest, np.float64),
        subject=np.array(subject, np.float64),
        candidate=np.array([pair[0] for pair in pairs], np.int64),
        source=np.array([pair[1] for pair in pairs], np.int64),
        cosine=np.array([pair[2] for pair in pairs], np.float64),
    )


def opinion_of(score: Sequence[float], **signals: Sequence[float]) -> Opinion:
    return Opinion(
        np.array(score, np.float64),
        *(np.array(signals.get(name, score), np.float64) for name in ("dense", "bm25", "incoming")),
    )


def column(table: np.ndarray, name: str) -> list[float]:
    return table[:, NAMES.index(name)].tolist()


E = math.e
# Three candidates; the question and two windows. The candidate 2 has no facts and no title.
BY_HAND = Sheet(
    [
        part_of(
            walk=[[1, 2, 2], [1 / E, 2 / E**2, 1], [0, 0, 0]],
            onward=[[0, 0, 0], [4, 4, 4], [4 / E**20, 0, 4 / E]],
            passage=[[0.6, 0.1, 0.5], [0.3, 0.4, 0.5], [0.0, 0.1, 0.5]],
            # To the question: mean 0.4, spread 0.2; to the windows: 0.4 and 0.2, then always 0.3.
            facts=[[[0.6, 0.2, 0.3]], [[0.2, 0.6, 0.3]], []],
            subject=[[1, 0.5, 1, 1 / E, 0.75], [0, 0, 1 / E**3, 1, 1], [0] * 5],
            # Facts about 0: one of candidate 1, one of candidate 1 again, one of no candidate. About 1: one of 0.
            mentions=[(0, 1, 0.4), (0, 1, 0.0), (0, -1, 0.8), (1, 0, 0.2)],
            rest=[1, 4, 0],
        )
    ],
    opinion_of([0.8, 0.5, 0.1], dense=[1, 0.5, 0], bm25=[0, 1, 0.5], incoming=[1, 0.25, 0.5]),
    ASKED,
)
# Standard deviation of 0.6, 0.3, 0, and of 0.1, 0.4, 0.1.
A, B = math.sqrt(1.5), math.sqrt(2)
EXPECTED = {
    "walk": [0, -1, -14],
    "walk_sum": [0, -2, -14],
    "walk_best": [0, math.log(0.5), -14],
    "onward": [-14, 0, -14],
    "onward_sum": [-14, 0, -14],
    "onward_best": [-14, 0, -1],
    "passage": [A, 0, -A],
    "passage_below": [0, -A, -2 * A],
    "dense": [1, 0.5, 0],
    "bm25": [0, 1, 0.5],
    "bm25_rest": [0.25, 1, 0],
    "sentence": [1, -1, -4],
    "sentence_below": [0, -2, -5],
    "window": [0, 1, -4],  # the facts' cosines to the second window do not spread: 0 / 0.02
    "window_below": [-1, 0, -5],
    "window_top": [0, 0, -4],
    "window_mean": [-1, 0, -4.5],  # of -1 and 0; 1 and 0; -4 and -4
    "window_left": [0, 0, -4],  # the two best are the two themselves
    "passage_window": [-B, 0, -B],  # -0.1 / 0.1414 and 0; 1.414; against the best, 1.414
    "passage_window_top": [0, 0, 0],  # in the second window all are first
    "which_window": [1, 0, 0],
    "n_windows": [2, 2, 2],
    "incoming": [2, -1, -4],
    "incoming_below": [0, -3, -6],
    "incoming_signal": [1, 0.25, 0.5],
    "source": [0.5, 0.8, 0],
    # 0: of 0.5 + 0.15 * 0, 0.5 - 0.15 * 2 and 0.15 * 2; 1: 0.8 - 0.15; 2: -0.6. Less the best.
    "chain": [0.5 - 0.65, 0, -0.6 - 0.65],
    "incoming_from_found": [0, -1, -4],  # 0.5 is at least half of 0.8; what is no candidate is not found
    "mentioned_by": [math.log(2), math.log(2), 0],
    "target": [0.5, 0.8, 0],  # 0 mentions 1, and 1 mentions 0
    "mentions": [math.log(2), math.log(2), 0],
    "named": [1, 0, 0],
    "source_named": [0, 1, 0],
    "subject_seed": [0.5, 0, 0],
    "subject_walk": [0, -3, -14],
    "subject_onward": [-1, 0, -14],
    "subject_rarity": [0.75, 1, 0],
    "score": [0, -0.3, -0.7],
    "rank": [0, 1, 2],
    "rarity": [0.5] * 3,
    "names": [2] * 3,
    "titled": [0.25] * 3,
    "words": [6] * 3,
    "best_sentence": [1] * 3,
    "plain_share": [0.125] * 3,
}


def test_every_column_has_a_value_by_hand():
    assert tuple(EXPECTED) == NAMES
    assert len(set(NAMES)) == len(NAMES)
    assert set(WINDOW_COLUMNS) == {name for name in NAMES if "window" in name}


@pytest.mark.parametrize("name", NAMES)
def test_by_hand(name: str):
    table = features(BY_HAND)
    assert table.dtype == np.float32
    assert table.shape == (3, len(NAMES))
    assert column(table, name) == pytest.approx(EXPECTED[name], abs=2e-5)


def test_a_question_without_windows_is_its_own_only_one():
    part = BY_HAND.parts[0]
    alone = replace(
        part, passage=part.passage[:, :1], sentence=part.sentence[:, :1], moments=part.moments[:, :1]
    )
    short = features(replace(BY_HAND, parts=[alone]))
    twice = [0, 0]  # the same vector as the question and as its window
    same = replace(
        part,
        passage=part.passage[:, twice],
        sentence=part.sentence[:, twice],
        moments=part.moments[:, twice],
    )
    np.testing.assert_array_equal(short, features(replace(BY_HAND, parts=[same])))
    others = [i for i, name in enumerate(NAMES) if name not in WINDOW_COLUMNS]
    np.testing.assert_array_equal(short[:, others], features(BY_HAND)[:, others])
    assert column(short, "window") == column(short, "sentence")
    assert column(short, "n_windows") == [1, 1, 1]


def made(seed: int, sizes: Sequence[int] = (4,), n_vectors: int | None = None) -> Sheet:
    """Return a sheet of random numbers; some candidates have no facts, some no subject."""
    draw = np.random.default_rng(seed)
    v = int(draw.integers(1, 5)) if n_vectors is None else n_vectors
    parts = []
    for n in sizes:

        def masses(n: int = n) -> np.ndarray:
            return np.exp(draw.uniform(-20, 0, (n, 3))) * (draw.random((n, 1)) < 0.8)

        held = [draw.uniform(-0.8, 0.8, (int(draw.integers(0, 4)), v)) for _ in range(n)]
        pairs = [
            (int(draw.integers(n)), int(draw.integers(-1, n)), float(draw.uniform(-0.8, 0.8)))
            for _ in range(int(draw.integers(0, 3 * n)))
        ]
        subject = draw.random((n, 5)) * (draw.random((n, 1)) < 0.7)
        subject[:, 0] = subject[:, 0] > 0.5
        passage, rest = draw.uniform(-0.8, 0.8, (n, v)), draw.integers(0, 4, n)
        parts.append(part_of(masses(), passage, held, subject, pairs, masses(), rest))
    total = sum(sizes)
    values = draw.random((4, total)) * (draw.random((4, total)) < 0.8)
    values[0, 0] = 0.9
    return Sheet(parts, Opinion(*values), ASKED)


def slowly(sheet: Sheet) -> dict[str, list[float]]:
    """Return the columns, candidate by candidate."""
    offsets, at = [], 0
    for part in sheet.parts:
        offsets.append(at)
        at += len(part.passage)
    rows = [(part, i) for part in sheet.parts for i in range(len(part.passage))]
    score, n_vectors = sheet.opinion.score.tolist(), sheet.parts[0].passage.shape[1]
    every = range(len(rows))

    def log_relative(name: str, kind: int) -> list[float]:
        values = [float(getattr(part, name)[i, kind]) for part, i in rows]
        best = max(values)
        return [max(math.log(value / best), -14.0) if value > 0 else -14.0 for value in values]

    def in_spreads(values: list[float], mean: float, variance: float) -> list[float]:
        spread = max(math.sqrt(max(variance, 0.0)), 0.02)
        return [(value - mean) / spread for value in values]

    passage, sentence, mentioned = [], [], []
    for j in range(n_vectors):
        cosines = [float(part.passage[i, j]) for part, i in rows]
        mean = sum(cosines) / len(rows)
        passage.append(in_spreads(cosines, mean, sum((c - mean) ** 2 for c in cosines) / len(rows)))
        count, total, squares = (sum(float(part.moments[m, j]) for part in sheet.parts) for m in range(3))
        mean = total / max(count, 1.0)
        variance = squares / max(count, 1.0) - mean**2
        best = in_spreads([float(part.sentence[i, j]) for part, i in rows], mean, variance)
        sentence.append([max(value, -4.0) for value in best])
        if j == 0:
            told = [float(c) for part in sheet.parts for c in part.cosine]
            mentioned = in_spreads(told, mean, variance)
    pairs = [
        (int(c) + offset, int(s) + offset if s >= 0 else -1)
        for part, offset in zip(sheet.parts, offsets, strict=True)
        for c, s in zip(part.candidate, part.source, strict=True)
    ]
    said = [(c, s, z, score[s] if s >= 0 else 0.0) for (c, s), z in zip(pairs, mentioned, strict=True)]
    named = [float(part.subject[i, 0]) for part, i in rows]

    def below(values: list[float]) -> list[float]:
        return [value - max(values) for value in values]

    windows = range(1, n_vectors) if n_vectors > 1 else range(1)
    best = [max(sentence[j][i] for j in windows) for i in every]
    mean = [sum(sentence[j][i] for j in windows) / len(windows) for i in every]
    bar = sorted(score)[-2:][0]
    heads = [i for i in every if score[i] >= bar]
    which = [min(windows, key=lambda j: (-sentence[j][i], j)) - windows[0] for i in every]
    incoming = [max([z for c, _, z, _ in said if c == i] + [-4.0]) for i in every]
    chain = [max([x + 0.15 * z for c, _, z, x in said if c == i] + [-0.6]) for i in every]
    found = [(c, z) for c, _, z, x in said if x >= 0.5 * max(score)]
    rest = [float(part.rest[i]) for part, i in rows]
    subject = [[float(x) for x in part.subject[i]] for part, i in rows]

    def log_of(value: float) -> float:
        return max(math.log(value), -14.0) if value > 0 else -14.0

    asked = sheet.asked
    return {
        "walk": log_relative("walk", 0),
        "walk_sum": log_relative("walk", 1),
        "walk_best": log_relative("walk", 2),
        "onward": log_relative("onward", 0),
        "onward_sum": log_relative("onward", 1),
        "onward_best": log_relative("onward", 2),
        "passage": passage[0],
        "passage_below": below(passage[0]),
        "dense": sheet.opinion.dense.tolist(),
        "bm25": sheet.opinion.bm25.tolist(),
        "bm25_rest": [value / max(rest) if max(rest) > 0 else 0.0 for value in rest],
        "sentence": sentence[0],
        "sentence_below": below(sentence[0]),
        "window": best,
        "window_below": below(best),
        "window_top": [max(sentence[j][i] - max(sentence[j]) for j in windows) for i in every],
        "window_mean": below(mean),
        "window_left": [
            max(sentence[j][i] - max(sentence[j][h] for h in heads) for j in windows) for i in every
        ],
        "passage_window": below([max(passage[j][i] for j in windows) for i in every]),
        "passage_window_top": [max(passage[j][i] - max(passage[j]) for j in windows) for i in every],
        "which_window": [place / max(1, len(windows) - 1) for place in which],
        "n_windows": [len(windows)] * len(rows),
        "incoming": incoming,
        "incoming_below": below(incoming),
        "incoming_signal": sheet.opinion.incoming.tolist(),
        "source": [max([x for c, _, _, x in said if c == i] + [0.0]) for i in every],
        "chain": below(chain),
        "incoming_from_found": [max([z for c, z in found if c == i] + [-4.0]) for i in every],
        "mentioned_by": [math.log(1 + len({s for c, s in pairs if c == i and s >= 0})) for i in every],
        "target": [max([score[c] for c, s in pairs if s == i] + [0.0]) for i in every],
        "mentions": [math.log(1 + len({c for c, s in pairs if s == i})) for i in every],
        "named": named,
        "source_named": [max([named[s] for c, s in pairs if c == i and s >= 0] + [0.0]) for i in every],
        "subject_seed": [row[1] for row in subject],
        "subject_walk": [log_of(row[2]) for row in subject],
        "subject_onward": [log_of(row[3]) for row in subject],
        "subject_rarity": [row[4] for row in subject],
        "score": below(score),
        "rank": [sum(other > mine for other in score) for mine in score],
        "rarity": [asked.rarity] * len(rows),
        "names": [asked.names] * len(rows),
        "titled": [asked.titled] * len(rows),
        "words": [asked.words] * len(rows),
        "best_sentence": [max(sentence[0])] * len(rows),
        "plain_share": [asked.plain_share] * len(rows),
    }


def alike(table: np.ndarray, other: np.ndarray) -> None:
    np.testing.assert_allclose(table, other, rtol=1e-5, atol=3e-6)


@settings(max_examples=120, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 6), min_size=1, max_size=3))
def test_the_slow_way_finds_the_same(seed: int, sizes: list[int]):
    sheet = made(seed, sizes)
    expected, table = slowly(sheet), features(sheet)
    for name in NAMES:
        np.testing.assert_allclose(column(table, name), expected[name], rtol=1e-4, atol=3e-5, err_msg=name)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(0.5, 2.0), st.floats(-0.5, 0.5))
def test_the_scale_of_cosines_does_not_matter(seed: int, factor: float, shift: float):
    sheet = made(seed, (5, 6), 3)
    parts = []
    for part in sheet.parts:
        count, total, squares = part.moments
        moments = [
            count,
            factor * total + count * shift,
            factor**2 * squares + 2 * factor * shift * total + count * shift**2,
        ]
        parts.append(
            replace(
                part,
                passage=factor * part.passage + shift,
                sentence=factor * part.sentence + shift,
                cosine=factor * part.cosine + shift,
                moments=np.array(moments),
            )
        )
    alike(features(replace(sheet, parts=parts)), features(sheet))


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(1e-3, 1e3))
def test_the_scale_of_masses_and_of_bm25_does_not_matter(
    seed: int, first: float, second: float, lexical: float
):
    sheet = made(seed, (5, 2))
    parts = [
        replace(part, walk=first * part.walk, onward=second * part.onward, rest=lexical * part.rest)
        for part in sheet.parts
    ]
    alike(features(replace(sheet, parts=parts)), features(sheet))


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_the_order_of_candidates_and_of_what_mentions_them_does_not_matter(seed: int, random):
    sheet = made(seed, (7,))
    (part,) = sheet.parts
    order = list(range(7))
    random.shuffle(order)
    pairs = list(range(len(part.candidate)))
    random.shuffle(pairs)
    place = np.append(np.argsort(order), -1)  # -1, no candidate, stays
    moved = replace(
        part,
        **{
            name: getattr(part, name)[order]
            for name in ("walk", "onward", "passage", "sentence", "rest", "subject")
        },
        candidate=place[part.candidate[pairs]],
        source=place[part.source[pairs]],
        cosine=part.cosine[pairs],
    )
    opinion = Opinion(
        *(getattr(sheet.opinion, name)[order] for name in ("score", "dense", "bm25", "incoming"))
    )
    alike(features(Sheet([moved], opinion, ASKED)), features(sheet)[order])


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.lists(st.integers(1, 5), min_size=2, max_size=4))
def test_two_namespaces_are_one_where_nobody_mentions_a_stranger(seed: int, sizes: list[int]):
    sheet = made(seed, sizes)
    offsets = np.cumsum([0, *sizes])
    rows = ("walk", "onward", "passage", "sentence", "rest", "subject", "cosine")
    one = Clues(
        **{name: np.concatenate([getattr(part, name) for part in sheet.parts]) for name in rows},
        moments=np.sum([part.moments for part in sheet.parts], axis=0),
        candidate=np.concatenate([p.candidate + at for p, at in zip(sheet.parts, offsets, strict=False)]),
        source=np.concatenate(
            [np.where(p.source < 0, -1, p.source + at) for p, at in zip(sheet.parts, offsets, strict=False)]
        ),
    )
    alike(features(replace(sheet, parts=[one])), features(sheet))


def test_a_namespace_without_candidates_changes_nothing():
    sheet = made(3, (4,), 2)
    none, nobody = np.zeros((0, 3)), np.zeros(0, np.int64)
    empty = Clues(
        none, none, none[:, :2], none[:, :2], np.zeros((3, 2)), np.zeros(0), np.zeros((0, 5)),
        nobody, nobody, np.zeros(0),
    )  # fmt: skip
    for parts in ([*sheet.parts, empty], [empty, *sheet.parts], [empty, *sheet.parts, empty]):
        np.testing.assert_array_equal(features(replace(sheet, parts=parts)), features(sheet))


@settings(max_examples=60, deadline=None)
@given(
    SEEDS,
    st.integers(1, 4),
    st.sets(st.sampled_from(["walk", "onward", "facts", "mentions", "subject", "rest", "score", "passage"])),
)
def test_columns_are_finite_whatever_is_missing(seed: int, n: int, missing: set[str]):
    sheet = made(seed, (n,))
    (part,) = sheet.parts
    changes: dict[str, np.ndarray] = {
        name: np.zeros_like(getattr(part, name))
        for name in ("walk", "onward", "subject", "rest", "passage")
        if name in missing
    }
    if "facts" in missing:
        changes |= {"sentence": np.full_like(part.sentence, -np.inf), "moments": np.zeros_like(part.moments)}
    if "mentions" in missing:
        none = np.zeros(0, np.int64)
        changes |= {"candidate": none, "source": none, "cosine": np.zeros(0)}
    opinion = opinion_of([0.0] * n) if "score" in missing else sheet.opinion
    table = features(Sheet([replace(part, **changes)], opinion, ASKED))
    assert table.shape == (n, len(NAMES))
    assert np.isfinite(table).all()
    assert table[:, NAMES.index("rank")].min() == 0
    for name in ("passage_below", "sentence_below", "window_below", "incoming_below", "score", "chain"):
        assert max(column(table, name)) == 0


def test_facts_all_alike_are_not_blown_up():
    # Two facts of cosines 0.5 and 0.502: without the least spread they would stand two deviations apart.
    part = part_of([[1] * 3] * 2, [[0.5], [0.5]], [[[0.5]], [[0.502]]], [[0] * 5] * 2)
    table = features(Sheet([part], opinion_of([0.5, 0.4]), ASKED))
    assert column(table, "sentence") == pytest.approx([-0.05, 0.05])
    assert column(table, "passage") == [0, 0]
