"""Random command lines: every command and option there is, with sound, odd and impossible values.

Options are read from the program itself, so that a new one is fuzzed without a word here.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.main import get_command

# What no command reads as a path: numbers that are none or too large, and characters that break lines and terminals.
ODD = (
    *("", " ", "nan", "NaN", "inf", "-inf", "1e400", "-1", "0", "1.5", "2147483648", "9223372036854775808"),
    *(
        "9" * 5000,
        "0x10",
        "1_000",
        "+3",
        "\u0663",
        "e\u0301" * 50,
        "\u202eabc",
        "\u200b",
        "\udcff",
        "漢字",
        "a" * 20_000,
    ),
    *(
        "-",
        "--",
        "---",
        "=",
        "a=b",
        "%s%n",
        "$(id)",
        "x\ny",
        "\t",
        "\x1b[31m",
        "\x07",
        "{}",
        "[]",
        "null",
        '"',
        "'",
    ),
    *(
        "\\",
        "*",
        "?!",
        "(((((",
        "[[[[" * 300,
        "\ufeff",
        "\ud800",
        "-k",
        "--json",
        "--help",
        "lamp",
        "Who lit the lamp?",
    ),
)
SOURCES = (
    *(
        "corpus.jsonl",
        "notes",
        "empty",
        "bad.jsonl",
        "a.toml",
        "pipe",
        "loop",
        "gone",
        "/dev/null",
        "/dev/zero",
    ),
    *(
        "missing",
        "missing/x",
        "corpus.jsonl/x",
        "my_index/CURRENT",
        "my_index/journal.db",
        "data",
        "-",
        ".",
        "./notes/.",
    ),
    *(
        "n\udcff.txt",
        "a" * 300,
        "other/../corpus.jsonl",
        "openie.jsonl",
        "model.json",
        "table.csv",
        "table.tsv",
        "",
    ),
)
# Never a device: root may replace one. Names of these commands' own results are among them.
OUTS = (
    "out.json",
    "out",
    "data",
    "missing/x",
    "corpus.jsonl/x",
    "empty",
    "a" * 300,
    "",
    "n\udcff",
    "-",
    "gone",
)
INDEXES = (
    *("my_index",) * 12,
    "new",
    "data",
    "empty",
    "corpus.jsonl",
    "missing/x",
    "corpus.jsonl/x",
    "/dev/null",
    "",
)
MODELS = (
    "scripted:model.json",
    "scripted:bad.jsonl",
    "scripted:/dev/zero",
    "scripted:pipe",
    "llm",
    "openai:m",
    "openai:",
)
KNOWN = {
    "index": INDEXES,
    "sources": SOURCES,
    "question": (
        *("Who lit the lamp of Calverin?",) * 3,
        "lamp",
        "?",
        "",
        " ",
        "-",
        "Skerrow " * 3000,
        "\udcff lamp",
    ),
    "ids": ("s001", "s002", "none", "", "-", "\udcff"),
    "k": ("1", "3", "0", "-1", "1000000", "99999999999999999999", "x", "nan", "1e3"),
    "steps": ("1", "2", "0", "21", "-5", "x"),
    "limit": ("1", "2", "0", "-1", "99999999999999999999"),
    "segments": ("1", "2", "0", "-1", "9999999999"),
    "many": ("1", "0", "-1", "9999999999"),
    "method": ("graph", "hipporag", "hipporag2", "dense", "bm25", "hybrid", "magic", ""),
    "where": (
        "year>=2000",
        "year<1e400",
        "lang in en,de",
        "year=NaN",
        "year==1",
        "a.b=1",
        "=",
        "x in",
        "n=" + "9" * 400,
    )
    + (
        "year<" + "9" * 4000,
        "y in [1, [2]]",
        "y in {}",
        "y!=null",
        "\udcff=1",
        "_id=s001",
        "year>text",
        'a="',
    ),
    "namespace": ("default", "other", "", "a\tb", "nope", "a" * 600, "\udcff"),
    "config": (
        "a.toml",
        "b.toml",
        "bad.jsonl",
        "pipe",
        "/dev/null",
        "/dev/zero",
        "missing",
        "data",
        "n\udcff",
        "",
    ),
    "embedder": (*("hashing",) * 4, "minlm", "./no", "a/b", "openai:m", "empty", "\udcff", "", "hashing:3"),
    "preset": ("full", "light", "auto", "huge", ""),
    "extractor": (
        "rules",
        "openie:openie.jsonl",
        "openie:pipe",
        "openie:/dev/zero",
        "openie:",
        "spacy:no",
        "llm",
        "magic",
    ),
    "llm": MODELS,
    "reader": ("extractive", "oracle", *MODELS),
    "base_url": (
        "http://127.0.0.1:9/v1",
        "x",
        "http://",
        "http://[",
        "http://a:b@c",
        "file:///etc/passwd",
        "\udcff",
    ),
    "format": ("graphml", "json", "csv", "pdf", ""),
    "out": OUTS,
    "json": OUTS,
    "run_out": OUTS,
    "index_root": OUTS,
    "folder": ("experiment", *OUTS),
    "dataset": (
        *("data",) * 6,
        "data/questions.jsonl",
        "empty",
        "missing",
        "pipe",
        "/dev/zero",
        "bad.jsonl",
        "musique",
        "",
    ),
    "datasets": (*("data",) * 6, "data/questions.jsonl", "empty", "missing", "pipe", "corpus.jsonl", ""),
    "study": ("growth", "paths", "knobs", "robustness", "magic", ""),
    "condition": ("without_titles", "lower_cased", "shuffled", "renamed", "magic", ""),
    "runs": ("x=run.txt", "x=data", "x=missing", "x=pipe", "=", "x", "graph=run.txt"),
    "baseline": ("bm25", "hybrid", "x", ""),
    "knob": ("search.damping=0.5,0.7", "search.damping=nan", "search.k=0", "x.y=1", "=", "search.damping="),
    "distractors": ("data", "missing", ""),
}
# How often: what takes seconds is rare.
WEIGHTS = {
    "index": 6,
    "query": 8,
    "ask": 6,
    "explain": 4,
    "delete": 3,
    "export": 4,
    "stats": 3,
    "verify": 2,
    "repair": 2,
}
NEEDS_HASHING = ("index", "demo", "eval", "experiment", "study")  # which else load the weights of minilm
ENVIRONMENT = {
    "HIPPORAG_LIKE_INDEX": INDEXES,
    "HIPPORAG_LIKE_DEBUG": ("", "1"),
    "COLUMNS": ("", "0", "1", "-5", "x", "100000", "80"),
    "LINES": ("0", "x"),
    "NO_COLOR": ("", "1"),
    "FORCE_COLOR": ("1",),
    "TERM": ("dumb", "", "xterm-256color", "\udcff"),
    "OPENAI_API_KEY": ("", "key", "k\u00e9y", "a\nb"),
    "OPENAI_BASE_URL": ("http://127.0.0.1:9/v1", "x"),
    "LANG": ("C", "de_DE.UTF-8", "\udcff"),
    "HOME": ("/dev/null", "", "missing"),
    "TMPDIR": ("missing", "/dev/null"),
    "PYTHONIOENCODING": ("latin-1",),
}
STDIN = (
    *(
        b"",
        b"\n",
        b"Who lit the lamp?\n",
        b"\xff\xfe",
        b"\0",
        b'{"_id": "new", "text": "A bell in Skerrow."}\n',
        b"lamp\r",
    ),
    *(
        b"[" * 5000,
        b"caf\xe9",
        b"\xed\xa0\x80",
        b"y\n" * 100,
        b"lamp " * 30_000,
        b"\xef\xbb\xbfOttar wove the sail.",
    ),
)


@dataclass(frozen=True)
class Line:
    """What is typed, what is piped in, and what stands in the environment."""

    words: tuple[str, ...]
    stdin: bytes = b""
    env: dict[str, str] = field(default_factory=dict)


def make_folder(folder: Path) -> None:
    """Make the files that the lines name; ``my_index`` is made by whoever calls."""
    rows = [
        {"_id": f"s{n:03}", "title": title, "text": text, "year": 1990 + n, "lang": "en"}
        for n, (title, text) in enumerate(PEOPLE, 1)
    ]
    question = {"_id": "1", "question": "Who lit the lamp?", "answer": "Ossiane", "supporting_ids": ["s001"]}
    texts = {
        "corpus.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "bad.jsonl": '{"text": 7}\nnot json\n[1]\n',
        "notes/a.md": "# A bell\nThe bell of Skerrow hangs in Maundwick.",
        "notes/b.txt": "Brisinga wove the sail.",
        "table.csv": "id,text\n1,Ottar built the boat of Skerrow.\n",
        "table.tsv": "id\ttext\n",
        "a.toml": "[search]\nk = 2\n",
        "b.toml": "[search]\nk = -2\n",
        "model.json": '{"default": "ANSWER: Ossiane"}',
        "openie.jsonl": '{"_id": "s001", "entities": ["Ossiane"], "triples": [["Ossiane", "lit", "the lamp"]]}\n',
        "run.txt": "1 Q0 s001 1 2.5 x\n1 Q0 s002 2 nan x\n",
        "data/corpus.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "data/questions.jsonl": json.dumps(question) + "\n",
        "n\udcff.txt": "A file whose name is no text.",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    for name in ("empty", "experiment", "other"):
        (folder / name).mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "gone").symlink_to("nowhere/x")


PEOPLE = (
    ("The lamp", "The lamp of Calverin was lit by Ossiane in 1815. Ossiane was born in Skerrow."),
    ("Skerrow", "Skerrow is an island in the north. Its lighthouse was built by Ottar."),
    ("Ottar", "Ottar of Maundwick built boats and the lighthouse of Skerrow."),
    ("Maundwick", "Maundwick is a town. Brisinga wove sails in Maundwick for Ottar."),
)


class Lines:
    """Makes command lines."""

    def __init__(self) -> None:
        from hipporag_like.cli.app import app

        self._commands: dict[str, list[Any]] = {n: c.params for n, c in get_command(app).commands.items()}
        self._names = [name for name in self._commands for _ in range(10 * WEIGHTS.get(name, 0) or 1)]

    @property
    def commands(self) -> set[str]:
        """The names of all commands."""
        return set(self._commands)

    def make(self, rng: random.Random) -> Line:
        """Return a line; mostly of a known command with known options."""
        env = {}
        if rng.random() < 0.15:
            name = rng.choice(list(ENVIRONMENT))
            env[name] = rng.choice(ENVIRONMENT[name])
        stdin = rng.choice(STDIN) if rng.random() < 0.3 else b""
        if rng.random() < 0.03:
            words = [rng.choice((*ODD, *self._commands)) for _ in range(rng.randrange(5))]
        else:
            words = self._typed(rng, rng.choice(self._names))
        return Line(tuple(word.replace("\0", "0") for word in words), stdin, env)

    def _typed(self, rng: random.Random, command: str) -> list[str]:
        words: list[str] = []
        for option in self._commands[command]:
            if not option.required and rng.random() > self._share(command, option):
                continue
            if option.required and rng.random() < 0.03:
                continue
            for _ in range(rng.choice((1, 1, 1, 2, 3)) if option.multiple or option.nargs == -1 else 1):
                words += self._spelled(rng, option)
        if rng.random() < 0.05:
            words.insert(rng.randrange(len(words) + 1), rng.choice(ODD))
        if rng.random() < 0.02:
            rng.shuffle(words)
        if "hipporag_like_demo" in words or (command in NEEDS_HASHING and "--embedder" not in words):
            words += ["--embedder", "hashing"]
        return [command, *words]

    def _share(self, command: str, option: Any) -> float:
        """Return how often an option that may be left out is given."""
        if command == "demo" and option.name == "index":
            return 1.0
        return 0.01 if option.name == "help" else 0.15

    def _spelled(self, rng: random.Random, option: Any) -> list[str]:
        flags = [*option.opts, *option.secondary_opts]
        if getattr(option, "is_flag", False):
            return [rng.choice(flags)]
        value = rng.choice(KNOWN[option.name] if option.name in KNOWN and rng.random() < 0.85 else ODD)
        if option.param_type_name == "argument":
            return [value]
        flag = rng.choice(flags)
        return [f"{flag}={value}"] if flag.startswith("--") and rng.random() < 0.2 else [flag, value]
