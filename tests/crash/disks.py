"""Disks in memory for worker code: one that writes down what is done to it, one that fails or loses its power.

    RecordingDisk(tree)                     `changes`: everything done so far, in order
    CrashingDisk(tree, 3)                   the power fails (`PowerCut`) when the fourth change is about to be made
    CrashingDisk(tree, 3, errno.ENOSPC)     from the fourth change on that needs room there is none

Promises: they are `device.disk.Disk` itself, on a kernel in memory: what is tested is how the real one uses its kernel.
After a cut, `left` gives what the disk may hold then, by the rules of `power_cut`.
Never: touches the machine's disk. Knows no links, modes or owners.
Called by: `test_disks.py`.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from device.disk import Disk
from tests.crash import changes as c
from tests.crash.power_cut import STRICT, CrashState, Effort, Medium, crash_states
from tests.crash.tracer import Recorded

FIRST_HANDLE = 3


class PowerCut(BaseException):
    """Nothing after this happens; no handler of the code under test may catch it."""


@dataclass(slots=True)
class _Opened:
    path: str
    file: str
    position: int
    appends: bool


class MemoryKernel:
    """What of `posix` a `Disk` uses, over a `Tree`. Absolute paths are those of the tree with a slash before them."""

    def __init__(self, tree: c.Tree | None, mark: Callable[[], int]) -> None:
        self.before = (tree or c.Tree()).settled()
        self.tree = self.before.copy()
        self.changes: list[Recorded] = []
        self.mark = mark
        self._opened: dict[int, _Opened] = {}

    def _change(self, change: c.Change) -> None:
        self.changes.append(Recorded(change, self.mark()))
        self.tree.apply(change)

    def open(self, path: str, flags: int, mode: int = 0o777, /) -> int:
        name = path.strip("/")
        file = self._file(name)
        if file is None:
            if not flags & os.O_CREAT or not self._is_folder(c.parent_of(name)):
                raise _error(errno.ENOENT, path)
            file = f"{name}#{len(self.changes)}"
            self._change(c.Make(name, file))
        elif file == c.FOLDER and flags & os.O_ACCMODE != os.O_RDONLY:
            raise _error(errno.EISDIR, path)
        elif flags & os.O_TRUNC and self.tree.contents[file]:
            self._change(c.Resize(file, 0))
        handle = max(self._opened, default=FIRST_HANDLE - 1) + 1
        self._opened[handle] = _Opened(name, file, 0, bool(flags & os.O_APPEND))
        return handle

    def read(self, handle: int, size_bytes: int, /) -> bytes:
        opened = self._opened[handle]
        if opened.file == c.FOLDER:
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        data = self.tree.contents[opened.file][opened.position : opened.position + size_bytes]
        opened.position += len(data)
        return data

    def write(self, handle: int, content: memoryview | bytes, /) -> int:
        opened = self._opened[handle]
        if opened.appends:
            opened.position = len(self.tree.contents[opened.file])
        data = bytes(content)
        self._change(c.Write(opened.file, opened.position, data))
        opened.position += len(data)
        return len(data)

    def fsync(self, handle: int, /) -> None:
        opened = self._opened[handle]
        self._change(c.SyncFolder(opened.path) if opened.file == c.FOLDER else c.Sync(opened.file))

    def close(self, handle: int, /) -> None:
        del self._opened[handle]

    def rename(self, old: str, new: str, /) -> None:
        if self._file(old.strip("/")) is None or not self._is_folder(c.parent_of(new.strip("/"))):
            raise _error(errno.ENOENT, old)
        self._change(c.Rename(old.strip("/"), new.strip("/")))

    def unlink(self, path: str, /) -> None:
        if self._file(path.strip("/")) is None:
            raise _error(errno.ENOENT, path)
        self._change(c.Remove(path.strip("/")))

    def mkdir(self, path: str, mode: int = 0o777, /) -> None:
        name = path.strip("/")
        if self._file(name) is not None:
            raise _error(errno.EEXIST, path)
        if not self._is_folder(c.parent_of(name)):
            raise _error(errno.ENOENT, path)
        self._change(c.MakeFolder(name))

    def listdir(self, path: str, /) -> list[str]:
        folder = path.strip("/")
        if not self._is_folder(folder):
            raise _error(errno.ENOENT, path)
        return [name.rpartition("/")[2] for name in self.tree.names if c.parent_of(name) == folder]

    def stat(self, path: str, /) -> os.stat_result:
        file = self._file(path.strip("/"))
        if file is None:
            raise _error(errno.ENOENT, path)
        size_bytes = 0 if file == c.FOLDER else len(self.tree.contents[file])
        return os.stat_result((0, 0, 0, 1, 0, 0, size_bytes, 0, 0, 0))

    def _file(self, name: str) -> str | None:
        return c.FOLDER if self._is_folder(name) else self.tree.names.get(name)

    def _is_folder(self, name: str) -> bool:
        return not name or self.tree.names.get(name) == c.FOLDER


class FailingKernel(MemoryKernel):
    """Makes `good_changes`, then fails; see `CrashingDisk`."""

    def __init__(self, tree: c.Tree | None, good_changes: int, error: int | None) -> None:
        super().__init__(tree, lambda: 0)
        self._left = good_changes
        self._error = error
        self._took_a_half = False

    def _change(self, change: c.Change) -> None:
        if self._error is None or isinstance(change, (c.Make, c.MakeFolder, c.Write)):
            self._left -= 1
            if self._left < 0:
                raise PowerCut if self._error is None else _error(self._error, getattr(change, "path", None))
        super()._change(change)

    def write(self, handle: int, content: memoryview | bytes, /) -> int:
        if self._error is not None and self._left == 0 and not self._took_a_half:
            self._took_a_half = True
            self._left += 1
            content = content[: len(content) // 2]  # the last free block takes the first half
        return super().write(handle, content)


class RecordingDisk(Disk):
    """`mark` is asked at each change, for what the test wants to know of that moment."""

    __slots__ = ("kernel",)

    def __init__(self, tree: c.Tree | None = None, mark: Callable[[], int] = lambda: 0) -> None:
        self.kernel = MemoryKernel(tree, mark)
        super().__init__(self.kernel)

    @property
    def changes(self) -> list[Recorded]:
        return self.kernel.changes

    def states(self, effort: Effort, medium: Medium = STRICT) -> Iterator[CrashState]:
        """Every state in which a power cut during what was done so far may leave the disk."""
        return crash_states(
            self.kernel.before, self.changes, self.kernel.mark(), random.Random(20261122), effort, medium
        )


class CrashingDisk(Disk):
    """`good_changes` happen; with `error`, only changes that need room count, and fail."""

    __slots__ = ("kernel",)

    def __init__(self, tree: c.Tree | None, good_changes: int, error: int | None = None) -> None:
        self.kernel = FailingKernel(tree, good_changes, error)
        super().__init__(self.kernel)

    def left(self, effort: Effort, medium: Medium = STRICT) -> Iterator[c.Tree]:
        """What the disk may hold after the power has failed now."""
        count = len(self.kernel.changes)
        for state in crash_states(
            self.kernel.before, self.kernel.changes, 0, random.Random(20261122), effort, medium, first=count
        ):
            yield state.tree


def _error(number: int, path: str | None) -> OSError:
    return OSError(number, os.strerror(number), None if path is None else f"/{path.strip('/')}")
