"""What a program changes below a folder, in order; and the program killed or refused at a chosen moment.

Promises: a recording is complete: what could change the folder unseen is refused (`watcher`), and at the end the
recorded changes, applied to the folder as it was, must give the folder as it is. Otherwise it is a `TracerError`.
Works for static executables and for CPython.
Never: records what does not outlive a power cut anyway (locks, reads), nor modes, owners and times of files.
Called by: the tests of this folder.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.crash import changes as c
from tests.crash.ptrace import Call, Program, Traced, TracerError
from tests.crash.watcher import PWRITE64, WRITE, Effect, Watcher

STATFS, FSTATFS = 137, 138
FREE_AT = (24, 32)  # f_bfree and f_bavail in struct statfs


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change, and what `mark` said just before it."""

    change: c.Change
    mark: int


@dataclass(frozen=True, slots=True)
class Run:
    """`returncode` as of subprocess (-9 when it was killed), and how many system calls were begun."""

    returncode: int
    calls: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Recording:
    before: c.Tree
    changes: list[Recorded]
    last_mark: int
    run: Run

    def after(self) -> c.Tree:
        tree = self.before.copy()
        for recorded in self.changes:
            tree.apply(recorded.change)
        return tree


def record(program: Program, folder: Path, mark: Callable[[], int] = lambda: 0) -> Recording:
    """Runs the program to its end. Raises TracerError."""
    folder = folder.resolve(strict=True)
    before = c.read_tree(folder)
    recorded: list[Recorded] = []
    with Traced(program) as traced:
        watcher = Watcher(traced, folder, before)
        while (call := traced.next_call()) is not None:
            effect = watcher.look_at(call)
            now = mark() if effect is not None else 0
            result = traced.finish_call()
            recorded.extend(Recorded(change, now) for change in _changes(effect, result))
        recording = Recording(before, recorded, mark(), _run(traced))
    _compare(recording.after(), c.read_tree(folder), folder)
    return recording


def kill_at(program: Program, number: int) -> Run:
    """Kills the program when it is about to make its `number`-th system call, from 1, which then does not happen.

    A shorter run ends by itself.
    """
    with Traced(program) as traced:
        while (call := traced.next_call()) is not None:
            if call.count == number:
                traced.kill()
                break
            traced.finish_call()
        return _run(traced)


def run_on_full_disk(program: Program, folder: Path, number: int, error: int = errno.ENOSPC) -> tuple[Run, int, int]:
    """Refuses with `error` every change below `folder` that needs room, from the `number`-th on.

    The run, how many changes needed room, and how many of them were refused.
    If the first of them is a write, its first half is still written, as when the last free block is taken. A program
    that asks how much is free is told: nothing.
    """
    folder = folder.resolve(strict=True)
    needing_room = refused = 0
    with Traced(program) as traced:
        watcher = Watcher(traced, folder, c.read_tree(folder))
        while (call := traced.next_call()) is not None:
            effect = watcher.look_at(call)
            if effect is not None and watcher.needs_room(call):
                needing_room += 1
                if needing_room >= number:
                    refused += 1
                    _refuse(traced, call, error, is_first=refused == 1)
                    continue
            result = traced.finish_call()
            _changes(effect, result)  # keeps the watcher's names of files up to date
            if refused and result == 0 and call.number in (STATFS, FSTATFS):
                for place in FREE_AT:
                    traced.set_memory(call.arguments[1] + place, 0)
        return _run(traced), needing_room, refused


def _refuse(traced: Traced, call: Call, error: int, is_first: bool) -> None:
    size_bytes = call.arguments[2]
    if is_first and call.number in (WRITE, PWRITE64) and size_bytes > 1:
        traced.shorten_call(size_bytes // 2)
        traced.finish_call()
    else:
        traced.fail_call(error)


def _changes(effect: Effect | None, result: int | None) -> list[c.Change]:
    return effect(result) if effect is not None and result is not None and result >= 0 else []


def _run(traced: Traced) -> Run:
    assert traced.returncode is not None
    return Run(traced.returncode, traced.calls, *traced.output())


def _compare(recorded: c.Tree, found: c.Tree, folder: Path) -> None:
    ours, theirs = recorded.files(), found.files()
    wrong = sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
    if wrong or recorded.folders() != found.folders():
        raise TracerError(f"the recorded changes do not give what {folder} holds now; different: {wrong}")
