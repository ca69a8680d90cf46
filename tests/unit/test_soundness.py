"""What keeps the store sound: kept journals, when it is checked, and what is done about a run that failed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from device import protocol
from device.core import kept_journal
from device.core.instants import DAY_S
from device.core.outbox import Uptime
from device.disk import Disk
from device.folder import Folder
from device.ingest import ingest
from device.recovery import evidence, soundness, storage
from device.store import check, database, outbox, preferences, reading_sessions
from tests.reader import journal_text

NOW = 1_795_500_000
START = 1_795_000_000
FIRST, SECOND, THIRD = (f"{START + number * DAY_S}-{number:06x}" for number in range(3))
BOOT = Uptime("this boot", 1_000)


class TracingDisk(Disk):
    """Notes what is written and removed, in order; `fails` fail with this error."""

    def __init__(self, fails: tuple[str, ...] = (), error: int = errno.EIO) -> None:
        super().__init__()
        self.done: list[str] = []
        self.fails = fails
        self.error = error

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        if any(part in path for part in self.fails):
            raise OSError(self.error, os.strerror(self.error), path)
        super().write(path, content, mode)
        self.done.append(f"write {path}")

    def remove(self, path: str) -> None:
        if Path(path).exists():
            self.done.append(f"remove {path}")
        super().remove(path)


class Device:
    """A data folder in this process: its journal, its store, and what was said."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.disk = TracingDisk()
        self.folder = Folder(self.disk, str(path))
        self.folder.make()
        self.result = protocol.Result()
        self.store = self.open()

    def open(self) -> database.Store:
        return database.open_store(self.disk, self.folder.store, NOW)

    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    def reads(self, id: str, seconds: int = 200) -> None:
        moments = [
            (0, "open", {"page": 1, "pages": 100}),
            (seconds // 2, "page", {"page": 2}),
            (seconds, "close", {"reason": "close", "page": 2}),
        ]
        text = journal_text(moments, "Moby Dick", int(id.partition("-")[0]))  # type: ignore[arg-type]
        (self.path / "journal" / f"{id}.jsonl").write_text(text)

    def ingest(self) -> None:
        ingest(self.folder, self.store, preferences.load(self.store), self.result, NOW, BOOT)

    def begin(self, now: int = NOW, uptime: Uptime = BOOT) -> None:
        soundness.begin(self.folder, self.store, self.result, now, uptime)

    def acknowledge(self, id: str) -> None:
        with self.store.transaction():
            self.store.execute(
                "UPDATE outbox SET state = 'acknowledged' WHERE session_id IN"
                " (SELECT id FROM reading_session WHERE journal_id = ?)",
                (id,),
            )

    def journals(self) -> list[str]:
        return sorted(path.stem for path in (self.path / "journal").glob("*.jsonl"))

    def kept(self) -> list[str]:
        return sorted(path.stem for path in (self.path / "journal" / "taken").glob("*.jsonl"))

    def sessions(self) -> list[tuple[int, int, int]]:
        ids = [row[0] for row in self.store.execute("SELECT id FROM journal ORDER BY id").fetchall()]
        return [kept_journal.key(found) for id in ids for found in reading_sessions.of_journal(self.store, id)]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    device = Device(tmp_path / "bookloresync")
    yield device
    device.store.close()


# Journals that are kept


def test_a_journal_is_copied_before_it_is_removed(device: Device) -> None:
    device.reads(FIRST)
    device.disk.done.clear()
    device.ingest()
    journal = f"{device.folder.journal}/{FIRST}.jsonl"
    assert device.disk.done == [f"write {evidence.path_of(device.folder, FIRST)}", f"remove {journal}"]


def test_what_is_kept_are_the_journals_lines_and_what_was_recorded(device: Device) -> None:
    device.reads(FIRST)
    before = (device.path / "journal" / f"{FIRST}.jsonl").read_text()
    device.ingest()
    kept = Path(evidence.path_of(device.folder, FIRST)).read_text()
    assert kept.startswith(before)
    added = [json.loads(line) for line in kept.removeprefix(before).splitlines()]
    assert [line["ev"] for line in added] == ["taken", "session"]
    assert (added[1]["started_at"], added[1]["duration_s"]) == (START, 200)


def test_half_a_line_at_the_end_is_not_kept(device: Device) -> None:
    device.reads(FIRST)
    path = device.path / "journal" / f"{FIRST}.jsonl"
    path.write_text(path.read_text() + '{"v":1,"n":3,"ev":"pa')
    device.ingest()
    assert kept_journal.sessions(evidence.lines_of(device.folder, FIRST)) is not None


def test_a_journal_without_a_session_is_not_kept(device: Device) -> None:
    device.reads(FIRST, seconds=4)
    device.ingest()
    assert (device.journals(), device.kept()) == ([], [])


def test_a_run_that_was_cut_off_after_its_commit_is_made_up_for(device: Device) -> None:
    device.reads(FIRST)
    journal = device.path / "journal" / f"{FIRST}.jsonl"
    content = journal.read_bytes()
    device.ingest()
    kept = Path(evidence.path_of(device.folder, FIRST)).read_bytes()
    for _ in range(2):  # before the copy was there, and before the journal was gone
        journal.write_bytes(content)
        device.ingest()
        assert (device.journals(), device.kept()) == ([], [FIRST])
        assert Path(evidence.path_of(device.folder, FIRST)).read_bytes() == kept
        Path(evidence.path_of(device.folder, FIRST)).unlink()
    assert len(device.sessions()) == 1


def test_what_is_acknowledged_is_let_go_and_nothing_else(device: Device) -> None:
    for id in (FIRST, SECOND, THIRD):
        device.reads(id)
    device.ingest()
    device.acknowledge(SECOND)
    evidence.let_go(device.folder, device.store)
    assert device.kept() == [FIRST, THIRD]


def test_a_journal_that_comes_back_after_all_was_acknowledged_is_not_kept_again(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    device.acknowledge(FIRST)
    evidence.let_go(device.folder, device.store)
    device.reads(FIRST)
    device.ingest()
    assert (device.journals(), device.kept()) == ([], [])


def test_when_too_many_are_kept_the_oldest_go(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "KEPT_FILES_MOST", 2)
    for id in (FIRST, SECOND, THIRD):
        device.reads(id)
    device.ingest()
    evidence.let_go(device.folder, device.store)
    assert device.kept() == [SECOND, THIRD]


def test_when_too_much_is_kept_the_oldest_go(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "KEPT_BYTES_MOST", 1_000)
    for id in (FIRST, SECOND, THIRD):
        device.reads(id)
    device.ingest()
    size = Path(evidence.path_of(device.folder, FIRST)).stat().st_size
    evidence.let_go(device.folder, device.store)
    assert 500 < size <= 1_000
    assert device.kept() == [THIRD]


def test_on_a_full_disk_a_reading_is_taken_and_not_kept(device: Device) -> None:
    device.disk.fails, device.disk.error = ("/taken/",), errno.ENOSPC
    device.reads(FIRST)
    device.ingest()
    assert (device.journals(), device.kept(), len(device.sessions())) == ([], [], 1)
    assert device.result.messages == []


def test_a_reading_that_cannot_be_copied_for_another_reason_stays_in_the_journal(device: Device) -> None:
    device.disk.fails = ("/taken/",)
    device.reads(FIRST)
    device.ingest()
    assert (device.journals(), len(device.sessions())) == ([FIRST], 1)
    device.disk.fails = ()
    device.ingest()
    assert (device.journals(), device.kept(), len(device.sessions())) == ([], [FIRST], 1)


def test_a_store_that_is_gone_gets_what_is_kept_back_as_it_was_recorded(device: Device) -> None:
    for id in (FIRST, SECOND):
        device.reads(id)
    device.ingest()
    recorded = device.sessions()
    device.store.close()
    Path(device.folder.store).unlink()
    device.store = device.open()
    with device.store.transaction():
        preferences.save(device.store, "min_duration_s", 3_000)  # counted again, they would not be sessions
    device.begin()
    assert device.sessions() == recorded
    assert [text for _, text in device.result.messages] == [
        "The store had lost 2 reading sessions, now taken again from the journals that are kept."
    ]
    rows = device.store.execute("SELECT state, unproven, begun_boot FROM outbox").fetchall()
    assert rows == [("intent", 1, None)] * 2


def test_what_is_kept_is_taken_again_once(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    device.store.close()
    Path(device.folder.store).unlink()
    device.store = device.open()
    device.begin()
    device.begin()
    device.ingest()
    assert len(device.sessions()) == 1
    assert device.kept() == [FIRST]


# When it is checked


def is_due(device: Device, now: int, uptime: Uptime = BOOT) -> bool:
    return check.is_due(device.store, uptime.boot_id, now)


def test_a_store_is_checked_once_a_day(device: Device) -> None:
    assert is_due(device, NOW)
    device.begin()
    assert not is_due(device, NOW + 1)
    assert not is_due(device, NOW + DAY_S - 1)
    assert is_due(device, NOW + DAY_S)


def test_a_store_is_checked_after_every_start_of_the_device(device: Device) -> None:
    device.begin()
    assert is_due(device, NOW + 1, Uptime("another boot", 5))


def test_a_clock_that_was_set_back_does_not_keep_the_store_from_being_checked(device: Device) -> None:
    device.begin()
    assert is_due(device, NOW - 1)


def test_a_store_is_checked_after_a_transaction_that_was_cut_off(device: Device) -> None:
    device.begin()
    device.store.close()
    leave_hot_journal(device.folder.store)
    device.store = device.open()
    assert device.store.was_interrupted
    assert is_due(device, NOW + 1)
    device.begin(NOW + 1)
    device.reopen()
    assert not is_due(device, NOW + 2)


def leave_hot_journal(path: str) -> None:
    child = os.fork()
    if child == 0:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        for number in range(200):
            connection.execute("INSERT INTO setting VALUES (?, ?)", (f"k{number}", "x" * 500))
        os._exit(0)
    os.waitpid(child, 0)
    assert Path(path + "-journal").stat().st_size > 0


def test_a_check_that_cannot_be_noted_does_not_fail_the_run(device: Device) -> None:
    device.store.execute("PRAGMA query_only = ON")
    device.begin()
    assert is_due(device, NOW + 1)


def change(path: str, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        store.execute("PRAGMA ignore_check_constraints = ON")
        store.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET state = 'nev'",
        "UPDATE outbox SET book_id = 99",
        "CREATE TABLE another (id INTEGER)",
        "DROP INDEX outbox_open",
        "PRAGMA user_version = 1",
    ],
)
def test_the_check_finds_what_sqlite_would_not_notice_by_itself(device: Device, statement: str) -> None:
    device.reads(FIRST)
    device.ingest()
    change(device.folder.store, statement)
    with pytest.raises(database.Damaged):
        check.check(device.store.connection)


@pytest.mark.parametrize("column", ["started_at", "ended_at", "duration_s"])
def test_a_wrong_number_in_a_session_that_waits_is_found_by_its_journal(device: Device, column: str) -> None:
    device.reads(FIRST)
    device.ingest()
    change(device.folder.store, f"UPDATE reading_session SET {column} = {column} - 1")
    with pytest.raises(database.Damaged, match=FIRST):
        device.begin()


# What can be done about a failure


def remedy(device: Device, problem: Exception) -> bool:
    device.store.close()
    try:
        return soundness.remedy(device.folder, problem, device.result, NOW, BOOT)
    finally:
        device.store = device.open()


def sqlite_error(path: str, statement: str) -> sqlite3.Error:
    with contextlib.closing(sqlite3.connect(path)) as store:
        try:
            store.execute(statement)
        except sqlite3.Error as problem:
            return problem
    raise AssertionError("it did not fail")


def test_a_mistake_of_ours_is_not_taken_for_damage(device: Device) -> None:
    before = Path(device.folder.store).read_bytes()
    for problem in (TypeError("x"), KeyError("y"), sqlite_error(device.folder.store, "SELECT nowhere FROM book")):
        assert not remedy(device, problem)
    assert Path(device.folder.store).read_bytes() == before
    assert device.result.messages == []


@pytest.mark.parametrize("error", [errno.EROFS, errno.EIO, errno.EACCES])
def test_a_disk_that_fails_is_not_taken_for_a_damaged_store(device: Device, error: int) -> None:
    assert not remedy(device, OSError(error, os.strerror(error)))


def test_a_statement_that_fails_because_of_the_file_is_mended(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    change(device.folder.store, "ALTER TABLE book RENAME COLUMN title TO titlf")
    assert remedy(device, sqlite_error(device.folder.store, "SELECT title FROM book"))
    assert len(device.sessions()) == 1
    assert "built anew with 1 reading session" in device.result.messages[0][1]


def test_a_value_that_cannot_be_is_mended(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    change(device.folder.store, "UPDATE outbox SET attempts = 'x'")
    assert remedy(device, TypeError("'<' not supported between instances of 'str' and 'int'"))
    assert outbox.counts(device.store) == {"intent": 1}


def test_a_file_whose_header_says_that_it_can_only_be_read_is_mended(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    device.store.close()
    content = bytearray(Path(device.folder.store).read_bytes())
    content[18] = 200  # the version of the format for writing
    Path(device.folder.store).write_bytes(content)
    device.store = device.open()
    with pytest.raises(database.Error) as raised, device.store.transaction():
        preferences.save(device.store, "min_duration_s", 60)
    assert database.is_read_only(raised.value)
    assert remedy(device, raised.value)
    assert len(device.sessions()) == 1


def test_for_a_full_disk_all_that_is_kept_is_let_go(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert remedy(device, full)
    assert device.kept() == []
    assert not remedy(device, full)


def test_nothing_is_let_go_that_the_store_does_not_have(device: Device) -> None:
    device.reads(FIRST)
    device.ingest()
    device.store.close()
    Path(device.folder.store).unlink()
    device.store = device.open()
    assert not remedy(device, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert device.kept() == [FIRST]


def test_a_rebuilt_store_is_not_checked_again_in_the_same_run(device: Device) -> None:
    assert remedy(device, database.Damaged("somewhere"))
    assert not is_due(device, NOW)


def test_a_rebuild_says_what_it_did(device: Device) -> None:
    for id in (FIRST, SECOND):
        device.reads(id)
    device.ingest()
    device.store.close()
    Path(device.folder.store).write_bytes(b"nothing of it is left" * 500)
    device.store = database.open_store(device.disk, f"{device.folder.store}.other", NOW)
    assert remedy(device, database.Damaged("no database"))
    moved_to = f"{device.folder.store}.damaged-{NOW}"
    assert [text for _, text in device.result.messages] == [
        "The store was damaged and has been built anew with 2 reading sessions (2 of them from kept journals). None is"
        " lost. What may be on the server is looked up there before it is sent.",
        "Preferences could not all be read; those that are missing have their first values again.",
        f"The damaged store is kept as {moved_to}.",
    ]
    assert Path(moved_to).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE reading_session SET started_at = started_at - 7, ended_at = ended_at - 7",
        "UPDATE reading_session SET duration_s = 5",
        "UPDATE reading_session SET book_id = (SELECT id FROM book WHERE title = '')",
        "UPDATE reading_session SET journal_id = NULL",
    ],
)
def test_what_a_journal_says_is_believed_before_a_row(device: Device, wrong: str) -> None:
    for id in (FIRST, SECOND):
        device.reads(id)
    device.ingest()
    recorded = device.sessions()
    change(
        device.folder.store, "INSERT INTO book (file, format, title, authors, identifiers) VALUES ('', '', '', '', '')"
    )
    change(device.folder.store, f"{wrong} WHERE id = 1")
    assert remedy(device, database.Damaged("somewhere"))
    assert device.sessions() == recorded
    titles = device.store.execute("SELECT b.title FROM reading_session s JOIN book b ON b.id = s.book_id").fetchall()
    assert titles == [("Moby Dick",)] * 2
    assert outbox.counts(device.store) == {"intent": 2}
    check.check(device.store.connection)


def test_what_is_lost_without_a_journal_is_counted_and_said(device: Device) -> None:
    ids = [f"{START + number * 3_600}-{number:06x}" for number in range(60)]
    for id in ids:
        device.reads(id)
    device.ingest()
    for id in ids:
        device.acknowledge(id)
    evidence.let_go(device.folder, device.store)
    with contextlib.closing(sqlite3.connect(device.folder.store)) as store:
        find = "SELECT pageno FROM dbstat WHERE name = 'reading_session' AND pagetype = 'leaf'"
        page = store.execute(find).fetchone()[0]
    device.store.close()
    content = bytearray(Path(device.folder.store).read_bytes())
    content[(page - 1) * 4_096 : page * 4_096] = bytes(4_096)
    Path(device.folder.store).write_bytes(content)
    device.store = database.open_store(device.disk, f"{device.folder.store}.other", NOW)
    assert remedy(device, database.Damaged("somewhere"))
    left = device.store.execute("SELECT COUNT(*) FROM reading_session").fetchone()[0]
    assert 0 < left < 60
    words = device.result.messages[0][1]
    assert f"with {left} reading sessions. Up to {60 - left} older ones are lost on this device;" in words


def test_a_rebuild_keeps_books_switched_off_even_if_nothing_can_be_read(device: Device) -> None:
    Path(device.folder.untracked).write_text("/mnt/onboard/Moby Dick.epub\n")
    device.reads(FIRST)
    device.store.close()
    Path(device.folder.store).write_bytes(b"nothing of it is left" * 500)
    device.store = database.open_store(device.disk, f"{device.folder.store}.other", NOW)
    assert remedy(device, database.Damaged("no database"))
    device.ingest()
    assert device.sessions() == []


def test_a_rebuild_that_is_refused_leaves_the_damaged_store_where_it_is(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("device.recovery.rebuild.restore", refuse)
    device.reads(FIRST)
    device.ingest()
    before = Path(device.folder.store).read_bytes()
    with pytest.raises(OSError, match="No space left"):
        remedy(device, database.Damaged("somewhere"))
    assert Path(device.folder.store).read_bytes() == before
    assert {path.name for path in device.path.glob("state.sqlite.*")} == set()


# The words for it


def test_a_full_disk_is_named_with_what_is_free_and_what_to_do(device: Device) -> None:
    words = storage.in_words(device.folder, OSError(errno.ENOSPC, "No space left on device"))
    assert words.startswith("The storage is full (")
    assert f"KB are free where {device.path} lies" in words


def test_another_failure_keeps_its_own_words(device: Device) -> None:
    assert storage.in_words(device.folder, OSError(errno.EIO, "Input/output error", "/x")) == (
        "[Errno 5] Input/output error: '/x'"
    )
    failed = sqlite_error(device.folder.store, "SELECT nowhere FROM book")
    assert "state.sqlite failed: no such column: nowhere" in storage.in_words(device.folder, failed)
    assert storage.in_words(device.folder, KeyError("y")) == "BookLore Sync failed: KeyError: 'y'"
