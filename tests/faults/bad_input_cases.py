"""Everything a person can get wrong, as data: what is typed, what was made ready before, what must come back.

``test_bad_input.py`` runs each case; ``bad_input_run.py`` writes docs/bad_input.md from the same cases.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from hipporag_like.store.lock import WriterLock
from hipporag_like.store.manifest import FORMAT

Setup = Callable[[], None]  # runs in the folder where the command is typed


@dataclass(frozen=True)
class Case:
    """One mistake.

    ``words`` must stand in the sentence: the culprit and the fix. ``mends`` is the command the sentence asks
    for; it is run, and the index must answer after it. Without one the index must answer at once, unless
    ``answers`` is false. ``shell`` runs the line in a shell, in processes of its own. ``foreign`` sentences
    hold words of Python, SQLite or the system, which differ from version to version. ``needs`` is a package
    without which another sentence comes.
    """

    kind: str
    typed: str
    code: int
    words: tuple[str, ...]
    setup: Setup = lambda: None
    stdin: bytes = b""
    mends: str = ""
    answers: bool = True
    shell: bool = False
    foreign: bool = False
    needs: str = ""
    during: Callable[[], AbstractContextManager[object]] = nullcontext


# What the sentences ask for; without --embedder, so that the index must know its own.
MEND = "index corpus.jsonl --index my_index"
INDEX = "index corpus.jsonl --index my_index --embedder hashing"
GOOD = b'{"_id": "x", "text": "The lamp of Calverin was lit by Ossiane."}\n'


def put(name: str, data: bytes | str) -> Setup:
    """Return what writes one file."""

    def write() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)

    return write


def snapshot_file(name: str) -> Path:
    """Return a file of the published snapshot."""
    return next(Path("my_index/snapshots").glob(f"*/{name}"))


def cut_array() -> None:
    path = snapshot_file("g0/passage_vectors.npy")
    path.write_bytes(path.read_bytes()[:1000])


def alter_array() -> None:
    path = snapshot_file("g0/passage_vectors.npy")
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def alter_manifest() -> None:
    path = snapshot_file("manifest.json")
    path.write_bytes(path.read_bytes().replace(b'"passages": 4', b'"passages": 9', 1))


def newer_manifest() -> None:
    path = snapshot_file("manifest.json")
    path.write_bytes(path.read_bytes().replace(b'"format": %d' % FORMAT, b'"format": 99', 1))


def newer_journal() -> None:
    connection = sqlite3.connect("my_index/journal.db")
    connection.execute("UPDATE meta SET value = 99 WHERE key = 'format'")
    connection.commit()
    connection.close()


def drop_journal() -> None:
    for path in Path("my_index").glob("journal.db*"):
        path.unlink()


def spoil_journal() -> None:
    drop_journal()
    Path("my_index/journal.db").write_bytes(b"this is no database, it only has the name of one" * 100)


def no_index() -> None:
    shutil.rmtree("my_index")


def file_for_index() -> None:
    no_index()
    Path("my_index").write_text("I am a file")


def folder(name: str, *files: tuple[str, bytes]) -> Setup:
    """Return what makes a folder of files."""

    def make() -> None:
        Path(name).mkdir()
        for file, data in files:
            Path(name, file).write_bytes(data)

    return make


def links_in_a_circle() -> None:
    os.symlink("b", "a")
    os.symlink("a", "b")


def entities_in_docx() -> None:
    """Make an office file as of a billion laughs."""
    with zipfile.ZipFile("a.docx", "w") as made:
        made.writestr("word/document.xml", '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><w>&b;</w>')


def questions_file(rows: list[dict[str, object]], corpus: bytes = GOOD) -> Setup:
    """Return what makes a data set for ``eval``."""

    def make() -> None:
        Path("data").mkdir()
        Path("data/corpus.jsonl").write_bytes(corpus)
        Path("data/questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    return make


def fake_weights() -> None:
    """Make a folder with files of the right names and sizes and the wrong content."""
    from hipporag_like.models.weights import OFFICIAL_BYTES

    Path("weights").mkdir()
    for name in ("tokenizer.json", "config.json"):
        Path("weights", name).write_text("{}")
    with open("weights/model.safetensors", "wb") as file:
        file.truncate(OFFICIAL_BYTES)


def busy() -> AbstractContextManager[object]:
    """Return another writer at work."""
    return WriterLock(Path("my_index"))


@contextmanager
def plain_user() -> Iterator[None]:
    """Take from root what lets it read and write everything; others have nothing to lose."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3 of linux/capability.h; this thread
    data = (ctypes.c_uint32 * 6)()
    if libc.capget(header, data):
        raise OSError(ctypes.get_errno(), "capget")
    bits = 0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH
    data[0] &= ~bits
    libc.capset(header, data)
    try:
        yield
    finally:
        data[0] |= bits
        libc.capset(header, data)


