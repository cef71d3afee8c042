"""The papers' two methods against slow code with dictionaries and loops, and against numbers worked by hand.

The slow code follows the description of both algorithms step by step and shares nothing with the library but the
random vectors; igraph's PRPACK walks, as in the authors' code.
"""

import igraph
import numpy as np
import pytest

from hipporag_like.config import Config
from hipporag_like.indexing.phrases import collect_phrases, phrase_graph, phrase_mentions
from hipporag_like.indexing.rows import rows_of
from hipporag_like.rag import HippoRAG
from hipporag_like.retrieval import hipporag, hipporag2
from hipporag_like.retrieval.phrase_graph import PhraseGraph
from hipporag_like.store.tables import StringTable, pack_strings
from hipporag_like.text import content_hash, hash64
from hipporag_like.types import Document, Extraction, Mention, Triple

DIM = 5  # so few that some random phrases are synonyms
QUESTION = "Did Ova or Ubi meet Ilo in Ara?"
NAMED = ("ova", "ubi", "ilo", "ara")


class RandomVectors:
    """A random direction a text, the same each time; ``seed`` makes other ones."""

    dim = DIM

    def __init__(self, seed):
        self.seed = seed
        self.fingerprint = f"random:{seed}"

    def embed(self, texts, kind="passage"):
        rows = [np.random.default_rng([hash64(text), self.seed]).standard_normal(DIM) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(-1, DIM)


class GivenTriples:
    """The triples of each passage, which are its text."""

    fingerprint = "given"

    def key(self, passage):
        return content_hash(passage.text)

    def extract(self, passages):
        for passage in passages:
            triples = tuple(Triple(*line.split("|")) for line in passage.text.split("\n") if "|" in line)
            name = Mention(0, len(passage.text.split("|")[0])) if triples else None
            yield Extraction(((0, len(passage.text)),), (name,) if name else (), (), triples)


def random_corpus(seed):
    """Passages of 0 to 5 triples over few phrases, so that pairs recur, some reflexive, some short."""
    draw = np.random.default_rng(seed)
    phrases = ["Ova", "Ubi", "Ilo", "Ara", "Al", "X", "Ena Oro", "Ipo", "Emi", "Ulu", "Eka", "Ono"]
    relations = ["met", "saw", "left"]
    return [
        [
            (
                str(draw.choice(phrases)),
                str(draw.choice(relations)),
                str(draw.choice(phrases)),
            )
            for _ in range(int(draw.integers(0, 6)))
        ]
        for _ in range(int(draw.integers(3, 14)))
    ]


class Slow:
    """Both methods with dictionaries and loops."""

    def __init__(self, corpus, texts, embedder, threshold=0.8):
        once = [list(dict.fromkeys(triples)) for triples in corpus]
        self.corpus = [[tuple(part.lower() for part in triple) for triple in triples] for triples in once]
        self.passages = texts
        self.vector = {}
        self.embedder = embedder
        self.facts = sorted({triple for triples in self.corpus for triple in triples})
        self.phrases = sorted({end for s, _, o in self.facts for end in (s, o)})
        self.chunks = {
            phrase: {i for i, triples in enumerate(self.corpus) for s, _, o in triples if phrase in (s, o)}
            for phrase in self.phrases
        }
        self.edges = {}
        for triples in self.corpus:
            for s, _, o in triples:
                self.edges[s, o] = self.edges.get((s, o), 0.0) + 1.0
                self.edges[o, s] = self.edges.get((o, s), 0.0) + 1.0
        for one in self.phrases:
            if len(one.replace(" ", "")) > 2:
                for other in self.phrases:
                    if one != other and self.cosine(one, other) >= threshold:
                        self.edges[one, other] = self.cosine(one, other)

    def of(self, text):
        if text not in self.vector:
            self.vector[text] = self.embedder.embed([text])[0].astype(float)
        return self.vector[text]

    def cosine(self, one, other):
        return float(self.of(one) @ self.of(other))

    def walk(self, edges, nodes, reset):
        number = {node: i for i, node in enumerate(nodes)}
        kept = {pair: weight for pair, weight in edges.items() if pair[0] != pair[1]}
        graph = igraph.Graph(len(nodes), [(number[a], number[b]) for a, b in kept])
        ranks = graph.personalized_pagerank(
            damping=0.5,
            directed=False,
            weights=list(kept.values()),
            reset=[reset.get(node, 0.0) for node in nodes],
            implementation="prpack",
        )
        return dict(zip(nodes, ranks, strict=True))

    def dense(self):
        return scaled([self.cosine(QUESTION, text) for text in self.passages])

    def hipporag2(self, specificity=True, keep=lambda facts: facts):
        scores = dict(
            zip(self.facts, scaled([self.cosine(QUESTION, str(f)) for f in self.facts]), strict=True)
        )
        best = keep(sorted(self.facts, key=lambda fact: -scores[fact])[:5])
        if not best:
            return self.dense()
        weight, times = {}, {}
        for fact in best:
            for phrase in {fact[0], fact[2]}:
                held = len(self.chunks[phrase]) if specificity else 1
                weight[phrase] = weight.get(phrase, 0.0) + scores[fact] / held
                times[phrase] = times.get(phrase, 0) + 1
        weight = {phrase: value / times[phrase] for phrase, value in weight.items()}
        reset = dict(sorted(weight.items(), key=lambda item: (-item[1], item[0]))[:5])  # ties by name
        edges = dict(self.edges)
        for i, triples in enumerate(self.corpus):
            for s, _, o in triples:
                edges[i, s] = edges[i, o] = 1.0
        for i, near in enumerate(self.dense()):
            reset[i] = 0.05 * near
        ranks = self.walk(edges, [*self.phrases, *range(len(self.corpus))], reset)
        return [ranks[i] for i in range(len(self.corpus))]

    def hipporag(self, specificity=True, ensemble=False):
        if not self.phrases:
            return self.dense()
        reset, linked = {}, []
        for name in NAMED:
            best = max(self.phrases, key=lambda phrase: self.cosine(name, phrase))
            linked.append(self.cosine(name, best))
            reset[best] = 1.0 / len(self.chunks[best]) if specificity else 1.0
        ranks = self.walk(self.edges, self.phrases, reset)
        found = []
        for triples in self.corpus:
            mass = 0.0
            for fact in set(triples):
                for phrase in {fact[0], fact[2]}:
                    mass += ranks[phrase]
            found.append(mass)
        found = scaled(found)
        if ensemble and min(linked) <= 0.9:
            found = [0.5 * a + 0.5 * b for a, b in zip(found, self.dense(), strict=True)]
        return found


def scaled(values):
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 1.0 for value in values]


