"""A trace of a reader's doings, and how our counting of it compares with KOReader's own statistics."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device.core.journal import Book
from device.core.reading_session import KOREADERS_CAP_S, KOREADERS_PAGE_MIN_S, ReadingSession, Rules, koreaders_rules
from device.core.trace import Trace
from tests.soak import bounded
from tests.statistics_report import STEPS, koreaders_totals, pair, totals

ROOT = Path(__file__).parent.parent.parent
RECORDED = ROOT.parent / "shared" / "data" / "koreader"
NOON = 1_767_258_000


def read(events: list[dict[str, Any]], rules: Rules | None = None) -> list[tuple[Book, ReadingSession]]:
    return list(Trace([json.dumps(event).encode() for event in events], rules or Rules()).sessions())


def evening(file: str = "/books/moby.epub", start: int = NOON, pages: int = 5) -> list[dict[str, Any]]:
    turns = [{"ev": "page", "t": start + 60 * page, "page": page + 1, "pages": 100} for page in range(1, pages)]
    return [
        {"ev": "open", "t": start, "file": file, "page": 1, "pages": 100},
        *turns,
        {"ev": "close", "t": start + 60 * pages, "page": pages},
    ]


def test_a_trace_of_two_books_gives_the_sessions_of_each() -> None:
    found = read([*evening(), *evening("/books/paper.pdf", NOON + 3600, 3)])
    assert [(book.file, session.started_at, session.duration_s) for book, session in found] == [
        ("/books/moby.epub", NOON, 300),
        ("/books/paper.pdf", NOON + 3600, 180),
    ]


def test_a_trace_that_ends_in_mid_book_counts_up_to_its_last_page_turn() -> None:
    [(_, session)] = read(evening()[:-1])
    assert session.duration_s == 240


def test_a_book_opened_without_the_last_one_being_closed_ends_that_at_its_last_page_turn() -> None:
    found = read([*evening()[:-1], *evening(start=NOON + 3600)])
    assert [session.duration_s for _, session in found] == [240, 300]


def test_readings_that_a_clock_put_into_one_another_are_laid_behind_one_another() -> None:
    found = read([*evening(), *evening("/books/paper.pdf", NOON + 100)])
    assert found[0][1].ended_at == found[1][1].started_at
    assert found[1][1].flags == ("moved",)


def test_lines_that_cannot_be_read_are_passed_over_and_counted() -> None:
    lines = [b"\0\0\0", b"[1,2]", *(json.dumps(event).encode() for event in evening()), b'{"ev":"pa']
    trace = Trace(lines, Rules())
    assert len(list(trace.sessions())) == 1
    assert trace.broken_lines == 3


def test_the_verb_prints_one_session_a_line(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in [*evening(), *evening(start=NOON + 3600)]))
    worker = [sys.executable, "-m", "device", "sessions"]
    named = subprocess.run([*worker, str(path)], cwd=ROOT, capture_output=True, text=True, check=True)
    piped = subprocess.run(worker, cwd=ROOT, capture_output=True, text=True, check=True, input=path.read_text())
    assert named.stdout == piped.stdout
    first, second = [json.loads(line) for line in named.stdout.splitlines()]
    assert (first["file"], first["started_at"], first["ended_at"]) == ("/books/moby.epub", NOON, NOON + 300)
    assert (second["duration_s"], second["pages_read"], second["start_page"], second["end_page"]) == (300, 5, 1, 5)


def test_the_verb_names_a_trace_that_is_missing(tmp_path: Path) -> None:
    worker = [sys.executable, "-m", "device", "sessions", str(tmp_path / "none")]
    run = subprocess.run(worker, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert "none: No such file or directory" in run.stderr


class KOReaderCounts:
    """What KOReader's statistics plugin would store of a trace of one book, from the facts of how it counts.

    A page that was announced while reading counts from then to the next other page, less the sleep, if that is 5 s or
    more, and 120 s at most; what was on screen when the book opened counts from when it is announced again, or from a
    sleep on.
    """

    def __init__(self) -> None:
        self.total = 0
        self._since: int | None = None
        self._page: int | None = None
        self._asleep_at: int | None = None

    def event(self, event: dict[str, Any]) -> None:
        kind, at = event["ev"], event["t"]
        if kind == "open":
            self._since = self._page = self._asleep_at = None
        elif kind == "page":
            if self._page != event["page"]:
                self._leave(at)
                self._page, self._since = event["page"], at
        elif kind == "suspend":
            self._asleep_at = at
            if self._since is None:
                self._page, self._since = 0, at  # it saves what it has, and begins a page without a number
        elif kind == "resume":
            if self._since is not None and self._asleep_at is not None:
                self._since += at - self._asleep_at
        elif kind == "close":
            self._leave(at)

    def _leave(self, at: int) -> None:
        if self._since is not None and at - self._since >= KOREADERS_PAGE_MIN_S:
            self.total += min(at - self._since, KOREADERS_CAP_S)


@st.composite
def readers_days(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One book opened, read, slept over and closed again and again: flips, jumps, pauses, pages turned in vain."""
    at, page, events = NOON, 1, list[dict[str, Any]]()
    pauses = st.one_of(st.integers(0, 8), st.integers(9, 119), st.integers(120, 20_000))
    for _ in range(draw(st.integers(1, 4))):
        at += draw(st.integers(1, 50_000))
        events.append({"ev": "open", "t": at, "file": "/b.epub", "page": page, "pages": 60})
        for _ in range(draw(st.integers(0, 12))):
            at += draw(pauses)
            if draw(st.integers(0, 5)) == 0:
                events.append({"ev": "suspend", "t": at})
                at += draw(st.integers(1, 40_000))
                events.append({"ev": "resume", "t": at})
            else:
                page = draw(st.integers(1, 60))
                events.append({"ev": "page", "t": at, "page": page, "pages": 60})
        at += draw(pauses)
        events.append({"ev": "close", "t": at, "page": page})
    return events


