"""Progress: silent in the library, late and only for people on the command line."""

import io
import threading
import time

import pytest

from hipporag_like.cli import _progress
from hipporag_like.progress import silent


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_default_says_nothing_and_counts_nothing(capsys):
    with silent("work", None) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_bars_are_for_terminals_and_for_those_who_want_them(monkeypatch):
    monkeypatch.setattr(_progress.sys, "stderr", io.StringIO())
    assert _progress.track_for(quiet=False) is silent
    monkeypatch.setattr(_progress.sys, "stderr", Terminal())
    assert _progress.track_for(quiet=True) is silent
    assert _progress.track_for(quiet=False) is not silent


@pytest.fixture
def display(monkeypatch):
    """Stand in for rich's display and note what it is told."""

    class Display:
        log = []

        def start(self):
            self.log.append("start")

        def stop(self):
            self.log.append("stop")

        def add_task(self, label, total, completed):
            self.log.append(("add", label, total, completed))
            return len(self.log)

        def advance(self, task, steps):
            self.log.append(("advance", steps))

        def remove_task(self, task):
            self.log.append("remove")

    monkeypatch.setattr(_progress, "_display", Display)
    return Display


def _wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_short_work_shows_nothing(display):
    bars = _progress.Bars(patience=60)
    with bars.track("short", 2) as advance:
        advance(2)
    assert display.log == [] and threading.active_count() < 10


def test_long_work_appears_with_what_is_done_so_far_and_goes_away(display):
    bars = _progress.Bars(patience=0.01)
    with bars.track("long", 10) as advance:
        advance(4)
        _wait_for(lambda: any(entry[0] == "add" for entry in display.log))
        advance(6)
    assert display.log == ["start", ("add", "long", 10, 4), ("advance", 6), "remove", "stop"]


def test_work_inside_work_shares_one_display_and_an_error_closes_it(display):
    bars = _progress.Bars(patience=0)
    with pytest.raises(ValueError, match="boom"), bars.track("outer", None):
        _wait_for(lambda: len(display.log) == 2)
        with bars.track("inner", 1):
            _wait_for(lambda: len(display.log) == 3)
            raise ValueError("boom")
    assert display.log.count("start") == display.log.count("stop") == 1
    assert display.log.count("remove") == 2


def test_the_real_display_draws_label_bar_and_count():
    from rich.console import Console

    display = _progress._display()
    task = display.add_task("embed", total=200)
    display.advance(task, 50)
    console = Console(file=io.StringIO(), width=80)
    console.print(display.get_renderable())
    line = console.file.getvalue()
    assert "embed" in line and "50/200" in line and "━" in line


@pytest.mark.parametrize(
    ("speed", "words"),
    [(1234.4, "1,234/s"), (10, "10/s"), (4.25, "4.2/s"), (0.5, "30/min"), (0.025, "1.5/min")],
)
def test_slow_work_has_a_rate_too(speed, words):
    assert _progress.rate_words(speed) == words
