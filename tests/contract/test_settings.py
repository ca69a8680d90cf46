"""Preferences and the recording of single books, as the reader sets them at a terminal and by taps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with StandIn() as server:
        server.add_user("anna", "secret")
        server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
        yield server


def test_without_a_key_all_preferences_are_listed(reader: Reader) -> None:
    run = reader.run("set")
    assert run.returncode == 0
    assert "idle_cap_s 300\n" in run.stdout
    assert "sync_mode automatic\n" in run.stdout


def test_a_preference_that_was_set_decides_what_counts(reader: Reader) -> None:
    assert reader.run("set", "min_duration_s", "201").stdout == "min_duration_s is now 201.\n"
    reader.reads(pages=5, seconds_per_page=40)
    assert reader.run("ingest").stdout == "0 recorded, 0 to be sent\n"


def test_a_tap_in_the_menu_sets_a_preference_and_the_menu_shows_it(reader: Reader) -> None:
    result = reader.run_job("set", reason="tap", arguments={"key": "idle_cap_s", "value": 600})
    assert result["messages"][0]["text"] == "idle_cap_s is now 600."
    [settings] = [
        item for item in json.loads((reader.data / "menu.json").read_text())["items"] if item["id"] == "settings"
    ]
    [idle_cap] = [item for item in settings["items"] if item["id"] == "idle_cap_s"]
    assert idle_cap["value"] == 600


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["idle_cap_s", "7"], "a whole number from 30 to 3600"),
        (["sync_mode", "sometimes"], "one of automatic, manual"),
        (["colour", "red"], "there is no preference 'colour'"),
    ],
)
def test_what_cannot_be_set_is_refused_with_what_can(reader: Reader, arguments: list[str], words: str) -> None:
    run = reader.run("set", *arguments)
    assert run.returncode == 1
    assert words in run.stderr


def test_a_book_that_is_switched_off_is_neither_recorded_nor_sent(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("ingest")
    off = reader.run("track", "--book", "/mnt/onboard/Moby Dick.epub", "off")
    assert off.stdout == "Nothing of “Moby Dick.epub” is recorded or sent any more.\n"
    reader.reads(start=1_795_100_000, **MOBY)
    reader.reads(start=1_795_200_000, **EMMA)
    reader.run("sync")
    assert [session["bookTitle"] for session in server.sessions()] == ["Emma"]
    assert "recording of this book is switched off" in reader.status()
    assert (reader.data / "untracked.txt").read_text() == "/mnt/onboard/Moby Dick.epub\n"


def test_a_book_that_is_switched_on_again_sends_what_was_recorded_before(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("ingest")
    reader.run_job("track", reason="tap", arguments={"on": False}, book="/mnt/onboard/Moby Dick.epub")
    reader.run("sync")
    assert server.sessions() == []
    reader.run_job("track", reason="tap", arguments={"on": True}, book="/mnt/onboard/Moby Dick.epub")
    reader.run("sync")
    assert len(server.sessions()) == 1
    assert not (reader.data / "untracked.txt").exists()


def test_a_book_can_be_switched_off_before_it_was_ever_opened(reader: Reader) -> None:
    reader.run("track", "--book", "/mnt/onboard/Diary.epub", "off")
    reader.reads(title="Diary")
    assert reader.run("ingest").stdout == "0 recorded, 0 to be sent\n"
    assert list((reader.data / "journal").glob("*.jsonl")) == []


def test_a_book_that_is_switched_off_stays_off_when_its_file_moves_or_changes(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    moby = {**MOBY, "fingerprint": "a" * 32, "size_bytes": 1_000}
    reader.reads(**moby)
    reader.run("ingest")
    reader.run("track", "--book", "/mnt/onboard/Moby Dick.epub", "off")
    reader.reads(start=1_795_100_000, **{**moby, "fingerprint": "b" * 32, "size_bytes": 2_000})
    reader.reads(start=1_795_200_000, **{**moby, "file": "/mnt/onboard/moved/Moby Dick.epub"})
    reader.run("sync")
    assert server.sessions() == []


def test_a_moved_book_that_is_switched_off_at_its_new_place_keeps_what_waits_of_it_back(
    server: StandIn, reader: Reader
) -> None:
    reader.configure(server.url)
    moby = {**MOBY, "fingerprint": "a" * 32, "size_bytes": 1_000}
    reader.reads(**moby)
    reader.run("ingest")
    moved = "/mnt/onboard/moved/Moby Dick.epub"
    reader.run_job("track", reason="tap", arguments={"on": False}, book=moved)
    reader.reads(start=1_795_100_000, **{**moby, "file": moved})
    reader.run("sync")
    assert server.sessions() == []


def test_a_lost_store_does_not_forget_which_books_are_switched_off(reader: Reader) -> None:
    reader.run("track", "--book", "/mnt/onboard/Diary.epub", "off")
    (reader.data / "state.sqlite").unlink()
    reader.reads(title="Diary")
    assert reader.run("ingest").stdout == "0 recorded, 0 to be sent\n"
    assert (reader.data / "untracked.txt").read_text() == "/mnt/onboard/Diary.epub\n"


def test_tracking_asks_for_a_book_and_for_on_or_off(reader: Reader) -> None:
    for arguments in (["on"], ["--book", "/b.epub"], ["--book", "/b.epub", "maybe"]):
        assert "needs a book and on or off" in reader.run("track", *arguments).stderr


def test_an_older_plugins_data_is_offered_once_in_words_and_in_the_menu_until_it_is_answered(reader: Reader) -> None:
    source = reader.data.parent / "settings" / "booklore-sync.sqlite"
    source.parent.mkdir()
    source.write_bytes(b"something")
    assert "The old plugin left its settings" in reader.run("status").stdout
    assert "The old plugin left its settings" not in reader.run("status").stdout
    assert offers(reader) == ["plugin-import", "plugin-decline"]
    reader.run_job("import-plugin", reason="tap", arguments={"decline": True})
    assert offers(reader) == []


def offers(reader: Reader) -> list[str]:
    items = json.loads((reader.data / "menu.json").read_text())["items"]
    return [item["id"] for item in items if item["id"].startswith("plugin-")]
