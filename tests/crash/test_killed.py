"""The static executable killed with SIGKILL at the entry of each of its system calls: nothing lost, nothing doubled.

In `make test` at some of them, spread evenly; in the long version at all, and the run that takes up the work is killed
as well before another may finish it.
"""

from __future__ import annotations

import contextlib
import signal
import sqlite3
from pathlib import Path

import pytest

from tests import soak
from tests.crash.counts import COUNTS
from tests.crash.ptrace import Program
from tests.crash.recovery import Recovery
from tests.crash.scenarios import World
from tests.crash.tracer import kill_at
from tests.crash.workloads import read
from tests.device.executables import X86_64, built
from tests.reader import Reader
from tests.sandbox import StandIn

pytestmark = pytest.mark.built

EVENINGS = 3
NEVER = 10**9
KILLS = 100  # of each verb, in `make test`
FIRST_KILLS, SECOND_KILLS = soak.bounded(5, 60), soak.bounded(5, 60)


@pytest.fixture
def world(memory_folder: Path, server: StandIn, recovery: Recovery) -> World:
    """Three evenings and a setup file, and nothing done yet."""
    reader = Reader(memory_folder / "data", (str(built(X86_64)),))
    reader.put_setup_file(server.url)
    read(reader, EVENINGS)
    return World(reader, server, recovery)


def program(world: World, verb: str) -> Program:
    return Program((*world.reader.worker, verb, "--data", str(world.data)))


def spread(last: int, count: int) -> list[int]:
    """`count` numbers from 1 to `last`, both among them."""
    if count >= last:
        return list(range(1, last + 1))
    return sorted({1 + round(number * (last - 1) / (count - 1)) for number in range(count)})


@pytest.mark.parametrize("verb", ["ingest", "sync"])
def test_a_kill_at_any_system_call_loses_and_doubles_nothing(world: World, verb: str) -> None:
    before = world.now()
    calls = kill_at(program(world, verb), NEVER).calls
    world.expect(EVENINGS)
    kills = 0
    for number in spread(calls, soak.bounded(KILLS, calls)):
        world.put_back(before)
        run = kill_at(program(world, verb), number)
        kills += run.returncode == -signal.SIGKILL
        world.wait_until_the_server_is_quiet()
        assert world.problem_now() is None, f"killed at system call {number} of {calls}"
    COUNTS[f"kills of {verb}, which makes {calls} system calls"] = kills
    assert kills >= KILLS - 5  # one run needs a few calls more than another


def test_a_kill_of_the_run_that_takes_up_the_work_of_a_killed_one_loses_and_doubles_nothing(world: World) -> None:
    before = world.now()
    calls = kill_at(program(world, "sync"), NEVER).calls
    world.expect(EVENINGS)
    kills = 0
    for first in spread(calls, FIRST_KILLS):
        world.put_back(before)
        kill_at(program(world, "sync"), first)
        world.wait_until_the_server_is_quiet()
        settle(world.reader)
        after_first = world.now()
        for second in spread(kill_at(program(world, "sync"), NEVER).calls, SECOND_KILLS):
            world.put_back(after_first)
            kills += kill_at(program(world, "sync"), second).returncode == -signal.SIGKILL
            world.wait_until_the_server_is_quiet()
            assert world.problem_now() is None, f"killed at system call {first} of {calls}, then at {second}"
    COUNTS["kills of a sync after a killed one"] = kills
    assert kills >= FIRST_KILLS * SECOND_KILLS * 0.8


def settle(reader: Reader) -> None:
    """Unless the store does not even have its tables yet."""
    if (reader.data / "state.sqlite").exists():
        with contextlib.suppress(sqlite3.OperationalError):
            reader.let_intents_settle()
