"""The only place where text is normalised: word tokens, folding, entity keys, content hashes.

Everything that compares text (BM25, entity names, the gazetteer, question linking) uses these functions,
so two spellings are equal here or nowhere. No alphabet is special: a name in any script survives.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

# Combining marks that belong to the word before them; Python's \w leaves them out, which would cut
# Hindi, Hebrew with points or vocalised Arabic into single letters.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0711\u0730-\u074a\u07a6-\u07b0\u08d3-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983"
    "\u09bc-\u09d7\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57"
    "\u0b82\u0bbe-\u0bd7\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3e-\u0d4d"
    "\u0dca-\u0ddf\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u0f71-\u0f84"
    "\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u200c\u200d\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f\uff9e\uff9f"
)
# Scripts written without spaces: each character (with its marks) is a token, words are found as n-grams.
_UNSPACED = (
    "\u0e00-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e50-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u1000-\u102a\u103f-\u1049"
    "\u1780-\u17b3\u3040-\u3098\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003134f"
)
# Group 1 is the word.
WORD = re.compile(
    rf"(?<=\w)['\u2019][sS](?![\w{_MARKS}])"  # the possessive ending is no word
    rf"|([{_UNSPACED}][{_MARKS}]*"
    rf"|(?:[^\W_{_UNSPACED}][{_MARKS}]*)+(?:\+\+|#(?!\w))?)"  # C++, C#
)
_UNSPACED_CHAR = re.compile(f"[{_UNSPACED}]")
# Marks that are accents and vowel points; stripping them makes "Müller" findable as "Muller". Indic vowel
# signs and Japanese voicing marks are letters in all but name and stay.
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u064b-\u065f\u0670\u0640\u200c\u200d]")

ARTICLES = frozenset({"the", "a", "an"})
# English function words: never an entity by themselves, never the edge of a mined term. Other languages
# rely on the corpus: a word seen mostly in lower case is not a name (indexing.entities).
STOPWORDS = frozenset(
    """a about above after again against all also although am an and another any are around as at be became
    because become been before being below between both but by can cannot could did do does doing done down
    during each either else ever every few for former from further had has have having he hence her here hers
    herself him himself his how however i if in indeed instead into is it its itself just last latter less let
    like many may me meanwhile might more moreover most much must my myself near neither never nevertheless
    no nor not now of off often on once one only onto or other others otherwise our ours out over own per
    perhaps rather same several shall she should since so some still such than that the their theirs them
    themselves then there thereafter therefore these they this those though through throughout thus to
    together too toward towards under unless until up upon us various very via was we were what whatever when
    where whereas whether which while who whoever whole whom whose why will with within without would yes yet
    you your yours s t th st nd rd re ll ve d m o""".split()
)


def word_spans(text: str) -> list[tuple[str, int, int]]:
    """Return the folded word tokens of ``text`` with their places.

    Parameters
    ----------
    text
        Any Unicode text.

    Returns
    -------
    list of (token, start, end)
        In order of appearance; ``start`` and ``end`` are character offsets in ``text``. Scripts written
        without spaces give one token a character; a possessive ``'s`` gives none.
    """
    return [(fold(m.group(1)), m.start(1), m.end(1)) for m in WORD.finditer(text) if m.group(1)]


def words(text: str) -> list[str]:
    """Return the folded word tokens of ``text``, in order."""
    if text.isascii():
        return [w for w in WORD.findall(text.lower()) if w]
    return [fold(w) for w in WORD.findall(text) if w]


@lru_cache(maxsize=1 << 16)
def _fold_wide(token: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", token).casefold())
    # Some letters stand for a phrase with blanks, some for a bare accent; a token is one word, never none.
    bare = "".join(_ACCENTS.sub("", decomposed).split())
    return unicodedata.normalize("NFC", bare) or token


def fold(token: str) -> str:
    """Return ``token`` without case, accents and compatibility forms; other letters stay as they are."""
    return token.lower() if token.isascii() else _fold_wide(token)


def entity_key(surface: str) -> str:
    """Return the canonical key of an entity name; equal keys mean one entity.

    Folded words joined by spaces, without a leading article (unless only function words would be left:
    "The Who" stays). Empty where ``surface`` holds no word.
    """
    return key_of(words(surface))


def key_of(tokens: list[str]) -> str:
    """Return the entity key of folded word tokens; see :func:`entity_key`."""
    if len(tokens) > 1 and tokens[0] in ARTICLES and not all(t in STOPWORDS for t in tokens[1:]):
        tokens = tokens[1:]
    return " ".join(tokens)


def is_unspaced(token: str) -> bool:
    """Return whether ``token`` is a character of a script written without spaces."""
    return _UNSPACED_CHAR.match(token) is not None


def has_case(text: str) -> bool:
    """Return whether ``text`` holds a letter of a script that tells capitals from small letters."""
    return text.lower() != text.upper()


def squeeze(text: str) -> str:
    """Return ``text`` with each run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def content_hash(*parts: str) -> str:
    """Return 32 hexadecimal digits that identify ``parts`` (BLAKE2b, 128 bits, length-prefixed)."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def hash64(key: str) -> int:
    """Return a stable unsigned 64-bit hash of ``key``, for sorted look-up tables (BLAKE2b)."""
    data = key.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
