"""Imports point one way. Read from the source, so that imports inside functions count as well."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "hipporag_like": ROOT / "hipporag_like",
    "hipporag_like.indexing": ROOT / "indexing",
    "hipporag_like.retrieval": ROOT / "retrieval",
    "hipporag_like.eval": ROOT / "eval",
}
STAGES = {"indexing", "retrieval", "eval"}

# From the top down: a part may import the parts below it and its own, never one above.
LAYERS = (
    {"cli"},
    {"face"},  # hipporag_like/__init__.py: for users; inside, names come from where they are defined
    {"eval"},
    {"rag"},
    {"parts"},
    {"opened"},
    {"language"},
    {"retrieval"},
    {"indexing"},
    {"models", "store"},
    {"config", "text", "sentences", "progress", "once"},
    {"no_secrets"},
    {"types", "errors", "plain_files"},
)
HEIGHT = {part: -depth for depth, layer in enumerate(LAYERS) for part in layer}
# Parts of one layer that do not know each other either.
STRANGERS = {frozenset({"models", "store"}), frozenset({"types", "errors"})}

# (file, imported module): why it may break the rule.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def part_of(module: str) -> str:
    """Return the part of the layer table that a module belongs to."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "face"


def imports_of(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Yield the modules of ours that a source imports, relative imports resolved."""
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = here[: len(here) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            # `from hipporag_like import config` imports a part, `... import HippoRAG` the face.
            names = [f"{base}.{alias.name}" if is_part(base, alias.name) else base for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == "hipporag_like")


def is_part(base: str, name: str) -> bool:
    return base == "hipporag_like" and name in HEIGHT


def allowed(importer: str, imported: str) -> bool:
    """Return whether one part may import another."""
    if importer == imported:
        return True
    if frozenset({importer, imported}) in STRANGERS:
        return False
    return HEIGHT[imported] <= HEIGHT[importer]


def modules() -> Iterator[tuple[str, Path]]:
    """Yield every module of the package by name, and its file."""
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*.py")):
            relative = path.relative_to(folder)
            if package == "hipporag_like" and relative.parts[0] in STAGES:
                continue  # the links of decision 0001: the same files once more
            parts = [*relative.parent.parts, *([] if path.stem == "__init__" else [path.stem])]
            yield ".".join([package, *parts]), path


MODULES = list(modules())


def test_every_module_has_a_layer():
    homeless = {part_of(name) for name, _ in MODULES} - set(HEIGHT)
    assert not homeless, f"say in LAYERS where these belong: {sorted(homeless)}"
    assert {"indexing", "retrieval", "eval", "store", "models", "cli"} <= {part_of(n) for n, _ in MODULES}


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_point_down(name, path):
    file = path.relative_to(ROOT).as_posix()
    source = path.read_text(encoding="utf-8")
    wrong = [
        imported
        for imported in imports_of(source, name, path.name == "__init__.py")
        if (file, imported) not in EXCEPTIONS and not allowed(part_of(name), part_of(imported))
    ]
    assert not wrong, f"{file} imports {wrong}, which is not below {part_of(name)}"


def test_exceptions_are_still_needed():
    found = {
        (path.relative_to(ROOT).as_posix(), imported)
        for name, path in MODULES
        for imported in imports_of(path.read_text(encoding="utf-8"), name, path.name == "__init__.py")
    }
    assert set(EXCEPTIONS) <= found and all(EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("source", "module", "expected"),
    [
        ("from hipporag_like.store.files import x", "hipporag_like.models.a", ["hipporag_like.store.files"]),
        ("def f():\n    import hipporag_like.rag", "hipporag_like.text", ["hipporag_like.rag"]),
        ("from hipporag_like import config", "hipporag_like.text", ["hipporag_like.config"]),
        ("from hipporag_like import HippoRAG", "hipporag_like.eval.a", ["hipporag_like"]),
        ("from ..store import files", "hipporag_like.indexing.a", ["hipporag_like.store"]),
        ("from .rows import x\nimport numpy", "hipporag_like.eval.a", ["hipporag_like.eval.rows"]),
    ],
)
def test_the_checker_reads_every_kind_of_import(source, module, expected):
    assert list(imports_of(source, module)) == expected


@pytest.mark.parametrize(
    ("importer", "imported", "ok"),
    [
        ("cli", "rag", True),
        ("retrieval", "indexing", True),
        ("indexing", "retrieval", False),
        ("models", "store", False),
        ("sentences", "text", True),
        ("text", "store", False),
        ("eval", "face", False),
    ],
)
def test_the_checker_knows_up_from_down(importer, imported, ok):
    assert allowed(importer, imported) is ok
