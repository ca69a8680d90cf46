"""A database of KOReader or a plugin of its as a file: how to read it without hindering them, changing not a byte.

KOReader opens such a file for a moment at a time, and its changes are in the file itself when nothing lies beside it.
Then SQLite reads it in place, told that it never changes: so it takes no lock (one of ours could make KOReader's next
insertion fail) and makes no files beside it (a plain read-only connection leaves two behind a database in WAL mode).
That it did not change while it was read is checked afterwards, by its size and time; whoever uses what was read asks
`is_unchanged` first. Where a write-ahead log or a journal with content lies beside it, from a KOReader that is writing
or was killed, both are copied into our own folder, and SQLite brings the copy up to date.

Promises: nothing beside the file is created, changed or removed; a copy is removed again, also by the run after one
that was killed.
Called by: `device/importing/history.py`, `device/importing/plugin_sources.py`.
Law: SQLite's own documentation of `immutable`, WAL mode and hot journals.
"""

from __future__ import annotations

import errno
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk

    Stamps = tuple[tuple[int, int] | None, ...]

STATISTICS = "statistics.sqlite3"
JOURNAL = "-journal"
BESIDE = ("-wal", JOURNAL)  # what SQLite may leave beside a database that is not complete without it
COPY_PARTS = ("", "-wal", JOURNAL, "-shm")
COPY_MAX_BYTES = 268_435_456  # 256 MiB: three million page records
SETTLED_S = 2.5  # vfat's times of change have steps of 2 s: a file this old cannot change without one
# Behind the last record of a journal SQLite looks for the name of another file, which it deletes once this one is
# rolled back. These zeros hide what a hostile journal names.
NO_NAME = b"\0" * 16
TRIES = 3  # of copying a file that changes meanwhile
PAUSE_S = 1.0  # between them; KOReader writes for a fraction of a second

MISSING, EMPTY, IN_USE, TOO_BIG = "missing", "empty", "in use", "too big"


class Unavailable(Exception):
    """`why` it cannot be read now: MISSING, EMPTY, IN_USE or TOO_BIG."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Snapshot:
    """A state of the file that can be read. `address` is what SQLite is told, a URI or, for a copy, a path."""

    __slots__ = ("_disk", "_path", "_stamps", "address", "copy")

    def __init__(self, disk: Disk, path: str, stamps: Stamps, copy: str | None) -> None:
        self._disk = disk
        self._path = path
        self._stamps = stamps
        self.copy = copy
        self.address = f"file:{_quoted(path)}?mode=ro&immutable=1" if copy is None else copy

    def is_unchanged(self) -> bool:
        """Whether everything that was read so far is what KOReader wrote."""
        return self.copy is not None or _stamps(self._disk, self._path) == self._stamps

    def close(self) -> None:
        if self.copy is not None:
            remove_copy(self._disk, self.copy)


def statistics_path(data_folder: str) -> str:
    """Where KOReader keeps its statistics, seen from `<KOReader's folder>/bookloresync`."""
    return f"{data_folder.rpartition('/')[0]}/settings/{STATISTICS}"


def snapshot(disk: Disk, path: str, copy: str) -> Snapshot:
    """Raises Unavailable, or OSError when the copy cannot be made (a full disk)."""
    remove_copy(disk, copy)
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        stamps = _settled(disk, path)
        if stamps[0] is None:
            raise Unavailable(MISSING)
        if stamps[0][0] == 0 and not _has_more_beside(stamps):
            raise Unavailable(EMPTY)
        if not _has_more_beside(stamps):
            return Snapshot(disk, path, stamps, None)
        _copy(disk, path, copy, stamps)
        if _stamps(disk, path) == stamps:
            return Snapshot(disk, path, stamps, copy)
        remove_copy(disk, copy)
    raise Unavailable(IN_USE)


def remove_copy(disk: Disk, copy: str) -> None:
    for part in COPY_PARTS:
        disk.remove(copy + part)


def _settled(disk: Disk, path: str) -> Stamps:
    """The stamps, once they are old enough for a later change to show."""
    stamps = _stamps(disk, path)
    newest_ns = max((stamp[1] for stamp in stamps if stamp is not None), default=0)
    age_s = time.time() - newest_ns / 1e9
    if 0 <= age_s < SETTLED_S:  # a time that lies ahead is a clock that was set back: no waiting helps
        time.sleep(SETTLED_S - age_s)
        stamps = _stamps(disk, path)
    return stamps


def _stamps(disk: Disk, path: str) -> Stamps:
    """Of the file and of what may lie beside it."""
    return tuple(disk.stamp(path + part) for part in ("", *BESIDE))


def _has_more_beside(stamps: Stamps) -> bool:
    return any(stamp is not None and stamp[0] for stamp in stamps[1:])


def _copy(disk: Disk, path: str, copy: str, stamps: Stamps) -> None:
    for part, stamp in zip(("", *BESIDE), stamps, strict=True):
        if stamp is None:
            continue
        try:
            disk.copy(path + part, copy + part, COPY_MAX_BYTES)
        except FileNotFoundError:
            return  # it was just removed: the stamps differ now
        except OSError as problem:
            remove_copy(disk, copy)
            if problem.errno == errno.EFBIG:
                raise Unavailable(TOO_BIG) from problem
            raise
    if disk.size_bytes(copy + JOURNAL):
        disk.append(copy + JOURNAL, NO_NAME)


def _quoted(path: str) -> str:
    """For a URI: what would end the path, or begin an escape, is escaped."""
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
