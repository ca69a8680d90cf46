"""`make demo PICTURE=file`: the words under the mark in the demo's own book, after the whole way from the launcher."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reader import ROOT

pytestmark = pytest.mark.web


def test_what_was_highlighted_on_the_reader_is_drawn_at_its_words_in_the_browser(tmp_path: Path) -> None:
    picture = tmp_path / "demo.png"
    run = subprocess.run(
        [sys.executable, "-m", "tests.demo", "--screenshot", str(picture)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        stdin=subprocess.DEVNULL,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "The words under the mark: “The rest I put down because nobody asked for it.”" in run.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
