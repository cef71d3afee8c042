"""Finds every regular expression of the package and tries each on text made to keep it busy.

    python regex_run.py list
    python regex_run.py try LENGTH [FIRST]

``list`` prints one JSON line a pattern. ``try`` prints the number of each pattern before it is tried and a line with
the seconds after, so that whoever started it sees at which pattern it stands still; it begins at pattern FIRST.

Patterns are found twice: every call of ``re`` in the sources, and every compiled pattern that importing the modules
makes. Where a pattern is put together inside a function, what is not known there is the word ``abc``.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import random
import re
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as sre
    from re import _parser as parser
else:
    import sre_constants as sre
    import sre_parse as parser

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "hipporag_like": "hipporag_like",
    "indexing": "hipporag_like.indexing",
    "retrieval": "hipporag_like.retrieval",
}
FOLDERS["eval"] = "hipporag_like.eval"
CALLS = {"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}
USES = CALLS - {"compile"}
MAX_STARTS = 24  # texts of the pattern's own tried for each


@dataclass(frozen=True)
class Found:
    """A pattern, where it stands first and in which files at all, and what is done with it."""

    place: str
    pattern: Any
    flags: int
    uses: tuple[str, ...]
    files: frozenset[str] = frozenset()


def sources() -> Iterator[tuple[Path, str]]:
    """Yield every source file of the package with its module's name."""
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            if folder == "hipporag_like" and parts[0] in FOLDERS:
                continue  # the links of an editable checkout
            yield path, ".".join((package, *(part for part in parts if part != "__init__")))


def loaded(name: str) -> types.ModuleType | None:
    """Return a module; None where it needs an extra that is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def imports_re(tree: ast.AST) -> set[str]:
    """Return by which names a module knows ``re``; fails where it takes single functions out of it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name for alias in node.names if alias.name in ("re", "regex")}
        if isinstance(node, ast.ImportFrom) and node.module in ("re", "regex"):
            raise AssertionError(f"from {node.module} import ... hides patterns from this check")
    return names


def calls(tree: ast.AST, names: set[str]) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls of functions of ``re`` that take a pattern."""
    for node in ast.walk(tree):
        func = node.func if isinstance(node, ast.Call) else None
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in names:
            if func.attr in CALLS:
                yield node, func.attr


def uses_of(trees: dict[str, ast.AST]) -> dict[tuple[str, str], set[str]]:
    """Return what is done with a pattern by module and name, there and where the name is imported."""
    found: dict[tuple[str, str], set[str]] = {}
    for module, tree in trees.items():
        origin = {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in USES and isinstance(node.value, ast.Name):
                name = node.value.id
                found.setdefault(origin.get(name, (module, name)), set()).add(node.attr)
    return found


def named(tree: ast.AST) -> dict[ast.AST, str]:
    """Return the name that each value of an assignment gets."""
    names: dict[ast.AST, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.value] = node.targets[0].id
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            if isinstance(node.value, ast.Tuple):
                pairs = zip(node.targets[0].elts, node.value.elts, strict=False)
                names.update({value: target.id for target, value in pairs if isinstance(target, ast.Name)})
    return names


def evaluated(node: ast.expr, module: types.ModuleType | None) -> Any:
    """Return the value of an expression of ours; what it does not know is the word ``abc``."""
    known: dict[str, Any] = {**vars(builtins), **(vars(module) if module else {"re": re})}
    names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
    known.update({name: "abc" for name in names if name not in known})
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), known)  # noqa: S307  # our own sources


def patterns_in(value: Any, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    """Yield the compiled patterns in a value of a module."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 4 and isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from patterns_in(item, depth + 1)
    elif depth < 4 and isinstance(value, dict):
        for item in (*value.keys(), *value.values()):
            yield from patterns_in(item, depth + 1)
    elif depth < 4 and hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for name in value.__dataclass_fields__:
            yield from patterns_in(getattr(value, name, None), depth + 1)


