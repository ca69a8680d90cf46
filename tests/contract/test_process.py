"""The worker as a process beside KOReader: what it lets go of, how it steps back, and that it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reader import MOBY, ROOT, Reader
from tests.sandbox import StandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    started = StandIn(dialect="booklore")
    started.add_user("anna", "secret")
    started.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    with started:
        yield started


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


def test_it_lets_go_of_koreaders_sockets_and_steps_behind_it(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=lambda method, path, count: method == "POST", do="hang", seconds=20)
    with socket.create_server(("127.0.0.1", 0)) as koreaders:
        process = subprocess.Popen(
            [*reader.worker, "sync", "--data", str(reader.data)], cwd=ROOT, pass_fds=[koreaders.fileno()]
        )
        while not server.requests:
            time.sleep(0.02)
        links = [str(handle.readlink()) for handle in Path(f"/proc/{process.pid}/fd").iterdir()]
        inode = os.fstat(koreaders.fileno()).st_ino
        niceness = os.getpriority(os.PRIO_PROCESS, process.pid)
        process.kill()
        process.wait()
    assert any(link.endswith("worker.lock") for link in links)
    assert f"socket:[{inode}]" not in links
    assert niceness == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)


def test_a_change_of_a_preference_waits_for_the_run_that_is_going_on(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=lambda method, path, count: method == "POST", do="hang", seconds=2)
    with subprocess.Popen([*reader.worker, "sync", "--data", str(reader.data)], cwd=ROOT) as syncing:
        while not server.requests:
            time.sleep(0.02)
        assert syncing.poll() is None
        assert reader.run("set", "idle_cap_s", "600").stdout == "idle_cap_s is now 600.\n"


def test_a_server_that_never_answers_ends_with_the_runs_deadline(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=lambda method, path, count: method == "POST", do="hang", seconds=60)
    started = time.monotonic()
    result = reader.run_job("sync", reason="close", deadline_s=10)
    assert 9 < time.monotonic() - started < 15
    assert (result["outcome"], result["counts"]["waiting"]) == ("offline", 1)


def test_a_run_that_hangs_where_no_limit_reaches_is_ended_by_the_kernel(reader: Reader) -> None:
    """Opening a pipe that nobody writes to never returns."""
    os.mkfifo(reader.data / "journal" / "1795000000-00000f.jsonl")
    job = reader.data / "1795000000-00000a.json"
    fields = {"version": 1, "job": job.stem, "verb": "ingest", "reason": "close", "deadline_s": 10}
    job.write_text(json.dumps(fields))
    assert reader.run("ingest", "--job", str(job)).returncode == -signal.SIGALRM


def test_a_run_whose_time_is_up_keeps_what_it_has_sent_and_the_next_goes_on_at_once(
    server: StandIn, reader: Reader
) -> None:
    reader.configure(server.url)
    for number in range(14):
        reader.reads(start=1_795_000_000 + number * 1000, **MOBY)
    server.fault(when=lambda method, path, count: path.endswith("/reading-sessions"), do="hang", times=None, seconds=1)
    first = reader.run_job("sync", reason="close", deadline_s=10)
    assert first["outcome"] == "offline"
    assert 5 <= first["counts"]["sent"] <= 10
    assert f"{first['counts']['sent']} reading sessions sent." in str(first["messages"])
    assert "is looked for on the server" not in reader.status()
    second = reader.run_job("sync", reason="close", deadline_s=30)
    assert (second["outcome"], second["counts"]["waiting"]) == ("done", 0)
    assert len(server.sessions()) == 14


def test_a_killed_holder_of_the_lock_blocks_nobody(reader: Reader) -> None:
    reader.run("status")
    lock = reader.data / "worker.lock"
    program = "import fcntl, sys, time; f = open(sys.argv[1], 'r+'); fcntl.flock(f, fcntl.LOCK_EX); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", program, str(lock)])
    while not _is_locked(lock):
        time.sleep(0.02)
    assert reader.run("status").returncode == 5
    holder.kill()
    holder.wait()
    assert reader.run("status").returncode == 0


def _is_locked(path: Path) -> bool:
    with path.open("r+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_the_account_can_be_typed_in_and_the_password_is_not_shown(reader: Reader) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(reader.worker[0], [*reader.worker, "configure", "--data", str(reader.data)])
    shown = b""
    for question, typed in (
        (b"server: ", b"http://127.0.0.1:9\n"),
        (b"user: ", b"anna\n"),
        (b"password: ", b"hush-hush\n"),
    ):
        while not shown.endswith(question):
            shown += os.read(terminal, 1)
        time.sleep(0.1)
        os.write(terminal, typed)
    try:
        while part := os.read(terminal, 1024):
            shown += part
    except OSError:
        pass  # Linux ends a terminal's reading like this
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert b"Reading sessions will be sent to http://127.0.0.1:9 as anna." in shown
    assert b"hush-hush" not in shown
    assert "hush-hush" in (reader.data / "secrets.json").read_text()
