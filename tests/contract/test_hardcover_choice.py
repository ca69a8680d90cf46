"""Which book at Hardcover a file is, and what the reader says to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.store.hardcover import RATING
from tests.contract.hardcover_device import (
    EMMA_FILE,
    EMMA_ID,
    MOBY_FILE,
    MOBY_ID,
    MOBY_ISBN,
    MOBY_ISBN_10,
    change,
    hardcover_id,
    hardcover_server,
    insert_server_book,
    library_server,
    member_of,
    menu_items,
    offered,
    wants,
    wants_for_emma,
)
from tests.reader import Reader
from tests.sandbox import StandIn
from tests.sandbox.hardcover import HardcoverStandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    with library_server() as server:
        yield server


@pytest.fixture
def there() -> Iterator[HardcoverStandIn]:
    with hardcover_server() as there:
        yield there


@pytest.fixture
def reader(tmp_path: Path, server: StandIn) -> Reader:
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    return reader


@pytest.fixture
def member(tmp_path: Path, server: StandIn, there: HardcoverStandIn) -> Reader:
    return member_of(there, server, tmp_path / "bookloresync")


def test_the_id_in_the_servers_metadata_is_believed(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    change(member, "UPDATE book SET server_id = 5")
    insert_server_book(member, 5, EMMA_ID)
    member.run("sync")
    assert list(there.library) == [EMMA_ID]
    assert there.operations() == ["Library", "Insert"]


def test_the_id_that_only_the_books_own_page_tells_is_believed(
    member: Reader, server: StandIn, there: HardcoverStandIn
) -> None:
    server.add_book(title="A Copy", authors=["Somebody Else"], isbn13="9780306406157", hardcover_book_id=str(EMMA_ID))
    place = {"page": 20, "pages": 200, "fraction": 0.1}
    member.journal(
        [
            (0, "open", {"page": 3, "pages": 200}),
            (60, "page", place),
            (200, "close", {"reason": "close", **place}),
            (210, "snapshot", {"fraction": 0.1, "rating": 4, "status": "reading"}),
        ],
        title="A Copy", authors=["Somebody Else"], identifiers=["ISBN:9780306406157"],
    )  # fmt: skip
    member.run("sync")
    assert there.library[EMMA_ID]["rating"] == 4


def test_an_isbn_10_finds_the_book_that_is_known_by_it_there(member: Reader, there: HardcoverStandIn) -> None:
    there.books[MOBY_ID].isbns = [MOBY_ISBN_10]
    wants(member, RATING, 9)
    member.run("sync")
    assert list(there.library) == [MOBY_ID]


def test_a_book_that_was_merged_into_another_there_is_the_other(member: Reader, there: HardcoverStandIn) -> None:
    there.books[MOBY_ID].canonical_id = EMMA_ID
    wants(member, RATING, 9)
    member.run("sync")
    assert list(there.library) == [EMMA_ID]


def test_the_same_title_and_author_is_the_book_if_there_is_only_one(member: Reader, there: HardcoverStandIn) -> None:
    there.add_book(503, "Emma Brown", "Clare Boylan")
    wants(member, RATING, 9, "Emma", "Austen, Jane", None)
    member.run("sync")
    assert list(there.library) == [EMMA_ID]
    assert there.last("Search")["query"] == "Emma Jane Austen"


def test_two_books_of_one_title_and_author_wait_for_the_reader(member: Reader, there: HardcoverStandIn) -> None:
    there.add_book(503, "Emma", "Jane Austen", year=1994)
    wants_for_emma(member, RATING, 9)
    member.run("sync")
    assert there.library == {}
    assert "Hardcover: 1 rating of “Emma”: choose which book it is" in member.status()


def test_an_isbn_of_two_books_waits_for_the_reader(member: Reader, there: HardcoverStandIn) -> None:
    there.add_book(503, "Moby Dick, abridged", "Herman Melville", isbns=[MOBY_ISBN])
    wants(member, RATING, 9)
    member.run("sync")
    assert there.library == {}
    assert {id for id, _ in offered(member)} == {MOBY_ID, 503}


def test_another_author_is_another_book(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9, "Emma", "Alexander McCall Smith", None)
    member.run("sync")
    assert there.library == {}


def test_a_book_that_waits_for_the_reader_costs_no_more_requests(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9, "Unheard of", "Nobody", None)
    member.run("sync")
    before = len(there.requests)
    member.run("sync")
    member.run_job("sync")
    assert len(there.requests) == before


def test_a_book_is_looked_for_again_when_its_isbn_becomes_known(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9, "Scan 0001", "", None)
    member.run("sync")
    assert there.library == {}
    change(member, "UPDATE book SET file_identifiers = ?", f"ISBN:{MOBY_ISBN}")
    member.run_job("sync")
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_at_most_five_books_are_searched_for_in_a_run(member: Reader, there: HardcoverStandIn) -> None:
    for number in range(7):
        wants(member, RATING, 9, f"Unheard of {number}", "Nobody", None)
    member.run("sync")
    assert there.operations() == ["Search"] * 5
    member.run("sync")
    assert there.operations() == ["Search"] * 7


def test_the_menu_lists_what_waits_for_a_choice_and_a_tap_asks(member: Reader, there: HardcoverStandIn) -> None:
    there.add_book(503, "Emma", "Jane Austen", year=1994)
    wants_for_emma(member, RATING, 9)
    member.run("sync")
    [item] = [item for item in menu_items(member) if item["label"] == "Which one is “Emma”?"]
    result = member.run_job(item["verb"], "tap", arguments=item["arguments"])
    [question] = result["questions"]
    assert question["text"] == "Which book at Hardcover is “Emma”?"
    assert [answer["label"] for answer in question["answers"]] == [
        "Emma (Jane Austen, 1815)", "Emma (Jane Austen, 1994)", "Search for another title…", "It is not at Hardcover",
    ]  # fmt: skip


def test_the_answer_is_remembered_and_what_waited_goes_out_at_once(member: Reader, there: HardcoverStandIn) -> None:
    there.add_book(503, "Emma", "Jane Austen", year=1994)
    wants_for_emma(member, RATING, 9)
    member.run("sync")
    answer = member.run_job("hardcover", "tap", book=EMMA_FILE)["questions"][0]["answers"][1]
    member.run_job(answer["verb"], "tap", arguments=answer["arguments"])
    assert (hardcover_id(member, "Emma"), there.library[503]["rating"]) == (503, 4.5)
    assert "choose" not in member.status()


def test_a_title_that_is_typed_is_searched_for_and_never_chosen_by_itself(
    member: Reader, there: HardcoverStandIn
) -> None:
    wants(member, RATING, 9, "Scan 0001", "", None)
    assert offered(member, "/mnt/onboard/Scan 0001.epub", "emma") == [(EMMA_ID, "Emma (Jane Austen, 1815)")]
    assert there.library == {}


def test_digits_typed_on_the_device_are_a_title(member: Reader, there: HardcoverStandIn) -> None:
    there.add_book(504, "1984", "George Orwell")
    wants(member, RATING, 9, "Scan 0001", "", None)
    assert offered(member, "/mnt/onboard/Scan 0001.epub", "1984") == [(504, "1984 (George Orwell)")]


def test_a_number_at_the_terminal_sets_the_book(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    run = member.run("hardcover", "--book", MOBY_FILE, str(EMMA_ID))
    assert "“Moby Dick” is number 502 at Hardcover." in run.stdout
    assert there.library[EMMA_ID]["rating"] == 4.5
    assert member.run("hardcover", "--book", MOBY_FILE).stdout == "“Moby Dick” is number 502 at Hardcover.\n"


def test_what_the_book_is_called_there_is_remembered(member: Reader) -> None:
    wants_for_emma(member, RATING, 9)
    member.run("sync")
    run = member.run("hardcover", "--book", EMMA_FILE)
    assert run.stdout == "“Emma” is “Emma (Jane Austen, 1815)” at Hardcover, number 502.\n"


def test_without_a_word_the_terminal_lists_what_it_could_be(member: Reader, there: HardcoverStandIn) -> None:
    wants_for_emma(member, RATING, 9)
    run = member.run("hardcover", "--book", EMMA_FILE)
    assert run.stdout == "502  Emma (Jane Austen, 1815)\n"


def test_a_book_that_is_not_there_is_not_looked_for_nor_shown_any_more(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("hardcover", "--book", MOBY_FILE, "none")
    wants(member, RATING, 8)
    member.run("sync")
    assert there.requests == []
    assert "Moby" not in member.status()


def test_a_choice_takes_back_that_it_is_not_there(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("hardcover", "--book", MOBY_FILE, "none")
    member.run("hardcover", "--book", MOBY_FILE, str(MOBY_ID))
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_another_book_that_is_chosen_gets_what_the_first_one_had(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("sync")
    member.run("hardcover", "--book", MOBY_FILE, str(EMMA_ID))
    assert there.library[EMMA_ID]["rating"] == 4.5


def test_without_a_token_the_verb_says_where_to_put_one(reader: Reader) -> None:
    wants(reader, RATING, 9)
    run = reader.run("hardcover", "--book", MOBY_FILE)
    assert (run.returncode, "hardcover_token.txt" in run.stderr) == (1, True)


def test_a_book_that_was_never_opened_has_no_place_there(member: Reader) -> None:
    run = member.run("hardcover", "--book", "/mnt/onboard/Never.epub")
    assert (run.returncode, "does not know this book yet" in run.stderr) == (1, True)