@lru_cache(maxsize=1)
def found_patterns() -> list[Found]:
    """Return every pattern of the package; an ``AssertionError`` names what could not be made out."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path, _ in sources()}
    uses = uses_of({name: trees[path] for path, name in sources()})
    found: dict[tuple[Any, int], Found] = {}

    def add(place: str, pattern: Any, flags: int, how: set[str]) -> None:
        try:
            key = pattern, re.compile(pattern, flags).flags
        except re.error as error:
            raise AssertionError(f"{place}: {pattern!r}: {error}") from error
        known = found.get(key, Found(place, pattern, key[1], ()))
        files = known.files | {place.partition(":")[0]}
        found[key] = Found(known.place, pattern, key[1], tuple(sorted(how | set(known.uses))), files)

    for path, name in sources():
        tree, module = trees[path], loaded(name)
        names, owners = imports_re(tree), named(tree)
        for call, kind in calls(tree, names):
            place = f"{path.relative_to(ROOT)}:{call.lineno}"
            flags = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "flags")]
            known = kind == "compile" and flags  # the second argument of all others is a text
            pattern = evaluated(call.args[0], module)
            options = int(evaluated(flags[-1], module)) if known else _flags(call, module)
            how = uses.get((name, owners.get(call, "")), {"search", "match"}) if kind == "compile" else {kind}
            add(place, pattern, options, set(how))
        for variable, value in sorted(vars(module).items()) if module else []:
            for compiled in patterns_in(value):
                own = (
                    uses.get((name, variable), set())
                    if isinstance(value, re.Pattern)
                    else {"search", "match"}
                )
                add(f"{path.relative_to(ROOT)}:{variable}", compiled.pattern, compiled.flags, own)
    return list(found.values())


def _flags(call: ast.Call, module: types.ModuleType | None) -> int:
    """Return the flags of a call other than ``compile``: a keyword, or an attribute of ``re`` behind the text."""
    given = [k.value for k in call.keywords if k.arg == "flags"]
    given += [
        a
        for a in call.args[2:]
        if isinstance(a, ast.Attribute) and isinstance(a.value, ast.Name) and a.value.id == "re"
    ]
    return int(evaluated(given[0], module)) if given else 0


class Sampler:
    """Makes texts of a pattern: whole ones, and those that end at each place where something repeats."""

    def __init__(self, found: Found, seed: int) -> None:
        self._random = random.Random(seed)
        self._flags = found.flags
        self._tree = parser.parse(found.pattern, found.flags)
        self._sign: type = bytes if isinstance(found.pattern, bytes) else str
        self.signs: dict[int, None] = {}
        self._note(self._tree)

    def _note(self, node: Any) -> None:
        """Note each sign that the pattern mentions, with one of every class."""
        for op, value in node:
            if op in (sre.LITERAL, sre.NOT_LITERAL):
                self.signs[value] = None
            elif op is sre.RANGE:
                self.signs.update({value[0]: None, value[1]: None})
            elif op is sre.IN:
                self._note(value)
            elif op is sre.CATEGORY:
                self.signs.update(dict.fromkeys(_SAMPLES[value]))
            else:
                for part in _parts(op, value):
                    self._note(part)

    def text(self, node: Any = None) -> str:
        """Return a text that fits (lookarounds aside)."""
        return "".join(self._one(op, value) for op, value in (self._tree if node is None else node))

    def attacks(self) -> Iterator[tuple[str, str]]:
        """Yield (start, what is repeated): the way to each repeat and its body, and the way itself repeated."""
        for way, body in self._repeats(self._tree, ""):
            yield way, self.text(body) or "a"
            yield way, self.text(body) + self.text(body)
            yield "", way + self.text(body)
            yield "", way + " "  # the start of a word again and again, and never what must follow

    def _repeats(self, node: Any, way: str) -> Iterator[tuple[str, Any]]:
        for op, value in node:
            if op in _REPEATS:
                if value[1] > 3:
                    yield way, value[2]
                yield from self._repeats(value[2], way)
            else:
                for part in _parts(op, value):
                    yield from self._repeats(part, way)
            way += self._one(op, value)

    def _one(self, op: Any, value: Any) -> str:
        if op is sre.LITERAL:
            return chr(value)
        if op is sre.NOT_LITERAL or op is sre.ANY:
            return "a" if value != ord("a") else "b"
        if op is sre.IN:
            return chr(self._member(value))
        if op in _REPEATS:
            most = min(value[1], max(value[0], 2))
            return "".join(self.text(value[2]) for _ in range(self._random.randint(value[0], most)))
        if op is sre.BRANCH:
            return self.text(self._random.choice(value[1]))
        if op in (sre.AT, sre.ASSERT, sre.ASSERT_NOT, sre.GROUPREF):
            return ""
        return "".join(self.text(part) for part in _parts(op, value))

    def _member(self, parts: Any) -> int:
        if parts[0][0] is sre.NEGATE:
            fits = re.compile(
                "[^" + "".join(_shown(op, value) for op, value in parts[1:]) + "]", self._flags & ~2
            )
            return next((ord(c) for c in "a0 -.\"'\u00e9\n" if fits.match(c)), ord("a"))
        op, value = self._random.choice(parts)
        if op is sre.CATEGORY:
            return int(self._random.choice(_SAMPLES[value]))
        return int(self._random.choice(value)) if op is sre.RANGE else int(value)


_REPEATS = [
    sre.MAX_REPEAT,
    sre.MIN_REPEAT,
    *([sre.POSSESSIVE_REPEAT] if hasattr(sre, "POSSESSIVE_REPEAT") else []),
]
_SAMPLES = {
    sre.CATEGORY_DIGIT: [ord("0"), 0x0663],
    sre.CATEGORY_NOT_DIGIT: [ord("a"), ord("-")],
    sre.CATEGORY_SPACE: [ord(" "), ord("\n"), ord("\t")],
    sre.CATEGORY_NOT_SPACE: [ord("a"), ord(".")],
    sre.CATEGORY_WORD: [ord("a"), ord("A"), ord("0"), ord("_")],
    sre.CATEGORY_NOT_WORD: [ord(" "), ord("-"), ord("("), ord("\n")],
}
_NAMES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def _shown(op: Any, value: Any) -> str:
    if op is sre.CATEGORY:
        return _NAMES[value]
    return "-".join(re.escape(chr(c)) for c in value) if op is sre.RANGE else re.escape(chr(value))


def _parts(op: Any, value: Any) -> list[Any]:
    """Return the patterns inside of a part of one."""
    if op in _REPEATS:
        return [value[2]]
    if op is sre.BRANCH:
        return list(value[1])
    if op is sre.SUBPATTERN:
        return [value[-1]]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [value[1]]
    return [value] if op == getattr(sre, "ATOMIC_GROUP", None) else []


COMMON = " aA0_-.,'\"(\n\u00e9"


def adversaries(found: Found, length: int, seed: int = 7) -> list[str]:
    """Return texts of about ``length`` that a careless pattern takes long over; the same for the same seed."""
    sampler, rng = Sampler(found, seed), random.Random(seed)
    signs = [chr(sign) for sign in sampler.signs]
    kept = list(dict.fromkeys([*COMMON, *(signs if len(signs) < 20 else rng.sample(signs, 20))]))
    made = [("", sign) for sign in kept]
    made += [("", one + two) for one, two in (rng.sample(kept, 2) for _ in range(MAX_STARTS))]
    whole = [sampler.text() for _ in range(8)]
    made += [("", form) for text in whole for form in (text or "a", text[:-1] or "a", text + " ")]
    attacks = list(sampler.attacks())
    made += attacks if len(attacks) <= 3 * MAX_STARTS else rng.sample(attacks, 3 * MAX_STARTS)
    ends = ["", "\0", "!", sampler.text()]
    pairs = dict.fromkeys((start, body, rng.choice(ends)) for start, body in made)
    return [start + body * (length // len(body)) + end for start, body, end in pairs if body]


def attempt(found: Found, text: str) -> None:
    """Do with a text what the package does with such a pattern."""
    compiled = re.compile(found.pattern, found.flags)
    given: Any = text.encode("utf-8", "surrogatepass") if isinstance(found.pattern, bytes) else text
    for use in found.uses:
        if use in ("match", "fullmatch"):
            getattr(compiled, use)(given)
        elif use == "search":
            compiled.search(given)
        else:
            for _ in compiled.finditer(given):
                pass


def main() -> None:
    """List the patterns, or try them."""
    patterns = found_patterns()
    if sys.argv[1] == "list":
        for number, found in enumerate(patterns):
            shown = {
                "number": number,
                "place": found.place,
                "pattern": str(found.pattern),
                "uses": found.uses,
            }
            sys.stdout.write(json.dumps(shown) + "\n")
        return
    length, first = int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    for number, found in enumerate(patterns[first:], start=first):
        worst, total, slowest = 0.0, 0, ""
        for text in adversaries(found, length):
            head = {
                "number": number,
                "place": found.place,
                "start": text[:60],
                "end": text[-20:],
                "begun": True,
            }
            sys.stdout.write(json.dumps(head) + "\n")
            sys.stdout.flush()  # known even if this text is the last one
            start = time.perf_counter()
            attempt(found, text)
            spent = time.perf_counter() - start
            total, (worst, slowest) = total + 1, max((worst, slowest), (spent, text[:60]))
        row = {
            "number": number,
            "place": found.place,
            "texts": total,
            "worst": round(worst, 4),
            "slowest": slowest,
        }
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