def locked(name: str) -> Setup:
    """Return what makes a file, or a folder where the name ends in a slash, that nobody may open."""

    def make() -> None:
        path = Path(name)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text("The lamp of Calverin.")
        path.chmod(0)

    return make


def read_only() -> None:
    """Make the index one that its owner may only read."""
    for path in [*Path("my_index").rglob("*"), Path("my_index")]:
        path.chmod(0o500 if path.is_dir() else 0o400)


MORE = b"".join(
    b'{"_id": "more%d", "text": "%s"}\n' % (i, b"The lamp of Calverin burns. " * 40) for i in range(200)
)
Q = 'query "Who lit the lamp?" --index my_index'

SOURCES = [
    Case("missing source", "index nowhere.txt --index my_index", 2, ("nowhere.txt", "name a file")),
    Case("no source", "index --index my_index", 2, ("SOURCE", "--help"), foreign=True),
    Case("empty folder", "index empty --index my_index", 2, ("empty", "no files"), folder("empty")),
    Case("empty file", "index a.txt --index my_index", 2, ("a.txt", "empty"), put("a.txt", b"")),
    Case(
        "file of white space", "index a.txt --index my_index", 2, ("a.txt", "empty"), put("a.txt", b" \n\t\n")
    ),
    Case(
        "only unreadable files",
        "index bad --index my_index",
        2,
        ("a.bin", "b.txt", "binary file"),
        folder("bad", ("a.bin", bytes(range(256)) * 40), ("b.txt", b"\0\0\0")),
    ),
    Case(
        "folder named like a file", "index notes.txt --index my_index", 2, ("no files",), folder("notes.txt")
    ),
    Case(
        "NUL bytes",
        "index a.txt --index my_index",
        2,
        ("a.txt", "binary"),
        put("a.txt", b"Calverin\0Ossiane"),
    ),
    Case(
        "invalid UTF-8",
        "index a.txt --index my_index",
        2,
        ("UTF-8", "byte offset 3"),
        put("a.txt", b"caf\xe9 au lait"),
    ),
    Case(
        "cut UTF-16",
        "index a.txt --index my_index",
        2,
        ("UTF-16", "convert"),
        put("a.txt", "Calverin".encode("utf-16") + b"\x00\xd8"),
        foreign=True,
    ),
    Case(
        "unknown binary",
        "index a.xyz --index my_index",
        2,
        ("a.xyz", "binary"),
        put("a.xyz", os.urandom(5000)),
    ),
    Case("named pipe", "index pipe --index my_index", 2, ("a pipe",), lambda: os.mkfifo("pipe")),
    Case("device", "index /dev/null --index my_index", 2, ("a device",)),
    Case(
        "links in a circle",
        "index a --index my_index",
        2,
        ("a: ", "symbolic links"),
        links_in_a_circle,
        foreign=True,
    ),
    Case(
        "link to nothing",
        "index a --index my_index",
        2,
        ("link to nothing",),
        lambda: os.symlink("gone", "a"),
    ),
    Case("fake PDF", "index a.pdf --index my_index", 2, ("a.pdf", "pdf"), put("a.pdf", b"I am no PDF")),
    Case(
        "fake Word file", "index a.docx --index my_index", 2, ("a.docx", "docx"), put("a.docx", b"PK no zip")
    ),
    Case(
        "duplicate ids",
        "index a.jsonl --index my_index",
        0,
        ("a.jsonl:2", "duplicate id 'x'"),
        put("a.jsonl", GOOD * 2),
    ),
    Case(
        "id is a list",
        "index a.jsonl --index my_index",
        2,
        ("'_id'", "a list"),
        put("a.jsonl", '{"_id": [1], "text": "A b"}'),
    ),
    Case(
        "text is a number",
        "index a.jsonl --index my_index",
        2,
        ("'text'", "a number"),
        put("a.jsonl", '{"text": 7}'),
    ),
    Case(
        "title is an object",
        "index a.jsonl --index my_index",
        2,
        ("'title'", "an object"),
        put("a.jsonl", '{"text": "A b", "title": {}}'),
    ),
    Case(
        "row without text",
        "index a.jsonl --index my_index",
        2,
        ("a.jsonl:1", "'text' is missing"),
        put("a.jsonl", '{"_id": "x"}'),
    ),
    Case(
        "row is a list",
        "index a.jsonl --index my_index",
        2,
        ("an object", "a list"),
        put("a.jsonl", "[1, 2]"),
    ),
    Case(
        "invalid JSON",
        "index a.jsonl --index my_index",
        2,
        ("invalid JSON", "column"),
        put("a.jsonl", '{"text": "A b"'),
        foreign=True,
    ),
    Case(
        "JSON with NaN",
        "index a.jsonl --index my_index",
        2,
        ("NaN",),
        put("a.jsonl", '{"text": "A b", "year": NaN}'),
    ),
    Case(
        "JSON nested too deeply",
        "index a.json --index my_index",
        2,
        ("too deeply",),
        put("a.json", "[" * 100_000),
    ),
    Case(
        "half a surrogate pair",
        "index a.jsonl --index my_index",
        2,
        ("surrogate",),
        put("a.jsonl", '{"text": "A \\ud800 b"}'),
    ),
    Case(
        "text of no words",
        "index a.jsonl --index my_index",
        2,
        ("no words",),
        put("a.jsonl", '{"_id": "x", "text": "... !!!"}'),
    ),
    Case(
        "CSV without text column",
        "index a.csv --index my_index",
        2,
        ("text column",),
        put("a.csv", "id,name\n1,Calverin\n"),
    ),
    Case(
        "CSV with a ragged row",
        "index a.csv --index my_index",
        0,
        ("a.csv:3", "3 cells"),
        put("a.csv", "id,text\n1,The lamp\n2,One,two\n"),
    ),
    Case(
        "CSV of nothing but column names",
        "index a.csv --index my_index",
        2,
        ("a.csv", "no rows"),
        put("a.csv", "id,text\n"),
    ),
    Case(
        "Word file with entities",
        "index a.docx --index my_index",
        2,
        ("a.docx", "entities"),
        entities_in_docx,
    ),
    Case("nothing on stdin", "index - --index my_index", 2, ("standard input", "empty")),
    Case(
        "binary on stdin",
        "index - --index my_index",
        2,
        ("standard input", "binary"),
        stdin=bytes(range(256)) * 40,
    ),
    Case("stdin twice", "index - - --index my_index", 2, ("only once",)),
    Case(
        "unprintable namespace",
        'index corpus.jsonl --index my_index --namespace "a\tb"',
        2,
        ("namespace", "printable"),
    ),
    Case("empty namespace", 'index corpus.jsonl --index my_index --namespace ""', 2, ("namespace",)),
]

