"""The worker's power fails at any moment of its run: in the end nothing is lost, doubled or unreadable.

In `make test` a random sample of the states is tried, so many of each workload as `WORKLOADS` says; in the long version
all of them, with more tears and subsets and on both kinds of medium.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import soak
from tests.crash.counts import COUNTS
from tests.crash.power_cut import STRICT, WRITE_THROUGH, CrashState, Effort, Medium
from tests.crash.recovery import Recovery
from tests.crash.scenarios import SEED, World
from tests.crash.workloads import WORKLOADS, ingest_into_a_store_with_a_past, sync_of_what_waited
from tests.reader import Reader
from tests.sandbox import StandIn

MEDIA = (STRICT, WRITE_THROUGH) if soak.LONG else (STRICT,)
EFFORT = Effort(soak.bounded(1, 4), soak.bounded(1, 4))
STATES_IN_ALL = 2_000  # at least, in `make test`
PROBLEMS_SHOWN = 5


def test_two_thousand_states_are_tried_in_all() -> None:
    assert sum(WORKLOADS.values()) >= STATES_IN_ALL
    assert len(WORKLOADS) >= 5


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.__name__)
def test_a_cut_at_any_moment_loses_doubles_and_breaks_nothing(
    workload: Callable[[World], None],
    worker: tuple[str, ...],
    memory_folder: Path,
    server: StandIn,
    recovery: Recovery,
) -> None:
    world = World(Reader(memory_folder / "data", worker), server, recovery)
    workload(world)
    tried = 0
    problems = []
    for medium in MEDIA:
        wanted = None if soak.LONG else WORKLOADS[workload]
        for state in chosen(world, medium, wanted):
            tried += 1
            problem = world.problem_after(state)
            if problem is not None:
                problems.append(f"{state.how}: {problem}")
    COUNTS[f"crash states of {workload.__name__} by {Path(worker[0]).name}"] = tried
    assert problems[:PROBLEMS_SHOWN] == [], f"{len(problems)} of {tried} states"
    assert tried >= WORKLOADS[workload]


def chosen(world: World, medium: Medium, count: int | None) -> Iterator[CrashState]:
    """`count` of the world's states, spread by chance over all of them; None: all. They are made twice, not kept."""
    if count is None:
        yield from world.states(EFFORT, medium)
        return
    there = sum(1 for _ in world.states(EFFORT, medium))
    numbers = set(random.Random(SEED).sample(range(there), min(count, there)))
    for number, state in enumerate(world.states(EFFORT, medium)):
        if number in numbers:
            yield state


def broken_worker(change: str) -> tuple[str, ...]:
    """The checkout's worker with a mistake in it."""
    text = f"import sys; {change}; from device.worker import main; sys.exit(main(sys.argv[1:]))"
    return (sys.executable, "-c", text)


NOT_FLUSHED = (
    "from device.store import database as d; before = d._PRAGMAS;"
    "d._PRAGMAS = tuple(p.replace('= FULL', '= OFF') for p in before); assert d._PRAGMAS != before"
)
NO_ROLLBACK_JOURNAL = (
    "from device.store import database as d; before = d._PRAGMAS;"
    "d._PRAGMAS = tuple(p.replace('= TRUNCATE', '= MEMORY') for p in before); assert d._PRAGMAS != before"
)
REMOVED_TOO_EARLY = (
    "from device import disk; read = disk.Disk.read\n"
    "def forget(self, path, limit):\n"
    "    content = read(self, path, limit)\n"
    "    if path.endswith('.jsonl'): self.remove(path); self.sync_folder(path.rpartition('/')[0])\n"
    "    return content\n"
    "disk.Disk.read = forget"
)


@pytest.mark.parametrize(
    ("mistake", "workload", "words"),
    [
        (NOT_FLUSHED, sync_of_what_waited, "doubled [("),
        (NO_ROLLBACK_JOURNAL, ingest_into_a_store_with_a_past, ""),
        (REMOVED_TOO_EARLY, ingest_into_a_store_with_a_past, "lost [("),
    ],
)
def test_a_worker_with_a_mistake_in_it_is_found_out(
    mistake: str,
    workload: Callable[[World], None],
    words: str,
    memory_folder: Path,
    server: StandIn,
    recovery: Recovery,
) -> None:
    world = World(Reader(memory_folder / "data"), server, recovery, broken_worker(mistake))
    workload(world)
    found = []
    for state in world.states(EFFORT, STRICT):
        problem = world.problem_after(state)
        if problem is not None:
            found.append(problem)
            if words in problem:
                return
    raise AssertionError(found)
