"""The page in a real browser: fits a phone and a desk, complains of nothing, asks the network for nothing."""

import importlib.util
import json
import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from hipporag_like.eval.report import write_report

SPEC = importlib.util.spec_from_file_location(
    "report_example_browser", Path(__file__).with_name("report_example.py")
)
EXAMPLE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLE)

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
).split()
NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND"  # not even the browser's own requests leave the machine
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
MEASURE = """<script>
const boxes = [...document.querySelectorAll("svg text, h1, h2, h3, p, dd, .scroll, figure")];
const right = Math.max(...boxes.map(box => box.getBoundingClientRect().right));
parent.document.documentElement.dataset.widths =
  [innerWidth, document.documentElement.scrollWidth, Math.ceil(right)].join(" ");
</script></body>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "results.json").write_text(json.dumps(EXAMPLE.example()), encoding="utf-8")
    write_report(folder)
    return folder / "report.html"


def opened(page, folder):
    """Return the page as the browser has it, its console's lines, and what the page asked the network for."""
    log = folder / "net.json"
    options = [f"--user-data-dir={folder / 'profile'}", "--window-size=1400,900", f"--log-net-log={log}"]
    command = [BROWSER, *FLAGS, NO_NAMES, *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console, requests_of(json.loads(log.read_text(encoding="utf-8")))


def requests_of(log):
    """Return the addresses asked for by a page: what the browser asks for itself has no origin."""
    start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    parts = [event.get("params", {}) for event in log["events"] if event["type"] == start]
    return [
        part["url"]
        for part in parts
        if part.get("initiator", "not an origin") != "not an origin" and part["url"].startswith("http")
    ]


def test_no_console_errors_and_no_requests(page, tmp_path):
    dom, console, requests = opened(page, tmp_path)
    assert "How to read this" in dom and dom.count("<svg") == 15
    assert (console, requests) == ([], [])


def test_these_checks_would_notice(tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<img src='http://example.invalid/a.png'><script>undefined_name()</script>", encoding="utf-8"
    )
    _, console, requests = opened(bad, tmp_path)
    assert requests == ["http://example.invalid/a.png"]
    assert any("undefined_name" in line for line in console)


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_reaches_over_the_edge(page, tmp_path, width):
    text = POLICY.sub("", page.read_text(encoding="utf-8")).replace("</body>", MEASURE)
    frame = tmp_path / "frame.html"  # a window would not get as narrow as a phone
    frame.write_text(
        f'<iframe style="border:0" width="{width}" height="800" srcdoc="{escape(text)}"></iframe>'
    )
    dom, _, _ = opened(frame, tmp_path)
    inner, scroll, right = map(int, re.search(r'data-widths="(\d+) (\d+) (\d+)"', dom).groups())
    assert inner == width and scroll <= width and right <= width
