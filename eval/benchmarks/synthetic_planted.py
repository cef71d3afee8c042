"""Questions of two hops with known gold, to be hidden in a made-up corpus of any size.

"Which painter did the person by whom X was directed marry?" needs passage A, titled X, which says that X was directed
by Y, and passage B, titled Y, which says whom Y married. The question names X and never Y. Three more passages
mislead: another X by someone else, a namesake of Y with another spouse, and another work of Y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hipporag_like.eval.benchmarks.synthetic_words import names_of, person_names, words_table, work_names
from hipporag_like.eval.questions import Question

RELATIONS = tuple(
    "directed founded written composed designed discovered published restored financed produced".split()
)
# What a sentence says, and how a question asks for it; {who} is the person that the question describes.
ATTRIBUTES = (
    ("was born in the town of", "In which town was {who} born?"),
    ("studied medicine at the college of", "At the college of which place did {who} study medicine?"),
    ("died during a journey to", "On a journey to which place was it that {who} died?"),
    ("was buried in the churchyard of", "In the churchyard of which place was {who} buried?"),
    ("married the painter", "Which painter was married by {who}?"),
    ("received the medal of", "The medal of which place was received by {who}?"),
    ("taught music in", "In which place was it that {who} taught music?"),
    ("settled near the river", "Near which river was it that {who} settled?"),
)
PER_QUESTION = 5  # passages: two of gold, three that mislead
# Numbers of entities that no passage of the background draws by itself.
RESERVED = 1 << 40
# Which answer kinds are names of people; all others are drawn as any entity.
_PAINTER = 4


@dataclass(frozen=True, slots=True)
class Planted:
    """One passage to be written: its subject, and what it must say; -1 and empty where it need not.

    Attributes
    ----------
    relation, made_by
        Place in ``RELATIONS``, and who it was.
    attribute, value
        Place in ``ATTRIBUTES``, and the answer.
    """

    id: str
    title: str
    relation: int = -1
    made_by: str = ""
    attribute: int = -1
    value: str = ""


def plant(count: int, seed: int) -> tuple[list[Question], list[Planted]]:
    """Return questions and the passages that belong to them, ``PER_QUESTION`` each, in order.

    Question ``k`` and its passages are the same whatever ``count`` is.
    """
    questions: list[Question] = []
    passages: list[Planted] = []
    for number in range(count):
        question, rows = _planted(number, seed)
        questions.append(question)
        passages += rows
    return questions, passages


def planted_names(count: int, seed: int) -> list[str]:
    """Return the entities that the questions lead through, X and Y of each."""
    names = []
    for _, passages in (_planted(number, seed) for number in range(count)):
        names += [passages[0].title, passages[1].title]
    return names


def _planted(number: int, seed: int) -> tuple[Question, list[Planted]]:
    draw = np.random.default_rng([seed, number, 2])
    ids = RESERVED + (seed << 24) + 16 * number + np.arange(16)
    relation, other = (int(r) for r in draw.choice(len(RELATIONS), 2, replace=False))
    attribute = int(draw.integers(len(ATTRIBUTES)))
    work, second = work_names(ids[:2]).tolist()
    # Three words: two alone are the title of something else too often once a corpus has a million passages.
    work = f"{work} {words_table().title[int(draw.integers(1000, 3000))]}"
    person, stranger, third = person_names(ids[2:5]).tolist()
    namesake = f"{stranger.split()[0]} {person.split()[-1]}"
    misleading = f"{second} {work.split()[-1]}"
    values = (person_names if attribute == _PAINTER else names_of)(ids[5:7]).tolist()
    name = f"q{number}"
    passages = [
        Planted(f"{name}a", work, relation, person),
        Planted(f"{name}b", person, attribute=attribute, value=values[0]),
        Planted(f"{name}c", misleading, relation, stranger),
        Planted(f"{name}d", namesake, attribute=attribute, value=values[1]),
        Planted(f"{name}e", f"{second} {third.split()[-1]}", other, person),
    ]
    who = f"the person by whom {work} was {RELATIONS[relation]}"
    text = ATTRIBUTES[attribute][1].format(who=who)
    gold = (f"{name}a", f"{name}b")
    return Question(name, text, (values[0],), gold, "bridge", 2), passages
