"""What an index says about itself is what it holds."""

import json
from pathlib import Path

import pytest

from hipporag_like import Document, HippoRAG
from hipporag_like.config import Config, EmbedConfig, ExtractConfig
from hipporag_like.errors import IndexNotFoundError
from hipporag_like.indexing.index import Index
from hipporag_like.indexing.inspect import COUNTS, stats
from hipporag_like.sentences import sentence_spans
from hipporag_like.store import manifest
from hipporag_like.store.journal import Journal
from hipporag_like.store.snapshot import open_snapshot
from hipporag_like.text import content_hash
from hipporag_like.types import Extraction, Mention

CONFIG = Config(embed=EmbedConfig("hashing"), extract=ExtractConfig(mine_terms=False))


class Picky:
    """Capitalised words are names; a text with the word "bad" fails."""

    fingerprint = "picky:1"

    def key(self, passage):
        return content_hash(passage.title, passage.text)

    def extract(self, passages):
        for passage in passages:
            if "bad" in passage.text:
                yield Extraction(error="the word bad")
                continue
            at, mentions = 0, []
            for word in passage.text.split(" "):
                if word[:1].isupper():
                    mentions.append(Mention(at, at + len(word)))
                at += len(word) + 1
            yield Extraction(tuple(sentence_spans(passage.text)), tuple(mentions))


DOCUMENTS = [
    *(
        Document(f"we saw Rome and then Paris {extra} on day {i}", f"d{i}", metadata={"day": i})
        for i, extra in enumerate(["Oslo", "Oslo", "Ha0 Ga0 Fa0", "Ea0 Da0 Ca0", "Ba0 Aa0"])
    ),
    *(Document(f"this bad text is number {i}", f"bad{i:02}") for i in range(25)),
    Document("we met Ada in Rome", "x", "Lovelace", namespace="other"),
]


@pytest.fixture(scope="module")
def stats_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect") / "index"
    HippoRAG(folder, config=CONFIG, extractor=Picky()).index(DOCUMENTS)
    return folder


@pytest.fixture
def found(stats_folder):
    index = Index(open_snapshot(stats_folder))
    yield stats(index, stats_folder)
    index.close()


def test_counts(found):
    assert (found["documents"], found["passages"]) == (31, 31)
    assert sorted(found["namespaces"]) == ["default", "other"]
    for name in COUNTS:
        assert found[name] == sum(part[name] for part in found["namespaces"].values())
    other = found["namespaces"]["other"]
    assert (other["documents"], other["facts"], other["triples"]) == (1, 1, 0)


def test_the_entities_with_most_passages_come_first(found):
    # Rome and Paris are in all five, Oslo in two, Aa0 to Ha0 in one each; equals go by name, ten are shown.
    names = found["namespaces"]["default"]["top_entities"]
    assert list(names.items())[:3] == [("Paris", 5), ("Rome", 5), ("Oslo", 2)]
    assert len(names) == 10
    assert list(names)[3:] == ["Aa0", "Ba0", "Ca0", "Da0", "Ea0", "Fa0", "Ga0"]
    assert set(found["namespaces"]["other"]["top_entities"].values()) == {1}


def test_bytes_are_those_on_disk(found, stats_folder):
    snapshot = stats_folder / "snapshots" / str(found["snapshot"])
    sizes = dict(found["bytes"])
    journal, whole = sizes.pop("journal"), sizes.pop("snapshot")
    assert whole == sum(f.stat().st_size for f in snapshot.rglob("*.npy"))
    assert whole == sum(sizes.values()) == sum(part["bytes"] for part in found["namespaces"].values())
    assert journal >= (stats_folder / "journal.db").stat().st_size
    assert sizes["other"] == 0, "an array belongs to no family"
    assert all(size > 0 for family, size in sizes.items() if family != "other")


def test_models_and_options(found):
    assert found["models"] == {"embedder": "hashing-1:256", "dim": 256, "extractor": "picky:1"}
    assert found["config"] == CONFIG.to_dict()
    assert (found["format"], found["up_to_date"]) == (manifest.FORMAT, True)


def test_failures_with_their_reasons(found):
    assert found["failures"]["count"] == 25
    assert len(found["failures"]["first"]) == 20
    assert found["failures"]["first"]["bad00#0"] == "the word bad"


def test_json_and_the_same_each_time(found, stats_folder):
    again = stats(Index(open_snapshot(stats_folder)), stats_folder)
    assert json.dumps(again, allow_nan=False) == json.dumps(found, allow_nan=False)


def test_a_journal_ahead_of_the_snapshot_shows(tmp_path):
    HippoRAG(tmp_path / "i", config=CONFIG, extractor=Picky()).index(DOCUMENTS[:1])
    with Journal.open(tmp_path / "i") as journal:
        journal.put_documents([(Document("more", "m"), [(0, 4)])], "x")
    found = stats(Index(open_snapshot(tmp_path / "i")), tmp_path / "i")
    assert (found["up_to_date"], found["documents"]) == (False, 1)


def test_a_snapshot_without_a_journal_still_tells(tmp_path):
    HippoRAG(tmp_path / "i", config=CONFIG, extractor=Picky()).index(DOCUMENTS[:1])
    for file in (tmp_path / "i").glob("journal.db*"):
        file.unlink()
    found = stats(Index(open_snapshot(tmp_path / "i")), tmp_path / "i")
    assert (found["up_to_date"], found["documents"], found["bytes"]["journal"]) == (None, 1, 0)


def test_nothing_published_yet(tmp_path):
    with Journal.open(tmp_path / "i") as journal:
        journal.put_documents([(DOCUMENTS[0], [(0, 4)])], "x")
    found = stats(None, tmp_path / "i")
    assert (found["documents"], found["snapshot"], found["up_to_date"]) == (1, None, False)
    assert found["namespaces"] == {"default": {"documents": 1}}


def test_no_index_at_all(tmp_path):
    with pytest.raises(IndexNotFoundError, match="no index at"):
        stats(None, tmp_path)


def test_a_log_that_goes_while_its_size_is_asked_for_is_no_error(stats_folder, monkeypatch):
    log, is_file = stats_folder / "journal.db-wal", Path.is_file

    def gone_after_the_look(self):
        if self != log:
            return is_file(self)
        log.unlink(missing_ok=True)
        return True

    monkeypatch.setattr(Path, "is_file", gone_after_the_look)
    with open_snapshot(stats_folder) as snapshot:
        assert stats(Index(snapshot), stats_folder)["bytes"]["journal"] > 0
