"""Questions answered by yes or no: do two things share an attribute, are both of a kind."""

from __future__ import annotations

import re

from hipporag_like.models.reader_asking import STEPS, WORK_STEPS
from hipporag_like.models.reader_chain import State, follow
from hipporag_like.models.reader_compare import Verdict, home
from hipporag_like.models.reader_places import countries
from hipporag_like.models.reader_spans import name_runs
from hipporag_like.models.reader_view import Place, Sentence, View, name_match
from hipporag_like.models.reader_words import stems
from hipporag_like.text import STOPWORDS, words

_SAME = re.compile(r"\bsame\b|\bshare[sd]?\b|\bin common\b|\bboth\b.{0,400}\bsame\b", re.I)
_COUNTRY = re.compile(r"\bcountr|\bnationalit|\bcitizen", re.I)
# Words of a yes/no question that say how it is asked, not what about.
_FORM = frozenset(
    "same both share shared common located situated found part member also two one either".split()
)


def judge(view: View, question: str) -> Verdict | None:
    """Return yes or no; None where the passages tell of neither subject."""
    subjects = _subjects(view, question)
    if not subjects:
        return None
    if len(subjects) > 1 and _SAME.search(question):
        if _COUNTRY.search(question):
            return _same_country(view, question, subjects[:2])
        return _same_thing(view, question, subjects[:2])
    return _of_kind(view, question, subjects)


def _subjects(view: View, question: str) -> list[int]:
    """Return the passages about the things asked of, in the question's order."""
    named = sorted(view.asked, key=lambda i: view.asked[i])
    if len(named) >= 2:
        return named
    for start, end in name_runs(question):
        passage = home(view, question[start:end])
        if passage is not None and passage not in named and _is_about(view, passage, question[start:end]):
            named.append(passage)
    return named


def _is_about(view: View, passage: int, name: str) -> bool:
    return name_match(words(name), view.title_words[passage]) >= 0.5


def _same_country(view: View, question: str, subjects: list[int]) -> Verdict | None:
    step = next((s[0] for p, s in STEPS if p.search(question) and s[0] in WORK_STEPS), "")
    sides = []
    for passage in subjects:
        about, trail, sure = passage, (), 1.0  # type: int, tuple[Place, ...], float
        if step:
            states = [s for s in follow(view, (step,), [State(1.0, None, passage)]) if s.passage is not None]
            if states and states[0].passage is not None:
                about, trail = states[0].passage, states[0].trail
            else:
                sure = 0.5  # the work's own country stands in for its maker's
        found = _countries_of(view, about)
        if not found and about != passage:
            found, sure = _countries_of(view, passage), 0.5
        sides.append((found, trail, sure))
    (one, trail_one, sure_one), (other, trail_other, sure_other) = sides
    support = trail_one + trail_other + tuple(f[1] for f in one[:1] + other[:1])
    if not one or not other:
        return Verdict("no", 0.2, support)
    shared = {c for c, _ in one} & {c for c, _ in other}
    return Verdict("yes" if shared else "no", min(sure_one, sure_other), support)


def _countries_of(view: View, passage: int) -> list[tuple[str, Place]]:
    """Return the countries that the passage's definition names, else those of its other sentences.

    "French-born American" counts as American only.
    """
    for number in view.by_passage[passage]:
        sentence = view.sentences[number]
        offset = sentence.place.start
        text = sentence.text
        verb = re.search(r"\b(?:is|was|are|were)\b", text)
        found = [(c, a, b) for c, a, b in countries(text, regions=True) if text[b : b + 5] != "-born"]
        defined = [f for f in found if verb is not None and f[1] >= verb.end()] or found
        if defined:
            near = [f for f in defined if f[1] - defined[0][2] < 25]
            return [(c, Place(passage, offset + a, offset + b)) for c, a, b in near]
    return []


def _same_thing(view: View, question: str, subjects: list[int]) -> Verdict:
    """Compare the names in the two sentences that tell best what the question asks about."""
    wanted = _predicate(view, question, subjects)
    told = [_telling(view, passage, wanted) for passage in subjects]
    places = tuple(s.place for s in told if s is not None)
    if len(places) < 2 or told[0] is None or told[1] is None:
        return Verdict("no", 0.1, places)
    own = set(view.title_words[subjects[0]]) | set(view.title_words[subjects[1]])
    names = [_near_names(s.text, wanted, own) for s in told if s is not None]
    return Verdict("yes" if names[0] & names[1] else "no", 0.6, places)


def _predicate(view: View, question: str, subjects: list[int]) -> set[str]:
    own = {w for i in subjects for w in view.title_words[i]}
    without = _FORM | own
    return {s for s, a, b in stems(question) if question[a:b].lower() not in without}


def _telling(view: View, passage: int, wanted: set[str]) -> Sentence | None:
    best: tuple[float, Sentence | None] = (-1.0, None)
    for number in view.by_passage[passage]:
        sentence = view.sentences[number]
        shared = len(wanted & {s for s, _, _ in stems(sentence.text)})
        best = max(best, (shared + sentence.similarity, sentence), key=lambda x: x[0])
    return best[1]


def _near_names(text: str, wanted: set[str], own: set[str]) -> set[str]:
    """Return the names near the predicate's words, else all names; a shared country is no evidence."""
    cues = [a for s, a, _ in stems(text) if s in wanted]
    runs = name_runs(text)
    near = [r for r in runs if any(abs(r[0] - c) < 60 for c in cues)] or runs
    found = set()
    for a, b in near:
        name = [w for w in words(text[a:b]) if w not in STOPWORDS and w not in own]
        if name and not countries(text[a:b]):
            found.add(" ".join(name))
    return found


def _of_kind(view: View, question: str, subjects: list[int]) -> Verdict:
    """Yes where each subject's passage tells the words that the question asks of it."""
    wanted = _predicate(view, question, subjects)
    shares, places = [], []
    for passage in subjects[:2]:
        best = 0.0
        sentence = _telling(view, passage, wanted)
        whole = {s for s, _, _ in stems(view.passages[passage].text)}
        named = {c for c, _ in _countries_of(view, passage)}
        asked = {c for c, _, _ in countries(question)}
        if wanted:
            best = len(wanted & whole) / len(wanted)
        if asked and not asked & named:
            best = 0.0
        shares.append(best)
        if sentence is not None:
            places.append(sentence.place)
    return Verdict("yes" if min(shares) >= 0.5 else "no", 0.5, tuple(places))
