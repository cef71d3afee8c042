"""Gives each parser of the package inputs that nobody would write, and tells what it made of them.

    python fuzz_parsers_run.py TARGET|all NUMBER SEED

One JSON line a target: how many inputs it was given, how many it took and how many it refused with an error of its
own, the seconds, the slowest input's seconds, and each failure with the input that made it. The same seed gives the
same inputs. An input is a failure where something else than a typed error of one line comes of it, or where what
comes is not what the target promises: a wrong type, a round trip that does not hold, data that silently changed.

Inputs that reach lines which none before reached are kept and changed further; to see that, every ``TRACED``-th
execution is traced, in the target's own modules only.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import traceback
import types
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TRACED = 16
MOST_KEPT = 300  # inputs found by the lines they reach
MOST_FAILURES = 5  # shown of each target, of different kinds


class WrongError(Exception):
    """A value that a target does not promise."""


def require(holds: object, what: str) -> None:
    """Raise where a promise is not kept."""
    if not holds:
        raise WrongError(what)


@dataclass
class Target:
    """A parser under test.

    Attributes
    ----------
    make
        From a generator and a kept input (or None) to an input; any value that ``run`` takes.
    run
        Gives an input to the parser and checks what comes; typed errors go through.
    typed
        The errors that may come.
    modules
        Whose lines count; names of modules.
    """

    make: Callable[[random.Random, Any], Any]
    run: Callable[[Any], object]
    typed: tuple[type[Exception], ...]
    modules: Sequence[str]


@dataclass
class Result:
    """What came of the executions of one target."""

    target: str
    executions: int = 0
    accepted: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    slowest_input: str = ""
    lines: int = 0
    failed: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)


class Lines:
    """The lines of some modules that were reached."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._files = {sys.modules[name].__file__ for name in modules}
        self.seen: set[tuple[str, int]] = set()

    def run(self, action: Callable[[], None]) -> bool:
        """Run something and return whether it reached new lines."""
        before = len(self.seen)
        sys.settrace(self._call)
        try:
            action()
        finally:
            sys.settrace(None)
        return len(self.seen) > before

    def _call(self, frame: types.FrameType, event: str, argument: object) -> Any:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: types.FrameType, event: str, argument: object) -> Any:
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def fuzz(name: str, target: Target, number: int, seed: int) -> Result:
    """Return what came of ``number`` executions."""
    rng, result, lines = random.Random(f"{seed} {name}"), Result(name), Lines(target.modules)
    kept: list[Any] = []
    kinds: set[str] = set()
    began = time.perf_counter()
    for count in range(number):
        given = target.make(rng, rng.choice(kept) if kept and rng.random() < 0.5 else None)

        def attempt(given: Any = given) -> None:
            once(target, given, result, kinds)

        if count % TRACED == 0:
            if lines.run(attempt) and len(kept) < MOST_KEPT:
                kept.append(given)
        else:
            start = time.perf_counter()
            attempt()
            spent = time.perf_counter() - start
            if spent > result.slowest:
                result.slowest, result.slowest_input = spent, shown(given)[:120]
    result.executions, result.seconds, result.lines = number, time.perf_counter() - began, len(lines.seen)
    return result


def once(target: Target, given: Any, result: Result, kinds: set[str]) -> None:
    """Give one input to a target and count what came of it."""
    try:
        target.run(given)
    except target.typed as error:
        result.refused += 1
        said = str(error)
        if not said.strip() or len(said.splitlines()) > 1 or "Traceback" in said:
            _failed(result, kinds, f"not one line: {type(error).__name__}", f"{said[:300]!r}", given)
    except Exception as error:  # noqa: BLE001  # what must not come is anything else
        trace = traceback.extract_tb(error.__traceback__)
        last = next((f for f in reversed(trace) if "tests" not in f.filename), trace[-1])
        place = f"{Path(last.filename).name}:{last.lineno}"
        kind = str(error)[:60] if isinstance(error, WrongError) else place
        _failed(result, kinds, f"{type(error).__name__} {kind}", str(error)[:300], given)
    else:
        result.accepted += 1


def _failed(result: Result, kinds: set[str], kind: str, message: str, given: Any) -> None:
    result.failed += 1
    if kind not in kinds and len(kinds) < MOST_FAILURES:
        kinds.add(kind)
        result.failures.append({"kind": kind, "message": message, "input": shown(given)[:2000]})


def shown(given: Any) -> str:
    """Return an input as ASCII that Python reads back."""
    return ascii(given)


def targets(folder: Path) -> dict[str, Target]:
    """Return every target; ``folder`` is theirs to write to."""
    import fuzz_answers
    import fuzz_data
    import fuzz_journal
    import fuzz_settings
    import fuzz_texts

    found: dict[str, Target] = {}
    for module in (fuzz_answers, fuzz_settings, fuzz_journal, fuzz_data, fuzz_texts):
        found.update(module.targets(folder))
    return found


def main() -> None:
    """Fuzz the targets that the command line names."""
    name, number, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    memory = Path("/dev/shm")  # files of this program live for a millisecond
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        known = targets(Path(folder))
        if name not in ("all", *known):
            sys.exit(f"no target {name}; name all or one of {', '.join(known)}")
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # of other packages
        warnings.simplefilter("ignore", ResourceWarning)
        for key, target in known.items():
            if name in ("all", key):
                row = fuzz(key, target, number, seed)
                row.seconds, row.slowest = round(row.seconds, 2), round(row.slowest, 4)
                sys.stdout.write(json.dumps(vars(row)) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    sys.modules["fuzz_parsers_run"] = sys.modules["__main__"]
    main()
