"""Ask pip-audit about every package of the locks: exit code 1 where one is known to be vulnerable.

Without a network, or behind an index that has no advisories, nothing can be said: then a line says what was not
checked, and the exit code is 0, so that only a finding stops a change.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-local.lock")
PATIENCE_S = 300.0  # for all questions to the service; answered ones take a tenth of a second


def asked(lock: Path) -> tuple[list[dict[str, object]], str]:
    """Return pip-audit's entries of a lock, or none and why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--timeout", "10"]
        command += ["--progress-spinner", "off", "-f", "json", "-o", str(answer), "-r", str(lock)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            return [], f"no answer in {PATIENCE_S:.0f} s"
        if not answer.is_file():
            return [], (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return json.loads(answer.read_text(encoding="utf-8"))["dependencies"], ""


def judged(lock: str, entries: list[dict[str, object]], problem: str) -> tuple[list[str], bool]:
    """Return what is to be said about a lock, and whether a vulnerability is among it."""
    known = [f"{e['name']} {e['version']}: {v['id']}" for e in entries for v in e.get("vulns", ())]  # type: ignore
    unknown = [e for e in entries if "skip_reason" in e]
    lines = [f"vulnerable: {line}" for line in known]
    if problem or unknown:
        reason = problem or str(unknown[0]["skip_reason"])
        which = f"{len(unknown)} of {len(entries)} packages of {lock}" if unknown else lock
        lines.append(f"not checked: {which} ({reason})")
    lines.append(f"{lock}: {len(entries) - len(unknown)} packages checked, {len(known)} vulnerabilities")
    return lines, bool(known)


def main() -> int:
    """Judge both locks."""
    vulnerable = False
    for lock in LOCKS:
        lines, bad = judged(lock.name, *asked(lock))
        sys.stdout.write("".join(f"-> {line}\n" for line in lines))
        vulnerable = vulnerable or bad
    return int(vulnerable)


if __name__ == "__main__":
    sys.exit(main())
