"""Imported history on its way to the server: once, whoever sent it first."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.koreader.snapshot import STATISTICS
from tests.contract.history_device import NOON, two_books
from tests.fixtures.make_statistics import sitting, statistics
from tests.reader import Reader
from tests.sandbox import StandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    made = StandIn(dialect="booklore")
    made.add_user("anna", "secret")
    made.add_book(title="Moby Dick", authors=["Herman Melville"])
    with made:
        yield made


@pytest.fixture
def reader(tmp_path: Path, server: StandIn) -> Reader:
    two_books(tmp_path / "one" / "settings" / STATISTICS)
    made = Reader(tmp_path / "one" / "bookloresync")
    made.configure(server.url)
    return made


def starts_and_lengths(server: StandIn) -> list[tuple[str, int]]:
    return sorted((str(session["startTime"]), int(str(session["durationSeconds"]))) for session in server.sessions())


MOBY_ON_THE_SERVER = [("2026-10-19T11:06:40Z", 1_200), ("2026-10-20T11:06:40Z", 300)]


def test_the_sessions_of_a_book_that_the_server_has_arrive_and_the_others_wait(reader: Reader, server: StandIn) -> None:
    reader.run("import-history")
    run = reader.run("sync")
    assert starts_and_lengths(server) == MOBY_ON_THE_SERVER
    assert "“Emma” waits" in run.stdout


def test_importing_and_syncing_again_sends_nothing_again(reader: Reader, server: StandIn) -> None:
    for _ in range(2):
        reader.run("import-history")
        reader.run("sync")
    assert starts_and_lengths(server) == MOBY_ON_THE_SERVER


def test_another_installation_with_the_same_statistics_sends_nothing_again(
    reader: Reader, server: StandIn, tmp_path: Path
) -> None:
    reader.run("import-history")
    reader.run("sync")
    shutil.copytree(tmp_path / "one" / "settings", tmp_path / "two" / "settings")
    another = Reader(tmp_path / "two" / "bookloresync")
    another.configure(server.url)
    assert "3 reading sessions" in another.run("import-history").stdout
    another.run("sync")
    assert starts_and_lengths(server) == MOBY_ON_THE_SERVER


def test_what_the_old_plugin_made_of_the_same_pages_is_not_doubled(
    reader: Reader, server: StandIn, tmp_path: Path
) -> None:
    # It began where we begin, and ended where the last page began.
    with statistics(tmp_path / "old" / "settings" / STATISTICS) as file:
        file.add(sitting(file.add_book("Moby Dick", "Herman Melville"), NOON, 19, of_pages=600))
    old = Reader(tmp_path / "old" / "bookloresync")
    old.configure(server.url)
    old.run("import-history")
    old.run("sync")
    reader.run("import-history")
    reader.run("sync")
    assert starts_and_lengths(server) == [("2026-10-19T11:06:40Z", 1_140), MOBY_ON_THE_SERVER[1]]


def test_live_sessions_and_history_of_the_same_pages_arrive_once(reader: Reader, server: StandIn) -> None:
    reader.reads(start=NOON, pages=20, seconds_per_page=60, authors=["Herman Melville"])
    reader.run("sync")
    reader.run("import-history")
    reader.run("sync")
    assert starts_and_lengths(server) == MOBY_ON_THE_SERVER
