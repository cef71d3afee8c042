"""Fuzz targets: functions of text, which take any text there is and refuse none."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import fuzz_mutate as mutate
from fuzz_parsers_run import Target, require

from hipporag_like import sentences, text
from hipporag_like.config import ChunkConfig
from hipporag_like.eval import answer_metrics
from hipporag_like.indexing import chunk, spelling, surfaces, texts
from hipporag_like.models import (
    located,
    reader_asking,
    reader_places,
    reader_question,
    reader_spans,
    reader_words,
    rules,
    token_classes,
    token_estimate,
)
from hipporag_like.retrieval import question_entities
from hipporag_like.retrieval import windows as question_windows
from hipporag_like.types import Passage

SAMPLES = [
    "Dr. Ada King, Countess of Lovelace (10 December 1815 \u2013 27 November 1852), was born "
    "in London. She wrote Note G.",
    "# Heading\n\n- item one: yes.\n- item 2) no\n\nThe U.S. firm Foo & Bar Inc. paid $3.5m. "
    "\u201cReally?\u201d he said.\r\nNo. 5",
    "\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3002Python "
    "3\u306e\u4eba\u53e3\u306f1400\u4e07\u4eba\uff012020\u5e745\u67081\u65e5",
    "\u0645\u062d\u0645\u062f \u0628\u0646 \u0633\u0644\u0645\u0627\u0646\u061f "
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd. \u0928\u092e\u0938\u094d\u0924\u0947\u0964 "
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35",
    "Which film whose director was born in Graz came out first, The Tarn or Skerrow Light?",
    "Who is the paternal grandfather of Jean-Luc O'Neil's wife, born 3rd of May 1901?",
    "C++ and C#'s don't I've e.g. i.e. a.m. Ph.D. x_y_z `code` http://a.b/c?d=e#f 1,000.50 "
    "\u0663\u0664 \u00bd \u2167 \ufb01ne",
    "Caf\u00e9 Mu\u0308ller\u200d \U0001f469\u200d\U0001f469 stra\u00dfe \u0130stanbul \u1e9e A\u0301\u0301\u0301",
]  # fmt: skip
WORDS = ("Dr. ", "Inc. The", "born in ", " of ", " and ", "St. ", "May ", "1815", "\n\n", "# ", "- ", "1) ",
    "`", "_", "\u3002",
         "\u201c", "\u201d", "'s", "Who ", " or ", ", which", "between A and B, who", "out of X and Y", "?",
         "( ", ")", "BC",
         "\u2013", "3rd", "Ltd.", "McX", "de la ", "II")  # fmt: skip


def make_text(rng: random.Random, kept: str | None) -> str:
    """Return a text."""
    if kept is None and rng.random() < 0.2:
        return mutate.odd_text(rng, 200)
    return mutate.changed_text(rng, rng.choice(SAMPLES) if kept is None else kept, SAMPLES, WORDS)


def run_words(given: str) -> None:
    """Words and their places, folding, keys, hashes, token counts."""
    spans = text.word_spans(given)
    require([w for w, _, _ in spans] == text.words(given), "words and places differ")
    require(all(0 <= a < b <= len(given) for _, a, b in spans), "a word lies outside")
    require(all(x[2] <= y[1] for x, y in zip(spans, spans[1:], strict=False)), "words overlap")
    require(all(word and not any(c.isspace() for c in word) for word, _, _ in spans), "a word that is none")
    key = text.entity_key(given)
    require(not key or not any(not word for word in key.split(" ")), "a key with an empty word")
    require(text.squeeze(text.squeeze(given)) == text.squeeze(given), "squeeze")
    require(len(text.content_hash(given, key)) == 32 and 0 <= text.hash64(given) < 1 << 64, "hashes")
    require(all(text.fold(text.fold(w)) == text.fold(w) for w, _, _ in spans), "folding twice differs")
    require(token_estimate.estimate_tokens(given) >= 0, "tokens")
    windows = token_estimate.estimated_windows(given, 64)
    require(all(window in given for window in windows), "a window that is no part")


def run_sentences(given: str) -> None:
    """Sentences and passages: in order, apart, and nothing left out."""
    spans = sentences.sentence_spans(given)
    _ordered(given, spans)
    config = ChunkConfig(max_tokens=8 + len(given) % 40, overlap=len(given) % 4)
    passages = chunk.chunk_document(given, config)
    require(bool(passages) == bool(given.strip()), "passages of nothing, or none")
    require(
        all(0 <= a < b <= len(given) and given[a:b].strip() == given[a:b] for a, b in passages),
        "a passage lies outside",
    )
    reached = 0
    for start, end in passages:
        require(not given[reached:start].strip() and end > reached, "a part in no passage")
        reached = end
    require(not given[reached:].strip(), "the end is in no passage")


def _ordered(given: str, spans: list[tuple[int, int]]) -> None:
    at = 0
    for start, end in spans:
        require(at <= start < end <= len(given) and not given[at:start].strip(), "a sentence lies outside")
        require(given[start:end].strip() == given[start:end], "blanks at the ends of a sentence")
        at = end
    require(not given[at:].strip(), "characters in no sentence")


def run_names(given: str) -> None:
    """Names by rules, their keys and spellings, and what they are compared by."""
    passage = Passage("d#0", "d", given, 0, len(given), given[:20])
    found = next(RULES.extract([passage]))
    require(found.error is None and list(found.sentences) == sentences.sentence_spans(given), "sentences")
    require(all(0 <= m.start < m.end <= len(given) for m in found.mentions), "a mention lies outside")
    known = surfaces.Surfaces()
    for mention in found.mentions:
        surface = given[mention.start : mention.end]
        keys = known.name(surface), known.term(surface), known.key(surface)
        require(all(isinstance(key, str) for key in keys) and keys[1] in ("", keys[2]), "keys")
        require(
            all(0 <= bucket < spelling.BUCKETS for bucket in spelling.trigrams(keys[2])),
            "a bucket lies outside",
        )
    names = question_entities.entities_by_rules(given)
    require(all(text.entity_key(name) for name in names), "a name without a word")
    require(all(given[m.start : m.end] for m in located.places(given, names)), "a place of nothing")
    plain = texts.plain(given)
    require(plain == plain.strip() and texts.plain(plain) == plain, "plain twice differs")
    require(all(form in given[:20] for form in surfaces.title_forms(passage.title)), "a form that is no part")
    require(set(texts.lexical_tokens(given)) <= set(text.words(given)), "a token that is no word")


def run_questions(given: str) -> None:
    """Questions taken apart, answers' spans, dates, lives, countries; scores of answers."""
    asked = reader_question.take_apart(given)
    require(isinstance(asked, reader_question.Asked), "no question")
    options = reader_question.choice_options(given)
    require(options is None or all(isinstance(o, str) for o in options), "options")
    for span in reader_spans.find_spans(given, True):
        require(0 <= span.start < span.end <= len(given), "a span lies outside")
    for date in reader_words.dates(given):
        require(0 <= date.start < date.end <= len(given) and 0 <= date.month <= 12, "a date")
    reader_words.life(given)
    require(
        all(0 <= a < b <= len(given) for _, a, b in reader_places.countries(given, True)),
        "a country lies outside",
    )
    require(all(0 <= a < b <= len(given) for _, a, b in reader_words.stems(given)), "a stem lies outside")
    require(all(window in given for window in question_windows.windows(given)), "a window that is no part")
    normal = answer_metrics.normalize_answer(given)
    require(answer_metrics.normalize_answer(normal) == normal or not normal.isascii(), "normal twice differs")
    require(answer_metrics.exact_match(given, [given]) == 1, "a text does not equal itself")
    require(0 <= answer_metrics.token_f1(given, [SAMPLES[0]]) <= 1, "a score outside of 0 to 1")


def targets(folder: Path) -> dict[str, Target]:
    """Return the targets of this module."""
    global RULES
    RULES = rules.RulesExtractor()
    list(RULES.extract([Passage("d#0", "d", "Ada", 0, 3)]))  # makes its pipeline

    def modules(*found: Any) -> list[str]:
        return [module.__name__ for module in found]

    asked = modules(
        reader_question, reader_spans, reader_words, reader_places, reader_asking, question_windows
    )
    return {
        "text-words": Target(make_text, run_words, (), modules(text, token_estimate)),
        "text-sentences": Target(make_text, run_sentences, (), modules(sentences, chunk)),
        "text-names": Target(
            make_text, run_names, (), modules(rules, token_classes, surfaces, texts, located)
        ),
        "text-questions": Target(make_text, run_questions, (), asked),
    }
