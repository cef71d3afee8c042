"""Knobs: one option at a time, everything else as it is, to see what quality rests on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hipporag_like.config import Config
from hipporag_like.errors import ConfigError
from hipporag_like.eval.questions import Dataset, Question, require_gold
from hipporag_like.eval.retrieval_metrics import recall_at_k
from hipporag_like.eval.studies.bench import (
    DECIMALS,
    Bench,
    Measured,
    Row,
    correct,
    described,
    judged,
    measure,
    paired,
    require_methods,
)
from hipporag_like.rag import HippoRAG

Value = int | float


@dataclass(frozen=True, slots=True)
class Knob:
    """An option by its name in the configuration, the values it is set to, and the methods that heed it."""

    name: str
    values: tuple[Value, ...]
    methods: tuple[str, ...]

    @property
    def place(self) -> tuple[str, str]:
        """Stage and option."""
        stage, _, option = self.name.partition(".")
        return stage, option


GRAPH = ("graph",)
WALKS = ("hipporag", "hipporag2")
# Values around each default. The passage weights are those of HippoRAG 2's own sweep, and none at all.
KNOBS = (
    Knob("search.damping", (0.5, 0.7, 0.85, 0.95), GRAPH),
    Knob("search.sharpness", (0.0, 2.0, 4.0, 8.0, 16.0), GRAPH),
    Knob("search.tolerance", (1e-6, 1e-5, 1e-4, 1e-3), GRAPH),
    Knob("hipporag.damping", (0.3, 0.5, 0.7, 0.85), WALKS),
    Knob("hipporag.linking_top_k", (1, 3, 5, 10, 20), ("hipporag2",)),
    Knob("hipporag.passage_weight", (0.0, 0.01, 0.05, 0.1, 0.3, 0.5), ("hipporag2",)),
    Knob("graph.title_weight", (0.0, 1.0, 2.0, 4.0, 8.0), GRAPH),
    Knob("graph.term_weight", (0.0, 0.1, 0.3, 1.0), GRAPH),
)
# Options of these stages are only read when a question is asked; others change the arrays of the index.
AT_QUERY: Mapping[str, bool] = MappingProxyType({"search": True, "hipporag": True, "graph": False})
DEPTHS = (1, 2, 3, 5, 10, 15, 20)  # k of the recall curve


def knobs(
    dataset: Dataset,
    bench: Bench,
    methods: Sequence[str] = (),
    chosen: Sequence[Knob] = KNOBS,
    limit: int | None = None,
) -> dict[str, Any]:
    """Return the quality at each value of each knob.

    Parameters
    ----------
    methods
        Only knobs of these, and only these; empty: each knob with all methods that heed it.
    chosen
        The knobs; the value in force is added where it is not among a knob's values.
    limit
        Only the first so many questions.

    Returns
    -------
    dict
        ``knobs``: for each (knob, method) the ``values``, with means, ``default`` for the one in force, and
        ``against_default`` (paired) for the others. ``recall_by_k``: by method, recall at each of ``DEPTHS`` with
        the options in force.

    Raises
    ------
    InputError, ConfigError, UsageError
        Gold that is missing, a knob or value that the configuration does not have, an unknown method.
    """
    require_methods(methods)
    require_gold(dataset)
    questions = judged(dataset, limit)
    turned = [(k, m) for k in chosen for m in k.methods if not methods or m in methods]
    names = tuple(dict.fromkeys([*(m for _, m in turned), *methods]))
    config = bench.config or bench.open(dataset.name).config
    settings = {(knob, value): set_to(config, knob, value) for knob, _ in turned for value in knob.values}
    base = bench.index(dataset)
    plain = measure(base, dataset, questions, names, bench.progress)
    table: list[dict[str, Any]] = []
    for knob, method in turned:
        rows = []
        for value in _values(knob, config):
            in_force = value == _current(config, knob)
            found = (
                plain[method]
                if in_force
                else _turned(base, settings[knob, value], knob, method, (dataset, questions), bench)
            )
            against = None if in_force else paired(found.rows, plain[method].rows)
            rows.append({"value": value, "default": in_force, **found.plain(), "against_default": against})
        table.append({"knob": knob.name, "method": method, "values": rows})
    correct([row["against_default"] for entry in table for row in entry["values"] if row["against_default"]])
    return {
        **described(dataset, questions),
        "knobs": table,
        "recall_by_k": {method: by_k(plain[method].rows, questions) for method in names},
    }


def knob_of(text: str) -> Knob:
    """Return the knob that ``NAME=VALUE,VALUE,...`` describes.

    Raises
    ------
    ConfigError
        It is not of that form, or no number.
    """
    name, _, listed = text.partition("=")
    stage = name.strip().partition(".")[0]
    try:
        values: tuple[Value, ...] = tuple(dict.fromkeys(_number(part) for part in listed.split(",")))
    except ValueError as error:
        raise ConfigError(f"a knob is NAME=VALUES, as search.damping=0.5,0.7, got {text!r}") from error
    heeding = {knob.name: knob.methods for knob in KNOBS}
    return Knob(name.strip(), values, heeding.get(name.strip(), WALKS if stage == "hipporag" else GRAPH))


def _number(text: str) -> int | float:
    return int(text) if text.strip().lstrip("+-").isdigit() else float(text)


def set_to(config: Config, knob: Knob, value: Value) -> Config:
    """Return the options with one of them changed.

    Raises
    ------
    ConfigError
        There is no such option, it takes no such value, or it is none that this study can turn.
    """
    stage, option = knob.place
    if stage not in AT_QUERY:
        raise ConfigError(
            f"the knob {knob.name!r} cannot be turned; name an option of {', '.join(AT_QUERY)}, as search.damping"
        )
    return Config.from_dict({stage: {option: value}}, config)


def by_k(rows: Sequence[Row], questions: Sequence[Question]) -> dict[str, float]:
    """Return recall in percent at each of ``DEPTHS``."""
    table = {}
    for k in DEPTHS:
        found = [recall_at_k(row["ranking"], q.supporting, k) for row, q in zip(rows, questions, strict=True)]
        table[str(k)] = round(100 * sum(found) / len(found), DECIMALS)
    return table


def _current(config: Config, knob: Knob) -> Value:
    stage, option = knob.place
    value: Value = getattr(getattr(config, stage), option)
    return value


def _values(knob: Knob, config: Config) -> list[Value]:
    current = _current(config, knob)
    return sorted({*knob.values, current})


def _turned(
    base: HippoRAG,
    config: Config,
    knob: Knob,
    method: str,
    asked: tuple[Dataset, Sequence[Question]],
    bench: Bench,
) -> Measured:
    """Return what a method finds with other options; for those of the index on a copy, which no model is needed for."""
    dataset, questions = asked
    with ExitStack() as stack:
        folder = base.path
        if not AT_QUERY[knob.place[0]]:
            spare = stack.enter_context(tempfile.TemporaryDirectory(prefix="hipporag-like-"))
            folder = Path(shutil.copytree(base.path, Path(spare) / "index"))
        rag = stack.enter_context(HippoRAG(folder, config=config, embedder=base.embedder))
        if folder != base.path:
            rag.index([], track=bench.progress)
        return measure(rag, dataset, questions, (method,), bench.progress)[method]
