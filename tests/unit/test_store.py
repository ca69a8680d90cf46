"""The store: migrations, transactions, damage, and what a book is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core.journal import Book
from device.core.reading_session import ReadingSession
from device.disk import Disk
from device.store import books, database, outbox, reading_sessions, settings
from device.store.migrations import MIGRATIONS
from tests.crash import changes
from tests.crash.disks import RecordingDisk
from tests.crash.power_cut import STRICT, WRITE_THROUGH, Effort, Medium

NOW = 1_795_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[database.Store]:
    opened = database.open_store(Disk(), str(tmp_path / "state.sqlite"), NOW)
    yield opened
    opened.close()


def moby(**changes: object) -> Book:
    values: dict[str, object] = {
        "file": "/books/moby.epub",
        "format": "epub",
        "title": "Moby Dick",
        "authors": ["Herman Melville", "Another"],
        "identifiers": ["ISBN:9780142437247"],
        "fingerprint": "a" * 32,
        "size_bytes": 5,
    }
    return Book(**(values | changes))  # type: ignore[arg-type]


def session(started_at: int = NOW) -> ReadingSession:
    return ReadingSession(started_at, started_at + 60, 60, 1, 2, 0.1, 0.2, 2, ())


def test_a_new_store_has_the_newest_version(store: database.Store) -> None:
    assert store.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_opening_a_store_again_keeps_what_is_in_it(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    first = database.open_store(Disk(), path, NOW)
    with first.transaction():
        settings.put(first, "key", "value")
    first.close()
    assert settings.get(database.open_store(Disk(), path, NOW), "key") == "value"


def test_a_store_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = path.read_bytes()
    with pytest.raises(database.NewerStore):
        database.open_store(Disk(), str(path), NOW)
    assert path.read_bytes() == before


def test_what_is_no_database_is_damage_and_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    path.write_bytes(b"this was a database once" * 100)
    with pytest.raises(database.Error) as raised:
        database.open_store(Disk(), str(path), NOW)
    assert database.is_damage(raised.value)
    assert path.read_bytes().startswith(b"this was")


def test_a_version_that_no_program_would_write_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 33554434")
    with pytest.raises(database.Damaged):
        database.open_store(Disk(), str(path), NOW)


STORE = "/data/state.sqlite"
DAMAGED, REBUILT, HOT = b"damaged" * 200, b"rebuilt" * 300, b"journal" * 100


def data_folder(**files: bytes) -> changes.Tree:
    found = changes.Tree({"data": changes.FOLDER})
    for name, content in files.items():
        path = f"data/{name.replace('_', '.', 1).replace('__', '-')}"
        found.names[path] = path
        found.contents[path] = content
    return found


def content(tree: changes.Tree) -> dict[str, bytes]:
    return {path.removeprefix("data/"): content for path, content in tree.files().items()}


@pytest.mark.parametrize("medium", [STRICT, WRITE_THROUGH], ids=lambda medium: medium.name)
def test_a_new_store_takes_the_damaged_ones_place_whatever_interrupts_it(medium: Medium) -> None:
    before = {"state_sqlite": DAMAGED, "state_sqlite__journal": HOT, "state_sqlite.rebuilt": REBUILT}
    disk = RecordingDisk(data_folder(**before))
    database.replace_damaged(disk, STORE, NOW)
    for state in disk.states(Effort(tears=1, subsets=8), medium):
        left = RecordingDisk(state.tree)
        if left.size_bytes(f"{STORE}.rebuilt") is not None:
            database.replace_damaged(left, STORE, NOW)
        found = content(left.kernel.tree)
        assert found.pop("state.sqlite") == REBUILT, state.how
        # A rename that was cut off can leave the damaged one under two names.
        assert all(name.startswith("state.sqlite.damaged-") for name in found), state.how
        assert set(found.values()) == {DAMAGED, HOT}, state.how


def test_an_opening_goes_on_where_a_rebuild_was_interrupted(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    new = database.open_store(Disk(), f"{path}.rebuilt", NOW)
    with new.transaction():
        settings.put(new, "key", "value")
        settings.put(new, settings.REBUILT_AT, "1")
    new.close()
    Path(path).write_bytes(b"the damaged one")
    store = database.open_store(Disk(), path, NOW)
    assert settings.get(store, "key") == "value"
    assert store.set_aside == f"{path}.damaged-{NOW}"
    assert Path(store.set_aside).read_bytes() == b"the damaged one"


@pytest.mark.parametrize("half", [b"", b"garbage" * 100, None], ids=["empty", "garbage", "not filled"])
def test_a_new_store_that_was_not_whole_yet_does_not_take_the_old_ones_place(
    tmp_path: Path, half: bytes | None
) -> None:
    path = str(tmp_path / "state.sqlite")
    old = database.open_store(Disk(), path, NOW)
    with old.transaction():
        settings.put(old, "key", "value")
    old.close()
    if half is None:
        database.open_store(Disk(), f"{path}.rebuilt", NOW).close()
    else:
        Path(f"{path}.rebuilt").write_bytes(half)
    store = database.open_store(Disk(), path, NOW)
    assert settings.get(store, "key") == "value"
    assert store.set_aside is None
    assert not Path(f"{path}.rebuilt").exists()


def test_three_damaged_stores_are_kept_the_newest_whatever_the_clock_says(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    for number, now in enumerate((NOW, NOW, 5, NOW + 100, 0)):
        Path(path).write_bytes(b"damaged %d" % number)
        database.open_store(Disk(), f"{path}.rebuilt", now).close()
        database.replace_damaged(Disk(), path, now)
    kept = sorted(tmp_path.glob("state.sqlite.damaged-*"))
    assert [path.read_bytes() for path in kept] == [b"damaged 2", b"damaged 3", b"damaged 4"]


def test_a_transaction_that_fails_changes_nothing(store: database.Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        settings.put(store, "key", "value")
        raise RuntimeError
    assert settings.get(store, "key") is None


def test_no_memory_mapping_and_no_write_ahead_log(store: database.Store) -> None:
    assert store.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
    assert store.execute("PRAGMA mmap_size").fetchone() in ((0,), None)
    assert store.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_book_that_was_moved_is_the_same_book(store: database.Store) -> None:
    assert books.remember(store, moby()) == books.remember(store, moby(file="/elsewhere/moby.epub"))


def test_another_book_under_the_same_name_is_another_book(store: database.Store) -> None:
    assert books.remember(store, moby()) != books.remember(
        store, moby(fingerprint="b" * 32, title="Emma", identifiers=[])
    )


def test_a_file_that_was_changed_where_it_lies_is_the_same_book_and_known_by_both_fingerprints(
    store: database.Store,
) -> None:
    first = books.remember(store, moby(size_bytes=1_000))
    assert books.remember(store, moby(fingerprint="b" * 32, size_bytes=1_200)) == first
    assert books.remember(store, moby(file="/copy.epub", size_bytes=1_000)) == first
    assert books.remember(store, moby(file="/other copy.epub", fingerprint="b" * 32, size_bytes=1_200)) == first
    found = books.wanted(store, first)
    assert found is not None
    assert found.fingerprints == [("b" * 32, 1_200), ("a" * 32, 1_000)]


def test_a_corrected_title_does_not_make_another_book_of_a_file_whose_number_stays(store: database.Store) -> None:
    number = ["uuid:0f8fad5b-d9cb-469f-a165-70867728950e"]
    first = books.remember(store, moby(identifiers=number))
    assert books.remember(store, moby(fingerprint="b" * 32, title="Moby-Dick", identifiers=[*number, "x:1"])) == first


def test_an_issue_under_the_name_of_the_one_before_is_another_book(store: database.Store) -> None:
    first = books.remember(store, moby(identifiers=["uuid:00000000-0001"]))
    assert books.remember(store, moby(fingerprint="b" * 32, identifiers=["uuid:00000000-0002"])) != first


def test_a_file_that_says_nothing_of_itself_is_not_known_by_its_name(store: database.Store) -> None:
    first = books.remember(store, moby(file="/b/scan.pdf", title="scan", authors=[], identifiers=[]))
    now = moby(file="/b/scan.pdf", title="scan", authors=[], identifiers=[], fingerprint="b" * 32)
    assert books.remember(store, now) != first


def test_a_book_that_says_something_new_of_itself_is_looked_for_again(store: database.Store) -> None:
    id = books.remember(store, moby(identifiers=[]))
    books.unmatch(store, id, "no book on the server has it")
    books.remember(store, moby(identifiers=[]))
    before = books.wanted(store, id)
    books.remember(store, moby(identifiers=["ISBN:9780142437247"]))
    after = books.wanted(store, id)
    assert before is not None
    assert after is not None
    assert (before.looked_for, after.looked_for) == (True, False)


def test_a_book_without_a_fingerprint_is_known_by_its_path_and_gets_it_later(store: database.Store) -> None:
    first = books.remember(store, moby(fingerprint=None))
    assert books.remember(store, moby()) == first
    assert books.remember(store, moby(file="/elsewhere.epub")) == first


def test_a_fingerprint_that_koreader_gave_two_books_does_not_make_them_one(store: database.Store) -> None:
    first = books.remember(store, moby(file="/comics/1.cbz", size_bytes=1_000, title="Comic 1"))
    second = books.remember(store, moby(file="/comics/2.cbz", size_bytes=2_000, title="Comic 2"))
    assert first != second
    assert books.remember(store, moby(file="/comics/2.cbz", size_bytes=2_100, title="Comic 2")) == second
    assert books.remember(store, moby(file="/comics/1.cbz", size_bytes=1_000, title="Comic 1")) == first
    found = books.known(store, "a" * 32, "Comic 2", [])
    assert found is not None
    assert found.id == second


def test_time_in_which_something_else_was_read_is_taken_until_that_ended(store: database.Store) -> None:
    book = books.remember(store, moby())
    reading_sessions.add(store, book, reading_sessions.STATISTICS, None, session())
    assert reading_sessions.latest_end_within(store, NOW + 59, NOW + 100) == NOW + 60
    assert reading_sessions.latest_end_within(store, NOW - 10, NOW + 1) == NOW + 60
    assert reading_sessions.latest_end_within(store, NOW + 60, NOW + 100) is None
    assert reading_sessions.latest_end_within(store, NOW - 10, NOW) is None


def test_an_unmatched_book_is_one_that_something_waits_for(store: database.Store) -> None:
    waiting, idle = (
        books.remember(store, moby()),
        books.remember(store, moby(fingerprint="b" * 32, title="Emma", identifiers=[])),
    )
    reading_sessions.add_journal(store, "1795000000-000001", NOW, 3)
    added = reading_sessions.add(store, waiting, reading_sessions.JOURNAL, "1795000000-000001", session())
    outbox.add_session(store, added, waiting, "new", False, NOW)
    found = books.unmatched(store)
    assert [book.id for book in found] == [waiting]
    assert found[0].authors == ["Herman Melville", "Another"]
    assert idle not in [book.id for book in found]
    books.match(store, waiting, 42, "ISBN")
    assert books.unmatched(store) == []
