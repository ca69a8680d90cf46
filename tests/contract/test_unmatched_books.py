"""What is not certain is asked: the menu of unmatched books, and the verb `match`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_matching_books import Shelf, started

OURS: dict[str, Any] = {"title": "Emma", "authors": ["Jane Austen"], "language": "", "file": "/b/Emma.epub"}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    for made in started("booklore", tmp_path):
        made.reader.reads(**OURS)
        made.sync()
        yield made


def match(shelf: Shelf, **arguments: Any) -> dict[str, Any]:
    return shelf.reader.run_job("match", "tap", arguments=arguments)


def labels(result: dict[str, Any]) -> list[str]:
    [question] = result["questions"]
    return [answer["label"] for answer in question["answers"]]


def menu(shelf: Shelf) -> dict[str, Any]:
    found = json.loads((shelf.reader.data / "menu.json").read_text())["items"]
    return {item["id"]: item for item in found if "id" in item}


def test_a_book_that_is_not_certain_waits_in_the_menu_and_blocks_nothing(shelf: Shelf) -> None:
    shelf.reader.reads(title="Moby Dick", identifiers=["ISBN:9780142437247"], start=1_795_100_000)
    assert shelf.sync()["counts"]["sent"] == 1
    item = menu(shelf)["unmatched"]
    assert item["label"] == "Unmatched books (1)"
    assert item["items"][0]["label"] == "Emma: a book on the server looks like this one, but it is not certain"
    assert (item["items"][0]["verb"], item["items"][0]["arguments"]) == ("match", {"book_id": 1})
    assert menu(shelf)["match"]["needs"] == "book"


def test_a_tap_shows_what_it_could_be_and_the_answer_lets_everything_out(shelf: Shelf) -> None:
    result = match(shelf, book_id=1)
    assert labels(result) == [
        f"Emma, Jane Austen (same title, same author; number {shelf.emma})", "Look for a title…", "By number…",
        "Look again", "Leave it for now",
    ]  # fmt: skip
    assert result["questions"][0]["when"] == "now"
    answer = result["questions"][0]["answers"][0]
    done = shelf.reader.run_job("match", "tap", arguments=answer["arguments"])
    assert done["counts"] == {"recorded": 0, "sent": 1, "waiting": 0, "rejected": 0}
    assert done["messages"][0]["text"] == f"Emma is “Emma”, number {shelf.emma} on the server: you chose it."
    assert [session["bookTitle"] for session in shelf.server.sessions()] == ["Emma"]
    assert "unmatched" not in menu(shelf)


def test_the_open_book_is_meant_where_no_other_is_named(shelf: Shelf) -> None:
    result = shelf.reader.run_job("match", "tap", book="/b/Emma.epub")
    assert result["questions"][0]["id"] == "match-1"


def test_a_book_that_is_open_for_the_first_time_is_known_from_its_journal(shelf: Shelf) -> None:
    closed = shelf.reader.reads(title="Persuasion", authors=["Jane Austen"], start=1_795_100_000)
    closed.rename(closed.with_suffix(".open"))
    result = shelf.reader.run_job("match", "tap", book="/mnt/onboard/Persuasion.epub")
    assert result["questions"][0]["text"].startswith("Persuasion is not matched")


def test_a_title_is_looked_for_in_the_library_that_was_read(shelf: Shelf) -> None:
    requests = len(shelf.server.requests)
    assert labels(match(shelf, book_id=1, value="mob dick"))[0].startswith("Moby Dick, Herman Melville")
    assert len(shelf.server.requests) == requests
    result = match(shelf, book_id=1, value="nothing like it")
    assert "nothing like it" in result["messages"][0]["text"]


def test_a_number_that_the_server_does_not_have_changes_nothing(shelf: Shelf) -> None:
    result = match(shelf, book_id=1, value=4711)
    assert result["outcome"] == "failed"
    assert "no book with the number 4711" in result["messages"][0]["text"]
    assert shelf.of_books("server_id") == [None]


def test_a_number_that_cannot_be_checked_changes_nothing(shelf: Shelf) -> None:
    shelf.server.stop()
    result = match(shelf, book_id=1, value=4711)
    assert "cannot be asked now" in result["messages"][-1]["text"]
    assert shelf.of_books("server_id") == [None]


def test_a_number_from_the_list_is_taken_without_a_network_and_goes_out_later(shelf: Shelf) -> None:
    shelf.server.stop()
    match(shelf, book_id=1, value=shelf.emma)
    assert shelf.of_books("server_id") == [shelf.emma]


def test_a_match_that_is_undone_is_not_made_again_by_itself(shelf: Shelf) -> None:
    shelf.reader.reads(title="Moby Dick", authors=["Herman Melville"], identifiers=["ISBN:9780142437247"])
    shelf.sync()
    result = match(shelf, book_id=2, value="none")
    assert "What was already sent stays where it is." in result["messages"][0]["text"]
    shelf.reader.reads(
        title="Moby Dick", authors=["Herman Melville"], identifiers=["ISBN:9780142437247"], start=1_795_200_000
    )
    shelf.reader.let_the_library_age()
    assert shelf.sync("tap")["counts"]["sent"] == 0
    again = match(shelf, book_id=2, value="again")
    assert again["counts"]["sent"] == 0
    assert labels(again)[0].startswith("Moby Dick, Herman Melville (same ISBN")
    assert match(shelf, book_id=2, value=shelf.moby)["counts"]["sent"] == 1


def test_looking_again_finds_what_has_come_since(shelf: Shelf) -> None:
    shelf.run_sql("UPDATE book SET language = 'en'")
    shelf.reader.let_the_library_age()
    result = match(shelf, book_id=1, value="again")
    assert result["counts"]["sent"] == 1
    assert "it has the same title and authors" in result["messages"][0]["text"]


def test_what_the_reader_chose_survives_the_book_being_gone_for_a_while(shelf: Shelf) -> None:
    match(shelf, book_id=1, value=shelf.moby)
    shelf.server.fault(
        when=lambda method, path, count: method == "POST" and "reading" in path, do="error_before", status=404
    )
    shelf.reader.reads(**OURS, start=1_795_100_000)
    shelf.sync("tap")
    shelf.reader.let_the_library_age()
    shelf.sync("tap")
    assert shelf.of_books("server_id || ' ' || matched_by") == [f"{shelf.moby} hand"]


def test_at_a_terminal_the_same_is_said_in_lines(shelf: Shelf) -> None:
    run = shelf.reader.run("match", "--book", "/b/Emma.epub")
    assert run.stdout.splitlines() == [
        "Emma is not matched: a book on the server looks like this one, but it is not certain.",
        f"  Emma, Jane Austen (same title, same author; number {shelf.emma})",
    ]
    run = shelf.reader.run("match", "--book", "/b/Emma.epub", str(shelf.emma))
    assert "you chose it" in run.stdout
    assert shelf.reader.run("match", "--book", "/b/Nothing.epub").returncode == 1


def test_in_manual_mode_a_match_sends_nothing(shelf: Shelf) -> None:
    shelf.reader.run("set", "sync_mode", "manual")
    assert match(shelf, book_id=1, value=shelf.emma)["counts"]["sent"] == 0
    assert shelf.server.sessions() == []