QUESTIONS = [
    Case("empty question", 'query "" --index my_index', 2, ("question is empty",)),
    Case("blank question", 'query "   " --index my_index', 2, ("question is empty",)),
    Case("question of punctuation", 'query "?!..." --index my_index', 2, ("no words",)),
    Case("ask only punctuation", 'ask "???" --index my_index', 2, ("no words",)),
    Case(
        "question of 150,000 characters",
        "query - --index my_index",
        2,
        ("150,000", "100,000"),
        stdin=b"lamp " * 29_999 + b"lamps",
    ),
    Case("no questions on stdin", "query - --index my_index", 2, ("no question on stdin",)),
    Case("questions not UTF-8", "query - --index my_index", 2, ("UTF-8",), stdin=b"caf\xe9?", foreign=True),
    Case("k of 0", f"{Q} -k 0", 2, ("k must be", "at least 1")),
    Case("k below 0", f"{Q} -k -1", 2, ("k must be", "at least 1")),
    Case("k in letters", f"{Q} -k abc", 2, ("-k", "integer"), foreign=True),
    Case("unknown method", f"{Q} --method grph", 2, ("graph, hipporag, hipporag2, dense", "'grph'")),
    Case(
        "unknown reader",
        'ask "Who lit the lamp?" --index my_index --reader oracle',
        2,
        ("extractive", "'oracle'"),
    ),
    Case("unknown namespace", f"{Q} --namespace nope", 2, ("'nope'", "stats names those there are")),
    Case("unknown option", f"{Q} --metod graph", 2, ("--metod", "--help"), foreign=True),
    Case("unknown command", "qery", 2, ("qery", "query"), foreign=True),
    Case("no index named", 'query "Who?"', 2, ("--index",), foreign=True),
    Case("bad operator in --where", f'{Q} --where "year>>3"', 2, ("year>>3", "year>=2000")),
    Case("in without a list", f'{Q} --where "lang in "', 2, ("lang in",)),
    Case("--where without a value", f'{Q} --where "year="', 2, ("year=",)),
    Case("contradicting --where", f'{Q} --where "a=1" --where "a=2"', 2, ("contradicts",)),
]

