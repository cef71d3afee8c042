"""What the documents say is there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXT = {".cfg", ".ipynb", ".jsonl", ".md", ".py", ".toml", ".txt", ".yaml", ".yml", ""}
# Written in pieces, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")
# A home or working folder of some machine; a path inside an address (https://host/home/...) is none.
MACHINE_PATH = re.compile(r"(?<![\w./~:-])/(?:root|work|home|Users|mnt)/[\w.-]+")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def tracked_files() -> list[Path]:
    """Return what is or could be under version control; in a copy without ``.git``, what looks like it."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (ROOT / ".git").exists():
        git = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        paths = [ROOT / name for name in git.stdout.split("\0") if name]
    else:
        tops = (".ci", "docs", "eval", "hipporag_like", "indexing", "notebooks", "retrieval", "tests")
        paths = [*ROOT.glob("*"), *(path for top in tops for path in (ROOT / top).rglob("*"))]
    return sorted(path for path in paths if path.is_file() and path.suffix in TEXT)


def places(pattern: re.Pattern[str]) -> list[str]:
    """Return where a pattern occurs, as ``file:line: what``."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {match.group()}"
        for path in tracked_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := pattern.search(line))
    ]


def test_files_are_found():
    names = {path.relative_to(ROOT).as_posix() for path in tracked_files()}
    assert {"README.md", "pyproject.toml", "indexing/__init__.py", "tests/test_docs.py"} <= names


def test_nothing_is_left_for_later():
    assert not places(UNFINISHED)


def test_no_path_of_a_machine():
    assert not places(MACHINE_PATH)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("open('/%s/ann/x.txt')", True),
        ("see /%s/project", True),
        ("https://host/%s/page", False),
        ("tests/%s/x", False),
        ("~/%s/x", False),
    ],
)
def test_machine_paths_are_told_from_addresses(line, found):
    assert bool(MACHINE_PATH.search(line % "home")) is found


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_headings(path):
    number, _, _ = path.stem.partition("-")
    text = path.read_text(encoding="utf-8")
    assert re.fullmatch(r"\d{4}", number) and text.startswith(f"# {number}: ")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert [h for h in headings if h in {"Context", "Decision", "Consequences"}] == [
        "Context",
        "Decision",
        "Consequences",
    ]


def test_decisions_are_numbered_without_gaps():
    numbers = [int(path.stem.partition("-")[0]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1)) and numbers


@pytest.mark.parametrize(
    "path", [path for path in tracked_files() if path.suffix == ".md"], ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(path):
    targets = [target.partition("#")[0] for target in LINK.findall(path.read_text(encoding="utf-8"))]
    local = [target for target in targets if target and "://" not in target and ":" not in target]
    missing = [target for target in local if not (path.parent / target).exists()]
    assert not missing


def test_the_readme_shows_every_command():
    from hipporag_like.cli.app import COMMANDS

    if not re.search(r"^## Command line$", README, re.MULTILINE):
        pytest.skip("the README has no section on the command line")
    missing = [name for name in COMMANDS if not re.search(rf"(?:hipporag-like |`){name}\b", README)]
    assert not missing


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_targets_that_make_has(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.MULTILINE))
    missing = [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
    assert {"test"} <= named and not missing
