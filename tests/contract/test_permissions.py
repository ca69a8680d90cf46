"""What an account may not do is found out rarely, told once, stays to be seen, and never keeps a session from going."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.protocol import Result
from device.sending import rights
from device.server import permissions
from device.ui import dialect_texts
from tests.contract.device_run import device_run
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

ME = "GET /api/v1/users/me"
NO_LIBRARY = "no library assigned"


@pytest.fixture(params=["booklore", "grimmory", "worldteacher"])
def server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with StandIn(dialect=request.param) as server:
        server.add_user("anna", "secret")
        server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        yield server


@pytest.fixture
def reader(tmp_path: Path, server: StandIn) -> Reader:
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    return reader


def look(folder: Path, server: StandIn, days: float = 0) -> list[str]:
    """What is told in a run that looks."""
    result = Result()
    with device_run(folder, server, days) as run:
        run.rights.look(result, asked_for=False)
    return [text for _, text in result.messages]


def sync(reader: Reader) -> dict[str, Any]:
    return reader.run_job("sync", reason="tap")


def menu(reader: Reader) -> str:
    return (reader.data / "menu.json").read_text()


def test_an_account_that_may_do_everything_is_told_nothing(server: StandIn, tmp_path: Path) -> None:
    assert look(tmp_path, server) == []


def test_what_is_lacking_is_told_once(server: StandIn, tmp_path: Path) -> None:
    server.set_libraries("anna", [])
    assert look(tmp_path, server) == [dialect_texts.LACKING["library"]]
    assert look(tmp_path, server) == []


def test_what_nothing_here_needs_is_not_told(server: StandIn, tmp_path: Path) -> None:
    server.set_permissions("anna", ["canAccessOpds"])
    assert look(tmp_path, server) == []


def test_the_account_is_asked_once_a_month(server: StandIn, tmp_path: Path) -> None:
    for days in (0, 1, 10, 29, 31):
        look(tmp_path, server, days)
    assert server.asked.count(ME) == 2


def test_while_something_is_lacking_the_account_is_asked_once_a_day(server: StandIn, tmp_path: Path) -> None:
    server.set_libraries("anna", [])
    for days in (0, 0.5, 0.9, 1.1, 1.5):
        look(tmp_path, server, days)
    assert server.asked.count(ME) == 2


def test_what_came_back_and_is_lost_again_is_told_again(server: StandIn, tmp_path: Path) -> None:
    server.set_libraries("anna", [])
    look(tmp_path, server)
    server.set_libraries("anna", [1])
    assert look(tmp_path, server, 31) == []
    server.set_libraries("anna", [])
    assert look(tmp_path, server, 62) == [dialect_texts.LACKING["library"]]


def test_a_refusal_makes_the_account_be_asked_again_but_not_each_time(server: StandIn, tmp_path: Path) -> None:
    look(tmp_path, server)
    for hours in (0.5, 2, 2.5):
        with device_run(tmp_path, server, hours / 24) as run:
            run.rights.doubt()
            run.rights.look(Result(), asked_for=False)
    assert server.asked.count(ME) == 2


@pytest.mark.parametrize("fault", ["drop_request", "error_before", "html", "truncate"])
def test_an_answer_that_does_not_come_is_no_error_and_asked_for_again_tomorrow(
    server: StandIn, tmp_path: Path, fault: str
) -> None:
    server.set_libraries("anna", [])
    server.fault(when=lambda method, path, count: path.endswith("users/me"), do=fault, times=2)
    assert look(tmp_path, server) == []
    asked = server.asked.count(ME)
    server.forget_faults()
    assert look(tmp_path, server, 0.5) == []
    assert server.asked.count(ME) == asked
    assert look(tmp_path, server, 1.1) == [dialect_texts.LACKING["library"]]


def test_another_account_is_asked_anew(server: StandIn, reader: Reader) -> None:
    server.add_user("ben", "secret", libraries=[])
    reader.reads(title="Unknown")
    sync(reader)
    reader.configure(server.url, "ben")
    texts = [message["text"] for message in sync(reader)["messages"]]
    assert any(NO_LIBRARY in text for text in texts)
    assert server.asked.count(ME) == 2


def test_a_reader_without_a_library_learns_why_her_books_are_not_found(server: StandIn, reader: Reader) -> None:
    server.set_libraries("anna", [])
    reader.reads(**MOBY)
    first, second = sync(reader), sync(reader)
    assert any(NO_LIBRARY in message["text"] for message in first["messages"])
    assert not any(NO_LIBRARY in message["text"] for message in second["messages"])
    assert NO_LIBRARY in reader.status()
    assert NO_LIBRARY in menu(reader)


def test_a_library_that_is_assigned_later_is_found_and_nothing_lacking_any_more(
    server: StandIn, reader: Reader
) -> None:
    server.set_libraries("anna", [])
    reader.reads(**MOBY)
    sync(reader)
    server.set_libraries("anna", [1])
    reader.let_the_library_age()
    assert sync(reader)["counts"]["sent"] == 1
    assert NO_LIBRARY not in reader.status()
    assert NO_LIBRARY not in menu(reader)


def test_a_library_that_is_taken_away_is_noticed_when_the_server_refuses(tmp_path: Path) -> None:
    with StandIn(dialect="worldteacher") as server:
        server.add_user("anna", "secret")
        server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        reader = Reader(tmp_path / "bookloresync")
        reader.configure(server.url)
        reader.reads(**MOBY)
        assert sync(reader)["counts"]["sent"] == 1
        server.set_libraries("anna", [])
        reader.reads(start=1_795_100_000, **MOBY)
        assert any(NO_LIBRARY in message["text"] for message in sync(reader)["messages"])
        assert NO_LIBRARY in reader.status()
        server.set_libraries("anna", [1])
        reader.reads(start=1_795_200_000, **MOBY)
        sync(reader)
        assert NO_LIBRARY not in reader.status()


def test_an_account_without_any_permission_sends_its_sessions(server: StandIn, reader: Reader) -> None:
    server.set_permissions("anna", [])
    reader.reads(**MOBY)
    assert sync(reader)["counts"]["sent"] == 1
    assert ME not in server.asked


def test_a_run_in_which_every_book_is_known_does_not_ask(server: StandIn, reader: Reader) -> None:
    reader.reads(**MOBY)
    sync(reader)
    assert ME not in server.asked


def test_the_selfcheck_names_everything_that_is_lacking(server: StandIn, reader: Reader) -> None:
    server.set_permissions("anna", [])
    run = reader.run("selfcheck")
    assert "account: good" in run.stdout
    for what in ("download", "koreader", "opds"):
        assert dialect_texts.LACKING[what] in run.stdout


def test_the_selfcheck_fails_for_an_account_without_a_library(server: StandIn, reader: Reader) -> None:
    server.set_libraries("anna", [])
    run = reader.run("selfcheck")
    assert run.returncode == 1
    assert NO_LIBRARY in run.stdout + run.stderr


def test_the_selfcheck_says_that_nothing_is_lacking(server: StandIn, reader: Reader) -> None:
    assert f"account: good, {dialect_texts.ALLOWED}" in reader.run("selfcheck").stdout


def test_the_selfcheck_tells_a_wrong_password(server: StandIn, reader: Reader) -> None:
    server.set_password("anna", "another")
    run = reader.run("selfcheck")
    assert run.returncode == 1
    assert "account: bad" in run.stdout + run.stderr


# Reading the answer

ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["permissions", "admin", "canDownload", "assignedLibraries", "canAccessOpds"]), inner
        )
    ),
)


@given(ANSWERS)
def test_any_answer_is_either_understood_or_refused(answer: Any) -> None:
    try:
        found = permissions.lacking(json.loads(json.dumps(answer)))
    except ValueError:
        return
    assert set(found) <= set(dialect_texts.LACKING)


def test_an_administrator_lacks_nothing() -> None:
    assert permissions.lacking({"permissions": {"admin": True, "canDownload": False}, "assignedLibraries": []}) == []


def test_what_the_answer_does_not_say_is_allowed() -> None:
    assert permissions.lacking({"permissions": {}}) == []


def test_everything_that_may_be_lacking_has_words() -> None:
    assert {permissions.LIBRARY, *permissions.NEEDED} == set(dialect_texts.LACKING)
    assert set(rights.USED) <= set(dialect_texts.LACKING)