OPTIONS = [
    Case(
        "unknown extractor", "index corpus.jsonl --index my_index --extractor magic", 2, ("rules", "'magic'")
    ),
    Case(
        "openie file missing",
        "index corpus.jsonl --index my_index --extractor openie:no.json",
        2,
        ("no.json",),
    ),
    Case(
        "spaCy pipeline missing",
        "index corpus.jsonl --index my_index --extractor spacy:no_such",
        2,
        ("no_such", "spacy"),
    ),
    Case("unknown embedder", f"{Q} --embedder minlm", 2, ("minlm", "did you mean minilm")),
    Case("embedder folder missing", f"{Q} --embedder ./no/such/folder", 2, ("no/such/folder",)),
    Case("another embedder than the index's", f"{Q} --embedder minilm", 2, ("hashing", "another folder")),
    Case("embedder folder without weights", f"{Q} --embedder empty", 1, ("empty",), folder("empty")),
    Case("altered weights", f"{Q} --embedder weights", 1, ("not the official file",), fake_weights),
    Case("config missing", f"{Q} --config no.toml", 2, ("no.toml",), foreign=True),
    Case(
        "config is no TOML",
        f"{Q} --config a.toml",
        2,
        ("a.toml", "not valid TOML"),
        put("a.toml", "[search\nk="),
        foreign=True,
    ),
    Case("config is a pipe", f"{Q} --config pipe", 2, ("pipe", "not a file"), lambda: os.mkfifo("pipe")),
    Case("config is a device", f"{Q} --config /dev/zero", 2, ("/dev/zero", "a device")),
    Case("config is a folder", f"{Q} --config a.toml", 2, ("a.toml",), folder("a.toml"), foreign=True),
    Case(
        "config not UTF-8",
        f"{Q} --config a.toml",
        2,
        ("a.toml", "TOML"),
        put("a.toml", b"# caf\xe9"),
        foreign=True,
    ),
    Case(
        "unknown key in config",
        f"{Q} --config a.toml",
        2,
        ("did you mean search.damping",),
        put("a.toml", "[search]\ndampng = 0.5"),
    ),
    Case(
        "unknown table in config",
        f"{Q} --config a.toml",
        2,
        ("did you mean search",),
        put("a.toml", "[serch]\nk = 5"),
    ),
    Case(
        "bad value in config",
        f"{Q} --config a.toml",
        2,
        ("search.damping", "0.01 to 0.99"),
        put("a.toml", "[search]\ndamping = 7"),
    ),
    Case(
        "bad type in config", f"{Q} --config a.toml", 2, ("embed.model",), put("a.toml", "[embed]\nmodel = 7")
    ),
    Case(
        "bad switch in config",
        f"{Q} --config a.toml",
        2,
        ("extract.gazetteer",),
        put("a.toml", '[extract]\ngazetteer = "no"'),
    ),
    Case(
        "fraction for a count in config",
        f"{Q} --config a.toml",
        2,
        ("chunk.max_tokens", "whole"),
        put("a.toml", "[chunk]\nmax_tokens = 100.5"),
    ),
    Case(
        "not a number in config",
        f"{Q} --config a.toml",
        2,
        ("search.damping",),
        put("a.toml", "[search]\ndamping = nan"),
    ),
]

