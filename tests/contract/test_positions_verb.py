"""The verb `positions`, as people and the conformance run use it: lines in, lines out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from device.verbs.positions import BATCH_LINES, LINE_MAX_BYTES
from tests.fixtures.make_torture_books import chapters, make, write
from tests.reader import CHECKOUT_WORKER, ROOT

OLD = {"pos0": "/body/DocFragment/body/p/text().5", "pos1": "/body/DocFragment/body/p/text().8", "text": "one"}
NEW = {
    "pos0": "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].5",
    "pos1": "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].8",
    "text": "one",
}
CFI = "epubcfi(/6/2!/4/2,/1:5,/1:8)"


def run(arguments: list[str], lines: str | bytes) -> subprocess.CompletedProcess[bytes]:
    content = lines.encode() if isinstance(lines, str) else lines
    return subprocess.run([*CHECKOUT_WORKER, "positions", *arguments], input=content, capture_output=True, cwd=ROOT)


def answers(arguments: list[str], *questions: object) -> list[dict[str, Any]]:
    done = run(arguments, "".join(json.dumps(question) + "\n" for question in questions))
    assert (done.returncode, done.stderr) == (0, b"")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def single(tmp_path: Path) -> str:
    return str(make("single", tmp_path))


def test_a_highlight_goes_in_and_a_cfi_comes_out(single: str) -> None:
    assert answers([single], OLD, NEW) == [{"cfi": CFI, "status": "exact", "text": "one"}] * 2


def test_why_there_is_none_is_said(single: str) -> None:
    assert answers([single], {**OLD, "text": "two"}) == [
        {"cfi": None, "status": "approximate", "text": None, "reason": "not-found"}
    ]


def test_a_page_bookmark_has_no_end_and_no_text(single: str) -> None:
    assert answers([single], {"pos0": OLD["pos0"], "pos1": None}) == [
        {"cfi": "epubcfi(/6/2!/4/2/1:5)", "status": "exact", "text": None}
    ]


def test_the_way_back_spells_places_as_most_books_do(single: str) -> None:
    assert answers(["--reverse", single], {"cfi": CFI, "text": "one"}) == [{**OLD, "status": "exact"}]


def test_the_way_back_spells_places_as_the_dom_version_wants_it(single: str) -> None:
    assert answers([single, "--reverse", "--dom", "20260812"], {"cfi": CFI}) == [{**NEW, "status": "exact"}]
    assert answers([single, "--reverse"], {"cfi": CFI, "dom": 20260812}, {"cfi": CFI}) == [
        {**NEW, "status": "exact"},
        {**OLD, "status": "exact"},
    ]


def test_the_dom_version_tells_how_chapters_are_counted(tmp_path: Path) -> None:
    book = str(make("kinds", tmp_path))
    question = {
        "pos0": "/body/DocFragment[2]/body/p/text().4",
        "pos1": "/body/DocFragment[2]/body/p/text().11",
        "text": "chapter",
    }
    found = answers([book], {**question, "dom": 20210903}, {**question, "dom": 20240114})
    assert [one["cfi"] for one in found] == ["epubcfi(/6/8!/4/2,/1:4,/1:11)", None]
    assert answers([book, "--dom", "20210903"], question) == found[:1]


def test_a_line_that_cannot_be_used_has_an_error_and_stops_nothing(single: str) -> None:
    bad: list[object] = [[], 1, {}, {"pos0": 1}, {"pos0": "x", "text": 1}, {**OLD, "dom": "new"}, {**OLD, "dom": 1}]
    found = answers([single], *bad, OLD)
    assert [list(one) for one in found[:-1]] == [["error"]] * len(bad)
    assert found[-1]["cfi"] == CFI


def test_lines_that_are_no_json_or_too_long_are_counted_as_well(single: str) -> None:
    good = json.dumps(OLD).encode()
    done = run([single], b"\n".join([b"{", b"\xff\xfe", b'"' + b"x" * LINE_MAX_BYTES + b'"', good]))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(one) for one in found[:3]] == [["error"]] * 3
    assert found[3]["cfi"] == CFI


def test_empty_lines_are_none(single: str) -> None:
    assert run([single], "\n \n" + json.dumps(OLD) + "\n\n").stdout.count(b"\n") == 1


def test_more_lines_than_a_batch_are_answered_in_their_order(single: str) -> None:
    questions = [{**OLD, "text": "one" if number % 3 else "two"} for number in range(BATCH_LINES + 50)]
    found = answers([single], *questions)
    assert [one["status"] == "exact" for one in found] == [number % 3 != 0 for number in range(len(questions))]


def test_words_of_every_script_come_through(tmp_path: Path) -> None:
    book = str(write(tmp_path / "book.epub", chapters(["<p>日本語 שלום \U0001f600</p>"])))
    question = {
        "pos0": "/body/DocFragment/body/p/text().0",
        "pos1": "/body/DocFragment/body/p/text().10",
        "text": "日本語 שלום \U0001f600",
    }
    assert answers([book], question) == [
        {"cfi": "epubcfi(/6/2!/4/2,/1:0,/1:11)", "status": "exact", "text": "日本語 שלום \U0001f600"}
    ]


def test_what_is_no_book_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no book")
    for place, cause in ((path, "it is no ZIP archive"), (tmp_path / "none.epub", "No such file or directory")):
        done = run([str(place)], json.dumps(OLD))
        assert (done.returncode, done.stdout) == (1, b"")
        assert str(place) in done.stderr.decode()
        assert cause in done.stderr.decode()


def test_without_a_book_it_asks_for_one() -> None:
    done = run([], "")
    assert (done.returncode, b"which book?" in done.stderr) == (1, True)


@pytest.mark.parametrize("dom", ["new", "2024", "20260812x", "00000000"])
def test_a_dom_version_that_is_none_is_refused(single: str, dom: str) -> None:
    done = run([single, "--dom", dom], "")
    assert (done.returncode, dom.encode() in done.stderr) == (1, True)
