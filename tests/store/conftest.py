"""Helpers of the store's tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.fixture
def run_script():
    """Run Python source in a process of its own; its arguments are ``sys.argv[1:]``."""

    def run(source: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", source, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ)

    return run


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """Half the time of these tests; only power loss would tell, and the order of calls is tested apart."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
