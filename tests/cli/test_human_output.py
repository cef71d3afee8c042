"""What a person reads: complete, within 80 columns, and plain text in a pipe."""

import dataclasses
import io
import sys

import pytest

from hipporag_like.cli import _console, _render, _render_report, _session
from hipporag_like.types import Answer, Citation, Failure, IndexReport

COMMANDS = [
    ["query", "q"],
    ["ask", "q"],
    ["explain", "q"],
    ["stats"],
    ["index", "x"],
    ["delete", "x"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c[0])
def test_a_pipe_gets_lines_of_80_columns_without_colour_boxes_or_padding(
    cli, fake, index_dir, monkeypatch, command
):
    monkeypatch.setattr(_session, "load_sources", lambda *arguments: ([], []))
    fake.report = IndexReport(deleted=3, added=12345, failures=(Failure("a/b" * 30, "x " * 90),))
    result = cli(*command, "--index", index_dir)
    assert result.exit_code == 0, result.output
    for line in (result.stdout + result.stderr).splitlines():
        assert line == line.rstrip()
        assert "\x1b" not in line and not set(line) & set("│┃┏┓┗┛╭╮╰╯┌┐└┘|")
        # A sentence about one of the things given stays in one line, for who reads it with grep.
        assert len(line) <= 80 or line.startswith(("error: ", "a/b"))


def test_query_shows_rank_title_score_text_and_every_signal(cli, fake, index_dir):
    blocks = cli("query", "q", "--index", index_dir).stdout.split("\n\n")
    assert len(blocks) == 2
    assert blocks[0].split()[:4] == ["1", "Steven", "Spielberg", "0.912"]
    assert "born in Cincinnati" in blocks[0]
    assert "graph ━━━━━━━━━━ 0.610   dense ━━━ 0.202   bm25 ━━ 0.100" in blocks[0]
    assert blocks[1].rstrip().splitlines()[-2].endswith("…")  # a long passage is cut to a few lines


def test_query_without_hits_says_so(cli, fake, index_dir, monkeypatch):
    monkeypatch.setattr(fake, "retrieve_many", lambda self, questions, k, **options: [[]])
    assert "No passage found" in cli("query", "q", "--index", index_dir).stdout
    assert cli("query", "q", "--index", index_dir, "--json").stdout == ""


def test_a_snippet_shows_the_fact_that_led_here_even_late_in_the_passage():
    from hipporag_like.types import Hit, Passage, PathStep

    fact = "The bridge was built by Ada Byron."
    passage = Passage(id="p#0", document_id="p", text="Much else. " * 60 + fact, start=0, end=700)
    hit = Hit(
        1, 1.0, passage, {}, (PathStep("question", "q"), PathStep("fact", fact), PathStep("passage", "p"))
    )
    assert _plain(_render.render_hits([hit])).count(fact) == 1


def test_ask_marks_the_answer_with_its_citation(cli, fake, index_dir):
    lines = cli("ask", "q", "--index", index_dir).stdout.splitlines()
    assert lines[0] == "Cincinnati, Ohio [1]"
    assert lines[-2:] == [
        "[1] Steven Spielberg  people-7#0",
        "    He was “born in Cincinnati, Ohio”, in 1946.",
    ]


def test_ask_without_an_answer_shows_the_closest_passages(cli, fake, index_dir):
    fake.answer = dataclasses.replace(fake.answer, text=None, citations=())
    text = cli("ask", "q", "--index", index_dir).stdout
    assert text.startswith("No answer") and "Steven Spielberg" in text and "Jaws" in text


TEXT = "One came first. Two is quoted\nhere, and goes on! Three came last."


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (16, 48, "“Two is quoted here, and goes on!”"),
        (20, 29, "Two “is quoted” here, and goes on!"),
        (0, 15, "“One came first.”"),
        (0, len(TEXT), "“One came first. Two is quoted here, and goes on! Three came last.”"),
    ],
)
def test_a_quote_stands_in_its_sentence_between_quotation_marks(start, end, expected):
    text = TEXT.replace("\n", " ")
    citation = Citation("d", "d#0", text[start:end], start, end)
    assert _render.quote_in_sentence(citation, text, None).plain == expected


