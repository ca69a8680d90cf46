"""Many books looked for in the library in the store, and what is written down of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core.matching import UNCERTAIN, ServerBook
from device.disk import Disk
from device.sending import finding_books
from device.store import books, database, library, outbox
from device.store.books import StoredBook
from device.store.database import Store

NOW = 1_795_000_000
LIBRARY = 2_500


class TimeIsUp(Exception):
    pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), NOW)
    with store.transaction():
        for number in range(1, LIBRARY + 1):
            there = ServerBook(number, f"The Tower of Emma, Book {number}")
            there.authors = ["Jane Austen"]
            library.take(store, there)
    yield store
    store.close()


def wanted(store: Store, count: int) -> list[StoredBook]:
    with store.transaction():
        ids = [
            books.add_without_file(store, None, f"The Tower of Emma, Book {number}", ["J. Austen"])
            for number in range(1, count + 1)
        ]
    return [book for book in (books.wanted(store, id) for id in ids) if book is not None]


def changes(store: Store) -> int:
    return int(store.execute("SELECT total_changes()").fetchone()[0])


def test_what_is_known_already_is_not_written_again(store: Store) -> None:
    ours = wanted(store, 3)
    assert finding_books.settle_all(store, ours, NOW) == ours
    before = changes(store)
    assert finding_books.settle_all(store, ours, NOW + 1) == ours
    assert changes(store) == before
    assert library.candidates(store, ours[0].id)[0].server_id == 1


def test_what_came_in_since_waits_with_the_rest(store: Store) -> None:
    ours = wanted(store, 1)
    finding_books.settle_all(store, ours, NOW)
    outbox.add(store, "session", "a", ours[0].id, "{}", "new", False, NOW)
    finding_books.settle_all(store, ours, NOW + 1)
    assert store.execute("SELECT state, reason FROM outbox").fetchall() == [("waiting", UNCERTAIN)]


def test_another_candidate_is_written_down(store: Store) -> None:
    ours = wanted(store, 1)
    finding_books.settle_all(store, ours, NOW)
    there = ServerBook(LIBRARY + 1, "The Tower of Emma, Book 1")
    there.authors = ["J. Austen"]
    there.language = "en"
    library.take(store, there)
    finding_books.settle_all(store, ours, NOW + 1)
    assert LIBRARY + 1 in [each.server_id for each in library.candidates(store, ours[0].id)]


def test_many_books_are_settled_in_few_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[int] = []
    transaction = Store.transaction

    def counted(self: Store) -> database.Transaction:
        begun.append(1)
        return transaction(self)

    ours = wanted(store, 60)
    monkeypatch.setattr(Store, "transaction", counted)
    assert len(finding_books.settle_all(store, ours, NOW)) == 60
    assert len(begun) == 2


def test_a_search_ends_when_the_time_is_up(store: Store) -> None:
    looks: list[int] = []

    def check_time() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise TimeIsUp

    ours = wanted(store, 1)
    with pytest.raises(TimeIsUp):
        finding_books.settle_all(store, ours, NOW, check_time)
    assert [book.looked_for for book in [books.wanted(store, ours[0].id)] if book is not None] == [False]
