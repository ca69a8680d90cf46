"""What may happen to ratings and read status on their way to Hardcover."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core.outbox import TRIES_MOST
from device.store.hardcover import RATING, STATUS
from tests.contract.hardcover_device import (
    EMMA_ID,
    MOBY_FILE,
    MOBY_ID,
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
from tests.contract.one_answer_server import OneAnswerServer
from tests.reader import Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import make_authority, make_server_certificate
from tests.sandbox.hardcover import KEEPS_OTHER, LOST, REFUSES, REPEATS_TOKEN, SEARCH_FAILS, TOKEN, HardcoverStandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    with library_server() as server:
        yield server


@pytest.fixture
def there() -> Iterator[HardcoverStandIn]:
    with hardcover_server() as there:
        yield there


@pytest.fixture
def member(tmp_path: Path, server: StandIn, there: HardcoverStandIn) -> Reader:
    return member_of(there, server, tmp_path / "bookloresync")


@pytest.mark.parametrize("trap", ["bad token", "bad token, of old", "bad token in 200"])
def test_a_refused_token_is_said_once_and_not_tried_again_unasked(
    member: Reader, there: HardcoverStandIn, trap: str
) -> None:
    there.trap(trap, times=99)
    wants(member, RATING, 9)
    [said] = member.run_job("sync")["messages"]
    assert "does not accept the token" in said["text"]
    assert member.run_job("sync")["messages"] == []
    assert len(there.requests) == 1
    assert "Hardcover does not accept the token" in member.status()


def test_a_new_token_after_a_refused_one_is_tried_at_once(member: Reader, there: HardcoverStandIn) -> None:
    there.token = "renewed"
    wants(member, RATING, 9)
    member.run_job("sync")
    put_token(member, there, "renewed")
    member.run_job("sync")
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_a_token_that_may_not_write_names_what_it_lacks(member: Reader, there: HardcoverStandIn) -> None:
    there.trap("scope", "Insert")
    wants(member, RATING, 9)
    [said] = member.run_job("sync")["messages"]
    assert "may not do what is needed (write:library)" in said["text"]


RUN_TRAPS = ("too many", "html", "broken", "gateway", "slow query", "not json", "no data", "errors in 200")


@pytest.mark.parametrize("trap", RUN_TRAPS)
@pytest.mark.parametrize("operation", ["Editions", "Library"])
def test_what_goes_wrong_leaves_it_waiting_and_unasked_runs_pause(
    member: Reader, there: HardcoverStandIn, trap: str, operation: str
) -> None:
    there.trap(trap, operation)
    wants(member, RATING, 9)
    member.run_job("sync")
    before = len(there.requests)
    assert member.run_job("sync")["messages"] == []
    assert (len(there.requests), there.library) == (before, {})
    assert "Hardcover: 1 rating of “Moby Dick”" in member.status()
    member.run("sync")
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_the_pause_is_as_long_as_hardcover_asks_for(member: Reader, there: HardcoverStandIn) -> None:
    there.trap("too many")
    wants(member, RATING, 9)
    member.run_job("sync")
    with contextlib.closing(sqlite3.connect(member.data / "state.sqlite")) as store:
        [[until]] = store.execute("SELECT value FROM setting WHERE key = 'hardcover_retry_at'")
    assert 100 <= int(until) - time.time() <= 120
    change(member, "UPDATE setting SET value = '1' WHERE key = 'hardcover_retry_at'")
    member.run_job("sync")
    assert there.library[MOBY_ID]["rating"] == 4.5


@pytest.mark.parametrize("operation", ["Insert", "Update"])
def test_a_lost_answer_is_simply_repeated(member: Reader, there: HardcoverStandIn, operation: str) -> None:
    if operation == "Update":
        there.has(MOBY_ID, READ)
    there.trap(LOST, operation)
    wants(member, RATING, 9)
    wants(member, STATUS, "READ")
    member.run("sync")
    assert "1 rating" in member.status()
    member.run("sync")
    assert there.operations().count(operation) == 1  # the second look found it done
    assert there.library[MOBY_ID]["rating"] == 4.5
    assert "Hardcover" not in member.status()


def test_a_refused_book_is_told_once_and_blocks_no_other(member: Reader, there: HardcoverStandIn) -> None:
    there.trap(REFUSES, "Insert", times=2)
    wants(member, RATING, 9)
    wants_for_emma(member, RATING, 4)
    change(member, "UPDATE hardcover_value SET changed_at = 5 WHERE book_id = 1")
    there.spring_all()
    there.trap(REFUSES, "Insert")
    [said] = member.run_job("sync")["messages"]
    assert said["text"] == "Hardcover did not take what you gave “Moby Dick”: You can not do that"
    assert list(there.library) == [EMMA_ID]
    assert "1 rating of “Moby Dick”: You can not do that" in member.status()


def test_a_book_that_is_refused_again_and_again_is_left_until_the_reader_asks(
    member: Reader, there: HardcoverStandIn
) -> None:
    there.trap(REFUSES, "Insert", times=TRIES_MOST)
    wants(member, RATING, 9)
    for _ in range(TRIES_MOST + 3):
        member.run_job("sync")
    assert there.operations().count("Insert") == TRIES_MOST
    member.run("sync")
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_a_number_that_hardcover_does_not_know_is_refused_and_can_be_chosen_anew(
    member: Reader, there: HardcoverStandIn
) -> None:
    wants(member, RATING, 9)
    member.run("hardcover", "--book", MOBY_FILE, "999")
    assert "Couldn't find Book" in member.status()
    [item] = [item for item in menu_items(member) if item.get("arguments")]
    assert item["label"] == "Which one is “Moby Dick”?"
    member.run("hardcover", "--book", MOBY_FILE, str(MOBY_ID))
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_something_else_that_hardcover_keeps_does_not_count_as_sent(member: Reader, there: HardcoverStandIn) -> None:
    there.trap(KEEPS_OTHER, "Insert")
    wants(member, RATING, 9)
    member.run("sync")
    assert "kept something else" in member.status()
    member.run("sync")
    assert there.library[MOBY_ID]["rating"] == 4.5


def test_a_search_that_fails_is_tried_again(member: Reader, there: HardcoverStandIn) -> None:
    there.trap(SEARCH_FAILS)
    wants_for_emma(member, RATING, 9)
    member.run("sync")
    assert there.library == {}
    member.run("sync")
    assert there.library[EMMA_ID]["rating"] == 4.5


def test_a_mutation_that_breaks_hardcover_goes_last_next_time(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    wants_for_emma(member, RATING, 4)
    there.trap("broken", "Insert")
    member.run("sync")
    assert there.library == {}
    there.trap("broken", "Insert", times=0)
    member.run("sync")
    assert list(there.library) == [EMMA_ID, MOBY_ID]


def test_a_hanging_hardcover_costs_no_more_than_the_run_has(member: Reader, there: HardcoverStandIn) -> None:
    there.trap("hangs")
    wants(member, RATING, 9)
    started = time.monotonic()
    result = member.run_job("sync", "close", deadline_s=10)
    assert time.monotonic() - started < 14
    assert result["outcome"] == "done"
    assert "1 rating" in member.status()


def test_a_hardcover_that_is_away_is_told_only_to_who_asks(member: Reader, there: HardcoverStandIn) -> None:
    wants(member, RATING, 9)
    change(member, "UPDATE setting SET value = 'http://127.0.0.1:9' WHERE key = 'hardcover_server'")
    assert member.run_job("sync")["messages"] == []
    [said] = member.run_job("sync", "tap")["messages"]
    assert "cannot be reached" in said["text"]


def test_a_login_page_of_the_network_is_not_hardcover(member: Reader) -> None:
    with OneAnswerServer() as portal:
        portal.always = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\nContent-Length: 0\r\n\r\n"
        change(member, "UPDATE setting SET value = ? WHERE key = 'hardcover_server'", portal.url)
        wants(member, RATING, 9)
        member.run("sync")
    assert "1 rating" in member.status()


def test_the_same_trouble_is_told_once_to_who_did_not_ask(member: Reader, there: HardcoverStandIn) -> None:
    there.trap("html", times=2)
    wants(member, RATING, 9)
    assert len(member.run_job("sync")["messages"]) == 1
    change(member, "DELETE FROM setting WHERE key = 'hardcover_retry_at'")
    assert member.run_job("sync")["messages"] == []
    assert len(there.requests) == 2


def test_a_certificate_that_is_not_to_be_believed_gets_no_token(member: Reader, tmp_path: Path) -> None:
    certificate = make_server_certificate(tmp_path, make_authority(tmp_path))
    with StandIn(dialect="booklore", tls=certificate) as other:
        change(member, "UPDATE setting SET value = ? WHERE key = 'hardcover_server'", other.url)
        wants(member, RATING, 9)
        run = member.run("sync")
        assert "was refused" in run.stderr
        assert list(other.requests) == []


def test_a_token_that_an_error_repeats_is_not_shown(member: Reader, there: HardcoverStandIn) -> None:
    there.trap(REPEATS_TOKEN)
    wants(member, RATING, 9)
    run = member.run("sync")
    assert "could not use …" in member.status()
    assert TOKEN not in run.stdout + run.stderr + everything_the_reader_could_see(member)