def text_of(number, triples):
    return "\n".join("|".join(triple) for triple in triples) or f"nothing said in {number}"


@pytest.fixture
def indexed(tmp_path, monkeypatch):
    import os

    monkeypatch.setattr(os, "fsync", lambda descriptor: None)

    def make(seed, **options):
        corpus = random_corpus(seed)
        # Distinct texts, since equal ones would tie in every score.
        texts = [f"{text_of(i, triples)}\n{i}" for i, triples in enumerate(corpus)]
        embedder = RandomVectors(seed)
        rag = HippoRAG(
            tmp_path / f"{seed}",
            config=Config.from_dict({"hipporag": options}),
            embedder=embedder,
            extractor=GivenTriples(),
        )
        report = rag.index(
            [Document(text, f"{i:03}") for i, text in enumerate(texts)],
        )
        assert report.failures == ()
        return rag, Slow(corpus, texts, embedder), len(texts)

    return make


def assert_same(hits, expected):
    found = {int(hit.passage.document_id): hit.score for hit in hits}
    assert len(found) == len(expected)
    for number, score in enumerate(expected):
        assert found[number] == pytest.approx(score, abs=1e-6)
    in_order = [expected[int(hit.passage.document_id)] for hit in hits]
    assert all(later <= before + 1e-6 for before, later in zip(in_order, in_order[1:], strict=False))


@pytest.mark.parametrize("seed", range(14))
@pytest.mark.parametrize("specificity", [True, False])
def test_hipporag2(indexed, seed, specificity):
    rag, slow, n = indexed(seed, specificity=specificity)
    assert_same(rag.retrieve(QUESTION, n, method="hipporag2"), slow.hipporag2(specificity))


@pytest.mark.parametrize("seed", range(14, 26))
@pytest.mark.parametrize(("specificity", "ensemble"), [(True, False), (False, False), (True, True)])
def test_hipporag(indexed, seed, specificity, ensemble):
    rag, slow, n = indexed(seed, specificity=specificity, ensemble=ensemble)
    assert_same(rag.retrieve(QUESTION, n, method="hipporag"), slow.hipporag(specificity, ensemble))


