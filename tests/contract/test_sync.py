"""A reading session's way from the journal to the server, and what may happen to it on the way."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from device.core.outbox import SETTLE_S
from tests.contract.one_answer_server import OneAnswerServer
from tests.reader import EMMA, MOBY, ROOT, Reader
from tests.sandbox import StandIn

SHORT_S = 10  # a run too short to wait for intents to settle

DIALECTS = ("booklore", "grimmory", "worldteacher")


@pytest.fixture(params=DIALECTS)
def any_server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with started(request.param) as server:
        yield server


@pytest.fixture
def server() -> Iterator[StandIn]:
    with started("booklore") as server:
        yield server


def started(dialect: str) -> StandIn:
    server = StandIn(dialect=dialect)
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
    return server


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


def paths(server: StandIn, method: str = "POST") -> list[str]:
    return [request.path for request in server.requests if request.method == method]


SENDING = ("/api/v1/reading-sessions", "/api/v1/reading-sessions/batch")


def posts(server: StandIn) -> int:
    """Requests that carried one session or many."""
    return sum(path in SENDING for path in paths(server))


def on_post(nth: int = 1) -> Callable[[str, str, int], bool]:
    """A fault's `when`: the n-th and every later post of sessions, as often as the fault's `times` allows."""
    seen = 0

    def when(method: str, path: str, count: int) -> bool:
        nonlocal seen
        if method != "POST" or path not in SENDING:
            return False
        seen += 1
        return seen >= nth

    return when


def test_a_session_arrives_with_its_times_progress_and_pages(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(pages=5, seconds_per_page=40, first_page=11, of_pages=200, **MOBY)
    run = reader.run("sync")
    assert (run.returncode, run.stdout) == (0, "1 reading session sent.\n")
    [session] = any_server.sessions()
    assert session["startTime"] == "2026-11-18T11:06:40Z"
    assert session["endTime"] == "2026-11-18T11:10:00Z"
    assert session["durationSeconds"] == 200
    assert session["bookType"] == "EPUB"
    assert (session["startProgress"], session["endProgress"]) == (pytest.approx(5.5), pytest.approx(7.5))
    assert (session["startLocation"], session["endLocation"]) == ("11", "15")


def test_a_setup_file_in_the_data_folder_is_taken_by_the_next_sync_and_removed(server: StandIn, reader: Reader) -> None:
    reader.put_setup_file(server.url)
    reader.reads(**MOBY)
    run = reader.run("sync")
    assert run.stdout == f"Reading sessions will be sent to {server.url} as anna.\n1 reading session sent.\n"
    assert not (reader.data / "setup.txt").exists()
    assert (reader.data / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_syncing_again_sends_nothing_and_asks_nothing(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    requests = len(any_server.requests)
    assert reader.run("sync").stdout == "Nothing waits to be sent.\n"
    assert len(any_server.sessions()) == 1
    assert len(any_server.requests) == requests


def test_fifty_sessions_go_over_one_connection_with_one_login(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    for number in range(50):
        reader.reads(start=1_795_000_000 + number * 1000, **(MOBY if number % 2 else EMMA))
    assert reader.run("sync").stdout == "50 reading sessions sent.\n"
    assert len(server.sessions()) == 50
    assert server.connections == 1
    assert len(server.requests) == 50 + 3  # login, the list of books, and whether the server takes batches


def journals(reader: Reader) -> list[str]:
    return [path.name for path in (reader.data / "journal").iterdir() if path.is_file()]


def kept_journals(reader: Reader) -> list[str]:
    return [path.name for path in (reader.data / "journal" / "taken").glob("*")]


def test_a_journal_is_kept_aside_until_the_server_has_what_was_in_it(server: StandIn, reader: Reader) -> None:
    journal = reader.reads(**MOBY)
    assert reader.run("ingest").returncode == 0
    assert (journals(reader), kept_journals(reader)) == ([], [journal.name])
    reader.configure(server.url)
    assert reader.run("sync").stdout == "1 reading session sent.\n"
    assert (journals(reader), kept_journals(reader)) == ([], [])


def test_a_journal_that_comes_back_is_not_taken_twice(server: StandIn, reader: Reader) -> None:
    journal = reader.reads(**MOBY)
    content = journal.read_bytes()
    reader.run("ingest")
    journal.write_bytes(content)
    reader.configure(server.url)
    reader.run("sync")
    assert len(server.sessions()) == 1


def test_a_book_that_is_still_open_is_left_alone(reader: Reader) -> None:
    journal = reader.reads(**MOBY)
    journal.rename(journal.with_suffix(".open"))
    assert reader.run("ingest").stdout == "0 recorded, 0 to be sent\n"


def test_a_journal_without_a_reading_is_kept_and_named(reader: Reader) -> None:
    (reader.data / "journal" / "1795000000-00000f.jsonl").write_bytes(b"\0" * 512)
    reader.reads(**MOBY)
    run = reader.run("ingest")
    assert "1795000000-00000f.jsonl holds no reading" in run.stderr
    assert "1 recorded" in run.stdout
    assert (reader.data / "journal" / "1795000000-00000f.jsonl.unreadable").exists()


def test_a_journal_of_a_newer_launcher_waits_for_the_update(reader: Reader) -> None:
    path = reader.data / "journal" / "1795000000-00000f.jsonl"
    path.write_text('{"v":2,"n":0,"ev":"open"}\n')
    assert "written by a newer launcher" in reader.run("ingest").stderr
    assert path.exists()


def test_offline_everything_waits_and_goes_out_later(server: StandIn, reader: Reader) -> None:
    reader.configure("http://127.0.0.1:9")
    reader.reads(**MOBY)
    run = reader.run("sync")
    assert run.returncode == 4
    assert "cannot be reached" in run.stdout
    assert "1 reading session of “Moby Dick”" in reader.status()
    reader.configure(server.url)
    assert reader.run("sync").returncode == 0
    assert len(server.sessions()) == 1


def test_an_unasked_run_that_is_offline_says_nothing(reader: Reader) -> None:
    reader.configure("http://127.0.0.1:9")
    reader.reads(**MOBY)
    result = reader.run_job("sync", reason="close")
    assert (result["outcome"], result["messages"], result["counts"]["waiting"]) == ("offline", [], 1)


def test_after_a_failure_unasked_runs_pause_but_a_tap_tries_at_once(server: StandIn, reader: Reader) -> None:
    reader.configure("http://127.0.0.1:9")
    reader.reads(**MOBY)
    reader.run_job("sync", reason="close")
    change_server(reader, server.url)
    assert reader.run_job("sync", reason="close")["outcome"] == "offline"
    assert server.requests == []
    assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1


@pytest.mark.parametrize(
    "fault", ["lose_reply", "reset_after_commit", "error_after_commit", "garbage_chunk", "truncate"]
)
def test_a_reply_that_is_lost_after_the_server_has_stored_it_doubles_nothing(
    any_server: StandIn, reader: Reader, fault: str
) -> None:
    reader.configure(any_server.url)
    for number in range(3):
        reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
        reader.reads(start=1_795_100_000 + number * 1000, **EMMA)
    any_server.fault(when=on_post(2), do=fault, times=1)
    reader.run_job("sync", reason="tap", deadline_s=SHORT_S)
    reader.let_intents_settle()
    reader.run("sync")
    assert len(any_server.sessions()) == 6
    assert posts(any_server) == (2 if any_server.dialect.name == "worldteacher" else 6)


def test_a_request_that_never_arrived_is_sent_again(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    any_server.fault(when=on_post(), do="drop_request", times=1)
    assert reader.run("sync").returncode == 4
    reader.let_intents_settle()
    reader.run("sync")
    assert len(any_server.sessions()) == 1


def test_a_run_that_has_the_time_waits_and_reads_back_by_itself(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=on_post(), do="proxy_error_after_commit", times=1)
    started_s = time.monotonic()
    assert reader.run("sync").stdout == "1 reading session sent.\n"
    assert time.monotonic() - started_s >= SETTLE_S - 1
    assert (len(server.sessions()), posts(server)) == (1, 1)


def test_after_the_servers_own_error_it_is_asked_at_once(any_server: StandIn, reader: Reader) -> None:
    """Its error says that it is done with the request, though not whether it has stored it."""
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    any_server.fault(when=on_post(), do="error_after_commit", times=1)
    started_s = time.monotonic()
    assert reader.run_job("sync", reason="tap", deadline_s=SHORT_S)["counts"]["sent"] == 1
    assert time.monotonic() - started_s < SETTLE_S
    assert (len(any_server.sessions()), posts(any_server)) == (1, 1)


def test_a_session_is_found_among_hundreds_of_the_same_book(server: StandIn, reader: Reader) -> None:
    """The servers give at most a hundred at a time, the newest first."""
    reader.configure(server.url)
    reader.reads(start=1_794_000_000, **MOBY)
    server.fault(when=on_post(), do="lose_reply", times=1)
    reader.run("sync")
    for number in range(250):
        reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
    reader.run_job("sync", reason="tap", deadline_s=SHORT_S)
    reader.let_intents_settle()
    reader.run("sync")
    assert (len(server.sessions()), posts(server)) == (251, 251)


def test_a_book_deleted_while_its_answer_was_lost_blocks_nothing(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=on_post(), do="lose_reply", times=1)
    reader.run("sync")
    reader.let_intents_settle()
    server.fault(when=lambda method, path, count: "/reading-sessions/book/" in path, do="error_before", status=404)
    reader.reads(start=1_795_100_000, **EMMA)
    reader.run("sync")
    assert "Emma" in [session["bookTitle"] for session in server.sessions()]


def test_a_library_that_cannot_be_read_keeps_no_known_book_from_going_out(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    server.fault(when=lambda method, path, count: path.startswith("/api/v1/books"), do="error_before", times=None)
    reader.let_the_library_age()
    reader.reads(title="Unknown", start=1_795_100_000)
    reader.reads(start=1_795_200_000, **MOBY)
    run = reader.run("sync")
    assert run.returncode == 4
    assert "1 reading session sent." in run.stdout
    assert len(server.sessions()) == 2


def test_an_empty_answer_that_booklore_would_not_give_is_not_taken_for_success(reader: Reader) -> None:
    """Some portals answer everything with 204: nothing of it may count as sent."""
    with OneAnswerServer() as portal:
        portal.always = b"HTTP/1.1 204 No Content\r\n\r\n"
        with started("booklore") as server:
            reader.configure(server.url)
            reader.reads(**MOBY)
            reader.run("sync")
        change_server(reader, portal.url)
        reader.reads(start=1_795_100_000, **MOBY)
        reader.run_job("sync", reason="tap", deadline_s=SHORT_S)
    assert "1 reading session of “Moby Dick”: HTTP 204" in reader.status()


def test_another_account_starts_with_its_own_book_numbers(reader: Reader) -> None:
    with started("booklore") as first:
        reader.configure(first.url)
        reader.reads(**MOBY)
        reader.run("sync")
    second = StandIn(dialect="booklore")
    second.add_user("anna", "secret")
    second.add_book(title="Emma", authors=["Jane Austen"])
    second.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    with second:
        reader.configure(second.url)
        reader.reads(start=1_795_100_000, **MOBY)
        reader.run("sync")
        assert [session["bookTitle"] for session in second.sessions()] == ["Moby Dick"]


def test_what_one_server_refused_is_offered_to_the_next(reader: Reader) -> None:
    with started("booklore") as first:
        reader.configure(first.url)
        reader.reads(**MOBY)
        first.fault(when=on_post(), do="error_before", status=400)
        reader.run("sync")
    with started("grimmory") as second:
        reader.configure(second.url)
        reader.run("sync")
        assert len(second.sessions()) == 1


def test_a_firewalls_refusal_at_the_login_is_not_taken_for_a_wrong_password(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    with OneAnswerServer() as firewall:
        firewall.always = b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        change_server(reader, firewall.url)
        assert reader.run_job("sync", reason="close")["outcome"] == "offline"
    change_server(reader, server.url)
    assert reader.run_job("sync", reason="network")["counts"]["sent"] == 1


def test_two_readings_that_began_in_the_same_second_both_arrive(server: StandIn, reader: Reader) -> None:
    """A clock that starts anew at each boot gives the same second again."""
    reader.configure(server.url)
    for _ in range(3):
        reader.reads(**MOBY)
    reader.run("sync")
    assert len({str(session["startTime"]) for session in server.sessions()}) == 3


def test_books_of_one_title_are_both_named_in_the_status(reader: Reader) -> None:
    reader.reads(title="Collected Poems", authors=["A"], file="/one.epub")
    reader.reads(title="Collected Poems", authors=["B"], file="/two.epub", start=1_795_100_000)
    reader.run("ingest")
    assert reader.status().count("Collected Poems") == 2


def test_a_network_login_page_is_not_taken_for_success(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    any_server.fault(when=lambda method, path, count: True, do="html", times=1000)
    run = reader.run("sync")
    assert run.returncode == 4
    assert "login page" in run.stderr
    assert any_server.sessions() == []
    assert "1 reading session of “Moby Dick”" in reader.status()


def test_a_login_page_in_mid_run_is_not_taken_for_success(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=on_post(), do="html", times=1)
    assert reader.run("sync").returncode == 4
    reader.let_intents_settle()
    reader.run("sync")
    assert len(server.sessions()) == 1


def test_a_wrong_password_is_said_and_costs_one_login(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url, password="wrong")
    reader.reads(**MOBY)
    run = reader.run("sync")
    assert run.returncode == 1
    assert "check user and password" in run.stderr
    assert paths(any_server) == ["/api/v1/auth/login"]


def test_a_refused_login_is_not_tried_again_unasked_until_the_account_is_changed(
    server: StandIn, reader: Reader
) -> None:
    reader.configure(server.url, password="wrong")
    reader.reads(**MOBY)
    assert "check user and password" in reader.run_job("sync", reason="close")["messages"][0]["text"]
    for reason in ("close", "network", "wake"):
        assert reader.run_job("sync", reason=reason)["messages"] == []
    assert paths(server) == ["/api/v1/auth/login"]
    reader.configure(server.url)
    assert reader.run_job("sync", reason="close")["counts"]["sent"] == 1


def test_an_expired_access_token_is_renewed_without_a_login(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    any_server.clock.advance(11 * 3600)
    reader.reads(start=1_795_100_000, **MOBY)
    reader.run("sync")
    assert len(any_server.sessions()) == 2
    assert paths(any_server).count("/api/v1/auth/login") == 1
    assert paths(any_server).count("/api/v1/auth/refresh") == 1


def test_two_devices_that_log_in_within_one_second_both_get_in(any_server: StandIn, tmp_path: Path) -> None:
    any_server.clock.stop()
    first, second = Reader(tmp_path / "one"), Reader(tmp_path / "two")
    for number, device in enumerate((first, second)):
        device.configure(any_server.url)
        device.reads(start=1_795_000_000 + number, **MOBY)
    assert first.run("sync").returncode == 0
    process = subprocess.Popen(
        [*second.worker, "sync", "--data", str(second.data)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    while paths(any_server).count("/api/v1/auth/login") < 2:
        time.sleep(0.02)
    any_server.clock.advance(2)
    assert process.wait(30) == 0
    assert len(any_server.sessions()) == 2


def test_a_book_the_server_does_not_have_waits_and_blocks_nothing(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(title="Unknown", authors=["Nobody"])
    reader.reads(start=1_795_100_000, **MOBY)
    run = reader.run("sync")
    assert "1 reading session sent." in run.stdout
    assert "“Unknown” waits: no book on the server" in run.stdout
    assert "Unknown" in reader.status()


def test_a_book_that_is_added_to_the_server_later_lets_its_sessions_go(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url)
    reader.reads(title="Persuasion", authors=["Jane Austen"])
    reader.run("sync")
    any_server.add_book(title="Persuasion", authors=["Jane Austen"])
    reader.let_the_library_age()
    reader.run("sync")
    assert [session["bookTitle"] for session in any_server.sessions()] == ["Persuasion"]


def test_a_book_that_was_deleted_on_the_server_is_looked_for_again(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.run("sync")
    server.fault(when=on_post(), do="error_before", times=1, status=404)
    reader.reads(start=1_795_100_000, **MOBY)
    reader.run("sync")
    assert len(server.sessions()) == 2
    assert [request.path for request in server.requests].count("/api/v1/books") == 2


def test_a_session_that_the_server_refuses_is_shown_and_blocks_nothing(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    reader.reads(start=1_795_100_000, **EMMA)
    server.fault(when=on_post(), do="error_before", times=1, status=400)
    run = reader.run("sync")
    assert "1 reading session of “Moby Dick” was not taken by the server: HTTP 400" in run.stderr
    assert [session["bookTitle"] for session in server.sessions()] == ["Emma"]
    before = posts(server)
    reader.run("sync")
    assert posts(server) == before
    assert "HTTP 400" in reader.status()


def test_a_server_that_fails_again_and_again_is_left_alone_after_three_tries(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    for number in range(10):
        server.add_book(title=f"The House of {number}", authors=["Somebody"])
        reader.reads(title=f"The House of {number}", authors=["Somebody"], start=1_795_000_000 + number * 1000)
    server.fault(when=on_post(), do="error_before", times=100)
    run = reader.run("sync")
    assert run.returncode == 4
    assert posts(server) == 3
    assert "fails again and again" in run.stdout


def test_a_run_that_is_killed_while_the_server_answers_doubles_nothing(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=on_post(), do="hang", times=1, seconds=3)
    process = subprocess.Popen([*reader.worker, "sync", "--data", str(reader.data)], cwd=ROOT)
    while posts(server) == 0:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reader.run("sync")
    assert len(server.sessions()) == 1


def test_only_one_run_at_a_time_touches_the_data(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=on_post(), do="hang", times=1, seconds=10)
    process = subprocess.Popen(
        [*reader.worker, "sync", "--data", str(reader.data)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    while posts(server) == 0:
        time.sleep(0.02)
    assert reader.run("sync").returncode == 5
    process.kill()
    process.wait()
    assert reader.run("status").returncode == 0


def test_no_secret_is_in_the_log_the_results_or_the_store(any_server: StandIn, reader: Reader) -> None:
    reader.configure(any_server.url, password="wrong-horse")
    reader.reads(**MOBY)
    reader.run_job("sync", reason="tap")
    reader.configure(any_server.url)
    reader.run_job("sync", reason="tap")
    tokens: dict[str, Any] = json.loads((reader.data / "secrets.json").read_text())
    for path in reader.data.rglob("*"):
        if path.is_file() and path.name != "secrets.json":
            content = path.read_bytes()
            for secret in ("wrong-horse", tokens["access_token"], tokens["refresh_token"]):
                assert secret.encode() not in content, path


def change_server(reader: Reader, url: str) -> None:
    """The same account at another address, as if the network led elsewhere: what is known of its books stays."""
    path = reader.data / "secrets.json"
    account = json.loads(path.read_text())
    owner = f"{account['user']} at {url}"
    path.write_text(json.dumps(account | {"server": url}))
    with contextlib.closing(sqlite3.connect(reader.data / "state.sqlite")) as store, store:
        store.execute("UPDATE setting SET value = ? WHERE key = 'matches_of'", (owner,))
