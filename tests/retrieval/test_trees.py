"""Decision trees: against LightGBM's own predictions, a slow walk down, and damaged files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hipporag_like.errors import ModelError
from hipporag_like.retrieval.learned import model, needs_windows
from hipporag_like.retrieval.trees import SUMS, Trees, joined, load_trees, save_trees, write_sums

# A nested tree: a leaf's value, or (column, threshold, left, right).
Nested = Any
LEAVES = st.floats(-100, 100).map(float)
# Small whole numbers, so that rows often stand exactly on a threshold; 0.1 is no float32.
THRESHOLDS = st.integers(-3, 3).map(float) | st.sampled_from([0.1, -1e-30, 1e30])
COLUMNS = 4
NESTED = st.recursive(
    LEAVES,
    lambda tree: st.tuples(st.integers(0, COLUMNS - 1), THRESHOLDS, tree, tree),
    max_leaves=12,
)


def flat(nested: Nested, names: tuple[str, ...] = ("a", "b", "c", "d")) -> Trees:
    """Return one nested tree as arrays, parents before children."""
    nodes: list[list[float]] = []
    leaves: list[float] = []

    def add(tree: Nested) -> int:
        if not isinstance(tree, tuple):
            leaves.append(tree)
            return -len(leaves)
        at = len(nodes)
        nodes.append([tree[0], tree[1], 0, 0])
        nodes[at][2], nodes[at][3] = add(tree[2]), add(tree[3])
        return at

    root = add(nested)
    table = np.array(nodes, dtype=np.float64).reshape(-1, 4)
    feature, left, right = (table[:, i].astype(np.int32) for i in (0, 2, 3))
    return Trees(names, np.array([root], np.int32), feature, table[:, 1], left, right, np.array(leaves))


def slow(nested: Nested, row: np.ndarray) -> float:
    if not isinstance(nested, tuple):
        return float(nested)
    column, threshold, left, right = nested
    return slow(left if float(row[column]) <= threshold else right, row)


STUMP = (0, 0.5, -1.0, (1, 2.0, 3.0, 5.0))


def test_by_hand():
    table = np.array([[0.5, 9], [0.6, 2], [0.6, 2.1]], np.float32)  # at the threshold it goes left
    assert flat(STUMP, ("a", "b")).score(table).tolist() == [-1.0, 3.0, 5.0]
    assert flat(7.5, ("a", "b")).score(table).tolist() == [7.5] * 3
    twice = joined(("a", "b"), [flat(STUMP), flat(7.5), flat(STUMP)])
    assert twice.score(table).tolist() == [5.5, 13.5, 17.5]
    assert twice.score(table[:0]).shape == (0,)


def test_a_table_that_is_a_view_is_read_right():
    table = np.array([[0.5, 9], [0.6, 2], [0.6, 2.1]], np.float32)
    backwards = np.asfortranarray(table)[:, ::-1][:, ::-1]
    assert flat(STUMP, ("a", "b")).score(backwards).tolist() == [-1.0, 3.0, 5.0]


@settings(max_examples=150, deadline=None)
@given(st.lists(NESTED, min_size=1, max_size=5), st.integers(0, 1000))
def test_the_slow_walk_down_adds_up_to_the_same(nested: list[Nested], seed: int):
    draw = np.random.default_rng(seed)
    table = draw.integers(-3, 4, (6, COLUMNS)).astype(np.float32)
    table[::2] += np.float32(0.1)
    trees = joined(("a", "b", "c", "d"), [flat(tree) for tree in nested])
    expected = [sum(slow(tree, row) for tree in nested) for row in table]
    assert trees.score(table) == pytest.approx(expected, rel=1e-12, abs=1e-10)
    parts = sum(flat(tree).score(table) for tree in nested)
    assert trees.score(table) == pytest.approx(parts, rel=1e-12, abs=1e-10)
    again = joined(trees.names, [trees, trees])
    assert again.score(table) == pytest.approx(2 * trees.score(table), rel=1e-12, abs=1e-10)


@settings(max_examples=100, deadline=None)
@given(st.lists(NESTED, min_size=1, max_size=5), st.integers(0, 1000))
def test_another_value_in_one_column_is_as_another_table(nested: list[Nested], seed: int):
    draw = np.random.default_rng(seed)
    table = draw.integers(-3, 4, (4, COLUMNS)).astype(np.float32)
    instead = draw.integers(-3, 4, COLUMNS).astype(np.float32)
    trees = joined(("a", "b", "c", "d"), [flat(tree) for tree in nested])
    scores, changed = trees.scores_with(table, instead)
    assert scores.tolist() == trees.score(table).tolist()
    for column in range(COLUMNS):
        other = table.copy()
        other[:, column] = instead[column]
        assert changed[:, column].tolist() == trees.score(other).tolist()


def test_lightgbm_predicts_the_same(monkeypatch: pytest.MonkeyPatch):
    lightgbm = pytest.importorskip("lightgbm")
    from hipporag_like.eval.benchmarks import fit_fusion

    draw = np.random.default_rng(5)
    rows = draw.normal(size=(600, 6)).astype(np.float32)
    rows[:, 4] = draw.integers(0, 3, 600)  # many equal values, zero among them
    rows[:, 5] = 1.0  # never splits
    label = ((rows[:, 0] > 0.3) & (rows[:, 1] < 0.5)).astype(np.int32) + (rows[:, 4] == 0)
    data = lightgbm.Dataset(rows, label, group=[20] * 30)
    fitted = lightgbm.train(dict(fit_fusion.OPTIONS) | {"min_data_in_leaf": 5}, data, 25)
    names = tuple("abcdef")
    asked = np.concatenate(
        [rows, draw.normal(size=(400, 6)).astype(np.float32) * 3, np.zeros((1, 6), np.float32)]
    )

    def trees() -> Trees:
        dumped = fitted.dump_model()["tree_info"]
        return joined(names, [fit_fusion._tree(tree["tree_structure"], names) for tree in dumped])

    expected = fitted.predict(asked, num_threads=1)
    rounded = trees().score(asked)
    assert len(trees().roots) == 25
    assert np.abs(rounded - expected).max() <= 25 * 0.5 * 10.0**-fit_fusion.LEAF_DECIMALS
    monkeypatch.setattr(fit_fusion, "LEAF_DECIMALS", 17)
    assert trees().score(asked) == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert np.ptp(expected) > 1  # something was learned


@settings(max_examples=40, deadline=None)
@given(st.lists(NESTED, min_size=1, max_size=4))
def test_out_and_in_again_is_the_same_to_the_byte(
    tmp_path_factory: pytest.TempPathFactory, nested: list[Nested]
):
    folder = tmp_path_factory.mktemp("trees")
    trees = joined(("a", "b", "c", "d"), [flat(tree) for tree in nested])
    save_trees(trees, folder / "one.json")
    back = load_trees(folder / "one.json")
    for name in ("roots", "feature", "threshold", "left", "right", "leaf"):
        before, after = getattr(trees, name), getattr(back, name)
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before)
    assert back.names == trees.names
    save_trees(back, folder / "two.json")
    assert (folder / "two.json").read_bytes() == (folder / "one.json").read_bytes()
    shutil.rmtree(folder)


# Damage

Change = Callable[[dict[str, Any]], object]


def setting(name: str, place: int, value: Any) -> Change:
    def change(values: dict[str, Any]) -> None:
        values[name][place] = value

    return change


DAMAGE: dict[str, Change] = {
    **{f"no {name}": lambda v, name=name: v.pop(name) for name in  # type: ignore[misc]
       ("format", "names", "roots", "feature", "threshold", "left", "right", "leaf")},
    "another format": lambda v: v.update(format=2),
    "a format in words": lambda v: v.update(format="1"),
    "a threshold that is none": setting("threshold", 0, float("nan")),
    "a threshold without end": setting("threshold", 0, float("inf")),
    "a leaf that is none": setting("leaf", 1, float("nan")),
    "a threshold in words": setting("threshold", 0, "0.5"),
    "a leaf in words": setting("leaf", 0, "x"),
    "no threshold": setting("threshold", 0, None),
    "a node too far": setting("left", 0, 2),
    "a leaf too far": setting("right", 1, -4),
    "a root too far": setting("roots", 0, 2),
    "a root at a leaf too far": setting("roots", 0, -4),
    "a column too far": setting("feature", 1, 2),
    "a column below none": setting("feature", 1, -1),
    "a node that leads to itself": setting("right", 0, 0),
    "a circle": setting("left", 1, 0),
    "half a node": setting("right", 0, 1.5),
    "a node beyond 32 bits": setting("right", 0, 2**40),
    "a node in a list": setting("right", 0, [1]),
    "a threshold in a list": lambda v: v.update(threshold=[[0.5], [2.0]]),
    "too few thresholds": lambda v: v["threshold"].pop(),
    "too many children": lambda v: v["left"].append(-1),
    "one root and no list": lambda v: v.update(roots=0),
    "names that are none": lambda v: v.update(names=3),
    "no leaves": lambda v: v.update(leaf=[]),
}  # fmt: skip


def refused(path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load_trees(path)
    assert str(path) in str(caught.value)
    assert "is no model of this version" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damage: str):
    path = tmp_path / "trees.json"
    save_trees(flat(STUMP, ("a", "b")), path)
    values = json.loads(path.read_text())
    DAMAGE[damage](values)
    path.write_text(json.dumps(values))
    refused(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b'"trees"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}', b"\x00"],
    ids=range(10),
)
def test_what_is_no_such_file_at_all(tmp_path: Path, content: bytes):
    path = tmp_path / "trees.json"
    path.write_bytes(content)
    refused(path)


def test_a_file_that_is_not_there_and_one_that_is_a_folder(tmp_path: Path):
    refused(tmp_path / "none.json")
    refused(tmp_path)


def test_a_half_written_file_is_refused_wherever_it_ends(tmp_path: Path):
    save_trees(flat(STUMP, ("a", "b")), tmp_path / "whole.json")
    content = (tmp_path / "whole.json").read_bytes().rstrip()
    for end in range(0, len(content), 7):
        path = tmp_path / f"{end}.json"
        path.write_bytes(content[:end])
        refused(path)


def test_a_column_that_is_not_known_is_refused(tmp_path: Path):
    path = tmp_path / "trees.json"
    save_trees(flat(STUMP, ("walk", "zeitgeist")), path)
    with pytest.raises(ModelError, match="trees.json looks at zeitgeist, which this version does not know"):
        model(str(path))
    save_trees(flat(STUMP, ("walk", "dense")), tmp_path / "known.json")
    assert model(str(tmp_path / "known.json")).names == ("walk", "dense")


def test_the_shipped_trees_load_and_say_what_they_need():
    assert needs_windows(model("full"))
    assert not needs_windows(model("fast"))
    for fusion in ("full", "fast"):
        trees = model(fusion)
        assert len(trees.roots) > 0
        assert set(trees.feature.tolist()) <= set(range(len(trees.names)))


def test_a_file_that_changed_is_read_again(tmp_path: Path):
    path = tmp_path / "own.json"
    for leaf in (1.0, 25.5):
        none = np.zeros(0, np.int32)
        save_trees(
            Trees(("a",), np.array([-1], np.int32), none, np.zeros(0), none, none, np.array([leaf])), path
        )
        assert load_trees(path).score(np.zeros((1, 1), np.float32)).tolist() == [leaf]


def test_a_model_with_a_checksum_beside_it_must_have_it(tmp_path: Path) -> None:
    path = tmp_path / "shipped.json"
    save_trees(flat(STUMP, ("a", "b")), path)
    write_sums(tmp_path)
    assert load_trees(path).names == ("a", "b")
    path.write_text(path.read_text(encoding="utf-8").replace('"b"', '"c"'), encoding="utf-8")
    with pytest.raises(
        ModelError, match=f"not the file that {SUMS} beside it names; .*install hipporag-like again"
    ):
        load_trees(path)
    save_trees(flat(STUMP, ("a", "b")), tmp_path / "own.json")  # not listed: one's own
    assert load_trees(tmp_path / "own.json").names == ("a", "b")
