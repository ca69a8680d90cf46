"""What a disk may hold after its power failed: crash states out of recorded changes.

How it works. After each prefix of the changes the power fails. What was flushed is there; every other change may have
reached the medium or not. Of all the combinations these are tried:

    kept       everything, as when only the program dies
    dropped    nothing that was not flushed; also only the names, or only the contents
    torn       the last change half done: a write in some of its sectors of 512 bytes, a rename with both names in
               place, or with the old target gone already
    stale      the last write made the file longer, but where its content should be is what the medium held before
    some       a random subset of the writes, and a random prefix of each folder's changes

A file's content is durable after its fsync, a name after the fsync of its folder (`STRICT`, which promises least: the
states of a file system that writes more through are among its own). What happens to the names of one folder happens in
order, as vfat and ext4 do it; between folders and between files there is no order. `WRITE_THROUGH` is the other kind:
folders cannot be flushed (FUSE), but the fsync of a file brings its name and what came before it in its folder along.

SQLite's files are files like all others here: what is recorded and taken back are the calls of the whole program.

What this does not cover: a drive that says "flushed" and has not, or that reorders across a flush; damage to sectors
that were not being written (worn flash, a failing FTL); a file system that is itself broken by the cut (lost cluster
chains on vfat); write-back of shared memory mappings, of which the worker has none and the tracer allows none.
Called by: `test_every_cut.py`, `test_disks.py`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.crash import changes as c
from tests.crash.tracer import Recorded

SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class Medium:
    """What a kind of file system promises."""

    name: str
    flushes_folders: bool
    file_flush_keeps_name: bool


STRICT = Medium("strict", flushes_folders=True, file_flush_keeps_name=False)
WRITE_THROUGH = Medium("write-through", flushes_folders=False, file_flush_keeps_name=True)


@dataclass(frozen=True, slots=True)
class Effort:
    """How many of the endless combinations are tried after each change."""

    tears: int
    subsets: int


@dataclass(frozen=True, slots=True)
class CrashState:
    """`tree`: what the disk holds. `mark`: the world outside at that moment, as recorded. `how`: for messages."""

    tree: c.Tree
    mark: int
    how: str


def crash_states(
    before: c.Tree,
    changes: Sequence[Recorded],
    last_mark: int,
    chance: random.Random,
    effort: Effort,
    medium: Medium = STRICT,
    first: int = 0,
) -> Iterator[CrashState]:
    """Every crash state that is to be tried, after `first` changes or more; one may come several times.

    `before` is durable as it is.
    """
    disk = _Disk(medium, dict(before.contents), dict(before.names))
    for number in range(len(changes) + 1):
        last = changes[number - 1].change if number else None
        if last is not None:
            disk.apply(last)
        if number < first:
            continue
        next_mark = changes[number].mark if number < len(changes) else last_mark
        # The world may have gone on since the last change: the power fails right after that, or right before the next.
        marks = {next_mark: None} if not number else {changes[number - 1].mark: None, next_mark: None}
        for how, tree in _variants(disk, last, chance, effort):
            for mark in marks:
                yield CrashState(tree, mark, f"{medium.name}, after change {number} ({last}), {how}, mark {mark}")


@dataclass(slots=True)
class _Disk:
    """The durable part, and what came after it, in order."""

    medium: Medium
    contents: dict[str, bytes]
    names: dict[str, str]
    data: list[c.DataChange] = field(default_factory=list)
    name_changes: dict[str, list[c.NameChange]] = field(default_factory=dict)  # by folder

    def apply(self, change: c.Change) -> None:
        if isinstance(change, (c.Write, c.Resize)):
            self.data.append(change)
        elif isinstance(change, c.Sync):
            self._flush(change.file)
        elif isinstance(change, c.SyncFolder):
            if self.medium.flushes_folders:
                self._flush_names(change.path, len(self.name_changes.get(change.path, ())))
        else:
            if isinstance(change, c.Make):
                self.contents[change.file] = b""
            path = change.new if isinstance(change, c.Rename) else change.path
            self.name_changes.setdefault(c.parent_of(path), []).append(change)

    def _flush(self, file: str) -> None:
        for change in self.data:
            if change.file == file:
                self.contents[file] = c.changed(self.contents[file], change)
        self.data = [change for change in self.data if change.file != file]
        if self.medium.file_flush_keeps_name:
            for folder, pending in self.name_changes.items():
                self._flush_names(folder, self._count_up_to_the_name_of(file, pending))

    def _count_up_to_the_name_of(self, file: str, pending: list[c.NameChange]) -> int:
        names = dict(self.names)
        count = 0
        for number, change in enumerate(pending, 1):
            named_before = {path for path, named in names.items() if named == file}
            c.change_names(names, change)
            if {path for path, named in names.items() if named == file} - named_before:
                count = number
        return count

    def _flush_names(self, folder: str, count: int) -> None:
        pending = self.name_changes.get(folder, [])
        for change in pending[:count]:
            c.change_names(self.names, change)
        self.name_changes[folder] = pending[count:]

    def tree(self, data: Sequence[c.DataChange], names: dict[str, int] | None) -> c.Tree:
        """The durable part with these further writes and so many changes of names in each folder (None: all)."""
        tree = c.Tree(dict(self.names), dict(self.contents))
        for change in data:
            tree.apply(change)
        for folder, pending in self.name_changes.items():
            for name_change in pending if names is None else pending[: names.get(folder, 0)]:
                c.change_names(tree.names, name_change)
        return tree


def _variants(
    disk: _Disk, last: c.Change | None, chance: random.Random, effort: Effort
) -> Iterator[tuple[str, c.Tree]]:
    yield "kept", disk.tree(disk.data, None)
    if disk.data or any(disk.name_changes.values()):
        yield "dropped", disk.tree((), {})
    if disk.data and any(disk.name_changes.values()):
        yield "only the names kept", disk.tree((), None)
        yield "only the contents kept", disk.tree(disk.data, {})
    if isinstance(last, c.Write):
        yield from _torn_writes(disk, last, chance, effort.tears)
    elif isinstance(last, c.Rename):
        yield from _torn_rename(disk, last)
    if len(disk.data) > 1 or any(disk.name_changes.values()):
        for number in range(effort.subsets):
            kept = [change for change in disk.data if chance.random() < 0.5]
            names = {folder: chance.randint(0, len(pending)) for folder, pending in disk.name_changes.items()}
            yield f"some kept ({number})", disk.tree(kept, names)


def _torn_writes(disk: _Disk, last: c.Write, chance: random.Random, count: int) -> Iterator[tuple[str, c.Tree]]:
    earlier = disk.data[:-1]
    nothing: dict[str, int] = {}
    others: tuple[tuple[str, list[c.DataChange], dict[str, int] | None], ...]
    others = (("others kept", earlier, None), ("others dropped", [], nothing))
    size_before = len(disk.tree(earlier, None).contents[last.file])
    sectors = _sectors(last)
    if len(sectors) > 1:
        for number in range(min(count, len(sectors) - 1)):
            place = chance.randrange(1, len(sectors)) if count < len(sectors) - 1 else number + 1
            for words, data, names in others:
                yield f"torn behind sector {place}, {words}", disk.tree([*data, *sectors[:place]], names)
        some = [sector for sector in sectors if chance.random() < 0.5]
        yield "torn in some sectors", disk.tree([*earlier, *some], None)
    grown = last.offset + len(last.data) - size_before
    if grown > 0:
        stale = c.Write(last.file, size_before, chance.randbytes(grown))
        for words, data, names in others:
            yield f"stale, {words}", disk.tree([*data, stale], names)


def _sectors(write: c.Write) -> list[c.Write]:
    found = []
    at, end = write.offset, write.offset + len(write.data)
    while at < end:
        stop = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        found.append(c.Write(write.file, at, write.data[at - write.offset : stop - write.offset]))
        at = stop
    return found


def _torn_rename(disk: _Disk, last: c.Rename) -> Iterator[tuple[str, c.Tree]]:
    """vfat and FUSE do a rename in steps."""
    tree = disk.tree(disk.data, None)
    both = c.Tree({**tree.names, last.old: tree.names[last.new]}, tree.contents)
    yield "torn: both names", both
    only_old = dict(both.names)
    del only_old[last.new]
    yield "torn: the target gone, the rest to come", c.Tree(only_old, tree.contents)
