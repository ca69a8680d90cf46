"""A journal that is kept: what was recorded from it is written behind its own lines, and read back the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import journal, kept_journal
from device.core.instants import LAST_INSTANT_S
from device.core.reading_session import ReadingSession

START = 1_795_000_000
LONGEST_S = kept_journal.SPAN_MAX_S
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=journal.LABEL_MAX_CHARS)
FLAGS = st.sampled_from(["clock-jumped", "clock-corrected", "clock-unset", "moved"])
FRACTIONS = st.none() | st.floats(0, 1)
PAGES = st.none() | st.integers(1, journal.PAGES_MAX)


@st.composite
def reading_sessions(draw: st.DrawFn) -> ReadingSession:
    started_at = draw(st.integers(0, LAST_INSTANT_S - LONGEST_S))
    length_s = draw(st.integers(1, LONGEST_S))
    session = ReadingSession(
        started_at,
        started_at + length_s,
        draw(st.integers(1, length_s)),
        draw(PAGES),
        draw(PAGES),
        draw(FRACTIONS),
        draw(FRACTIONS),
        draw(st.integers(0, journal.PAGES_MAX)),
        tuple(draw(st.lists(FLAGS, unique=True))),
    )
    session.start_label, session.end_label = draw(TEXTS), draw(TEXTS)
    session.start_xpointer, session.end_xpointer = draw(TEXTS), draw(TEXTS)
    session.boot_id = draw(st.none() | st.uuids().map(str))
    session.boot_ms = draw(st.none() | st.integers(0, journal.MONOTONIC_MAX_MS))
    return session


def fields(session: ReadingSession) -> dict[str, object]:
    return {name: getattr(session, name) for name in ReadingSession.__slots__}


def session(start: int = START) -> ReadingSession:
    return ReadingSession(start, start + 60, 60, 1, 2, 0.1, 0.2, 2, ())


OWN_LINES = [b'{"v":1,"n":0,"ev":"open","t":1795000000,"m":1,"book":{"file":"/a.epub"}}', b'{"v":1,"n":1,"ev":"page"}']


@given(st.lists(reading_sessions(), max_size=4))
def test_what_is_written_is_read_back_the_same(found: list[ReadingSession]) -> None:
    read = kept_journal.sessions([*OWN_LINES, *kept_journal.lines(2, found)])
    assert read is not None
    assert [fields(session) for session in read] == [fields(session) for session in found]


def test_every_field_of_a_session_is_written() -> None:
    line = json.loads(kept_journal.lines(2, [session()])[1])
    assert set(line) == {"v", "n", "ev", *ReadingSession.__slots__}


def test_the_lines_go_on_counting_where_the_journal_ends() -> None:
    lines = [json.loads(line) for line in kept_journal.lines(2, [session(), session(START + 100)])]
    assert [(line["v"], line["n"], line["ev"]) for line in lines] == [
        (1, 2, "taken"),
        (1, 3, "session"),
        (1, 4, "session"),
    ]


def test_to_who_reads_the_page_turns_a_kept_journal_says_the_same_as_before() -> None:
    before = journal.read(OWN_LINES)
    after = journal.read([*OWN_LINES, *kept_journal.lines(2, [session()])])
    assert before is not None
    assert after is not None
    assert (len(after.moments), after.book.file) == (len(before.moments), before.book.file)


def test_a_journal_that_was_never_taken_does_not_say_what_was_recorded() -> None:
    assert kept_journal.sessions(OWN_LINES) is None
    assert kept_journal.sessions([]) is None


def test_that_nothing_was_recorded_is_something_else() -> None:
    assert kept_journal.sessions([*OWN_LINES, *kept_journal.lines(2, [])]) == []


@given(st.integers(0, 3))
def test_a_journal_that_lost_lines_does_not_say_what_was_recorded(whole: int) -> None:
    lines = kept_journal.lines(2, [session(), session(START + 100), session(START + 200)])
    assert kept_journal.sessions([*OWN_LINES, *lines[:whole]]) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"started_at": -1},
        {"started_at": "now"},
        {"ended_at": START},
        {"ended_at": START + LONGEST_S + 1},
        {"duration_s": 0},
        {"duration_s": 61},
        {"duration_s": None},
        {"ev": "page"},
    ],
)
def test_a_session_that_cannot_be_makes_the_whole_record_worthless(wrong: dict[str, object]) -> None:
    head, line = kept_journal.lines(2, [session()])
    broken = json.dumps(json.loads(line) | wrong).encode()
    assert kept_journal.sessions([*OWN_LINES, head, broken]) is None


@given(st.lists(st.binary(max_size=80), max_size=4), st.integers(0, 400), st.integers(0, 255))
def test_whatever_the_bytes_are_it_is_sessions_or_none(garbage: list[bytes], place: int, byte: int) -> None:
    assert kept_journal.sessions(garbage) in (None, [])
    text = bytearray(b"\n".join(kept_journal.lines(2, [session()])))
    text[place % len(text)] = byte
    read = kept_journal.sessions(bytes(text).split(b"\n"))
    for found in read or []:
        assert 1 <= found.duration_s <= found.ended_at - found.started_at
