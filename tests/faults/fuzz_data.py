"""Fuzz targets: data sets, rankings of other systems, results and reports."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
from pathlib import Path
from typing import Any

import fuzz_mutate as mutate
from fuzz_parsers_run import Target, require

from hipporag_like.errors import InputError, MissingExtraError, StoreError, UsageError
from hipporag_like.eval import (
    datasets,
    folder_formats,
    folders,
    hops,
    imported_runs,
    native_answers,
    native_formats,
    native_passages,
    report,
    report_content,
    report_lead,
    report_numbers,
    report_tables,
    results,
    rows,
    trec,
    units,
)
from hipporag_like.eval.questions import Dataset, require_gold

CORPUS = [
    {"_id": "d1", "title": "Ada", "text": "Ada Lovelace was born in London. She wrote Note G."},
    {"id": 2, "title": "London", "text": ""},
]
QUESTIONS = [
    {"id": "2hop__1_2", "question": "Where was she born?", "answers": ["London", 1815], "supporting": ["d1", "2"],
     "type": "bridge", "hops": 2, "evidence": [{"document": "d1", "text": "born in London"}]},
    {"id": "q2", "question": "Who?", "answers": [], "supporting": ["d1"]},
]  # fmt: skip
QUERIES = [{"_id": "q1", "text": "Where?"}, {"_id": 7, "text": "Who?"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\n7\td1\t0\n7\t2\t2\n"
FIELDS = ("_id", "id", "title", "text", "question", "answers", "answer", "supporting", "type", "hops",
    "evidence", "document",
          "paragraphs", "contexts", "context", "supporting_facts", "is_supporting", "answerable", "sentences",
          "sent_id",
          "possible_answers", "answer_id", "paragraph_text", "gold_ans")  # fmt: skip
NATIVE: list[Any] = [
    [{"id": "3hop1__1_2_3", "question": "Where?", "answer": "London", "answer_aliases": ["LDN"], "answerable": True,
      "paragraphs": [{"idx": 0, "title": "Ada", "paragraph_text": "Born in London.", "is_supporting": True},
                     {"idx": 1, "title": "Bob", "paragraph_text": "Not her.", "is_supporting": False}]}],
    [{"_id": "5a", "question": "Who?", "answer": "yes", "type": "comparison", "level": "hard",
      "supporting_facts": [["Ada", 0], ["Bob", 9]],
      "context": [["Ada", ["Ada was born.", " She wrote."]], ["Bob", ["Bob was not."]]]}],
    [{"id": "5b", "question": "Who?", "answer": 7, "answer_id": "Q1", "supporting_facts": {"title": ["Ada"],
    "sent_id": [1]},
      "context": {"title": ["Ada"], "sentences": [["One.", "Two."]]}}],
    [{"question": "Who is it?", "possible_answers": '["Ada", "Countess"]', "context": "one long text", "obj": "Ada"}],
]  # fmt: skip
NATIVE_CORPUS: list[Any] = [
    [{"title": "Ada", "text": "Born in London."}, {"title": "Bob", "text": "No."}],
    {"Ada": ["One.", "Two."]},
]
ALIASES = [{"Q_id": "Q1", "aliases": ["Seven"], "demonyms": []}]


def lines(values: list[Any]) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def make_folder(rng: random.Random, kept: dict[str, bytes] | None) -> dict[str, bytes]:
    """Return the files of a data set, one or two of them changed."""
    beir = rng.random() < 0.4
    texts = {"corpus.jsonl": lines(CORPUS)} | (
        {"queries.jsonl": lines(QUERIES), "qrels/test.tsv": QRELS}
        if beir
        else {"questions.jsonl": lines(QUESTIONS)}
    )
    files = {name: text.encode() for name, text in texts.items()} if kept is None else dict(kept)
    name = rng.choice(list(files))
    if name.endswith("jsonl") and kept is None and rng.random() < 0.6:
        values = [json.loads(line) for line in texts[name].splitlines()]
        at = rng.randrange(len(values))
        values[at] = mutate.changed_value(rng, values[at], FIELDS)
        files[name] = lines(values).encode()
    else:
        files[name] = changed_file(rng, files[name], FIELDS)
    return files


def changed_file(rng: random.Random, data: bytes, words: tuple[str, ...]) -> bytes:
    if rng.random() < 0.25:
        return mutate.changed_bytes(rng, data, [data])
    text = data.decode("utf-8", "replace")
    return mutate.changed_text(rng, text, [text], words).encode("utf-8", "surrogatepass")


def make_native(rng: random.Random, kept: dict[str, bytes] | None) -> dict[str, bytes]:
    """Return a native question file, at times with its corpus and its aliases."""
    if kept is not None:
        name = rng.choice(list(kept))
        return {**kept, name: changed_file(rng, kept[name], FIELDS)}
    files = {"set.json": json.dumps(mutate.changed_value(rng, rng.choice(NATIVE), FIELDS))}
    if rng.random() < 0.3:
        files["set_corpus.json"] = json.dumps(mutate.changed_value(rng, rng.choice(NATIVE_CORPUS), FIELDS))
    if rng.random() < 0.2:
        files["id_aliases.json"] = json.dumps(
            mutate.changed_value(rng, ALIASES, ("Q_id", "aliases", "demonyms"))
        )
    return {name: text.encode("utf-8", "surrogatepass") for name, text in files.items()}


def check_dataset(dataset: Dataset) -> None:
    """Raise where a data set is not what the evaluation relies on."""
    known = {document.id: document for document in dataset.documents}
    require(len(known) == len(dataset.documents) > 0 and dataset.questions, "no documents, or one twice")
    for question in dataset.questions:
        require(question.question.strip() and set(question.supporting) <= known.keys(), "a question")
        require(all(isinstance(a, str) for a in question.answers) and type(question.hops) is int, "answers")
        for span in question.evidence:
            require(
                known[span.document_id].text[span.start : span.end] == span.text,
                "evidence does not stand there",
            )


RUN = "q1 Q0 d1 1 12.5 mine\nq1 Q0 d2 2 3.25e-1 mine\nq2\tQ0\td1\t1\t-4\tmine\n"
RUN_WORDS = (
    "q1",
    "Q0",
    "d1",
    "1e999",
    "nan",
    "-inf",
    "1_0",
    "0x1",
    "\t",
    "\n",
    "\r\n",
    "\u2028",
    "\x1c",
    "\u0663",
)


def make_run(rng: random.Random, kept: bytes | None) -> bytes:
    return changed_file(rng, RUN.encode() if kept is None else kept, RUN_WORDS)


RESULT_NAMES = ("format", "results", "systems", "datasets", "scores", "baseline", "config", "made", "seconds", "usage",
                "comparisons", "types", "hops", "n", "mean", "quantiles", "recall@5", "p", "interval",
                "index")  # fmt: skip


def make_results(rng: random.Random, kept: Any) -> tuple[str, bytes]:
    """Return the results of an experiment, or a unit of one."""
    unit = rng.random() < 0.2
    whole = UNIT if unit else RESULTS
    if rng.random() < 0.8:
        data = json.dumps(mutate.changed_value(rng, whole, RESULT_NAMES)).encode()
    else:
        data = changed_file(rng, json.dumps(whole).encode()[:6000], RESULT_NAMES)
    return "unit" if unit else "results", data


UNIT = {
    "format": 1,
    "key": "k",
    "rows": [{"id": "q1", "recall@5": 1.0, "error": ""}],
    "usage": {},
    "memory_mb": 5.0,
}
RESULTS: dict[str, Any] = {}


def example() -> dict[str, Any]:
    """Return results as the tests of the report have them, with fewer numbers in each list."""
    spec = importlib.util.spec_from_file_location(
        "report_example", Path(__file__).parents[1] / "eval/report_example.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.example(
        systems=("graph", "bm25"), datasets={"set": (100, {"bridge": 81})}, baseline="bm25"
    )
    for system in found["results"]["set"].values():
        system["seconds"]["quantiles"] = system["seconds"]["quantiles"][:5]
    return found


def targets(folder: Path) -> dict[str, Target]:  # noqa: C901  # a function in it for each target
    """Return the targets of this module."""
    own, native, place = folder / "own", folder / "native", folder / "experiment"
    RESULTS.update(example())
    report.missing_plots = lambda: MissingExtraError("the plots", "report")  # a picture takes a second
    (place / "units" / "set").mkdir(parents=True)
    native.mkdir()
    file = folder / "a.run"

    def run_folder(files: dict[str, bytes]) -> None:
        shutil.rmtree(own, ignore_errors=True)
        for name, data in files.items():
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).write_bytes(data)
        dataset = datasets.load_dataset(own)
        require_gold(dataset)
        check_dataset(dataset)

    def run_native(files: dict[str, bytes]) -> None:
        for name in ("set.json", "set_corpus.json", "id_aliases.json"):
            (native / name).unlink(missing_ok=True)
            if name in files:
                (native / name).write_bytes(files[name])
        check_dataset(datasets.load_dataset(native / "set.json"))

    def run_trec(data: bytes) -> None:
        file.write_bytes(data)
        read = trec.read_run(file)
        for ranking in read.values():
            require(len({d for d, _ in ranking}) == len(ranking) > 0, "a document twice")
            require(all(a[1] >= b[1] for a, b in zip(ranking, ranking[1:], strict=False)), "not best first")
        try:
            trec.write_run(file, read, "again")
        except UsageError:  # beyond single precision
            return
        again = trec.read_run(file)
        require({q: [d for d, _ in r] for q, r in again.items()} == {q: [d for d, _ in r] for q, r in read.items()},
                "a run does not come back")  # fmt: skip

    def run_results(given: tuple[str, bytes]) -> None:
        kind, data = given
        if kind == "unit":
            (place / "units" / "set" / "graph.json").write_bytes(data)
            unit = units.load_unit(place, "set", "graph", "k")
            if unit is not None:
                units.failures_of(unit)
                require(all(isinstance(units.scores_of(row), dict) for row in unit.rows), "scores")
            return
        (place / "results.json").write_bytes(data)
        written = [path.read_text(encoding="utf-8") for path in report.write_report(place)]
        require(written[0].startswith("<!") and written[1].startswith("#"), "no page")

    formats = [m.__name__ for m in (rows, folder_formats, hops, datasets)]
    natives = [m.__name__ for m in (native_formats, native_answers, native_passages, rows)]
    pages = [
        m.__name__
        for m in (results, report, report_content, report_tables, report_numbers, report_lead, folders, units)
    ]
    return {
        "dataset-folder": Target(make_folder, run_folder, (InputError,), formats),
        "dataset-native": Target(make_native, run_native, (InputError,), natives),
        "trec-run": Target(make_run, run_trec, (InputError,), [trec.__name__, imported_runs.__name__]),
        "results": Target(make_results, run_results, (InputError, StoreError), pages),
    }
