"""What is kept of a reader's wishes for Hardcover, in a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core.journal import Book
from device.disk import Disk
from device.store import books, database, hardcover
from device.store.database import Store
from device.store.hardcover import NOT_THERE, RATING, STATUS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), 0)
    yield store
    store.close()


def book(store: Store, title: str) -> int:
    return books.remember(store, Book(f"/{title}.epub", "epub", title, ["An Author"], [], None, None))


def want(store: Store, book_id: int, field: str, value: str | int | None, now: int = 1) -> None:
    with store.transaction():
        hardcover.want(store, book_id, field, value, now)


def open_wishes(store: Store) -> list[tuple[str, str, str | None]]:
    return [(wish.subject.title, wish.field, wish.wanted) for wish in hardcover.wishes(store)]


def test_a_wish_is_open_until_it_is_confirmed(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, 9)
    assert open_wishes(store) == [("Emma", RATING, "9")]
    hardcover.confirm(store, emma, RATING, "9")
    assert open_wishes(store) == []


def test_what_was_wanted_meanwhile_stays_open_when_the_earlier_wish_is_confirmed(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, 9)
    want(store, emma, RATING, 4)
    hardcover.confirm(store, emma, RATING, "9")
    assert open_wishes(store) == [("Emma", RATING, "4")]


def test_wanting_the_same_again_opens_nothing(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, STATUS, "READ")
    hardcover.confirm(store, emma, STATUS, "READ")
    want(store, emma, STATUS, "READ", 2)
    assert open_wishes(store) == []


def test_a_new_wish_forgets_how_often_the_old_one_failed(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, 9)
    hardcover.fail(store, emma, RATING, "no")
    want(store, emma, RATING, 8)
    [wish] = hardcover.wishes(store)
    assert (wish.attempts, wish.reason) == (0, None)


def test_taking_back_what_was_never_there_is_no_wish(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, None)
    want(store, emma, RATING, 9)
    want(store, emma, RATING, None)
    assert open_wishes(store) == []


def test_taking_back_what_is_there_is_one(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, 9)
    hardcover.confirm(store, emma, RATING, "9")
    want(store, emma, RATING, None)
    assert open_wishes(store) == [("Emma", RATING, None)]


def test_books_that_wait_for_the_reader_come_behind_all_that_can_go_on(store: Store) -> None:
    waiting, new, known = book(store, "Waiting"), book(store, "New"), book(store, "Known")
    for at, book_id in enumerate((waiting, new, known)):
        want(store, book_id, RATING, 9, at)
    hardcover.identify(store, waiting, None, "waiting")
    hardcover.identify(store, known, 12, None)
    assert [title for title, _, _ in open_wishes(store)] == ["Known", "New", "Waiting"]


def test_a_book_that_is_not_there_has_no_open_wish_and_no_number(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, 9)
    hardcover.identify(store, emma, 12, NOT_THERE)
    subject = hardcover.subject(store, emma)
    assert subject is not None and subject.known_id is None
    assert open_wishes(store) == []


def test_another_account_has_none_of_it(store: Store) -> None:
    emma = book(store, "Emma")
    want(store, emma, RATING, 9)
    hardcover.confirm(store, emma, RATING, "9")
    hardcover.want_all_again(store)
    assert open_wishes(store) == [("Emma", RATING, "9")]


def test_candidates_of_one_place_are_not_those_of_another(store: Store) -> None:
    emma = book(store, "Emma")
    store.execute("INSERT INTO candidate VALUES (?, 'server', 7, 'Emma on the server', 1.0)", (emma,))
    hardcover.add_candidate(store, emma, 3, "worse", 0.5)
    hardcover.add_candidate(store, emma, 9, "better", 1.0)
    assert [one.label for one in hardcover.candidates(store, emma)] == ["better", "worse"]
    hardcover.forget_candidates(store, emma)
    assert store.execute("SELECT COUNT(*) FROM candidate").fetchone()[0] == 1
