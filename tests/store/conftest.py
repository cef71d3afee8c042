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
