"""The public names: documented, importable, and no others."""

import inspect
import subprocess
import sys

import pytest

import hipporag_like
from hipporag_like import errors

# Code outside of this repository uses these; a name may be added, none may go.
PROMISED = {
    "Answer",
    "Citation",
    "Config",
    "Document",
    "HippoRAG",
    "Hit",
    "IndexReport",
    "Passage",
    "Trace",
    "__version__",
}
ERRORS = {name for name, _ in inspect.getmembers(errors, inspect.isclass) if name.endswith("Error")}


def import_order(name: str) -> tuple[int, str]:
    """Return the key by which ruff sorts ``__all__``: constants, classes, the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name


def test_the_list_is_sorted_and_has_no_double():
    assert list(hipporag_like.__all__) == sorted(set(hipporag_like.__all__), key=import_order)


def test_the_promised_names_are_there():
    assert PROMISED | ERRORS <= set(hipporag_like.__all__)


def test_the_list_is_what_is_visible():
    assert {n for n in dir(hipporag_like) if n == "__version__" or not n.startswith("_")} == set(
        hipporag_like.__all__
    )


def test_nothing_of_ours_is_public_by_accident():
    for name in hipporag_like.__all__:  # a lazy name may become an attribute when it is first asked for
        getattr(hipporag_like, name)
    defined = {
        name
        for name, value in vars(hipporag_like).items()
        if not name.startswith("_") and getattr(value, "__module__", "").startswith("hipporag_like")
    }
    assert defined <= set(hipporag_like.__all__)


def test_a_star_import_brings_the_list(tmp_path):
    script = "from hipporag_like import *\nprint(*dir())"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert set(hipporag_like.__all__) <= set(run.stdout.split())


@pytest.mark.parametrize("name", sorted((PROMISED | ERRORS) - {"__version__"}))
def test_every_public_name_is_a_documented_class(name):
    public = getattr(hipporag_like, name)
    assert inspect.isclass(public) and public.__name__ == name
    assert (public.__doc__ or "").strip() and not public.__doc__.startswith(f"{name}(")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="HippoRag"):
        _ = hipporag_like.HippoRag


def test_every_error_has_one_root_and_an_exit_code():
    for name in ERRORS:
        error = getattr(hipporag_like, name)
        assert issubclass(error, hipporag_like.HippoRAGLikeError) and error.exit_code in {1, 2}
