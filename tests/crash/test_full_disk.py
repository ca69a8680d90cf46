"""The disk is full from any moment of a run on: what was recorded stays, the reader is told, and nothing is doubled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import soak
from tests.crash.counts import COUNTS
from tests.crash.ptrace import Program
from tests.crash.recovery import Recovery
from tests.crash.scenarios import World
from tests.crash.tracer import run_on_full_disk
from tests.crash.workloads import read
from tests.reader import ROOT, Reader
from tests.sandbox import StandIn

EVENINGS = 3
NEVER = 10**9
MOMENTS = 25  # of each verb, in `make test`
WORDS = ("No space left on device", "is full")


@pytest.fixture
def world(memory_folder: Path, worker: tuple[str, ...], server: StandIn, recovery: Recovery) -> World:
    """Three evenings and a setup file, and nothing done yet."""
    reader = Reader(memory_folder / "data", worker)
    reader.put_setup_file(server.url)
    read(reader, EVENINGS)
    return World(reader, server, recovery)


def first_refused(moments: int) -> list[int]:
    """The early moments one by one, later ones in growing steps; in the long version all."""
    if soak.LONG:
        return list(range(1, moments + 1))
    step = -(-moments // MOMENTS)
    return sorted({*range(1, min(moments, 10)), *range(1, moments + 1, step)})


@pytest.mark.parametrize("verb", ["ingest", "sync", "configure"])
def test_a_disk_that_is_full_from_any_moment_on_loses_nothing_and_says_so(world: World, verb: str) -> None:
    job = world.data / "jobs" / "1795000000-000000.json"
    job.parent.mkdir()
    # Too short a time to wait until what was being sent has settled.
    fields = {"version": 1, "job": job.stem, "verb": verb, "reason": "tap", "deadline_s": 10}
    job.write_text(json.dumps(fields))
    program = Program((*world.reader.worker, verb, "--data", str(world.data), "--job", str(job)), ROOT)
    before = world.now()
    _, moments, _ = run_on_full_disk(program, world.data, NEVER)
    world.expect(EVENINGS)
    said = 0
    for number in first_refused(moments):
        world.put_back(before)
        run, _, refused = run_on_full_disk(program, world.data, number)
        assert refused
        result = world.data / "results" / job.name
        words = run.errors + (result.read_text() if result.exists() else "")
        if run.returncode != 0:
            said += 1
            assert any(expected in words for expected in WORDS), f"full from change {number} on: {words}"
        problem = world.problem_now()
        assert problem is None, f"full from change {number} on, {words}: {problem}"
    COUNTS[f"moments of {verb} from which on the disk was full"] = len(first_refused(moments))
    assert said