@settings(max_examples=bounded(300, 20_000))
@given(readers_days())
def test_counting_as_koreader_gives_koreaders_total(events: list[dict[str, Any]]) -> None:
    theirs = KOReaderCounts()
    for event in events:
        theirs.event(event)
    rules = koreaders_rules(KOREADERS_CAP_S)
    rules.join_pause_s = 10**9  # else a glance at a page before a long sleep and one after it are two glances
    assert sum(session.duration_s for _, session in read(events, rules)) == theirs.total


@given(readers_days())
def test_sessions_never_overlap_and_never_last_longer_than_the_clock_allows(events: list[dict[str, Any]]) -> None:
    found = [session for _, session in read(events)]
    for earlier, later in itertools.pairwise(found):
        assert earlier.ended_at <= later.started_at
    for session in found:
        assert 0 < session.duration_s <= session.ended_at - session.started_at
        assert events[0]["t"] <= session.started_at
        assert session.ended_at <= events[-1]["t"]


@pytest.mark.skipif(not RECORDED.is_dir(), reason="KOReader's recordings are not on this machine")
@pytest.mark.parametrize("folder", sorted(RECORDED.glob("reading-*")), ids=lambda folder: folder.name)
def test_the_totals_agree_with_what_koreader_itself_recorded(folder: Path) -> None:
    theirs = koreaders_totals(folder / "statistics.sqlite3")
    ours = totals(folder / "trace.jsonl", STEPS[0][1])
    for file, title in pair(list(ours), list(theirs)).items():
        assert ours[file] == pytest.approx(theirs[title], rel=0.01), file
    assert len(ours) == len(theirs)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="KOReader's recordings are not on this machine")
@pytest.mark.parametrize("folder", sorted(RECORDED.glob("reading-*")), ids=lambda folder: folder.name)
def test_of_what_koreader_recorded_no_two_sessions_overlap(folder: Path) -> None:
    with (folder / "trace.jsonl").open("rb") as lines:
        found = [session for _, session in Trace(lines, Rules()).sessions()]
    for earlier, later in itertools.pairwise(found):
        assert earlier.ended_at <= later.started_at
    assert not Counter(flag for session in found for flag in session.flags)
