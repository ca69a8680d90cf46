"""`make demo` from a page turn to the server: the launcher under LuaJIT, the worker, the stand-in."""

from __future__ import annotations

import subprocess
import sys

from tests.reader import ROOT


def test_the_demo_shows_two_readings_that_arrived() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "1 reading session, 2 highlights sent." in run.stdout
    arrived = run.stdout.partition("What arrived of today:")[2]
    assert "The Keeper’s Log of Skarv Head" in arrived
    assert "1 to 24" in arrived
    assert "http://127.0.0.1:" in arrived
    highlights = arrived.partition("Highlights at their place in the text:")[2]
    assert "“The brig Constance went by under full sail”" in highlights
    assert "epubcfi(/6/4!/4/4,/3:191,/5:24)" in highlights
    assert "/sandbox/reader/reader.html?book=1" in highlights or "the web reader's library is missing" in highlights
    history = arrived.partition("And of the year before:")[2]
    assert "The Keeper’s Log of Skarv Head" in history
    assert "Letters from the Mainland" not in history  # no such book on the server
    preview = run.stdout.partition("What an import would bring:")[2].partition("She imports it")[0]
    assert "recorded already" in preview
    assert "Letters from the Mainland" in preview
