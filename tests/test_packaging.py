"""What is installed is one package, all of it, and the one that these tests import."""

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hipporag_like

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
MAPPED = {"indexing", "retrieval", "eval"}


def folder_of(package: str) -> Path:
    """Return where a package's files are, by the mapping of its nearest mapped parent."""
    names = package.split(".")
    for length in range(len(names), 0, -1):
        folder = SETUPTOOLS["package-dir"].get(".".join(names[:length]))
        if folder is not None:
            return ROOT.joinpath(folder, *names[length:])
    raise AssertionError(f"{package} is not under any folder of package-dir")


def installed() -> importlib.metadata.Distribution:
    """Return what pip installed; in the checkout's root, ``*.egg-info`` poses as a distribution too."""
    found = importlib.metadata.distributions(name="hipporag-like")
    return next(one for one in found if one.read_text("RECORD") is not None)


def packages_in_the_tree() -> set[str]:
    """Return the packages that the folders are, the links of decision 0001 left out."""
    found = set()
    for top in ("hipporag_like", *MAPPED):
        for init in (ROOT / top).rglob("__init__.py"):
            parts = init.parent.relative_to(ROOT).parts
            if parts[0] == "hipporag_like" and parts[1:2] and parts[1] in MAPPED:
                continue
            found.add(".".join(parts if parts[0] == "hipporag_like" else ("hipporag_like", *parts)))
    return found


def test_every_package_is_listed():
    assert sorted(SETUPTOOLS["packages"]) == sorted(packages_in_the_tree())


def test_the_mapping_leads_to_the_folders():
    for package in SETUPTOOLS["packages"]:
        assert (folder_of(package) / "__init__.py").is_file(), package


def test_package_data_globs_find_files():
    for package, patterns in SETUPTOOLS["package-data"].items():
        for pattern in patterns:
            assert list(folder_of(package).glob(pattern)), f"{package}: nothing matches {pattern}"


def test_every_file_beside_the_code_is_packaged():
    packaged = {
        path
        for package, patterns in SETUPTOOLS["package-data"].items()
        for pattern in patterns
        for path in folder_of(package).glob(pattern)
    }
    beside = {
        path
        for top in ("hipporag_like", *MAPPED)
        for path in (ROOT / top).rglob("*")
        if path.is_file()
        and path.suffix != ".py"
        and not {"__pycache__", "results"} & set(path.parts)
        # The links of decision 0001: the same files once more.
        and not (top == "hipporag_like" and MAPPED & {path.relative_to(ROOT).parts[1]})
    }
    assert beside <= packaged, f"add to package-data: {sorted(map(str, beside - packaged))}"


def test_the_version_is_one():
    assert hipporag_like.__version__ == PYPROJECT["project"]["version"]
    assert installed().version == PYPROJECT["project"]["version"]


def test_the_changelog_knows_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(PYPROJECT['project']['version'])}\]", changelog, re.MULTILINE)


def test_these_tests_import_what_is_installed():
    direct_url = installed().read_text("direct_url.json")
    editable = json.loads(direct_url or "{}").get("dir_info", {}).get("editable", False)
    here = Path(hipporag_like.__file__).resolve()
    assert here.is_relative_to(ROOT) if editable else "site-packages" in here.parts


@pytest.mark.parametrize("folder", sorted(MAPPED))
def test_a_folder_cannot_be_imported_by_its_bare_name(folder):
    run = subprocess.run(
        [sys.executable, "-c", f"import {folder}"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1] == f"ImportError: import hipporag_like.{folder}, not {folder}"


def test_what_can_be_imported_is_under_one_name():
    tops = {
        file.parts[0] for file in installed().files or () if file.suffix == ".py" and ".." not in file.parts
    }
    # An editable install has one module: the hook that finds the folders.
    assert tops and all(top == "hipporag_like" or top.startswith("__editable__") for top in tops)
