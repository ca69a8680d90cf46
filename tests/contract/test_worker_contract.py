"""The worker's side of docs/protocol.md: jobs, results, exit codes, menu, damage."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest

from device.version import VERSION
from tests.reader import CHECKOUT_WORKER, ROOT, Reader


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


def worker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CHECKOUT_WORKER, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60)


def test_the_version_needs_no_data_folder() -> None:
    run = worker("version")
    assert (run.returncode, run.stdout) == (0, f"booklore-sync {VERSION}\n")


@pytest.mark.parametrize(
    "arguments",
    [["fly"], ["sync"], ["sync", "--data"], ["sync", "--data", ""], ["sync", "--data", "/x", "--fast", "1"]],
)
def test_a_wrong_command_line_is_answered_with_the_usage(arguments: list[str]) -> None:
    run = worker(*arguments)
    assert run.returncode == 2
    assert "usage: booklore-sync VERB" in run.stderr


def test_help_is_help() -> None:
    assert worker("--help").stdout.startswith("usage: booklore-sync VERB")


def test_a_result_has_every_field_of_the_contract(reader: Reader) -> None:
    reader.reads()
    result = reader.run_job("ingest")
    assert result["version"] == 1
    assert (result["verb"], result["outcome"]) == ("ingest", "done")
    assert result["counts"] == {"recorded": 1, "sent": 0, "waiting": 1, "rejected": 0}
    assert (result["messages"], result["questions"], result["changes"]) == ([], [], [])
    assert isinstance(result["at"], int)


def test_a_job_is_gone_once_it_is_taken(reader: Reader) -> None:
    reader.run_job("status")
    assert list((reader.data / "jobs").iterdir()) == []


def test_a_sync_without_an_account_says_so_only_to_those_who_ask(reader: Reader) -> None:
    assert reader.run_job("sync", reason="close")["messages"] == []
    tapped = reader.run_job("sync", reason="tap")
    assert tapped["outcome"] == "not_configured"
    assert "setup.txt" in tapped["messages"][0]["text"]


@pytest.mark.parametrize(
    ("job", "code", "words"),
    [
        ("{", 1, "cannot be used"),
        ("[]", 1, "no JSON object"),
        ('{"version":2,"job":"12345678","verb":"sync"}', 6, "Update BookLore Sync"),
        ('{"version":1,"job":"../../evil","verb":"sync"}', 1, "its id has another form"),
        ('{"version":1,"job":"12345678","verb":"fly"}', 1, "no verb 'fly'"),
        ('{"version":1,"job":"12345678","verb":"status"}', 1, "is for 'status'"),
    ],
)
def test_a_job_that_cannot_be_used_is_refused_in_words(reader: Reader, job: str, code: int, words: str) -> None:
    path = reader.data / "1795000000-00000a.json"
    path.write_text(job)
    assert reader.run("sync", "--job", str(path)).returncode == code
    result = json.loads((reader.data / "results" / path.name).read_text())
    assert result["outcome"] == ("unknown_version" if code == 6 else "failed")
    assert words in result["messages"][0]["text"]


def test_a_missing_job_is_named(reader: Reader) -> None:
    assert "nowhere.json is missing" in reader.run("sync", "--job", str(reader.data / "nowhere.json")).stderr


def test_the_menu_is_there_after_every_run(reader: Reader) -> None:
    reader.run("status")
    menu = json.loads((reader.data / "menu.json").read_text())
    assert (menu["version"], menu["title"]) == (1, "BookLore Sync")
    for item in menu["items"]:
        assert {"id", "kind", "label"} <= set(item), item
        assert item["kind"] in ("action", "text", "toggle", "menu", "choice", "number")


def test_a_data_folder_whose_parent_is_missing_is_an_error_in_words(tmp_path: Path) -> None:
    run = worker("status", "--data", str(tmp_path / "no" / "where"))
    assert run.returncode == 1
    assert "No such file or directory" in run.stderr


def test_what_is_no_store_at_all_is_set_aside_and_said_and_the_journal_goes_into_a_new_one(reader: Reader) -> None:
    (reader.data / "state.sqlite").write_bytes(b"\0garbage" * 1000)
    reader.reads()
    run = reader.run("ingest")
    assert run.returncode == 0
    assert "The store was damaged and has been built anew with 1 reading session" in run.stderr
    assert "1 to be sent" in run.stdout
    [set_aside] = reader.data.glob("state.sqlite.damaged-*")
    assert f"The damaged store is kept as {set_aside}." in run.stderr
    assert set_aside.read_bytes() == b"\0garbage" * 1000


def test_a_store_of_a_newer_program_is_refused_and_left_alone(reader: Reader) -> None:
    reader.run("status")
    with sqlite3.connect(reader.data / "state.sqlite") as store:
        store.execute("PRAGMA user_version = 999")
    reader.reads()
    run = reader.run("ingest")
    assert run.returncode == 6
    assert "Update BookLore Sync" in run.stderr
    assert len(list((reader.data / "journal").iterdir())) == 1


def test_a_full_disk_is_said_and_loses_no_journal(reader: Reader) -> None:
    """A limit on the size of files fails writes like a full disk does, for this one run."""
    journal = reader.reads()
    reader.run("status")
    command = " ".join([*CHECKOUT_WORKER, "ingest", "--data", f"'{reader.data}'"])
    limited = subprocess.run(["sh", "-c", f"ulimit -f 8; {command}"], capture_output=True, text=True, cwd=ROOT)
    assert limited.returncode == 1
    assert "state.sqlite failed: disk" in limited.stderr
    assert journal.exists()
    assert "1 recorded" in reader.run("ingest").stdout


def test_a_store_damaged_behind_its_first_page_is_built_anew_in_the_same_run(reader: Reader) -> None:
    reader.reads()
    reader.run("ingest")
    path = reader.data / "state.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))
    reader.reads(start=1_795_100_000)
    run = reader.run("ingest")
    assert "built anew with 2 reading sessions (2 of them from kept journals). None is lost." in run.stderr
    assert run.stdout == "0 recorded, 2 to be sent\n"


def test_a_journal_that_cannot_be_opened_is_named_and_stops_no_other(reader: Reader) -> None:
    (reader.data / "journal" / "1794000000-000001.jsonl").mkdir()
    reader.reads()
    run = reader.run("ingest")
    assert "1794000000-000001.jsonl" in run.stderr
    assert "1 recorded" in run.stdout


def test_a_password_in_the_address_is_neither_taken_nor_repeated(reader: Reader) -> None:
    (reader.data / "setup.txt").write_text("server = https://anna:geheim@x.org\nuser = anna\npassword = x\n")
    run = reader.run("configure")
    assert run.returncode == 1
    assert "user and password have lines of their own" in run.stderr
    for path in [reader.data / "log" / "worker.log"]:
        assert "geheim" not in path.read_text()
    assert "geheim" not in run.stderr + run.stdout


def test_a_mistake_in_a_new_setup_file_does_not_stop_the_account_that_works(reader: Reader) -> None:
    reader.configure("http://127.0.0.1:9")
    reader.reads()
    (reader.data / "setup.txt").write_text("server = http://127.0.0.1:9\nuser anna\n")
    run = reader.run("sync")
    assert run.returncode == 4
    assert "line 2" in run.stderr


def test_a_store_that_cannot_be_opened_is_named(reader: Reader) -> None:
    (reader.data / "state.sqlite").mkdir()
    run = reader.run("ingest")
    assert run.returncode == 1
    assert "state.sqlite failed: unable to open database file" in run.stderr


def test_the_log_stays_small(reader: Reader) -> None:
    reader.run("status")
    (reader.data / "log" / "worker.log").write_bytes(b"x" * 70_000)
    for _ in range(2):
        reader.run("status")
    sizes = {path.name: path.stat().st_size for path in (reader.data / "log").iterdir()}
    assert set(sizes) == {"worker.log", "worker.log.1"}
    assert sizes["worker.log"] < 2_000


def test_a_setup_file_with_a_mistake_is_kept_and_named(reader: Reader) -> None:
    (reader.data / "setup.txt").write_text("server = books.example.org\nuser = anna\npassword = x\n")
    run = reader.run("configure")
    assert run.returncode == 1
    assert "it must begin with https:// or http://" in run.stderr
    assert (reader.data / "setup.txt").exists()


def test_a_named_setup_file_stays_where_it_is(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("server = https://books.example.org/\nuser = anna\npassword = x\n")
    run = reader.run("configure", "--setup", str(path))
    assert run.stdout == "Reading sessions will be sent to https://books.example.org as anna.\n"
    assert path.exists()
    assert (reader.data / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_without_a_setup_file_or_a_terminal_configure_says_what_it_needs(reader: Reader) -> None:
    assert "no terminal to ask on" in reader.run("configure").stderr