A = 'ask "Who lit the lamp?" --index my_index'
CLOSED = "http://127.0.0.1:9/v1"  # port 9, discard: nothing listens there
SCRIPT = '{"rules": [{"stage": "read", "answer": "ANSWER: Ossiane"}]}'


def own_prompt(name: str, text: str) -> Setup:
    """Return what makes a folder of prompts, a configuration that names it, and a scripted model."""

    def make() -> None:
        put("model.json", SCRIPT)()
        put(f"prompts/{name}", text)()
        put("a.toml", '[llm]\nprompts = "prompts"')()

    return make


MODELS = [
    Case("unknown kind of language model", f"{A} --llm gpt-4", 2, ("openai:MODEL", "'gpt-4'")),
    Case("language model without a name", f"{A} --llm openai:", 2, ("openai:MODEL", "'openai:'")),
    Case("script of a model missing", f"{A} --reader scripted:no.json", 2, ("no.json",), foreign=True),
    Case(
        "script of a model is no JSON",
        f"{A} --reader scripted:a.json",
        2,
        ("a.json", "no JSON"),
        put("a.json", "ANSWER: Ossiane"),
        foreign=True,
    ),
    Case(
        "script of a model of another form",
        f"{A} --reader scripted:a.json",
        2,
        ("rule 1", "stage"),
        put("a.json", '{"rules": [{"reply": "Ossiane"}]}'),
    ),
    Case(
        "no API key",
        f"{A} --reader openai:gpt-4o-mini",
        2,
        ("OPENAI_API_KEY", "llm.base_url"),
        needs="openai",
    ),
    Case(
        "server of the model is down",
        f"{A} --reader openai:m --base-url {CLOSED}",
        1,
        (CLOSED, "cannot be reached", "start the server"),
        foreign=True,
        needs="openai",
    ),
    Case(
        "server of the model is down while indexing",
        f"index corpus.jsonl --index my_index --extractor llm --llm openai:m --base-url {CLOSED}",
        1,
        (CLOSED, "what was done is kept", "same command"),
        foreign=True,
        needs="openai",
    ),
    Case(
        "server's address without http",
        f"{A} --reader openai:m --base-url localhost:11434",
        2,
        ("llm.base_url", "http://"),
        needs="openai",
    ),
    Case(
        "password in the server's address",
        f"{A} --reader openai:m --base-url http://me:secret@localhost:8000/v1",
        2,
        ("without a password", "api_key_env"),
        needs="openai",
    ),
    Case("model folder missing", f"{A} --reader transformers:no/such/folder", 1, ("no/such/folder",)),
    Case("extractor llm without a model", f"{INDEX} --extractor llm", 2, ("--llm", "[llm] model")),
    Case("estimate without a model", f"{INDEX} --extractor llm --estimate", 2, ("--llm", "[llm] model")),
    Case("reader llm without a model", f"{A} --reader llm", 2, ("--llm", "[llm] model")),
    Case("--iterative without a model", f"{A} --iterative", 2, ("--llm", "[llm] model")),
    Case("--filter without a model", f"{A} --filter", 2, ("--llm", "[llm] model")),
    Case("--filter with nothing to filter", f"{A} --filter --method bm25", 2, ("bm25", "hipporag2")),
    Case("0 steps", f"{A} --iterative --steps 0", 2, ("search.steps", "1 to 20")),
    Case("steps without --iterative", f"{A} --steps 3", 2, ("add --iterative",)),
    Case("--stream and --json", f"{A} --stream --json", 2, ("choose one",)),
    Case(
        "a model that does not answer in the form asked for",
        f"{A} --reader scripted:a.json",
        1,
        ("no answer in 2 attempts",),
        put("a.json", '{"default": ""}'),
    ),
    Case(
        "a model whose script has no answer",
        f"{A} --reader scripted:a.json --stream",
        1,
        ("no rule", "default"),
        put("a.json", '{"rules": []}'),
    ),
    Case(
        "folder of prompts missing",
        f"{A} --reader scripted:model.json --config a.toml",
        2,
        ("prompts", "check llm.prompts"),
        lambda: (put("model.json", SCRIPT)(), put("a.toml", '[llm]\nprompts = "no"')())[0],
        foreign=True,
    ),
    Case(
        "prompt of another name",
        f"{A} --reader scripted:model.json --config a.toml",
        2,
        ("anser.md", "rename it to answer.md"),
        own_prompt("anser.md", "## user\n$question $passages"),
    ),
    Case(
        "prompt without a slot",
        f"{A} --reader scripted:model.json --config a.toml",
        2,
        ("answer.md", "$passages"),
        own_prompt("answer.md", "## user\n$question"),
    ),
    Case(
        "prompt with an unknown slot",
        f"{A} --reader scripted:model.json --config a.toml",
        2,
        ("$context", "$passages"),
        own_prompt("answer.md", "## user\n$question $passages $context"),
    ),
    Case(
        "unknown quantization in config",
        f"{A} --config a.toml",
        2,
        ("llm.quantization", "8bit"),
        put("a.toml", '[llm]\nquantization = "2bit"'),
    ),
    Case(
        "price below 0 in config",
        f"{A} --config a.toml",
        2,
        ("llm.input_price",),
        put("a.toml", "[llm]\ninput_price = -1"),
    ),
    Case(
        "key in config",
        f"{A} --config a.toml",
        2,
        ("llm.api_key", "llm.api_key_env"),
        put("a.toml", '[llm]\napi_key = "sk-1"'),
    ),
    Case(
        "window too small for a sentence",
        f"{A} --reader scripted:model.json --config a.toml",
        2,
        ("llm.context_tokens",),
        lambda: (put("model.json", SCRIPT)(), put("a.toml", "[llm]\ncontext_tokens = 600")())[0],
    ),
]

