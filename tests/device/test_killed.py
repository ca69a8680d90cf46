"""The static executable killed with SIGKILL at random moments: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.device.executables import X86_64, built
from tests.reader import Reader
from tests.sandbox import StandIn

pytestmark = pytest.mark.built

KILLS = 200  # that met a run still at work
TRIES_PER_ROUND = 10
ROUNDS_MOST = 100  # a machine on which so many rounds are not enough has another problem
SESSIONS = 50
SERVER_FINISHES_S = 0.3  # the stand-in's longest request; then nothing of a killed run is under way any more


def test_two_hundred_kills_during_ingest_and_sync_of_fifty_sessions_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    round_of_kills(tmp_path / "cold", chance, 0, 0.0)
    _, whole_run_s = round_of_kills(tmp_path / "uninterrupted", chance, 0, 0.0)
    kills = 0
    for number in range(ROUNDS_MOST):
        kills += round_of_kills(tmp_path / f"round-{number}", chance, TRIES_PER_ROUND, whole_run_s)[0]
        if kills >= KILLS:
            break
    assert kills >= KILLS


def round_of_kills(folder: Path, chance: random.Random, tries: int, whole_run_s: float) -> tuple[int, float]:
    """Fifty sessions, some runs killed, one left to end: exactly fifty arrive. Returns how many of the kills met a
    running process, and how long the last run took."""
    kills = 0
    reader = Reader(folder, (str(built(X86_64)),))
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"])
    with server:
        reader.configure(server.url)
        for number in range(SESSIONS):
            reader.reads(start=1_795_000_000 + number * 1000, authors=["Herman Melville"])
        for _ in range(tries):
            process = subprocess.Popen(
                [*reader.worker, "sync", "--data", str(reader.data)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # Early moments count double: the work that is left shrinks from kill to kill.
            time.sleep(whole_run_s * chance.random() ** 2)
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        time.sleep(SERVER_FINISHES_S)
        if (reader.data / "state.sqlite").exists():
            reader.let_intents_settle()
        started = time.monotonic()
        run = reader.run("sync")
        took_s = time.monotonic() - started
        assert run.returncode == 0, run.stderr
        assert sorted(str(session["startTime"]) for session in server.sessions()) == sorted(
            {str(session["startTime"]) for session in server.sessions()}
        )
        assert len(server.sessions()) == SESSIONS
        assert "Nothing waits to be sent." in reader.status()
    return kills, took_s
