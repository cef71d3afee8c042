"""A sum of decision trees, evaluated from plain arrays; a model file holds numbers and names, nothing that runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hipporag_like.errors import ModelError

FORMAT = 1
SUMS = "SHA256SUMS"  # in the form of sha256sum, beside the trees that are shipped


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees as one list of inner nodes and one of leaves.

    A row goes to ``left`` where its column ``feature`` is at most ``threshold``, else to ``right``; a child c below 0
    is the leaf ``-c - 1``.

    Attributes
    ----------
    names
        Of the columns.
    roots
        int32, (n_trees,): each tree's first node, or leaf where it has no nodes.
    feature, left, right
        int32, (n_nodes,).
    threshold
        float64, (n_nodes,).
    leaf
        float64, (n_leaves,): what a row that ends there gets.
    """

    names: tuple[str, ...]
    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    leaf: NDArray[np.float64]

    def score(self, table: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sum over the trees for each row.

        Parameters
        ----------
        table
            float32, (n, len(names)).

        Returns
        -------
        float64, (n,)
        """
        return self.scores_with(table, np.zeros(0, np.float32))[0]

    def scores_with(
        self, table: NDArray[np.float32], instead: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what :meth:`score` does, and what it would return had one column another value.

        Parameters
        ----------
        table
            float32, (n, len(names)).
        instead
            float32, (len(names),): the other value of each column; none asks for none.

        Returns
        -------
        float64, (n,) and (n, len(instead))
        """
        nodes = self.roots, self.feature, self.threshold, self.left, self.right, self.leaf
        found: tuple[NDArray[np.float64], NDArray[np.float64]] = _walker()(
            np.ascontiguousarray(table), np.ascontiguousarray(instead), *nodes
        )
        return found


def save_trees(trees: Trees, path: Path) -> None:
    """Write trees as JSON; the same trees give the same bytes."""
    rows = {
        "format": FORMAT,
        "names": list(trees.names),
        **{
            name: getattr(trees, name).tolist()
            for name in ("roots", "feature", "threshold", "left", "right", "leaf")
        },
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in rows.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def load_trees(path: Path) -> Trees:
    """Return the trees in a file; read once, and again where the file has changed.

    Raises
    ------
    ModelError
        It is not there, or is no such file, or a node in it leads nowhere.
    """
    try:
        state = path.stat()
        return _loaded(path, state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise ModelError(f"{path} is no model of this version ({error.strerror}); {_REMEDY}") from error


_REMEDY = "correct search.fusion, or install hipporag-like again where the file is its own"


def write_sums(folder: Path) -> None:
    """Note the checksum of each model in a folder; :func:`load_trees` takes no other file under its name."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    text = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    (folder / SUMS).write_text(text, encoding="utf-8", newline="\n")


def _is_as_shipped(path: Path, data: bytes) -> bool:
    """Return whether a model has the checksum noted beside it; one's own models have none."""
    sums = path.with_name(SUMS)
    if not sums.is_file():
        return True
    noted = (line.split() for line in sums.read_text(encoding="utf-8").splitlines())
    wanted = {row[1]: row[0] for row in noted if len(row) == 2}.get(path.name)
    return wanted is None or wanted == hashlib.sha256(data).hexdigest()


@lru_cache(maxsize=4)
def _loaded(path: Path, *state: int) -> Trees:
    """Return the trees in a file of some state: where it lies, when it was changed, and its size."""
    try:
        data = path.read_bytes()
        if not _is_as_shipped(path, data):
            raise ModelError(f"{path} is not the file that {SUMS} beside it names; {_REMEDY}")
        value = json.loads(data.decode("utf-8"))
        trees, version = _trees(value), value["format"]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ModelError(f"{path} is no model of this version ({error}); {_REMEDY}") from error
    if version != FORMAT or not _sound(trees):
        raise ModelError(f"{path} is no model of this version; {_REMEDY}")
    return trees


def _trees(value: Any) -> Trees:
    def whole(name: str) -> NDArray[np.int32]:
        if not all(type(number) is int for number in value[name]):
            raise ValueError(f"{name} holds what is no whole number")
        return np.array(value[name], dtype=np.int32)

    def real(name: str) -> NDArray[np.float64]:
        if not all(type(number) in (int, float) for number in value[name]):
            raise ValueError(f"{name} holds what is no number")
        return np.array(value[name], dtype=np.float64)

    names = tuple(map(str, value["names"]))
    nodes = whole("feature"), real("threshold"), whole("left"), whole("right")
    return Trees(names, whole("roots"), *nodes, real("leaf"))


def _sound(trees: Trees) -> bool:
    """Return whether every way through the trees ends in a leaf: children come after their parents."""
    nodes, leaves = len(trees.feature), len(trees.leaf)
    sizes = {len(trees.threshold), len(trees.left), len(trees.right)}
    if sizes != {nodes} or not np.isfinite(trees.threshold).all() or not np.isfinite(trees.leaf).all():
        return False
    if nodes and not (0 <= trees.feature.min() and trees.feature.max() < len(trees.names)):
        return False
    places = np.arange(nodes)
    later = all(((child > places) | (child < 0)).all() for child in (trees.left, trees.right))
    return later and all(_within(child, nodes, leaves) for child in (trees.roots, trees.left, trees.right))


def _within(child: NDArray[np.int32], nodes: int, leaves: int) -> bool:
    return bool(((child >= -leaves) & (child < nodes)).all())


def joined(names: Sequence[str], trees: Sequence[Trees]) -> Trees:
    """Return many trees as one sum."""
    nodes = np.cumsum([0, *(len(t.feature) for t in trees)])
    leaves = np.cumsum([0, *(len(t.leaf) for t in trees)])

    def moved(name: str) -> NDArray[np.int32]:
        parts = [
            np.where(child < 0, child - leaf, child + node)
            for child, node, leaf in zip((getattr(t, name) for t in trees), nodes, leaves, strict=False)
        ]
        return np.concatenate(parts).astype(np.int32)

    return Trees(
        tuple(names),
        moved("roots"),
        np.concatenate([t.feature for t in trees]),
        np.concatenate([t.threshold for t in trees]),
        moved("left"),
        moved("right"),
        np.concatenate([t.leaf for t in trees]),
    )


@lru_cache(maxsize=1)
def _walker() -> Callable[..., Any]:
    from hipporag_like.retrieval.descend import descend

    return descend