def test_a_quote_whose_passage_is_not_at_hand_stands_alone():
    answer = Answer("q", "x", (Citation("d", "d#9", "the quote", 500, 509),), 0.5, "extractive")
    assert "“the quote”" in _plain(_render.render_answer(answer, paths=True))


def test_explain_shows_seeds_facts_signals_and_the_path(cli, fake, index_dir):
    text = cli("explain", "q", "--index", index_dir).stdout
    one_line = " ".join(text.split())
    assert "“Jaws” by exact words" in text and "“director” by similar meaning" in text
    assert "0.0412 +0.71 It was directed by Steven Spielberg" in one_line
    assert (
        "question → jaws → “It was directed by Steven Spielberg, based on the novel by Peter Benchley.” → "
        "steven spielberg → Steven Spielberg" in one_line
    )
    assert "walk: pushes 812, touched 93, residual 1e-06" in text and "time: link 4 ms" in text


@pytest.mark.parametrize(
    ("outcome", "words"), [("no_seeds", "no seeds"), ("empty", "Nothing could be returned")]
)
def test_explain_says_in_words_when_the_graph_had_no_say(cli, fake, index_dir, outcome, words):
    trace = dataclasses.replace(
        fake.trace, outcome=outcome, method="hybrid", seeds=(), facts=(), note="A note."
    )
    fake.trace = trace if outcome == "no_seeds" else dataclasses.replace(trace, hits=())
    text = " ".join(cli("explain", "q", "--index", index_dir).stdout.split())
    assert words in text and "A note." in text
    assert ("hybrid answered instead" in text) is (outcome == "no_seeds")


def test_index_tells_counts_and_seconds(cli, fake, index_dir, monkeypatch):
    monkeypatch.setattr(_session, "load_sources", lambda *arguments: ([], []))
    fake.report = IndexReport(
        added=1200, unchanged=3, passages=9, entities=8, facts=7, seconds={"embed": 2.5, "total": 3}
    )
    rows = [line.split(None, 1) for line in cli("index", "x", "--index", index_dir).stdout.splitlines()]
    assert dict(rows) == {
        "documents": "1,200 added, 3 unchanged",
        "passages": "9",
        "entities": "8",
        "facts": "7",
        "time": "3.0 s  (embed 2.5 s)",
    }
    assert cli("index", "x", "--index", index_dir, "--quiet").output == ""


def test_failures_are_a_table_of_20_and_a_count_of_the_rest():
    failures = [Failure(f"file_{number}.bin", "not UTF-8;\nconvert it") for number in range(23)]
    lines = _plain(_render_report.render_failures(failures)).strip().splitlines()
    assert lines[0] == "23 failures"
    assert sum("file_" in line for line in lines) == 20
    assert lines[2].split(None, 1) == ["file_0.bin", "not UTF-8; convert it"]
    assert lines[-1] == "  and 3 more; --json lists all"
    assert "\n1 failure\n" in _plain(_render_report.render_failures(failures[:1]))


def test_stats_are_names_and_values_with_what_is_inside_below(cli, fake, index_dir):
    lines = cli("stats", "--index", index_dir).stdout.splitlines()
    assert lines == [
        "documents  1,200",
        "embedder   hashing",
        "ready      yes",
        "",
        "namespaces",
        "  default",
        "    passages  3",
    ]


def test_a_terminal_gets_colour_and_a_pipe_does_not(cli, fake, index_dir):
    coloured = cli("query", "q", "--index", index_dir, FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[1mSteven Spielberg\x1b[0m" in coloured
    assert "\x1b" not in cli("query", "q", "--index", index_dir).stdout


def test_letters_that_the_stream_cannot_show_do_not_stop_the_output(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    _console.show("Zürich →")
    sys.stdout.flush()
    assert raw.getvalue() == b"Z?rich ?\n"


def _plain(renderable):
    stream = io.StringIO()
    kept, sys.stdout = sys.stdout, stream
    try:
        _console.show(renderable)
    finally:
        sys.stdout = kept
    return stream.getvalue()
