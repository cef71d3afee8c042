"""The words and names of made-up text: the same for every size, drawn by rank so that frequencies follow Zipf's law.

A few hundred real words stand first, because sentence splitting, the extractor and the statistics of names look at
function words, months and capitals; the rest is put together from syllables.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hipporag_like.models.token_classes import MONTHS, OPENERS
from hipporag_like.text import STOPWORDS

Objects = NDArray[np.object_]

# Mandelbrot's shift of Zipf's law, 1 / (rank + 2.7), his own fit for English words.
ZIPF_SHIFT = 2.7
# English Wikipedia has about 30,000 words that stand more than once in a million words, names left out.
N_CONTENT = 30_000
N_FIRST, N_LAST, N_PLACE, N_TITLE_WORDS = 3_000, 60_000, 120_000, 3_000
FIRST_YEAR, LAST_YEAR = 1850, 2024

OPENING = (
    "The In It At During After Before With This These For By From On As While Although When Since".split()
)
# In English running text about 45 of 100 words are function words; "the" and "of" lead them.
FUNCTION = (
    "the of and in a to with for as on by from at its was is that an had this which were into over".split()
)
# What follows a name: no word that may tie it to a name after it ("of", "the", "and").
AFTER_NAME = "was in is with had from by as for at on became who which has to when during until where".split()
_REAL = """city river town school family church music album film station company team season member village county
league song band work bridge road university government army king president state world history building population
art book author actor player award house district island party member office service power century science study
student teacher painter writer garden market street castle harbour valley mountain forest bank factory mill library
museum theatre festival journal paper language letter story novel poem play series character game club field court law
election council mayor minister treaty border battle war ship engine railway line train port trade coal iron steel
glass cotton wool grain wine bread salt water light stone wood roof wall gate tower clock bell choir organ piano
violin drum singer dancer dance stage scene screen camera picture colour design model plan map chart record label
studio radio channel network signal code system machine method theory proof number value cell plant tree flower seed
bird fish horse cattle farm soil rain wind snow winter summer spring coast bay cape lake pond stream channel canal dam
young early local small large northern southern eastern western common public private royal national ancient modern
former famous native rural central upper lower chief senior junior annual daily major minor main open quiet narrow
held built opened moved served joined won lost led wrote sang played ran taught made found left sold bought raised
grew closed began ended returned appeared worked lived described named used known called given taken seen placed
released recorded performed published designed produced composed directed founded discovered written restored
financed born buried married settled studied died received journey college medicine churchyard medal person""".split()
_ONSETS = "b br c ch cl d dr f fl g gr h j k kl l m n p pr qu r s sh st t th tr v w z".split()
_VOWELS = "a e i o u ai ea ie ou ar er or an en in on al el".split()
_ENDS = "n l r s t d m th ck nd st ne ve sk rt ld ng lm x ph".split()
_RESERVED = STOPWORDS | OPENERS | MONTHS | {"will", "von", "van", "bin", "ibn", "zu", "i"}


@dataclass(frozen=True)
class Words:
    """Tables of strings; each is used by rank, the most frequent first.

    Attributes
    ----------
    content, content_cdf
        Ordinary small words, and the distribution of their ranks, float64.
    first, last, place, title
        Parts of names, capitalised; ``title`` are ordinary words.
    day, month, year
        Dates, to the day, the month and the year.
    """

    content: Objects
    content_cdf: NDArray[np.float64]
    first: Objects
    last: Objects
    place: Objects
    title: Objects
    day: Objects
    month: Objects
    year: Objects


@lru_cache(maxsize=1)
def words_table() -> Words:
    """Return the tables; the same in every process."""
    taken = set(_RESERVED)
    real = _fresh(_REAL, taken)
    content = real + _made_up(N_CONTENT - len(real), 2, 1, taken)
    months = [month.capitalize() for month in "january february march april june july august".split()]
    months += [month.capitalize() for month in "september october november december".split()]
    years = [str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    by_month = [f"{month} {year}" for year in years for month in months]
    weight = 1 / (np.arange(N_CONTENT) + ZIPF_SHIFT)
    return Words(
        content=objects(content),
        content_cdf=np.cumsum(weight / weight.sum()),
        first=_capitalised(_made_up(N_FIRST, 2, 2, taken)),
        last=_capitalised(_made_up(N_LAST, 2, 3, taken)),
        place=_capitalised(_made_up(N_PLACE, 3, 4, taken)),
        title=_capitalised(content[:N_TITLE_WORDS]),
        day=objects([f"{day} {month}" for month in by_month for day in range(1, 29)]),
        month=objects(by_month),
        year=objects(years),
    )


def objects(strings: list[str]) -> Objects:
    """Return strings as an array of objects, which numpy takes from by rank."""
    table = np.empty(len(strings), dtype=object)
    table[:] = strings
    return table


def _capitalised(strings: list[str]) -> Objects:
    return objects([string.capitalize() for string in strings])


def _fresh(strings: list[str], taken: set[str]) -> list[str]:
    kept = [string for string in dict.fromkeys(strings) if string not in taken]
    taken.update(kept)
    return kept


def _made_up(count: int, syllables: int, seed: int, taken: set[str]) -> list[str]:
    draw = np.random.default_rng([seed, syllables])
    kept: list[str] = []
    while len(kept) < count:
        size = 2 * (count - len(kept)) + 16
        parts = [
            objects(part)[draw.integers(0, len(part), size)]
            for part in (*[_ONSETS, _VOWELS] * syllables, _ENDS)
        ]
        made = parts[0]
        for part in parts[1:]:
            made = made + part
        kept += _fresh(made.tolist(), taken)
    return kept[:count]


def mixed(numbers: NDArray[np.uint64], salt: int) -> NDArray[np.uint64]:
    """Return well-mixed 64-bit numbers, equal for equal ones (the finaliser of SplitMix64, Steele et al. 2014)."""
    z = numbers.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15) % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _skewed(numbers: NDArray[np.uint64], salt: int, table: Objects, power: float) -> Objects:
    """Return an entry of the table for each number, early ones more often the larger the power."""
    share = (mixed(numbers, salt) >> np.uint64(11)).astype(np.float64) / 2**53
    found: Objects = table[(len(table) * share**power).astype(np.int64)]
    return found


# Shares of the kinds of entities; of the names in Wikipedia's text about half are people and a quarter places.
_PEOPLE, _PLACES, _GROUPS = 0.45, 0.25, 0.10


def names_of(numbers: NDArray[np.int64]) -> Objects:
    """Return the name of each entity: one to three capitalised words, now and then shared by two entities."""
    table, ids = words_table(), numbers.astype(np.uint64)
    kind = (mixed(ids, 1) >> np.uint64(11)).astype(np.float64) / 2**53
    names = np.empty(len(ids), dtype=object)
    people = kind < _PEOPLE
    names[people] = person_names(numbers[people])
    places = ~people & (kind < _PEOPLE + _PLACES)
    names[places] = _place_names(ids[places])
    groups = ~people & ~places & (kind < _PEOPLE + _PLACES + _GROUPS)
    suffix = _skewed(ids[groups], 2, objects([" University", " Company", " Orchestra", " Institute"]), 1)
    names[groups] = _skewed(ids[groups], 3, table.place, 1.5) + suffix
    works = kind >= _PEOPLE + _PLACES + _GROUPS
    names[works] = work_names(numbers[works])
    return names


def person_names(numbers: NDArray[np.int64]) -> Objects:
    """Return a first and a last name for each number, one in seven with a middle name."""
    table, ids = words_table(), numbers.astype(np.uint64)
    names: Objects = _skewed(ids, 4, table.first, 2) + " "
    middle = mixed(ids, 5) % np.uint64(7) == 0
    names[middle] = names[middle] + _skewed(ids[middle], 6, table.first, 2) + " "
    full: Objects = names + _skewed(ids, 7, table.last, 1.5)
    return full


def work_names(numbers: NDArray[np.int64]) -> Objects:
    """Return two or three ordinary words for each number, capitalised."""
    table, ids = words_table(), numbers.astype(np.uint64)
    names: Objects = _skewed(ids, 8, table.title, 1.5) + " " + _skewed(ids, 9, table.title, 1.5)
    longer = mixed(ids, 10) % np.uint64(3) > 0
    names[longer] = names[longer] + " " + _skewed(ids[longer], 11, table.title, 1)
    return names


def _place_names(ids: NDArray[np.uint64]) -> Objects:
    names = _skewed(ids, 12, words_table().place, 1.5)
    longer = mixed(ids, 13) % np.uint64(5) > 1
    suffix = objects([" County", " Lake", " Park", " Bridge", " Bay", " Valley", " Castle", " Island"])
    names[longer] = names[longer] + _skewed(ids[longer], 14, suffix, 1)
    return names