def test_the_corpora_hold_what_they_should():
    """Synonyms, short phrases, reflexive and repeated triples: else the comparisons above show little."""
    slow = [Slow(random_corpus(seed), [], RandomVectors(seed)) for seed in range(26)]
    counts = [weight for one in slow for weight in one.edges.values()]
    assert sum(weight > 1 for weight in counts) > 50
    assert sum(0.8 <= weight < 1 for weight in counts) > 50
    assert any(s == o for one in slow for s, _, o in one.facts)
    assert any(s in ("al", "x") for one in slow for s, _, _ in one.facts)


# By hand


def made(passages, phrase_vectors=None, fact_vectors=None):
    """The graph of passages' triples; without vectors, all stand at right angles."""
    phrases = collect_phrases(
        [Extraction(triples=tuple(Triple(*t) for t in triples)) for triples in passages]
    )
    n, n_facts = len(phrases.texts), len(phrases.relations)
    vectors = np.eye(n, 16, dtype=np.float32) if phrase_vectors is None else phrase_vectors
    mentions = phrase_mentions(phrases, len(passages))
    relation = np.repeat(np.arange(n_facts, dtype=np.int32), 2)
    return PhraseGraph(
        names=StringTable(*pack_strings(phrases.texts)),
        vectors=vectors,
        fact_vectors=np.eye(n_facts, 16, dtype=np.float32) if fact_vectors is None else fact_vectors,
        fact_phrases=rows_of(relation, phrases.ends.ravel(), np.ones(2 * n_facts, np.float32), n_facts),
        passages_of=np.maximum(np.bincount(mentions.indices, minlength=n), 1),
        mentions=mentions,
        graph=phrase_graph(phrases, mentions, vectors, len(passages), 0.8),
    )


def unit(number):
    return np.eye(16, dtype=np.float32)[number]


CONFIG = Config().hipporag
ONE_FACT = [[("Ada", "met", "Ben")], []]


@pytest.mark.parametrize("engine", ["push", "power", "prpack"])
def test_one_fact(engine):
    # r = 1, 1 and 0.05 of 2.05 on ada, ben and the passage; ada - ben weighs 2, each to the passage 1.
    # a = r_a/2 + (2/3 a + p/2)/2 and p = r_p/2 + a/3 give a = 12/7 (r_a/2 + r_p/8).
    r_a, r_p = 1 / 2.05, 0.05 / 2.05
    a = 12 / 7 * (r_a / 2 + r_p / 8)
    near = [np.array([0.9, 0.2], np.float32)]
    ranked = hipporag2.rank([made(ONE_FACT)], unit(3), near, CONFIG, None, engine)
    np.testing.assert_allclose(ranked.masses[0], [a, a], atol=1e-8)
    np.testing.assert_allclose(ranked.scores[0], [r_p / 2 + a / 3, 0.0], atol=1e-8)
    assert [(fact.number, fact.score) for fact in ranked.facts] == [(0, 1.0)]
    assert [(seed.entity, seed.weight) for seed in ranked.seeds] == [
        ("ada", pytest.approx(r_a)),
        ("ben", pytest.approx(r_a)),
    ]
    assert ranked.note == ""


def test_equal_scores_are_all_one_and_decided_by_number():
    triples = [(f"Subject {c}", "met", f"Target {c}") for c in "abcdefg"]
    graph = made([triples], np.eye(14, 16, dtype=np.float32), np.tile(unit(0), (7, 1)))
    ranked = hipporag2.rank([graph], unit(0), [np.ones(1, np.float32)], CONFIG, None, "push")
    assert [(fact.number, fact.score) for fact in ranked.facts] == [(n, 1.0) for n in range(5)]
    assert [seed.entity for seed in ranked.seeds] == [f"subject {c}" for c in "abcde"]
    assert [seed.weight for seed in ranked.seeds] == pytest.approx([1 / 5.05] * 5)


THREE_FACTS = [[("Ada", "met", "Ben")], [("Cid", "met", "Dan")], [("Eva", "met", "Fay")]]


def test_fewer_than_five_facts():
    vector = np.zeros(16, np.float32)
    vector[:3] = 0.9, 0.3, 0.1  # scaled: 1, 0.25, 0
    ranked = hipporag2.rank([made(THREE_FACTS)], vector, [np.ones(3, np.float32)], CONFIG, None, "push")
    assert [fact.score for fact in ranked.facts] == pytest.approx([1.0, 0.25, 0.0])
    # The last fact weighs nothing, and so do its phrases: they are no seeds.
    total = 2 * 1.0 + 2 * 0.25 + 3 * 0.05
    assert [(seed.entity, round(seed.weight * total, 6)) for seed in ranked.seeds] == [
        ("ada", 1.0),
        ("ben", 1.0),
        ("cid", 0.25),
        ("dan", 0.25),
    ]


