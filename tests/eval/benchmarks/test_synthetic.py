"""The made-up corpus: what it promises about text, names, questions and itself at another size."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from hipporag_like.errors import ConfigError
from hipporag_like.eval.benchmarks.synthetic import BLOCK, Corpus, background, planted_batch, write
from hipporag_like.eval.benchmarks.synthetic_planted import PER_QUESTION, plant
from hipporag_like.eval.benchmarks.synthetic_words import mixed, names_of, objects, words_table
from hipporag_like.eval.datasets import load_dataset
from hipporag_like.models.rules import RulesExtractor
from hipporag_like.text import STOPWORDS
from hipporag_like.types import Passage


@pytest.fixture(scope="module")
def two_thousand():
    batches = list(Corpus(2000).batches())
    return [d for b in batches for d in b.documents], [e for b in batches for e in b.extractions]


def test_the_extraction_is_what_the_rules_find(two_thousand):
    documents, extractions = two_thousand
    rules = RulesExtractor()
    passages = [Passage(d.id, d.id, d.text, 0, len(d.text)) for d in documents[:600]]
    assert list(rules.extract(passages)) == extractions[:600]


def test_texts_are_shaped_like_english(two_thousand):
    documents, extractions = two_thousand
    lengths = [
        len(d.text[a:b].split()) for d, e in zip(documents, extractions, strict=True) for a, b in e.sentences
    ]
    assert 10 <= np.percentile(lengths, 5) and np.percentile(lengths, 95) <= 34
    assert set(map(lambda e: len(e.sentences), extractions)) == {4, 5}
    mentions = np.mean([len(e.mentions) for e in extractions])
    assert 11 <= mentions <= 13
    words = [word.strip(".,") for d in documents for word in d.text.split()]
    assert 0.25 <= np.mean([word in STOPWORDS for word in words]) <= 0.5
    assert any(m.kind == "date" for e in extractions for m in e.mentions)


def test_a_few_names_stand_everywhere_and_most_in_few_passages(two_thousand):
    documents, extractions = two_thousand
    holds = Counter()
    for document, extraction in zip(documents, extractions, strict=True):
        holds.update({document.text[m.start : m.end] for m in extraction.mentions if m.kind == "name"})
    counts = np.sort(np.array(list(holds.values())))[::-1]
    assert 3 <= (counts > 0.05 * len(documents)).sum() <= 10
    assert np.mean(counts <= 2) > 0.6
    slope = np.polyfit(np.log(np.arange(1, 101)), np.log(counts[:100]), 1)[0]
    assert -1.3 < slope < -0.4  # Zipf's law, flatter than for words as names are


def test_names_grow_with_the_corpus_and_slower_than_it():
    def distinct(passages):
        found = set()
        for batch in Corpus(passages, questions=0).batches():
            for document, extraction in zip(batch.documents, batch.extractions, strict=True):
                found.update(document.text[m.start : m.end] for m in extraction.mentions)
        return len(found)

    assert 1.5 < distinct(4000) / distinct(2000) < 2


def test_a_smaller_corpus_is_the_beginning_of_a_larger_one():
    def own(passages):
        return [d for d in Corpus(passages).documents() if d.id[0] == "s"]

    small = own(1500)
    assert small == own(4000)[: len(small)]


def test_planted_passages_are_the_same_at_any_size_and_lie_spread_out():
    small = {d.id: d for d in Corpus(1000, questions=40).documents() if d.id[0] == "q"}
    large = list(Corpus(3400, questions=40).documents())
    assert small.items() == {d.id: d for d in large if d.id[0] == "q"}.items() and len(small) == 200
    places = [place for place, d in enumerate(large) if d.id[0] == "q"]
    thirds = np.histogram(places, 3, (0, len(large)))[0]
    assert thirds.min() > 0.2 * len(places)


@pytest.mark.parametrize("passages", [1, 30, 999, 1000, 1001, 2500])
def test_as_many_passages_as_asked_for(passages):
    documents = list(Corpus(passages).documents())
    assert len(documents) == len({d.id for d in documents}) == passages
    assert all(d.title and d.text.endswith(".") for d in documents)


def test_another_seed_makes_another_corpus():
    one, other = (list(Corpus(100, seed=seed).documents()) for seed in (0, 1))
    assert one == list(Corpus(100).documents())
    assert not {d.text for d in one} & {d.text for d in other}


def test_questions_lead_from_one_passage_to_another_that_they_do_not_name():
    questions, passages = plant(200, 0)
    texts = {d.id: d for d in planted_batch(0, passages).documents}
    assert len(texts) == PER_QUESTION * len(questions) == 1000
    for question in questions:
        first, second = (texts[name] for name in question.supporting)
        assert first.title in question.question and second.title not in question.question
        assert second.title in first.text and second.title not in question.question
        assert question.answers[0] in second.text and question.answers[0] not in question.question


def test_misleading_passages_say_the_same_of_others():
    _, passages = plant(20, 0)
    for first, second, other_work, namesake, third in zip(*[iter(passages)] * PER_QUESTION, strict=True):
        assert other_work.relation == first.relation and other_work.made_by != first.made_by
        assert namesake.attribute == second.attribute and namesake.title != second.title
        assert namesake.title.split()[-1] == second.title.split()[-1]
        assert third.made_by == second.title and third.relation != first.relation


def test_the_background_mentions_planted_entities_now_and_then():
    through = objects(["Zzyx Qqwer"])
    texts = [d.text for block in range(2) for d in background(0, block, BLOCK, through).documents]
    assert 2 <= sum("Zzyx Qqwer" in text for text in texts) <= 60


def test_it_is_a_data_set(tmp_path):
    write(Corpus(150), tmp_path / "made")
    found = load_dataset(tmp_path / "made")
    assert len(found.documents) == 150 and len(found.questions) == Corpus(150).planted == 6
    assert found.questions[0].supporting == ("q0a", "q0b")
    assert json.loads((tmp_path / "made" / "corpus.jsonl").read_text().splitlines()[0])["title"]


@pytest.mark.parametrize(
    "wrong", [{"passages": 0}, {"passages": 5, "seed": -1}, {"passages": 5, "questions": -1}]
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(ConfigError, match="at least"):
        Corpus(**wrong)


def test_names_depend_on_the_number_alone_and_are_mostly_different():
    numbers = np.arange(20_000)
    names = names_of(numbers)
    assert names_of(numbers[::-1])[::-1].tolist() == names.tolist()
    assert len(set(names.tolist())) > 0.93 * len(names)
    assert {len(name.split()) for name in names} == {1, 2, 3}
    assert all(word[0].isupper() for name in names for word in name.split())


def test_small_words_are_no_function_words_and_in_order_of_frequency():
    table = words_table()
    assert len(set(table.content)) == len(table.content)
    assert not STOPWORDS & set(table.content)
    assert np.all(np.diff(np.diff(table.content_cdf)) < 0) and table.content_cdf[-1] == pytest.approx(1)


def test_numbers_are_well_mixed():
    bits = mixed(np.arange(4096, dtype=np.uint64), 1)
    ones = np.array([[(int(b) >> k) & 1 for k in range(64)] for b in bits[:1000]]).mean(axis=0)
    assert np.all(np.abs(ones - 0.5) < 0.08) and len(set(bits.tolist())) == 4096