INDEXES = [
    Case("index missing", Q, 2, ("my_index", "make one with"), no_index, mends=INDEX),
    Case(
        "empty folder as index",
        Q,
        2,
        ("my_index", "run:"),
        lambda: (no_index(), Path("my_index").mkdir())[1],
        mends=INDEX,
    ),
    Case("file as index", Q, 1, ("my_index", "another folder"), file_for_index, answers=False, foreign=True),
    Case(
        "index into a file",
        INDEX,
        1,
        ("my_index", "another folder"),
        file_for_index,
        answers=False,
        foreign=True,
    ),
    Case(
        "journal deleted, then indexed",
        INDEX,
        1,
        ("journal.db is missing", "put it back", "delete my_index"),
        drop_journal,
    ),
    Case(
        "journal deleted, then deleted from", "delete s001 --index my_index", 2, ("my_index",), drop_journal
    ),
    Case(
        "journal emptied",
        INDEX,
        1,
        ("journal.db is missing",),
        lambda: (drop_journal(), put("my_index/journal.db", b"")())[0],
    ),
    Case("journal garbage", INDEX, 1, ("journal.db", "put back", "repair"), spoil_journal, foreign=True),
    Case("array cut", Q, 1, ("passage_vectors.npy", "rebuild"), cut_array, mends=MEND),
    Case("array altered", Q, 1, ("passage_vectors.npy", "checksum", "rebuild"), alter_array, mends=MEND),
    Case("manifest altered", Q, 1, ("manifest.json", "checksum", "rebuild"), alter_manifest, mends=MEND),
    Case("CURRENT garbage", Q, 1, ("CURRENT", "rebuild"), put("my_index/CURRENT", b"what?"), mends=MEND),
    Case(
        "CURRENT names no snapshot",
        Q,
        1,
        ("missing", "rebuild"),
        put("my_index/CURRENT", b"77\n"),
        mends=MEND,
    ),
    Case("snapshot of a newer version", Q, 1, ("format 99", "upgrade"), newer_manifest, answers=False),
    Case("journal of a newer version", INDEX, 1, ("format 99", "upgrade"), newer_journal),
    Case("two writers", INDEX, 1, ("another process", "wait"), during=busy),
    Case(
        "delete while another writes",
        "delete s001 --index my_index",
        1,
        ("another process", "wait"),
        during=busy,
    ),
    Case("delete unknown ids", "delete no1 no2 --index my_index", 2, ("no1", "no2")),
    Case(
        "delete in an unknown namespace",
        "delete s001 --index my_index --namespace nope",
        2,
        ("nope", "stats names those there are"),
    ),
    Case(
        "unknown export format", "export --index my_index --format pdf --out a.pdf", 2, ("graphml", "'pdf'")
    ),
    Case(
        "export into a missing folder",
        "export --index my_index --format json --out no/a.json",
        2,
        ("folder no",),
    ),
    Case(
        "export onto a folder",
        "export --index my_index --format json --out data",
        2,
        ("data is a folder",),
        folder("data"),
    ),
]

