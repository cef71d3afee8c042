"""What the reader's weights are fitted on, and the two fits; the command is in ``fit_reader``.

Every number comes out of the reader's own functions, so a refit sees what the reader sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from hipporag_like.errors import InputError
from hipporag_like.eval.answer_metrics import exact_match, token_f1
from hipporag_like.eval.questions import Question
from hipporag_like.models.extractive import MAX_QUESTION
from hipporag_like.models.reader_chain import follow, read_chain, start
from hipporag_like.models.reader_evidence import gather
from hipporag_like.models.reader_features import FEATURES, Candidate, candidates
from hipporag_like.models.reader_question import take_apart
from hipporag_like.models.reader_score import Scored, confidence_values
from hipporag_like.models.reader_trace import build_view
from hipporag_like.models.reader_view import View
from hipporag_like.rag import HippoRAG
from hipporag_like.text import words

L2 = 1e-3  # of both fits; the values of every feature are of the order of 1
# A question teaches the span weights only where some candidate has about half the words of the answer.
TEACHES = 0.4
RIGHT = 0.5  # F1 from which an answer counts as right where confidence is fitted
FOREIGN_WEIGHT = 0.5  # of a question asked of another set's passages
MAX_STEPS = 300  # of L-BFGS for the span weights

Weights = NDArray[np.float64]
Objective = Callable[[Weights], tuple[float, Weights]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A question read up to its candidates.

    Attributes
    ----------
    number
        Place in the data set; even and odd ones are the two halves.
    weight
        Of the question among all when the span weights are fitted.
    foreign
        Asked of another set's passages, so that every answer is wrong.
    calibrates
        Whether the confidence is fitted on it.
    values
        float32, (candidates, features).
    em, f1
        float32, (candidates,), in [0, 1]; zero where foreign.
    """

    dataset: str
    number: int
    weight: float
    foreign: bool
    calibrates: bool
    view: View
    found: tuple[Candidate, ...]
    texts: tuple[str, ...]
    values: NDArray[np.float32]
    em: NDArray[np.float32]
    f1: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer with what its confidence rests on; ``number`` as in :class:`Sheet`."""

    dataset: str
    number: int
    foreign: bool
    right: bool
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the questions of one set count; see :class:`Sheet`. Every ``thin``-th fits the confidence."""

    dataset: str
    passages: int
    weight: float = 1.0
    thin: int = 1
    foreign: bool = False


def read_sheets(rag: HippoRAG, questions: Sequence[Question], plan: Plan) -> list[Sheet]:
    """Return a sheet of each question that asks for a span; comparisons and yes or no have no weights.

    Questions without known answers are left out, unless they are foreign.
    """
    found = []
    for number, question in enumerate(questions):
        if take_apart(question.question[:MAX_QUESTION]).kind == "span" and (question.answers or plan.foreign):
            found.append(_sheet(rag, question, number, plan))
    return found


def _sheet(rag: HippoRAG, question: Question, number: int, plan: Plan) -> Sheet:
    def similarity(text: str, others: Sequence[str]) -> list[float]:
        target = rag.embedder.embed([text], "query")[0]
        return [float(x) for x in rag.embedder.embed(others, "passage") @ target]

    trace = rag.explain(question.question, plan.passages)
    view = build_view(question.question[:MAX_QUESTION], trace, similarity)
    asked = take_apart(view.question)
    chain = read_chain(view, asked.head)
    states = follow(view, chain.steps, start(view, chain), guess=chain.whole)
    spans = tuple(candidates(gather(view, asked, chain, states)))
    texts = tuple(view.text(c.place) for c in spans)
    gold = () if plan.foreign else question.answers
    scores = {t: (exact_match(t, gold), token_f1(t, gold)) if gold else (0.0, 0.0) for t in set(texts)}
    return Sheet(
        dataset=plan.dataset,
        number=number,
        weight=plan.weight,
        foreign=plan.foreign,
        calibrates=number % plan.thin == 0,
        view=view,
        found=spans,
        texts=texts,
        values=np.array([c.values for c in spans], np.float32).reshape(-1, len(FEATURES)),
        em=np.array([scores[t][0] for t in texts], np.float32),
        f1=np.array([scores[t][1] for t in texts], np.float32),
    )


