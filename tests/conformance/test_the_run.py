"""The conformance run itself: what it says of a converter that is right, wrong, honest or broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.__main__ import Run
from tests.conformance.converter import Converter
from tests.conformance.ground_truth import GroundTruth
from tests.fixtures.make_books import make_odd_book
from tests.reader import ROOT
from tests.web.browser import Browser

pytestmark = pytest.mark.web

RIGHT = "epubcfi(/6/2!/4/4,/1:0,/1:13)"
OTHER_WORDS = "epubcfi(/6/2!/4/4,/1:1,/1:13)"
FIRST_WORD = "epubcfi(/6/2!/4/4,/1:0,/1:7)"
BEHIND_THE_END = "epubcfi(/6/2!/4/4,/1:0,/1:9999)"
RECORD: dict[str, object] = {
    "epub": "odd.epub",
    "dom": 20240114,
    "class": "normal",
    "pos0": "/body/DocFragment[1]/body/p[1]/text().0",
    "pos1": "/body/DocFragment[1]/body/p[1]/text().13",
    "text": "Whoever takes",
}


class Judging:
    """Runs over one record, with a converter that always gives the same answer."""

    def __init__(self, browser: Browser, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._browser, self._folder, self._capsys = browser, folder, capsys

    def __call__(self, answer: dict[str, object], kind: str = "normal") -> tuple[int, str]:
        """How many targets are missed, and what is printed."""
        truth = GroundTruth(make_data(self._folder / "data", kind))
        converter = Converter(make_converter(self._folder / "converter", answer))
        missed = Run(truth, converter, self._browser).do(("judge", "golden", "forward"))
        return missed, self._capsys.readouterr().out


@pytest.fixture
def judging(browser: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Judging:
    return Judging(browser, tmp_path, capsys)


def make_data(folder: Path, kind: str = "normal") -> Path:
    (folder / "epubs").mkdir(parents=True, exist_ok=True)
    make_odd_book(folder / "epubs" / "odd.epub")
    (folder / "ranges.jsonl").write_text(json.dumps({**RECORD, "class": kind}) + "\n")
    (folder / "golden.jsonl").write_text(json.dumps({**RECORD, "cfi": RIGHT}) + "\n")
    (folder / "browser_cfis.jsonl").write_text("")
    return folder


def make_converter(program: Path, answer: dict[str, object]) -> Path:
    program.write_text(f"#!/bin/sh\nwhile read -r line; do echo '{json.dumps(answer)}'; done\n")
    program.chmod(0o755)
    return program


def test_a_right_converter_passes(judging: Judging) -> None:
    missed, printed = judging({"cfi": RIGHT, "status": "exact", "text": "Whoever takes"})
    assert (missed, printed.count("FAIL")) == (0, 0)


def test_a_right_answer_that_was_repaired_passes_too(judging: Judging) -> None:
    missed, _ = judging({"cfi": RIGHT, "status": "repaired"})
    assert missed == 0


def test_other_words_under_the_label_exact_fail(judging: Judging) -> None:
    missed, printed = judging({"cfi": OTHER_WORDS, "status": "exact", "text": "Whoever takes"})
    assert missed > 0
    assert "FAIL  labelled exact or repaired, but other words: 1" in printed
    assert "hoever takes" in printed  # what the web reader shows


def test_a_position_at_which_the_reader_throws_fails(judging: Judging) -> None:
    _, printed = judging({"cfi": BEHIND_THE_END, "status": "repaired", "text": "Whoever takes"})
    assert "FAIL  labelled exact or repaired, but the reader throws: 1" in printed
    assert "IndexSizeError" in printed


def test_honest_giving_up_is_not_a_wrong_label_but_counts_as_a_miss(judging: Judging) -> None:
    _, printed = judging({"cfi": None, "status": "approximate", "reason": "not-found"})
    assert "PASS  labelled exact or repaired, but other words: 0" in printed
    assert "FAIL  DOM 20240114, right over all" in printed


def test_a_highlight_over_two_chapters_must_not_be_called_exact(judging: Judging) -> None:
    _, printed = judging({"cfi": OTHER_WORDS, "status": "exact"}, kind="cross")
    assert "FAIL  labelled exact or repaired, but other words: 1" in printed


def test_the_first_part_of_it_that_says_so_is_no_wrong_label(judging: Judging) -> None:
    first_part: dict[str, object] = {
        "cfi": "epubcfi(/6/2!/4/4,/1:0,/1:7)",
        "status": "exact",
        "reason": "cross-document",
    }
    _, printed = judging(first_part, kind="cross")
    assert "PASS  labelled exact or repaired, but other words: 0" in printed


def test_text_that_only_koreader_has_must_not_be_placed(judging: Judging) -> None:
    _, printed = judging({"cfi": OTHER_WORDS, "status": "repaired"}, kind="nosource")
    assert "FAIL  labelled exact or repaired, but other words: 1" in printed


def test_a_converter_that_breaks_off_cannot_be_judged(tmp_path: Path) -> None:
    data = make_data(tmp_path / "data")
    command = [sys.executable, "-m", "tests.conformance", str(data), "--program", "/bin/false"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 2
    assert "ended with 1" in ran.stderr


def test_as_a_program_it_ends_with_1_when_a_target_is_missed(tmp_path: Path) -> None:
    program = make_converter(tmp_path / "converter", {"cfi": OTHER_WORDS, "status": "exact"})
    command = [sys.executable, "-m", "tests.conformance", str(make_data(tmp_path / "data")), "--program", str(program)]
    ran = subprocess.run([*command, "--only", "golden"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (1, "")
