"""HippoRAG 2 finds what the authors' own code finds: MuSiQue, 100 questions, GPT-3.5's triples, no filter.

The authors' code was run on the same passages, triples and embedder. It decides ties at its phrase cut by the
order of a set, so its own recall@5 differs by half a point from run to run.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hipporag_like.config import Config
from hipporag_like.rag import HippoRAG

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "musique_train100"
TRIPLES = DATA / "openie_gpt-3.5-turbo-1106.jsonl"
THEIRS = {"recall@2": 44.2, "recall@5": 67.7, "recall@10": 77.8, "recall@20": 85.5}


@pytest.mark.slow
@pytest.mark.shared
def test_recall_is_that_of_the_authors_code(tmp_path: Path):
    if not TRIPLES.exists():
        pytest.skip("the development data is not beside the checkout")
    from hipporag_like.eval.datasets import load_dataset
    from hipporag_like.eval.experiment import evaluate

    dataset = load_dataset(DATA)
    options = {"extract": {"extractor": f"openie:{TRIPLES}"}, "search": {"filter": "off"}}
    with HippoRAG(tmp_path / "index", config=Config.from_dict(options)) as rag:
        assert rag.index(dataset.documents).failures == ()
        systems = evaluate(rag, dataset, ["hipporag2", "graph"])["systems"]
    found = {name: systems["hipporag2"][name] for name in THEIRS}
    assert found == pytest.approx(THEIRS, abs=1.5)
    # The same triples, by our own walk: 81.7 when this was written.
    assert systems["graph"]["recall@5"] >= 80
