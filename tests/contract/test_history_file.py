"""KOReader's statistics as a file: in which states it can be read, and that nothing about it is changed."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.importing import history
from device.importing.history import HistoryProblem
from device.koreader import snapshot as files
from tests.contract.history_device import FINGERPRINT, MOBY_AND_EMMA, NOON, NOW, Device, sum_of_durations, two_books
from tests.fixtures.make_statistics import Record, Statistics, make_large, settle, sitting, statistics


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


def everything_in(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in folder.iterdir()
    }


@pytest.mark.parametrize("journal_mode", ["WAL", "TRUNCATE", "DELETE", "PERSIST"])
def test_nothing_in_koreaders_folder_is_changed(device: Device, journal_mode: str) -> None:
    two_books(device.statistics, journal_mode)
    before = everything_in(device.statistics.parent)
    device.previews()
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA
    assert everything_in(device.statistics.parent) == before


def test_a_write_ahead_log_is_read_too_and_left_as_it_is(device: Device) -> None:
    two_books(device.statistics)
    with contextlib.closing(Statistics(device.statistics)) as koreader:
        koreader.add(sitting(1, NOON + 172_800, 3, first_page=26))
        settle(device.statistics)
        before = everything_in(device.statistics.parent)
        assert before[files.STATISTICS + "-wal"][0] != hashlib.sha256().hexdigest()
        device.imports()
        assert everything_in(device.statistics.parent) == before
        assert [row[1] for row in device.sessions()] == [NOON, NOON + 7_200, NOON + 86_400, NOON + 172_800]
        assert not list(Path(device.folder.path).glob("statistics*"))


def test_an_empty_write_ahead_log_needs_no_copy(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "COPY_MAX_BYTES", 0)
    two_books(device.statistics)
    for part in ("-wal", "-shm"):
        device.statistics.with_name(files.STATISTICS + part).touch()
    settle(device.statistics)
    before = everything_in(device.statistics.parent)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA
    assert everything_in(device.statistics.parent) == before


def test_a_transaction_that_power_cut_short_is_not_read(device: Device, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / files.STATISTICS
    two_books(elsewhere, "TRUNCATE")
    with contextlib.closing(sqlite3.connect(elsewhere, isolation_level=None)) as koreader:
        koreader.execute("PRAGMA cache_size = 1")
        koreader.execute("BEGIN")
        koreader.executemany("INSERT INTO page_stat_data VALUES (?, ?, ?, ?, ?)", many(2_000))
        for name in (files.STATISTICS, files.STATISTICS + "-journal"):
            shutil.copy(elsewhere.with_name(name), device.statistics.with_name(name))
    settle(device.statistics)
    before = everything_in(device.statistics.parent)
    assert device.statistics.with_name(files.STATISTICS + "-journal").stat().st_size > 0
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA
    assert everything_in(device.statistics.parent) == before


def many(count: int) -> list[Record]:
    return [(1, 1 + n % 500, NOON + 300_000 + n * 60, 60, 500) for n in range(count)]


def test_a_file_that_koreader_has_locked_is_read_all_the_same_and_koreader_is_not_hindered(device: Device) -> None:
    two_books(device.statistics, "TRUNCATE")
    with contextlib.closing(sqlite3.connect(device.statistics, isolation_level=None)) as koreader:
        koreader.execute("BEGIN EXCLUSIVE")
        device.imports()
        koreader.execute("COMMIT")
    assert device.sessions() == MOBY_AND_EMMA


def test_what_koreader_writes_meanwhile_is_read_in_another_pass(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SETTLED_S", 0)
    make_large(device.statistics, 5_000, NOW - 86_400)
    written: list[tuple[int, int]] = []

    def write(progress: tuple[int, int]) -> None:
        if not written:
            written.append(progress)
            with contextlib.closing(Statistics(device.statistics)) as koreader:
                koreader.add(sitting(1, NOW - 40_000, 3))

    outcome = device.imports_while(write)
    assert written
    assert outcome.total.sessions == len(device.sessions()) == 201
    assert sum(row[3] for row in device.sessions()) == sum_of_durations(device.statistics)


def test_a_file_that_never_comes_to_rest_is_given_up_in_words(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SETTLED_S", 0)
    make_large(device.statistics, 5_000, NOW - 86_400)

    def write(progress: tuple[int, int]) -> None:
        with contextlib.closing(Statistics(device.statistics)) as koreader:
            koreader.add_book(f"at {progress}")

    with pytest.raises(HistoryProblem, match="Close the book and try again"):
        device.imports_while(write)
    assert sum(row[3] for row in device.sessions()) <= sum_of_durations(device.statistics)


def test_a_file_that_was_just_written_is_only_read_when_a_further_change_would_show(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    two_books(device.statistics)
    device.statistics.touch()
    device.imports()
    assert len(slept) == 1
    assert 0 < slept[0] <= files.SETTLED_S


def test_a_copy_that_a_killed_run_left_is_removed(device: Device) -> None:
    two_books(device.statistics)
    left = Path(device.folder.path + history.COPY_NAME)
    for part in files.COPY_PARTS:
        left.with_name(left.name + part).write_bytes(b"left")
    device.imports()
    assert not list(Path(device.folder.path).glob("statistics*"))


def test_a_path_with_signs_that_mean_something_in_a_uri_is_a_path(tmp_path: Path) -> None:
    device = Device(tmp_path / "Anna's #1 ?100% Reader")
    two_books(device.statistics)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA
    device.store.close()


# What the file may be.


def garbage(path: Path) -> None:
    path.write_bytes(b"\0garbage" * 1_000)


def cut_off(path: Path) -> None:
    make_large(path, 5_000, NOW - 86_400)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def broken_inside(path: Path) -> None:
    make_large(path, 5_000, NOW - 86_400)
    content = path.read_bytes()
    path.write_bytes(content[:8_192] + b"\xa5" * (len(content) - 8_192))


def another_database(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE note (text)")


def records_of_another_kind(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE page_stat_data (url, visits)")


def without_books(path: Path) -> None:
    two_books(path)
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute("DROP TABLE book")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "KOReader has no statistics at"),
        (lambda path: path.touch(), "are empty"),
        (garbage, "the file is damaged"),
        (cut_off, "the file is damaged"),
        (broken_inside, "the file is damaged"),
        (another_database, "not KOReader's statistics"),
        (records_of_another_kind, "not KOReader's statistics"),
        (without_books, "not KOReader's statistics"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    device: Device, make: Callable[[Path], None], words: str
) -> None:
    make(device.statistics)
    if device.statistics.exists():
        settle(device.statistics)
    with pytest.raises(HistoryProblem) as raised:
        device.imports()
    assert words in str(raised.value)
    assert str(device.statistics) in str(raised.value)


def test_statistics_without_a_page_are_nothing_new(device: Device) -> None:
    with statistics(device.statistics):
        pass
    assert device.imports().total.sessions == 0


def test_a_log_that_is_too_big_to_copy_is_said(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "COPY_MAX_BYTES", 1_000)
    two_books(device.statistics)
    with contextlib.closing(Statistics(device.statistics)) as koreader:
        koreader.add(sitting(1, NOON + 172_800, 3))
        settle(device.statistics)
        with pytest.raises(HistoryProblem, match="too big to copy"):
            device.imports()
    assert not list(Path(device.folder.path).glob("statistics*"))


def test_statistics_of_koreader_before_2020_are_read(device: Device) -> None:
    with statistics(device.statistics, "DELETE", old=True) as file:
        moby = file.add_book("Moby Dick", "Herman Melville", None, 600)
        file.add(sitting(moby, NOON, 30))
    device.imports()
    assert device.sessions() == [("Moby Dick", NOON, NOON + 1_800, 1_800, 30)]
    row = device.store.execute("SELECT start_fraction, end_fraction FROM reading_session").fetchone()
    assert row == (1 / 600, 30 / 600)


def test_records_without_an_index_come_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("device.store.statistics.PIECE_RECORDS", 700)
    found = []
    for index in (True, False):
        device = Device(tmp_path / f"index {index}")
        make_large(device.statistics, 5_000, NOW - 86_400, index)
        device.imports()
        found.append(device.sessions())
        device.store.close()
    assert found[0] == found[1]
    assert len(found[0]) == 200


def test_impossible_records_are_counted_and_cost_no_other(device: Device) -> None:
    two_books(device.statistics)
    bad: list[Record] = [
        (1, -1, NOON + 2_000, 60, 600),
        (1, 7, NOON + 2_100, -5, 600),
        (1, 7, NOON + 2_200, 100_000, 600),
        (1, 7, 5, 60, 600),
        (1, 7, NOW + 86_400, 60, 600),
        (1, "seven", NOON + 2_300, 60, 600),
        (1, 7, "yesterday", 60, 600),
        (1, 7, NOON + 2_400, b"\xff\xfe", 600),
        (1, 7, NOON + 2_500.5, 60, 600),
        (None, 7, NOON + 2_600, 60, 600),
        (99, 7, NOON + 2_700, 60, 600),
    ]
    with statistics(device.statistics) as file:
        file.add(bad)
    outcome = device.imports()
    assert device.sessions() == MOBY_AND_EMMA
    assert outcome.total.left_out == {"impossible": (len(bad), 0)}


def test_a_title_that_is_not_utf_8_costs_its_letters_only(device: Device) -> None:
    with statistics(device.statistics) as file:
        id = file.add_book("Caf", "N/A", FINGERPRINT)
        file.connection.execute("UPDATE book SET title = CAST(X'436166E9' AS TEXT)")
        file.add(sitting(id, NOON, 5))
    device.imports()
    assert [row[0] for row in device.sessions()] == ["Caf\ufffd"]


def test_a_row_as_big_as_a_disk_is_damage_and_not_memory(device: Device) -> None:
    two_books(device.statistics)
    with statistics(device.statistics) as file:
        file.connection.execute("UPDATE book SET title = CAST(zeroblob(2000000) AS TEXT)")
    with pytest.raises(HistoryProblem, match="the file is damaged"):
        device.imports()


def test_a_clock_that_is_not_set_judges_nothing(device: Device) -> None:
    two_books(device.statistics)
    with pytest.raises(HistoryProblem, match="device is not set"):
        device.imports(now=1_000_000)
