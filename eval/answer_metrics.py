"""Exact match and token F1 of answers, as the official scripts of the data sets define them.

The normalisation is the same in all of them (SQuAD, Rajpurkar et al. 2016). F1 differs at the edges: HotpotQA
(Yang et al. 2018) and 2WikiMultiHopQA (Ho et al. 2020) take yes and no as a whole; MuSiQue (Trivedi et al.
2022) does as SQuAD 2.0 (Rajpurkar et al. 2018).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from hipporag_like.errors import UsageError

Rules = Literal["hotpotqa", "musique", "squad"]
RULES: tuple[str, ...] = get_args(Rules)

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


def token_f1(prediction: str, answers: Sequence[str], rules: Rules = "hotpotqa") -> float:
    """Return the harmonic mean of token precision and recall, in [0, 1], at the answer where it is highest.

    Parameters
    ----------
    rules
        Whose script decides where nothing is shared by tokens alone. ``"hotpotqa"``, also 2WikiMultiHopQA's:
        an answer of yes, no or noanswer scores only when both sides are equal, and where either side has no
        tokens left the score is 0. ``"musique"``, also SQuAD 2.0's: yes and no are words like others, and
        where either side has no tokens left the score is 1 if both have none. ``"squad"``, version 1.1:
        yes and no are words like others, and no tokens score 0.

    Raises
    ------
    UsageError
        ``answers`` is empty: there is nothing to compare with; or unknown rules.
    """
    if rules not in RULES:
        raise UsageError(f"rules must be one of {', '.join(RULES)}, got {rules!r}")
    said = normalize_answer(prediction)
    return _best(lambda answer: _f1(said, normalize_answer(answer), rules), answers)


def _best(score: Callable[[str], float], answers: Sequence[str]) -> float:
    if not answers:
        raise UsageError("a question without answers has no answer score; leave it out")
    return max(score(answer) for answer in answers)


def _f1(prediction: str, answer: str, rules: Rules) -> float:
    if not prediction or not answer:
        return float(rules == "musique" and prediction == answer)
    if rules == "hotpotqa" and prediction != answer and {prediction, answer} & _WHOLE:
        return 0.0
    said, true = Counter(prediction.split()), Counter(answer.split())
    shared = sum((said & true).values())
    return 2.0 * shared / (sum(said.values()) + sum(true.values()))
