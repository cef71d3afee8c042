"""Every command says what it is for and shows it; section 7 of the design names them."""

import pytest

COMMANDS = (
    "demo",
    "index",
    "query",
    "ask",
    "explain",
    "delete",
    "stats",
    "export",
    "verify",
    "repair",
    "eval",
    "experiment",
    "report",
    "study",
)
MODEL = ("--llm", "--base-url", "--filter", "--no-filter")
STEPS = ("--iterative", "--steps")
OPTIONS = {
    "index": ["--index", "--extractor", "--namespace", "--config", "--embedder", "--json", "--quiet"]
    + ["--llm", "--base-url", "--estimate", "--preset"],
    "query": ["--index", "-k", "--method", "--where", "--namespace", "--json", *MODEL],
    "ask": ["--index", "-k", "--reader", "--method", "--where", "--namespace", "--json", *MODEL, *STEPS]
    + ["--stream", "--no-stream"],
    "explain": ["--index", "-k", "--method", "--where", "--namespace", "--json", *MODEL, *STEPS],
    "delete": ["--index", "--namespace", "--json"],
    "stats": ["--index", "--json"],
    "export": ["--index", "--format", "--out", "--namespace"],
    "verify": ["--index", "--json"],
    "repair": ["--index", "--models", "--json"],
    "eval": ["--index", "--method", "--extractor", "--limit", "--json", *MODEL],
    "experiment": [
        "--out",
        "--method",
        "--run",
        "--baseline",
        "--extractor",
        "--embedder",
        "--config",
        "--limit",
    ]
    + ["--condition", "--read", "--no-read", "--index-root", "--json", "--quiet"],
    "report": ["--quiet"],
    "study": ["--out"],
    "demo": ["--index"],
}


def test_help_lists_every_command_with_one_line(cli):
    result = cli("--help", COLUMNS="100")
    assert result.exit_code == 0
    listed = dict(
        line.split(None, 1) for line in result.stdout.partition("Commands:")[2].splitlines() if line.strip()
    )
    assert tuple(listed) == COMMANDS
    assert all(text.endswith(".") and "..." not in text for text in listed.values())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_line_of_its_own_and_its_options(cli, command):
    result = cli(command, "--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    example = lines[lines.index("  Example:") + 1]
    assert example.startswith(f"    hipporag-like {command}") or "| hipporag-like" in example
    assert all(option in result.stdout for option in OPTIONS[command])


def test_examples_use_only_options_that_exist(cli):
    for command in COMMANDS:
        text = cli(command, "--help", COLUMNS="100").stdout
        example, _, options = text.partition("Arguments:" if "Arguments:" in text else "Options:")
        used = {
            word
            for word in example.partition("Example:")[2].split()
            if word.startswith("-") and len(word) > 1
        }
        assert all(word in options for word in used), (command, used)


def test_no_arguments_show_the_help_on_stderr_and_exit_2(cli):
    result = cli()
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Commands:" in result.stderr


def test_version(cli):
    from importlib.metadata import version

    assert cli("--version").stdout == f"hipporag-like {version('hipporag-like')}\n"


@pytest.mark.parametrize(
    ("words", "position", "expected"),
    [
        ("hipporag-like query --method hy", 3, {"hybrid"}),
        ("hipporag-like index --extractor sp", 3, {"spacy:"}),
        ("hipporag-like export --format ", 3, {"graphml", "json", "csv"}),
        ("hipporag-like ask --reader ex", 3, {"extractive"}),
        ("hipporag-like index --embedder m", 3, {"minilm"}),
        ("hipporag-like index --preset ", 3, {"auto", "light", "full"}),
        ("hipporag-like query --method hip", 3, {"hipporag", "hipporag2"}),
        ("hipporag-like index --extractor l", 3, {"llm"}),
        ("hipporag-like ask --llm ", 3, {"openai:", "transformers:", "scripted:"}),
        ("hipporag-like ask --reader o", 3, {"openai:"}),
        ("hipporag-like ex", 1, {"explain", "export", "experiment"}),
    ],
)
def test_shell_completion_knows_commands_and_values(cli, words, position, expected):
    result = cli(_HIPPORAG_LIKE_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(position))
    assert set(result.stdout.split()) == expected
