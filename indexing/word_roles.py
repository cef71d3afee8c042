"""Which words may stand at the edge of a term, told from their neighbours: no tagger, no dictionary.

In English text nouns and adjectives come after articles and prepositions; verbs and participles come after
pronouns and auxiliaries, and articles come after them. Comparing the two counts separates "revolves" and
"directed" from "attack" and "film" well enough for terms. In other languages, and in scripts without spaces,
a word that stands in many passages is taken for a function word instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hipporag_like.indexing.vocabulary import Tokens, word_passages
from hipporag_like.text import STOPWORDS, is_unspaced

# What stands before nouns, and after verbs (the articles and possessives among it).
_ARTICLES = frozenset(
    "the a an his her its their our my your this these those no every each any some".split()
)
_BEFORE_NOUN = _ARTICLES | frozenset("of in for with from on by between into as".split())
# What stands before verbs, participles and adverbs.
_BEFORE_VERB = frozenset(
    """i he she it they we you who which that to was were is are be been being has have had will would can
    could may might must shall should did does do not also then later and""".split()
)
# English running text is 35 to 50 % function words, notes and logs 20 %; other languages stay below 5 %.
ENGLISH_SHARE = 0.1
# Function words of other languages: a word in more than this share of the passages; with single characters
# as words (Chinese), the common ones are spread wider.
FUNCTION_SHARE = 0.25
FUNCTION_SHARE_UNSPACED = 0.5
# Shares say nothing in a handful of passages.
MIN_PASSAGES_FOR_SHARES = 8


@dataclass(frozen=True, slots=True)
class Roles:
    """Flags of words; each bool, (n_words,).

    Attributes
    ----------
    content
        No function word and no number.
    edge
        May be a term by itself, or start or end one of several words.
    inner
        May stand inside a term.
    unspaced
        A character of a script written without spaces.
    """

    content: NDArray[np.bool_]
    edge: NDArray[np.bool_]
    inner: NDArray[np.bool_]
    unspaced: NDArray[np.bool_]


def word_roles(tokens: Tokens) -> Roles:
    """Return the roles of the words of a corpus."""
    words = tokens.words
    unspaced = np.array([is_unspaced(w) for w in words], dtype=bool)
    content = np.array([w not in STOPWORDS and not w[0].isdigit() for w in words], dtype=bool)
    content &= unspaced | (np.array([len(w) for w in words], dtype=np.int64) > 1)
    inner = content | np.array([w == "of" or w.isdigit() for w in words], dtype=bool)
    stop = np.array([w in STOPWORDS for w in words], dtype=bool)
    if len(tokens.ids) and stop[tokens.ids].mean() < ENGLISH_SHARE:
        content &= ~_spread_words(tokens, unspaced)
        return Roles(content, content, inner & (content | ~stop), unspaced)
    as_noun, as_verb = _seen_as(tokens)
    adverb = np.array([w.endswith("ly") for w in words], dtype=bool)
    return Roles(content, content & ~adverb & (as_noun >= as_verb), inner, unspaced)


def _spread_words(tokens: Tokens, unspaced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if tokens.n_passages < MIN_PASSAGES_FOR_SHARES:
        return np.zeros(len(tokens.words), dtype=bool)
    share = word_passages(tokens) / tokens.n_passages
    return share > np.where(unspaced, FUNCTION_SHARE_UNSPACED, FUNCTION_SHARE)


def _seen_as(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each word is seen where nouns stand, and where verbs stand."""
    n_words, ids = len(tokens.words), tokens.ids
    before, after, joined = ids[:-1], ids[1:], tokens.joined[1:]
    table = {
        name: np.array([w in members for w in tokens.words], dtype=bool)
        for name, members in (("noun", _BEFORE_NOUN), ("verb", _BEFORE_VERB), ("article", _ARTICLES))
    }
    as_noun = np.bincount(after[joined & table["noun"][before]], minlength=n_words)
    as_verb = np.bincount(after[joined & table["verb"][before]], minlength=n_words)
    as_verb += np.bincount(before[joined & table["article"][after]], minlength=n_words)
    return as_noun, as_verb
