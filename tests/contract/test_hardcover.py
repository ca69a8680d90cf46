"""The token, and ratings and read status on their way to Hardcover."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.store.hardcover import RATING, STATUS
from tests.contract.hardcover_device import (
    CURRENTLY_READING,
    EMMA_ID,
    MOBY_FILE,
    MOBY_ID,
    MOBY_ISBN,
    READ,
    change,
    everything_the_reader_could_see,
    hardcover_server,
    library_server,
    member_of,
    menu_items,
    put_token,
    wants,
    wants_for_emma,
)
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn
from tests.sandbox.hardcover import TOKEN, HardcoverStandIn


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


# The token


def test_the_token_file_is_taken_once_and_removed(reader: Reader, there: HardcoverStandIn) -> None:
    put_token(reader, there)
    assert "The Hardcover token is kept" in reader.run("sync").stdout
    assert not (reader.data / "hardcover_token.txt").exists()
    assert json.loads((reader.data / "secrets.json").read_text())["hardcover_token"] == TOKEN


@pytest.mark.parametrize(
    "pasted",
    [f"Bearer {TOKEN}", f"  bearer   {TOKEN}  ", f"authorization: Bearer {TOKEN}", f"hardcover_token = {TOKEN}"],
)
def test_a_token_is_understood_however_it_was_pasted(reader: Reader, there: HardcoverStandIn, pasted: str) -> None:
    put_token(reader, there, pasted)
    wants(reader, RATING, 9)
    reader.run("sync")
    assert {asked.authorization for asked in there.requests} == {f"Bearer {TOKEN}"}


def test_a_token_file_without_a_token_is_named_and_stays(reader: Reader) -> None:
    (reader.data / "hardcover_token.txt").write_text("paste your token here\n")
    assert "hardcover_token.txt holds no token" in reader.run("sync").stderr
    assert (reader.data / "hardcover_token.txt").exists()


def test_without_a_token_hardcover_is_not_in_the_menu_and_hears_nothing(reader: Reader) -> None:
    wants(reader, RATING, 8)
    assert "Hardcover" not in reader.run("sync").stdout
    assert menu_items(reader) == []
    assert "Hardcover" not in reader.status()


def test_what_was_agreed_on_before_there_was_a_token_goes_out_with_it(reader: Reader, there: HardcoverStandIn) -> None:
    wants(reader, RATING, 8)
    reader.run("sync")
    put_token(reader, there)
    reader.run("sync")
    assert there.library[MOBY_ID]["rating"] == 4.0


def test_the_token_is_in_no_log_message_menu_or_store(member: Reader, there: HardcoverStandIn) -> None:
    there.trap("bad token", times=9)
    wants(member, RATING, 8)
    member.run("sync")
    member.run("status")
    assert TOKEN not in everything_the_reader_could_see(member)


# What is sent


def test_a_rating_of_nine_becomes_four_and_a_half_stars(member: Reader, there: HardcoverStandIn) -> None:
    there.has(MOBY_ID, READ)
    wants(member, RATING, 9)
    assert member.run("sync").stdout == "1 rating sent to Hardcover.\n"
    assert there.library[MOBY_ID]["rating"] == 4.5


@pytest.mark.parametrize(
    ("word", "status_id"),
    [
        ("READING", 2), ("RE_READING", 2), ("READ", 3), ("PARTIALLY_READ", 4), ("PAUSED", 4), ("ABANDONED", 5),
        ("WONT_READ", 6),
    ],
)  # fmt: skip
def test_every_status_has_its_number_there(member: Reader, there: HardcoverStandIn, word: str, status_id: int) -> None:
    there.has(MOBY_ID, 1)
    wants(member, STATUS, word)
    member.run("sync")
    assert there.library[MOBY_ID]["status_id"] == status_id


def test_a_book_that_is_not_in_the_library_there_is_added_with_status_and_rating_in_one_request(
    member: Reader, there: HardcoverStandIn
) -> None:
    wants(member, RATING, 7)
    wants(member, STATUS, "READ")
    assert member.run("sync").stdout == "1 rating and 1 read status sent to Hardcover.\n"
    entry = there.library[MOBY_ID]
    assert (entry["status_id"], entry["rating"]) == (READ, 3.5)
    assert there.operations() == ["Editions", "Library", "Insert"]
    assert there.connections == 1


def test_what_is_added_is_as_public_as_the_reader_has_set_there(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, STATUS, "READING")
    member.run("sync")
    assert there.library[MOBY_ID]["privacy_setting_id"] == 3


def test_an_unread_book_is_neither_added_nor_asked_for(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, STATUS, "UNREAD")
    member.run("sync")
    assert there.requests == []
    assert "Hardcover" not in member.status()


def test_a_rated_book_without_a_status_is_added_as_being_read(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 6)
    member.run("sync")
    assert there.library[MOBY_ID]["status_id"] == CURRENTLY_READING


def test_a_rated_book_that_was_read_to_its_end_is_added_as_read(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 6)
    change(member, "UPDATE book SET finished_at = 1")
    member.run("sync")
    assert there.library[MOBY_ID]["status_id"] == READ


def test_a_rating_that_was_taken_back_is_taken_back_there(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("sync")
    wants(member, RATING, None)
    member.run("sync")
    assert there.library[MOBY_ID]["rating"] is None


def test_taking_back_a_rating_that_never_went_there_leaves_what_is_there(
    member: Reader, there: HardcoverStandIn
) -> None:
    there.has(MOBY_ID, READ, 5.0)
    wants(member, RATING, None)
    member.run("sync")
    assert there.library[MOBY_ID]["rating"] == 5.0
    assert there.requests == []


def test_what_is_there_already_is_not_sent(member: Reader, there: HardcoverStandIn) -> None:
    there.has(MOBY_ID, READ, 4.0)
    wants(member, RATING, 8)
    wants(member, STATUS, "READ")
    member.run("sync")
    assert there.operations() == ["Editions", "Library"]


def test_a_book_read_there_is_not_set_back_by_being_opened_here(member: Reader, there: HardcoverStandIn) -> None:
    there.has(MOBY_ID, READ)
    wants(member, STATUS, "READING")
    member.run("sync")
    assert there.library[MOBY_ID]["status_id"] == READ


def test_a_book_that_is_begun_again_after_it_was_read_is_being_read_there_too(
    member: Reader, there: HardcoverStandIn
) -> None:
    wants(member, STATUS, "READ")
    member.run("sync")
    wants(member, STATUS, "READING")
    member.run("sync")
    assert there.library[MOBY_ID]["status_id"] == CURRENTLY_READING


def test_an_idle_sync_asks_hardcover_nothing(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("sync")
    before = len(there.requests)
    member.run("sync")
    member.run_job("sync")
    assert len(there.requests) == before


def test_a_second_change_of_a_known_book_takes_two_requests(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("sync")
    before = len(there.requests)
    wants(member, RATING, 10)
    member.run("sync")
    assert there.operations()[before:] == ["Library", "Update"]


def test_a_dozen_books_known_by_isbn_take_one_look_up_one_reading_and_one_request_each(
    member: Reader, there: HardcoverStandIn
) -> None:
    for number in range(12):
        isbn = isbn_of(number)
        there.add_book(700 + number, f"Volume {number}", "A. Writer", isbns=[isbn])
        wants(member, RATING, 1 + number % 10, f"Volume {number}", "A. Writer", isbn)
    started = time.monotonic()
    member.run("sync")
    assert len(there.library) == 12
    assert there.operations() == ["Editions", "Library"] + ["Insert"] * 12
    assert time.monotonic() - started > 4  # eight at once, then not more than sixty a minute


def isbn_of(number: int) -> str:
    body = f"978316{number:06d}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10
    return f"{body}{check}"


def test_a_manual_reader_sends_only_when_she_taps(member: Reader, there: HardcoverStandIn) -> None:
    member.run("set", "sync_mode", "manual")
    wants(member, RATING, 9)
    member.run_job("sync")
    assert there.requests == []
    member.run_job("sync", "tap")
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_switched_off_nothing_goes_there_and_switched_on_the_newest_does(
    member: Reader, there: HardcoverStandIn
) -> None:
    member.run("set", "hardcover_sync", "off")
    wants(member, RATING, 9)
    wants(member, RATING, 4)
    member.run("sync")
    assert there.requests == []
    assert "Hardcover: sending to Hardcover is switched off" in member.status()
    member.run("set", "hardcover_sync", "on")
    member.run("sync")
    assert there.library[MOBY_ID]["rating"] == 2.0


def test_it_goes_out_although_the_server_of_the_library_is_away(
    member: Reader, server: StandIn, there: HardcoverStandIn
) -> None:
    wants(member, RATING, 9)
    member.reads(**MOBY)
    server.stop()
    run = member.run_job("sync", "tap")
    assert run["outcome"] == "offline"
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_what_is_not_recorded_does_not_go_there(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("track", "--book", MOBY_FILE, "off")
    member.run("sync")
    assert there.requests == []


def test_another_account_there_gets_everything(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    member.run("sync")
    there.library.clear()
    there.user_id, there.token = 78, "another.token"
    put_token(member, there, "another.token")
    wants_for_emma(member, RATING, 4)
    member.run("sync")
    member.run("sync")
    assert {id: entry["rating"] for id, entry in there.library.items()} == {MOBY_ID: 4.5, EMMA_ID: 2.0}


def test_stars_and_a_finished_book_in_koreader_arrive_at_both_places(
    member: Reader, server: StandIn, there: HardcoverStandIn
) -> None:
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13=MOBY_ISBN)
    moments: list[tuple[int, str, dict[str, object]]] = [
        (0, "open", {"page": 1, "pages": 10}),
        (60, "page", {"page": 10, "pages": 10}),
        (120, "close", {"reason": "close", "page": 10, "pages": 10}),
        (120, "snapshot", {"fraction": 1.0, "rating": 4, "status": "complete"}),
    ]
    member.journal(moments, **MOBY)
    member.run("sync")
    member.run("sync")
    assert (there.library[MOBY_ID]["rating"], there.library[MOBY_ID]["status_id"]) == (4.0, READ)
