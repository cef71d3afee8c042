"""One writer at a time, and no lock outlives its process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from hipporag_like.errors import IndexLockedError, StoreError
from hipporag_like.store.lock import WriterLock

HOLD = """
import sys, time
from pathlib import Path
from hipporag_like.store.lock import WriterLock
with WriterLock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_writer_is_told_who_writes_and_a_kill_frees_the_lock(tmp_path):
    folder = tmp_path / "index"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        sentence = f"another process (pid {holder.pid}) is writing to {folder}; wait for it or stop it"
        with pytest.raises(IndexLockedError, match=f"^{re.escape(sentence)}$"), WriterLock(folder):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with WriterLock(folder):
        pass


def test_two_locks_of_one_process_conflict_and_can_be_taken_again(tmp_path):
    first, second = WriterLock(tmp_path), WriterLock(tmp_path)
    for _ in range(2):
        with first, pytest.raises(IndexLockedError), second:
            pass
    with second:
        pass


def test_lock_is_released_after_an_error(tmp_path):
    with pytest.raises(KeyError), WriterLock(tmp_path):
        raise KeyError
    with WriterLock(tmp_path):
        pass


def test_holder_on_another_host_is_named(tmp_path, monkeypatch):
    with WriterLock(tmp_path):
        host = socket.gethostname()
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        with (
            pytest.raises(IndexLockedError, match=rf"\(pid \d+ on {re.escape(host)}\)"),
            WriterLock(tmp_path),
        ):
            pass


def test_entering_one_lock_twice_is_a_mistake(tmp_path):
    with WriterLock(tmp_path) as lock, pytest.raises(RuntimeError, match="twice"):
        lock.__enter__()


def test_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="use another folder"), WriterLock(tmp_path / "file"):
        pass


def test_lock_is_released_though_a_forked_child_still_has_the_file_open(tmp_path):
    with WriterLock(tmp_path) as lock:
        inherited = os.dup(lock._descriptor)
    try:
        with WriterLock(tmp_path):
            pass
    finally:
        os.close(inherited)