def test_only_the_least_fact_is_kept():
    vector = np.zeros(16, np.float32)
    vector[:3] = 0.9, 0.3, 0.1
    near = [np.array([0.1, 0.2, 0.3], np.float32)]
    ranked = hipporag2.rank([made(THREE_FACTS)], vector, near, CONFIG, lambda facts: [2], "push")
    assert [fact.number for fact in ranked.facts] == [2]
    assert ranked.seeds == ()
    assert ranked.note == ""  # the walk went, from the passages alone
    # Each passage and its two phrases are an island; what passages are given, mm(near), stays on it.
    islands = [m.sum() for m in np.split(ranked.masses[0], 3)] + ranked.scores[0]
    np.testing.assert_allclose(islands, [0, 1 / 3, 2 / 3], atol=1e-8)


def test_nothing_weighs_anything():
    from dataclasses import replace

    vector = np.zeros(16, np.float32)
    vector[:3] = 0.9, 0.3, 0.1
    near = [np.array([0.1, 0.2, 0.3], np.float32)]
    light = replace(CONFIG, passage_weight=0.0)
    ranked = hipporag2.rank([made(THREE_FACTS)], vector, near, light, lambda facts: [2], "push")
    assert ranked.note == "the facts found weigh nothing; the passages' similarity answered instead"
    np.testing.assert_allclose(ranked.scores[0], [0, 0.5, 1], atol=1e-6)


@pytest.mark.parametrize("passages", [[[], []], []])
def test_no_facts(passages):
    near = [np.arange(len(passages), dtype=np.float32)]
    ranked = hipporag2.rank([made(passages)], unit(0), near, CONFIG, None, "push")
    assert ranked.note == "no fact bears on the question; the passages' similarity answered instead"
    assert ranked.scores[0].tolist() == list(range(len(passages)))
    assert ranked.seeds == ranked.facts == ranked.masses == ()
    ranked = hipporag.rank([made(passages)], ["ada"], unit(0)[None, :], near, CONFIG, "push")
    assert ranked.note == "there are no phrases to link to; the passages' similarity answered instead"
    assert ranked.scores[0].tolist() == list(range(len(passages)))


def test_a_triple_from_a_phrase_to_itself_counts_once():
    # Twice, "ada" would weigh (2 * 1 + 0.5) / 3 and not (1 + 0.5) / 2.
    graph = made([[("Ada", "is", "Ada"), ("Ada", "met", "Ben"), ("Cid", "met", "Dan")]])
    vector = np.zeros(16, np.float32)
    vector[:3] = 1.0, 0.5, 0.0
    ranked = hipporag2.rank([graph], vector, [np.zeros(1, np.float32)], CONFIG, None, "push")
    weights = {seed.entity: seed.weight for seed in ranked.seeds}
    assert weights["ada"] / weights["ben"] == pytest.approx(0.75 / 0.5)
    # And for hipporag the passage gathers its mass once for that triple, once for the other.
    assert graph.mentions.weights.tolist() == [2.0, 1.0, 1.0, 1.0]


def test_hipporag_by_hand():
    # "ada" is in two passages, so it weighs 1/2 against 1 of "cid"; ada - ben weighs 4, cid - dan 2.
    passages = [[("Ada", "met", "Ben")], [("Ben", "saw", "Ada")], [("Cid", "met", "Dan")], []]
    graph = made(passages)
    vectors = np.stack([unit(0), unit(2)])
    near = [np.zeros(4, np.float32)]
    ranked = hipporag.rank([graph], ["ada", "cid"], vectors, near, CONFIG, "push")
    assert [(s.entity, s.matched) for s in ranked.seeds] == [("cid", "cid"), ("ada", "ada")]
    assert [s.weight for s in ranked.seeds] == pytest.approx([2 / 3, 1 / 3])
    # A pair of nodes splits what it is given 2 to 1; each passage gathers its pair.
    np.testing.assert_allclose(ranked.masses[0], [2 / 9, 1 / 9, 4 / 9, 2 / 9], atol=1e-8)
    np.testing.assert_allclose(ranked.scores[0], [0.5, 0.5, 1.0, 0.0], atol=1e-8)
