"""Exact match and token F1 of answers.

Defined as by SQuAD (Rajpurkar et al. 2016) and HotpotQA (Yang et al. 2018).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from hipporag_like.errors import UsageError

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)  # ASCII only, as the official scripts do
# HotpotQA: these answers are right or wrong as a whole; sharing a token with one of them earns nothing.
_WHOLE = frozenset({"yes", "no", "noanswer"})


def normalize_answer(text: str) -> str:
    """Return ``text`` in small letters, without ASCII punctuation and English articles, single-spaced."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split())


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Return 1 where the normalised prediction equals one of the normalised answers, else 0.

    Raises
    ------
    UsageError
        ``answers`` is empty: there is nothing to compare with.
    """
    return _best(lambda answer: float(normalize_answer(prediction) == normalize_answer(answer)), answers)


def token_f1(prediction: str, answers: Sequence[str]) -> float:
    """Return the harmonic mean of token precision and recall, in [0, 1], at the answer where it is highest.

    An answer of yes, no or noanswer scores only when both sides are equal. Where either side has no
    tokens left, the score is 1 if both have none, else 0 (SQuAD 2.0's rule).

    Raises
    ------
    UsageError
        ``answers`` is empty: there is nothing to compare with.
    """
    return _best(lambda answer: _f1(normalize_answer(prediction), normalize_answer(answer)), answers)


def _best(score: Callable[[str], float], answers: Sequence[str]) -> float:
    if not answers:
        raise UsageError("a question without answers has no answer score; leave it out")
    return max(score(answer) for answer in answers)


def _f1(prediction: str, answer: str) -> float:
    if prediction == answer:
        return 1.0
    if prediction in _WHOLE or answer in _WHOLE:
        return 0.0
    said, true = Counter(prediction.split()), Counter(answer.split())
    shared = sum((said & true).values())
    return 2.0 * shared / (sum(said.values()) + sum(true.values()))
