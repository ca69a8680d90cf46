"""Storage that is full or can only be read: nothing recorded is lost, the reader is told, the next run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import soak
from tests.contract.own_mounts import in_own_mounts, make_read_only, mount_memory
from tests.fixtures import make_first_store
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

DISK_KIB = 1_024
PAGE_KIB = 4
START = 1_795_000_000
EVENING_S = 86_400
FREE_KIB = range(0, 64, soak.bounded(12, 4))  # how much room a run is left

Scenario = Callable[[Path], None]


def on_small_disk(scenario: Scenario, tmp_path: Path, size_kib: int = DISK_KIB) -> None:
    def body() -> None:
        disk = tmp_path / "disk"
        mount_memory(disk, size_kib)
        scenario(disk)

    in_own_mounts(body, tmp_path / "output")


def fill(disk: Path, free_kib: int = 0) -> None:
    """Leaves so much room and no more, whatever was there before."""
    there = os.statvfs(disk)
    (disk / "a book").write_bytes(bytes(max(there.f_bavail * there.f_frsize - free_kib * 1024, 0)))


def free(disk: Path) -> None:
    (disk / "a book").unlink()


def evenings(reader: Reader, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        reader.reads(start=START + number * EVENING_S, **MOBY)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.is_file())


def started_server() -> StandIn:
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    return server


def starts(server: StandIn) -> list[str]:
    return sorted(str(session["startTime"]) for session in server.sessions())


@pytest.mark.parametrize("free_kib", FREE_KIB)
def test_readings_stay_in_the_journal_until_there_is_room(free_kib: int, tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 3)
        fill(disk, free_kib)
        run = reader.run("ingest")
        assert run.returncode == 1
        assert "The storage is full" in run.stderr
        assert "Nothing that was recorded is lost. Delete something there; the next sync goes on." in run.stderr
        assert len(names(reader.data / "journal")) == 3
        free(disk)
        assert reader.run("ingest").stdout == "3 recorded, 3 to be sent\n"

    on_small_disk(scenario, tmp_path)


def test_a_disk_that_is_too_small_for_a_store_costs_no_reading(tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 2)
        run = reader.run("ingest")
        assert run.returncode == 1
        assert "The storage is full" in run.stderr
        assert len(names(reader.data / "journal")) == 2

    on_small_disk(scenario, tmp_path, size_kib=64)


@pytest.mark.parametrize("free_kib", FREE_KIB)
def test_a_sync_on_a_disk_that_is_nearly_full_loses_and_doubles_nothing(free_kib: int, tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        with started_server() as server:
            reader = Reader(disk / "bookloresync")
            reader.configure(server.url)
            evenings(reader, 2)
            assert reader.run("sync").returncode == 0
            evenings(reader, 3, first=2)
            assert reader.run("ingest").returncode == 0
            evenings(reader, 3, first=5)
            fill(disk, free_kib)
            run = reader.run("sync")
            assert run.returncode == 0 or "The storage is full" in run.stderr
            free(disk)
            reader.let_intents_settle()
            assert reader.run("sync").returncode == 0
            assert len(starts(server)) == len(set(starts(server))) == 8
            assert "Nothing waits to be sent." in reader.status()

    on_small_disk(scenario, tmp_path)


def test_what_is_kept_for_the_worst_case_gives_way_first(tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 30)
        assert reader.run("ingest").returncode == 0
        evenings(reader, 2, first=30)
        fill(disk)
        run = reader.run("ingest")
        assert (run.returncode, run.stdout) == (0, "2 recorded, 32 to be sent\n")
        assert names(reader.data / "journal") == []
        assert len(names(reader.data / "journal" / "taken")) < 30

    on_small_disk(scenario, tmp_path)


def test_the_reader_is_told_even_if_there_is_no_room_for_the_words(tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 3)
        assert reader.run("ingest").returncode == 0
        job = reader.data / "jobs" / "1795000000-00000a.json"
        job.parent.mkdir()
        job.write_text(json.dumps({"version": 1, "job": job.stem, "verb": "status", "reason": "tap"}))
        (reader.data / "menu.json").unlink()
        fill(disk)
        assert reader.run("status", "--job", str(job)).returncode == 0
        result = json.loads((reader.data / "results" / job.name).read_text())
        assert result["counts"]["waiting"] == 3

    on_small_disk(scenario, tmp_path)


def test_the_old_account_stays_when_there_is_no_room_for_the_new_one(tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        reader.configure("http://127.0.0.1:9")
        before = (reader.data / "secrets.json").read_bytes()
        reader.put_setup_file("http://127.0.0.1:10", user="bert")
        fill(disk)
        run = reader.run("configure")
        assert run.returncode == 1
        assert "The storage is full" in run.stderr
        assert (reader.data / "secrets.json").read_bytes() == before
        assert (reader.data / "setup.txt").exists()
        assert not list(reader.data.glob("*.new"))

    on_small_disk(scenario, tmp_path)


@pytest.mark.parametrize("free_kib", FREE_KIB)
def test_an_older_store_stays_as_it_was_until_there_is_room_to_bring_it_up_to_date(
    free_kib: int, tmp_path: Path
) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        make_first_store.make(reader.data / "state.sqlite")
        fill(disk, free_kib)
        run = reader.run("ingest")
        assert run.returncode == 1
        assert "The storage is full" in run.stderr
        assert version(reader) == 1
        free(disk)
        assert reader.run("ingest").returncode == 0
        assert version(reader) > 1

    on_small_disk(scenario, tmp_path)


def version(reader: Reader) -> int:
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store:
        return int(store.execute("PRAGMA user_version").fetchone()[0])


@pytest.mark.parametrize("free_kib", FREE_KIB)
def test_a_damaged_store_stays_where_it_is_until_there_is_room_for_a_new_one(free_kib: int, tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 4)
        assert reader.run("ingest").returncode == 0
        path = reader.data / "state.sqlite"
        damaged = path.read_bytes()[:8192] + bytes(4096) + path.read_bytes()[12288:]
        path.write_bytes(damaged)
        fill(disk, free_kib)
        run = reader.run("ingest")
        assert run.returncode == 1
        assert "The storage is full" in run.stderr
        assert path.read_bytes() == damaged
        assert not list(reader.data.glob("state.sqlite.*"))
        free(disk)
        run = reader.run("ingest")
        assert "built anew with 4 reading sessions" in run.stderr
        assert run.stdout == "0 recorded, 4 to be sent\n"

    on_small_disk(scenario, tmp_path)


def test_what_is_kept_does_not_give_way_while_the_store_is_damaged(tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 4)
        assert reader.run("ingest").returncode == 0
        path = reader.data / "state.sqlite"
        path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096))
        job = reader.data / "jobs" / "1795000000-00000a.json"
        job.parent.mkdir()
        job.write_text(json.dumps({"version": 1, "job": job.stem, "verb": "ingest", "reason": "tap"}))
        fill(disk)
        run = reader.run("ingest", "--job", str(job))
        result = reader.data / "results" / job.name
        assert "The storage is full" in (result.read_text() if result.exists() else run.stderr)
        assert len(names(reader.data / "journal" / "taken")) == 4
        free(disk)
        assert "built anew with 4 reading sessions" in reader.run("ingest").stderr

    on_small_disk(scenario, tmp_path)


def test_storage_that_can_only_be_read_is_named_and_costs_nothing(tmp_path: Path) -> None:
    def scenario(disk: Path) -> None:
        reader = Reader(disk / "bookloresync")
        evenings(reader, 2)
        assert reader.run("ingest").returncode == 0
        evenings(reader, 1, first=2)
        before = shutil.copytree(disk, tmp_path / "before")
        make_read_only(disk, True)
        run = reader.run("ingest")
        assert run.returncode == 1
        assert "The storage can only be read" in run.stderr
        make_read_only(disk, False)
        for path in before.rglob("*"):
            if path.is_file() and path.name != "worker.lock":
                assert (disk / path.relative_to(before)).read_bytes() == path.read_bytes()
        assert reader.run("ingest").stdout == "1 recorded, 3 to be sent\n"

    on_small_disk(scenario, tmp_path)
