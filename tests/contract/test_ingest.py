"""Journals become reading sessions: whatever the clock did, in whichever order readings began and ended."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest

from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


def arrived(reader: Reader) -> list[tuple[str, str, int]]:
    """(start, end, duration) of what a server gets, in the order of time."""
    with StandIn() as server:
        server.add_user("anna", "secret")
        server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
        reader.configure(server.url)
        assert reader.run("sync").returncode == 0
        return sorted(
            (str(session["startTime"]), str(session["endTime"]), int(str(session["durationSeconds"])))
            for session in server.sessions()
        )


def test_readings_that_a_clock_set_back_put_into_one_another_are_laid_behind_one_another(reader: Reader) -> None:
    reader.reads(start=1_795_000_000, pages=5, seconds_per_page=40, **MOBY)
    reader.reads(start=1_795_000_100, pages=5, seconds_per_page=40, **EMMA)
    reader.reads(start=1_794_999_900, pages=5, seconds_per_page=40, **MOBY)
    found = arrived(reader)
    assert [duration for _, _, duration in found] == [200, 200, 200]
    for (_, earlier_end, _), (later_start, _, _) in itertools.pairwise(found):
        assert earlier_end <= later_start


def test_two_readings_that_began_in_the_same_second_of_1970_both_arrive(reader: Reader) -> None:
    reader.reads(start=30, **MOBY)
    reader.reads(start=30, **MOBY)
    assert [start for start, _, _ in arrived(reader)] == ["1970-01-01T00:00:30Z", "1970-01-01T00:03:50Z"]


def test_a_reading_of_1970_is_placed_by_the_boot_clock_once_the_clock_is_set(reader: Reader) -> None:
    uptime_ms = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
    began_ms = uptime_ms - 600_000
    reader.journal(
        [
            (0, "open", {"page": 1, "pages": 200, "b": began_ms}),
            (60, "page", {"page": 2, "pages": 200, "b": began_ms + 60_000}),
            (120, "close", {"reason": "close", "page": 2, "pages": 200, "b": began_ms + 120_000}),
        ],
        start=30,
        boot=BOOT_ID,
        **MOBY,
    )
    expected = time.time() - 600
    [(start, _, duration)] = arrived(reader)
    assert duration == 120
    began = time.mktime(time.strptime(start, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert abs(began - expected) < 10


def test_a_reading_that_lost_its_end_in_a_crash_counts_up_to_its_last_page_turn(reader: Reader) -> None:
    reader.journal(
        [
            (0, "open", {"page": 1, "pages": 200}),
            (60, "page", {"page": 2, "pages": 200}),
            (100, "page", {"page": 3, "pages": 200}),
        ],
        **MOBY,
    )
    assert [duration for _, _, duration in arrived(reader)] == [100]


def test_a_torn_last_line_costs_nothing_before_it(reader: Reader) -> None:
    journal = reader.reads(pages=5, seconds_per_page=40, **MOBY)
    journal.write_bytes(journal.read_bytes()[:-20])
    assert [duration for _, _, duration in arrived(reader)] == [160]


@pytest.mark.parametrize("reason", ["close", "exit", "restart", "power", "usb", "reload"])
def test_however_a_book_is_left_its_reading_counts_to_the_end(reader: Reader, reason: str) -> None:
    reader.journal(
        [
            (0, "open", {"page": 1, "pages": 200}),
            (60, "page", {"page": 2, "pages": 200}),
            (100, "close", {"reason": reason, "page": 2, "pages": 200}),
            (100, "snapshot", {"fraction": 0.01}),
        ],
        **MOBY,
    )
    assert [duration for _, _, duration in arrived(reader)] == [100]


def test_the_reading_before_and_after_a_reload_of_the_book_are_two_that_touch(reader: Reader) -> None:
    reader.reads(start=1_795_000_000, pages=3, seconds_per_page=40, **MOBY)
    reader.reads(start=1_795_000_120, pages=3, seconds_per_page=40, **MOBY)
    first, second = arrived(reader)
    assert first[1] == second[0]
