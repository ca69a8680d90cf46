"""The same lies through real sockets: the worker as a process of its own against the stand-in, in schedules of chance.

Fewer than in `test_in_process.py`, because each run is a process; what is tried here is what the model leaves out: HTTP
itself, the real account, kills by the kernel at any instant, the store's file.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from device.core import outbox as rules
from tests.lying.counts import COUNTS
from tests.reader import ROOT, Reader
from tests.sandbox import StandIn
from tests.soak import bounded

DIALECTS = ("booklore", "grimmory", "worldteacher")
TITLES = ("Emma", "Persuasion", "Moby Dick")
ROUNDS = 6
RUNS_TO_THE_END = 25
SHORT_S = 10  # too short to wait for anything to settle
KILL_WITHIN_S = 0.6  # of a run that takes about so long
# Those that take no time. `hang` is not among them: it stores a request long after it was sent, and the time in which
# that may happen is cut short here (`Reader.let_intents_settle`).
FAULTS = (
    "drop_request",
    "reset",
    "lose_reply",
    "reset_after_commit",
    "error_before",
    "error_after_commit",
    "proxy_error_before",
    "proxy_error_after_commit",
    "truncate",
    "garbage_chunk",
    "html",
    "redirect",
)


class Schedule:
    def __init__(self, seed: int, server: StandIn, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.server = server
        self.reader = Reader(folder / "bookloresync")
        self.reader.configure(server.url)
        self.sessions = 0
        self.marks: list[str] = []

    def one_round(self) -> None:
        for _ in range(self.chance.randint(1, 4)):
            self.read()
        for _ in range(self.chance.randint(0, 2)):
            self.mark()
        for _ in range(self.chance.randint(1, 3)):
            self.lie()
        for _ in range(2):
            if self.chance.random() < 0.3:
                self.run_that_is_killed()
            else:
                self.reader.run_job("sync", reason="tap", deadline_s=SHORT_S)
            self.reader.let_intents_settle()
            COUNTS["runs over loopback"] += 1

    def read(self) -> None:
        title = self.chance.choice(TITLES)
        self.reader.reads(title=title, authors=["Somebody"], start=1_790_000_000 + self.sessions * 1_000)
        self.sessions += 1

    def mark(self) -> None:
        name = f"mark {len(self.marks)}"
        fields: dict[str, dict[str, Any]] = {
            rules.HIGHLIGHT: {"cfi": f"epubcfi({name})", "text": name},
            rules.IN_BOOK_NOTE: {"cfi": f"epubcfi({name})", "noteContent": name},
            rules.BOOK_NOTE: {"title": name, "content": "the same words each time"},
            rules.BOOKMARK: {"title": name, "pageNumber": len(self.marks) + 1},
        }
        kind = self.chance.choice(sorted(fields))
        self.reader.enqueue(kind, fields[kind], self.chance.choice(TITLES), ["Somebody"])
        self.marks.append(name)

    def lie(self) -> None:
        is_sent = self.chance.random() < 0.7
        nth = self.chance.randint(1, 6)
        seen = 0

        def when(method: str, path: str, count: int) -> bool:
            nonlocal seen
            if path.startswith("/api/v1/auth") or (method == "GET") == is_sent:
                return False
            seen += 1
            return seen == nth

        self.server.fault(when=when, do=self.chance.choice(FAULTS), times=1)
        COUNTS["lies over loopback"] += 1

    def run_that_is_killed(self) -> None:
        command = [*self.reader.worker, "sync", "--data", str(self.reader.data)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.chance.random() * KILL_WITHIN_S)
        process.kill()
        process.wait()
        COUNTS["kills over loopback"] += 1

    def end(self) -> None:
        """No more lies: those that have not met their request never will."""
        self.server.forget_faults()
        for _ in range(RUNS_TO_THE_END):
            result = self.reader.run_job("sync", reason="tap", deadline_s=60)
            self.reader.let_intents_settle()
            if result["outcome"] == "done" and result["counts"]["waiting"] == 0:
                return
        raise AssertionError(self.reader.status())

    def stored(self) -> Counter[str]:
        found = Counter(str(session["startTime"]) for session in self.server.sessions())
        for table, column in (("annotation", "text"), ("in_book_note", "note_content"), ("book_note", "title")):
            found.update(str(row[column]) for row in self.server.marks(table))
        found.update(str(row["title"]) for row in self.server.marks("bookmark"))
        return found


@pytest.mark.parametrize("seed", range(bounded(6, 150)))
def test_everything_arrives_exactly_once_over_real_sockets(seed: int, tmp_path: Path) -> None:
    server = StandIn(dialect=DIALECTS[seed % len(DIALECTS)])
    server.add_user("anna", "secret")
    for title in TITLES[:2]:
        server.add_book(title=title, authors=["Somebody"])
    with server:
        schedule = Schedule(seed, server, tmp_path)
        for number in range(ROUNDS):
            if number == ROUNDS // 2:
                server.add_book(title=TITLES[2], authors=["Somebody"])
                schedule.reader.let_the_library_age()
            schedule.one_round()
            assert max(schedule.stored().values(), default=1) == 1
        schedule.end()
        stored = schedule.stored()
        assert set(stored.values()) == {1}
        assert len(stored) == schedule.sessions + len(schedule.marks)
    COUNTS["schedules over loopback"] += 1