EVALS = [
    Case("eval of nothing", "eval nowhere", 2, ("nowhere",)),
    Case(
        "eval of a folder without questions",
        "eval data",
        2,
        ("questions.jsonl",),
        folder("data", ("corpus.jsonl", GOOD)),
    ),
    Case(
        "gold ids not in the corpus",
        "eval data --embedder hashing",
        2,
        ("gone",),
        questions_file([{"id": "1", "question": "Who?", "answers": ["a"], "supporting": ["gone"]}]),
    ),
    Case("no questions in the file", "eval data --embedder hashing", 2, ("question",), questions_file([])),
    Case("limit of 0", "eval sample --limit 0", 2, ("limit must be", "at least 1")),
    Case("eval with an unknown method", "eval sample --method magic", 2, ("magic", "graph")),
    Case(
        "eval into a missing folder",
        "eval sample --limit 1 --embedder hashing --method bm25 --json no/a.json",
        2,
        ("no",),
    ),
]

PERMISSIONS = [
    Case(
        "source not readable",
        "index a.txt --index my_index",
        2,
        ("a.txt", "cannot be read"),
        locked("a.txt"),
        during=plain_user,
    ),
    Case(
        "source folder not readable",
        "index notes --index my_index",
        2,
        ("notes", "cannot be read"),
        locked("notes/"),
        during=plain_user,
    ),
    Case(
        "index not readable",
        Q,
        1,
        ("my_index", "permission"),
        locked("my_index/"),
        answers=False,
        during=plain_user,
        foreign=True,
    ),
    Case(
        "index in a folder one may not enter",
        'query "Who?" --index notes/index',
        1,
        ("notes/index", "permission"),
        locked("notes/"),
        during=plain_user,
        foreign=True,
    ),
    Case("index not writable", INDEX, 1, ("permission", "another folder"), read_only, during=plain_user),
    Case(
        "delete from an index not writable",
        "delete s001 --index my_index",
        1,
        ("read-only", "another folder"),
        read_only,
        during=plain_user,
    ),
    Case(
        "export where one may not write",
        "export --index my_index --format json --out notes/a.json",
        1,
        ("notes/a.json", "permission"),
        locked("notes/"),
        during=plain_user,
        foreign=True,
    ),
    Case("a query on an index not writable", Q, 0, (), read_only, during=plain_user),
]

SHELL = [
    Case("closed pipe", f"hipporag-like {Q} -k 50 | head -1", 0, (), shell=True),
    Case("closed stdout", f"hipporag-like {Q} >&-", 0, (), shell=True),
    Case(
        "full disk behind stdout",
        f"hipporag-like {Q} >/dev/full",
        1,
        ("the output", "free space"),
        shell=True,
        foreign=True,
    ),
    Case(
        "full disk while indexing",
        "ulimit -f 400; hipporag-like index corpus.jsonl more.jsonl --index my_index",
        1,
        ("my_index", "space"),
        put("more.jsonl", MORE),
        shell=True,
        foreign=True,
    ),
    Case("no home to write to", f"HOME=/dev/null hipporag-like {Q} -k 1", 0, (), shell=True),
]

CASES = SOURCES + QUESTIONS + OPTIONS + MODELS + INDEXES + EVALS + PERMISSIONS + SHELL
