"""One workload: recorded once with the real worker, then cut at any moment and taken up again.

A `World` is a data folder and a server that can both be put back to any moment of the recording. After a cut the worker
runs again (`recovery`), and then must hold: the run says that it is done and that nothing waits; every session of the
journals is at the server exactly once, under the right reader; the store is whole; nothing had to be set aside. A
second run sends nothing.
Called by: `workloads.py` sets worlds up, `test_every_cut.py` cuts them.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.changes import read_tree, write_tree
from tests.crash.power_cut import CrashState, Effort, Medium, crash_states
from tests.crash.ptrace import Program
from tests.crash.recovery import LATER_S, Recovery
from tests.crash.tracer import Recording, record
from tests.reader import ROOT, Reader
from tests.sandbox import StandIn

SEED = 20261122
NOT_COUNTED = ("log/", "worker.lock")  # states that differ only in these are one; they are in the folder all the same
QUIET_WITHIN_S = 10
ANOTHER_SECOND_S = 2
SET_ASIDE = (".damaged-", ".unreadable")

Session = tuple[object, ...]  # reader, book, start, end, duration


@dataclass(slots=True)
class World:
    """`expected` are the sessions that the server must have in the end. The reader's worker sets the world up."""

    reader: Reader
    server: StandIn
    recovery: Recovery
    recorded_worker: tuple[str, ...] | None = None  # if it is another than the reader's
    recovery_begins_with: tuple[str, ...] = ()  # a verb that a sync does not imply
    is_damaged_before: bool = False  # then the reader is told so, and the damaged store is set aside
    recording: Recording | None = None
    expected: list[Session] = field(default_factory=list)
    _snapshots: list[bytes] = field(default_factory=list)
    _changes_at_last_snapshot: int = -1

    @property
    def data(self) -> Path:
        return self.reader.data

    def mark(self) -> int:
        """The number of a snapshot of what the server knows now."""
        changes = self.server.changes()
        if changes != self._changes_at_last_snapshot:
            self._changes_at_last_snapshot = changes
            self._snapshots.append(self.server.snapshot())
        return len(self._snapshots) - 1

    def record(self, verb: str, sessions: int, *options: str, code: int = 0) -> None:
        """Runs the worker under the tracer; when all is sent afterwards, the server must have `sessions` in all."""
        program = Program(
            (*(self.recorded_worker or self.reader.worker), verb, "--data", str(self.data), *options), ROOT
        )
        self.recording = record(program, self.data, self.mark)
        assert self.recording.run.returncode == code, self.recording.run
        self.put_back(CrashState(self.recording.after(), self.recording.last_mark, "uncut"))
        self.expect(sessions)

    def now(self) -> CrashState:
        """For `put_back`: folder and server as they are at this moment."""
        return CrashState(read_tree(self.data), self.mark(), "uncut")

    def expect(self, sessions: int) -> None:
        """Runs the worker to the end: what the server has then is what it must have after every cut.

        From now on the server's clock is ahead as well, by as much as the clock of the worker that runs again.
        """
        self.server.clock.advance(LATER_S)
        results = self.recovery.run(self.data, self.recovery_begins_with)
        self.expected = self.sessions()
        assert len(self.expected) == len(set(self.expected)) == sessions, (results, self.recovery.output)

    def sessions(self) -> list[Session]:
        fields = ("userId", "bookId", "startTime", "endTime", "durationSeconds")
        return sorted(tuple(session[name] for name in fields) for session in self.server.sessions())

    def states(self, effort: Effort, medium: Medium) -> Iterator[CrashState]:
        """The distinct ones."""
        assert self.recording is not None
        seen: set[tuple[bytes, int]] = set()
        chance = random.Random(SEED)
        recording = self.recording
        for state in crash_states(recording.before, recording.changes, recording.last_mark, chance, effort, medium):
            key = state.tree.digest(NOT_COUNTED), state.mark
            if key not in seen:
                seen.add(key)
                yield state

    def wait_until_the_server_is_quiet(self) -> None:
        """Whatever a killed worker has sent has been answered, as far as it will be."""
        # Connections are accepted in their order: when this one is answered, all before it have their threads.
        with urllib.request.urlopen(f"{self.server.url}/api/v1/healthcheck", timeout=QUIET_WITHIN_S) as answer:
            answer.read()
        deadline = time.monotonic() + QUIET_WITHIN_S
        while not self.server.http.is_quiet():
            assert time.monotonic() < deadline, "the stand-in does not become quiet"
            time.sleep(0.001)

    def put_back(self, state: CrashState) -> None:
        write_tree(state.tree, self.data)
        self.server.restore(self._snapshots[state.mark])
        self._changes_at_last_snapshot = -1  # what the server knows now need not be the last snapshot

    def problem_after(self, state: CrashState) -> str | None:
        """What is wrong when the worker has run again after this cut; None if nothing is."""
        self.put_back(state)
        return self.problem_now()

    def problem_now(self) -> str | None:
        """Runs the worker twice, and tells what is wrong then."""
        # The server gives the same tokens in the same second: what was cut off or killed is longer ago than that.
        self.server.clock.advance(ANOTHER_SECOND_S)
        try:
            first, second = self.recovery.run(self.data, self.recovery_begins_with)
        except ValueError as problem:
            return str(problem)
        finally:
            self.server.clock.advance(-ANOTHER_SECOND_S)
        return self._problem_of_run(first) or self._problem_of_folder() or self._problem_of_second_run(second)

    def _problem_of_run(self, result: dict[str, object]) -> str | None:
        counts, messages = result["counts"], result["messages"]
        assert isinstance(counts, dict)
        assert isinstance(messages, list)
        if result["outcome"] != "done" or counts["waiting"] or counts["rejected"]:
            return f"the run did not send everything: {result}"
        if any(message["level"] != "info" for message in messages) and not self.is_damaged_before:
            return f"the run complains: {messages}"
        found = self.sessions()
        if found != self.expected:
            lost = sorted(set(self.expected) - set(found))
            strange = [session for session in found if session not in self.expected]
            doubled = sorted({session for session in found if found.count(session) > 1})
            return f"lost {lost}, doubled {doubled}, not expected {strange}"
        return None

    def _problem_of_folder(self) -> str | None:
        try:
            with contextlib.closing(sqlite3.connect(self.data / "state.sqlite")) as store:
                found = store.execute("PRAGMA integrity_check").fetchall()
                found += store.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as problem:
            return f"the store is not whole: {problem}"
        if found != [("ok",)]:
            return f"the store is not whole: {found}"
        set_aside = [name for name in read_tree(self.data).names if any(mark in name for mark in SET_ASIDE)]
        return f"set aside: {set_aside}" if set_aside and not self.is_damaged_before else None

    def _problem_of_second_run(self, result: dict[str, object]) -> str | None:
        counts = result["counts"]
        assert isinstance(counts, dict)
        if counts["sent"] or counts["recorded"] or self.sessions() != self.expected:
            return f"a second run does something again: {result}"
        return None
