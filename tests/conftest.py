"""What tests of several folders share."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Helpers that any test may import by name, as `from llm_server import LLMServer`: tests are in no package.
for _path in (Path(__file__).parent / "models" / "llm_server.py",):
    if _path.stem not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_path.stem, _path)
        sys.modules[_path.stem] = importlib.util.module_from_spec(_spec)
        _spec.loader.exec_module(sys.modules[_path.stem])


@pytest.fixture
def llm_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A running ``llm_server.LLMServer``; no proxy and no key of the person who runs the tests get in."""
    from llm_server import LLMServer

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for variable in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(variable, raising=False)
    with LLMServer() as server:
        yield server
