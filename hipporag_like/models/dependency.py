"""Subject, relation, object from a dependency parse; conservative: what is not clear gives no triple.

Reads both label sets that spaCy's pipelines use: ClearNLP's (English: nsubj, dobj, prep, pobj, agent) and
Universal Dependencies (most other languages: nsubj, obj, obl with a case child, cop).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hipporag_like.types import Triple

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_SUBJECTS = frozenset({"nsubj", "nsubjpass", "nsubj:pass"})
_OBJECTS = frozenset({"dobj", "obj", "attr", "oprd"})
_PREPOSITIONS = frozenset({"prep", "agent"})
_OBLIQUES = frozenset({"obl", "obl:agent", "obl:arg"})
_AUXILIARIES = frozenset({"auxpass", "aux:pass", "neg"})
_PARTS = frozenset(
    {"compound", "amod", "nummod", "flat", "flat:name", "fixed", "poss", "nmod", "quantmod", "goeswith"}
)
_NOMINAL = frozenset({"NOUN", "PROPN", "NUM", "X", "SYM"})


def dependency_triples(doc: Doc) -> list[Triple]:
    """Return the triples of a parsed text, in text order, each once.

    Parameters
    ----------
    doc
        With heads, dependency labels and parts of speech. Pronouns give no triple: they name nothing.
    """
    found = [triple for token in doc for triple in _of_predicate(token)]
    return list(dict.fromkeys(found))


def _of_predicate(token: Token) -> Iterator[Triple]:
    subjects = [noun for subject in _subjects(token) for noun in _with_conjuncts(subject)]
    if not subjects:
        return
    for relation, head in _complements(token):
        for noun in _with_conjuncts(head):
            for subject in subjects:
                yield Triple(_phrase(subject), relation, _phrase(noun))


def _subjects(token: Token) -> list[Token]:
    """Return the subjects of a predicate; one without takes those of the predicate it is coordinated with."""
    own = [child for child in token.children if child.dep_ in _SUBJECTS]
    if (
        own
        or token.dep_ != "conj"
        or token.pos_ not in ("VERB", "AUX")
        or token.head.pos_ not in ("VERB", "AUX")
    ):
        return own
    return _subjects(token.head)


def _complements(token: Token) -> Iterator[tuple[str, Token]]:
    """Yield (relation, object) of a predicate."""
    copulas = [child for child in token.children if child.dep_ == "cop"]
    if copulas:
        yield copulas[0].text, token
        return
    if token.pos_ not in ("VERB", "AUX"):
        return
    verb = " ".join(t.text for t in (*_auxiliaries(token), token, *_particles(token)))
    for child in token.children:
        if child.dep_ in _OBJECTS:
            yield verb, child
        elif child.dep_ in _PREPOSITIONS:
            for noun in child.children:
                if noun.dep_ == "pobj":
                    yield f"{verb} {child.text}", noun
        elif child.dep_ in _OBLIQUES:
            cases = [c.text for c in child.children if c.dep_ == "case"]
            yield " ".join([verb, *cases]), child


def _auxiliaries(verb: Token) -> list[Token]:
    return [child for child in verb.children if child.dep_ in _AUXILIARIES]


def _particles(verb: Token) -> list[Token]:
    return [child for child in verb.children if child.dep_ in ("prt", "compound:prt")]


def _with_conjuncts(head: Token) -> Iterator[Token]:
    for token in (head, *(c for c in head.conjuncts if c.i > head.i and c.pos_ in _NOMINAL)):
        if token.pos_ in _NOMINAL or token.ent_type_:
            yield token


def _phrase(head: Token) -> str:
    """Return the entity around a noun, else the noun with the words that are part of its name."""
    for ent in head.doc.ents:
        if ent.start <= head.i < ent.end:
            return str(ent.text)
    parts = [child.i for child in head.children if child.dep_ in _PARTS and not _has_case(child)]
    start, end = min([head.i, *parts]), max([head.i, *parts])
    return str(head.doc[start : end + 1].text)


def _has_case(token: Token) -> bool:
    return any(child.dep_ == "case" for child in token.children)