def fit_spans(sheets: Sequence[Sheet]) -> Weights:
    """Return the weights of :data:`FEATURES` that maximise the expected squared F1 under a softmax.

    The loss is ``-log`` of that expectation, averaged over questions by their weight, plus L2.

    Raises
    ------
    InputError
        In no question is the answer among the candidates, so there is nothing to learn from.
    """
    taught = [s for s in sheets if not s.foreign and len(s.f1) and s.f1.max() > TEACHES]
    total = sum(s.weight for s in taught)
    if not total:
        raise InputError(
            "no question has its answer among the candidates; give a data set whose answers stand in its documents"
        )

    def objective(w: Weights) -> tuple[float, Weights]:
        loss, slope = 0.0, np.zeros(len(w))
        for sheet in taught:
            sums = sheet.values @ w
            shares = np.exp(sums - sums.max())
            shares /= shares.sum()
            gain = sheet.f1**2
            mean = float(shares @ gain)
            loss -= sheet.weight * float(np.log(mean + 1e-6))  # 1e-6: no logarithm of 0
            slope -= sheet.weight * ((shares * (gain - mean) / (mean + 1e-6)) @ sheet.values)
        return loss / total + L2 * float(w @ w), slope / total + 2 * L2 * w

    return _least(objective, len(FEATURES), MAX_STEPS)


def pick(sheet: Sheet, weights: Weights) -> Scored | None:
    """Return what :func:`reader_score.best_candidate` would with other weights."""
    if not sheet.found:
        return None
    sums = sheet.values @ weights
    best = int(np.argmax(sums))
    shares = np.exp(sums - sums[best])
    name = words(sheet.texts[best])
    same = np.array([words(text) == name for text in sheet.texts])
    return Scored(sheet.found[best], float(shares[same].sum() / shares.sum()))


def judge_all(sheets: Sequence[Sheet], weights: Weights) -> list[Judged]:
    """Return the answers that ``weights`` choose on the sheets that the confidence is fitted on."""
    rows = []
    for sheet in sheets:
        best = pick(sheet, weights) if sheet.calibrates else None
        if best is not None:
            right = bool(sheet.f1[sheet.found.index(best.candidate)] >= RIGHT)
            values = tuple(confidence_values(sheet.view, best).values())
            rows.append(Judged(sheet.dataset, sheet.number, sheet.foreign, right, values))
    return rows


def fit_confidence(rows: Sequence[Judged]) -> Weights:
    """Return the logistic regression of "right"; its first value, the bias, is not held small.

    Raises
    ------
    InputError
        The answers are all right or all wrong.
    """
    values = np.array([row.values for row in rows])
    right = np.array([row.right for row in rows], np.float64)
    weight = np.array([FOREIGN_WEIGHT if row.foreign else 1.0 for row in rows])
    if len(set(right.tolist())) < 2:
        raise InputError(
            "confidence cannot be fitted on answers that are all right or all wrong; add questions"
        )

    def objective(b: Weights) -> tuple[float, Weights]:
        sums = values @ b
        loss = (weight * (np.logaddexp(0, sums) - right * sums)).sum() / weight.sum()
        slope = (weight * (expit(sums) - right)) @ values / weight.sum()
        held = np.concatenate([[0.0], b[1:]])
        return float(loss + L2 * held @ held), slope + 2 * L2 * held

    return _least(objective, values.shape[1], 15_000)  # SciPy's own limit; some ten steps do


def _least(objective: Objective, size: int, steps: int) -> Weights:
    found = minimize(objective, np.zeros(size), jac=True, method="L-BFGS-B", options={"maxiter": steps})
    return np.asarray(found.x, np.float64)
