"""What a system call means for a folder: which change it makes below it, or none.

Promises: a call that could change the folder in a way that is not understood here is refused with a `TracerError`.
Never: runs or stops the program.
Called by: `tracer`, for each call of a traced program.
Source: the manual pages of the calls; their numbers are those of x86_64.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash import changes as c
from tests.crash.ptrace import Call, Traced, TracerError

# System calls of x86_64 (arch/x86/entry/syscalls/syscall_64.tbl).
WRITE, OPEN, PWRITE64, WRITEV = 1, 2, 18, 20
FSYNC, FDATASYNC, FTRUNCATE = 74, 75, 77
RENAME, MKDIR, RMDIR, CREAT, UNLINK = 82, 83, 84, 85, 87
OPENAT, MKDIRAT, UNLINKAT, RENAMEAT, PWRITEV, RENAMEAT2 = 257, 258, 263, 264, 296, 316
MMAP, IOCTL = 9, 16

# Calls that change a file of the descriptor in this argument, and that no program here makes.
UNRECORDED_BY_DESCRIPTOR = {
    40: ("sendfile", 0),
    275: ("splice", 2),
    285: ("fallocate", 0),
    326: ("copy_file_range", 2),
    328: ("pwritev2", 0),
}
# Calls that change something at the path in this argument, or at the one beside the folder in this argument.
UNRECORDED_BY_PATH = {
    76: ("truncate", 0),
    86: ("link", 1),
    88: ("symlink", 1),
    133: ("mknod", 0),
}
UNRECORDED_AT = {259: ("mknodat", 0), 265: ("linkat", 2), 266: ("symlinkat", 1), 437: ("openat2", 0)}
UNRECORDED_ANYWHERE = {
    162: "sync",
    206: "io_setup",
    304: "open_by_handle_at",
    306: "syncfs",
    425: "io_uring_setup",
}
IOCTLS_THAT_CLONE = (0x40049409, 0x4020940D, 0xC0189436)  # FICLONE, FICLONERANGE, FIDEDUPERANGE

AT_FDCWD, AT_REMOVEDIR = -100, 0x200
RENAME_NOREPLACE = 1
O_TMPFILE = 0o20200000
MAP_SHARED_BITS = 0x03  # MAP_SHARED and MAP_SHARED_VALIDATE share this mask with MAP_PRIVATE (2)
MAP_PRIVATE = 0x02
PARTS_MOST = 1024  # IOV_MAX


Effect = Callable[[int], list[c.Change]]  # from the call's result to what it changed


@dataclass(slots=True)
class Watcher:
    """Knows which calls change the folder, and what exactly."""

    traced: Traced
    root: Path
    before: c.Tree
    _files: dict[tuple[int, int], str] = field(default_factory=dict)  # (device, inode) → the model's name of the file
    _made: int = 0

    def __post_init__(self) -> None:
        for path, file in self.before.names.items():
            if file != c.FOLDER:
                status = (self.root / path).lstat()
                self._files[status.st_dev, status.st_ino] = file

    def finish(self, effect: Effect | None) -> None:
        result = self.traced.finish_call()
        if effect is not None and result is not None and result >= 0:
            effect(result)  # keeps the names of files up to date

    def needs_room(self, call: Call) -> bool:
        """Asked only for calls with an effect. Making a file may need a block for the folder."""
        if call.number == FTRUNCATE:
            return call.arguments[1] > Path(self._descriptor_link(call.arguments[0])).stat().st_size
        if call.number in (OPEN, OPENAT, CREAT):
            return not os.path.lexists(self._opened_path(call))
        return call.number in (WRITE, PWRITE64, WRITEV, PWRITEV, MKDIR, MKDIRAT)

    def look_at(self, call: Call) -> Effect | None:
        """What a call that is about to happen will change below the folder, if it succeeds; None if nothing.

        Raises TracerError for one that would change it in a way that is not known here.
        """
        number, arguments = call.number, call.arguments
        if number in (WRITE, PWRITE64, WRITEV, PWRITEV):
            return self._write(call)
        if number in (OPEN, OPENAT, CREAT):
            return self._open(call)
        if number in (FSYNC, FDATASYNC):
            return self._sync(arguments[0])
        if number == FTRUNCATE:
            return self._resize(arguments[0], arguments[1])
        if number in (RENAME, RENAMEAT, RENAMEAT2):
            return self._rename(call)
        if number in (UNLINK, UNLINKAT, RMDIR):
            return self._remove(call)
        if number in (MKDIR, MKDIRAT):
            path = self._path(AT_FDCWD, arguments[0]) if number == MKDIR else self._path(*arguments[:2])
            return self._if_below(path, lambda name: [c.MakeFolder(name)])
        self._refuse_what_would_be_missed(call)
        return None

    def _refuse_what_would_be_missed(self, call: Call) -> None:
        number, arguments = call.number, call.arguments
        if number in UNRECORDED_ANYWHERE:
            raise TracerError(f"the program calls {UNRECORDED_ANYWHERE[number]}, which is not recorded")
        name: str | None = None
        target: str | None = None
        if number in UNRECORDED_BY_DESCRIPTOR:
            name, place = UNRECORDED_BY_DESCRIPTOR[number]
            target = self._descriptor_link(arguments[place])
        elif number in UNRECORDED_BY_PATH:
            name, place = UNRECORDED_BY_PATH[number]
            target = self._path(AT_FDCWD, arguments[place])
        elif number in UNRECORDED_AT:
            name, place = UNRECORDED_AT[number]
            target = self._path(arguments[place], arguments[place + 1])
        elif number == MMAP and arguments[3] & MAP_SHARED_BITS != MAP_PRIVATE and _signed(arguments[4]) >= 0:
            if self._may_write(arguments[4]):
                name, target = "mmap (shared)", self._descriptor_link(arguments[4])
        elif number == IOCTL and arguments[1] in IOCTLS_THAT_CLONE:
            name, target = "ioctl (clone)", self._descriptor_link(arguments[0])
        if name is not None and target is not None and self._name(target) is not None:
            raise TracerError(f"the program calls {name} on {target}, which is not recorded")

    def _write(self, call: Call) -> Effect | None:
        file = self._file_of_descriptor(call.arguments[0])
        if file is None:
            return None
        descriptor, address, count = call.arguments[0], call.arguments[1], call.arguments[2]

        def effect(result: int) -> list[c.Change]:
            if result == 0:
                return []
            if call.number in (WRITE, PWRITE64):
                data = self.traced.memory(address, result)
            else:
                data = self._gather(address, count)[:result]
            # A write moves the descriptor behind what it wrote, also where O_APPEND chose the place.
            at = call.arguments[3] if call.number in (PWRITE64, PWRITEV) else self._position(descriptor) - result
            return [c.Write(file, at, data)]

        if call.number in (PWRITE64, PWRITEV) and self._flags(descriptor) & os.O_APPEND:
            raise TracerError("the program calls pwrite on a descriptor with O_APPEND, whose place is not known")
        return effect

    def _gather(self, address: int, count: int) -> bytes:
        if count > PARTS_MOST:
            raise TracerError(f"a write in {count} parts")
        parts = self.traced.memory(address, count * 16)
        pairs = [
            (int.from_bytes(parts[n : n + 8], "little"), int.from_bytes(parts[n + 8 : n + 16], "little"))
            for n in range(0, count * 16, 16)
        ]
        return b"".join(self.traced.memory(start, length) for start, length in pairs if length)

    def _open(self, call: Call) -> Effect | None:
        if call.number == OPEN:
            flags = call.arguments[1]
        elif call.number == OPENAT:
            flags = call.arguments[2]
        else:
            flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
        if flags & O_TMPFILE == O_TMPFILE:
            raise TracerError("the program makes a file without a name, which is not recorded")
        if not flags & (os.O_CREAT | os.O_TRUNC):
            return None
        path = self._opened_path(call)
        name = self._name(path)
        if name is None:
            return None
        if not os.path.lexists(path):
            return lambda result: [self._made_file(name, result)]
        status = Path(path).lstat()
        if stat.S_ISLNK(status.st_mode):
            raise TracerError(f"{path} is a link")
        file = self._files.get(_identity(status))
        if file is None or not flags & os.O_TRUNC or not status.st_size:
            return None
        return lambda result: [c.Resize(file, 0)]

    def _made_file(self, name: str, descriptor: int) -> c.Change:
        self._made += 1
        file = f"{name}#{self._made}"
        self._files[_identity(self._descriptor(descriptor).stat())] = file
        return c.Make(name, file)

    def _sync(self, descriptor: int) -> Effect | None:
        file = self._file_of_descriptor(descriptor)
        if file is not None:
            return lambda result: [c.Sync(file)]
        name = self._name(self._descriptor_link(descriptor))
        return None if name is None else lambda result: [c.SyncFolder(name)]

    def _resize(self, descriptor: int, size_bytes: int) -> Effect | None:
        file = self._file_of_descriptor(descriptor)
        return None if file is None else lambda result: [c.Resize(file, size_bytes)]

    def _rename(self, call: Call) -> Effect | None:
        arguments = call.arguments
        if call.number == RENAME:
            old, new = self._path(AT_FDCWD, arguments[0]), self._path(AT_FDCWD, arguments[1])
        else:
            old, new = self._path(*arguments[:2]), self._path(*arguments[2:4])
        names = self._name(old), self._name(new)
        if names == (None, None):
            return None
        if call.number == RENAMEAT2 and arguments[4] & ~RENAME_NOREPLACE:
            raise TracerError("the program exchanges two names, which is not recorded")
        if names[0] is None or names[1] is None or c.parent_of(names[0]) != c.parent_of(names[1]):
            raise TracerError(f"the program moves {old} to {new}, into another folder: no order of the two is known")
        if Path(old).is_dir():
            raise TracerError(f"the program renames the folder {old}, which is not recorded")
        if old == new:
            return None
        change = c.Rename(names[0], names[1])
        return lambda result: [change]

    def _remove(self, call: Call) -> Effect | None:
        arguments = call.arguments
        path = self._path(*arguments[:2]) if call.number == UNLINKAT else self._path(AT_FDCWD, arguments[0])
        return self._if_below(path, lambda name: [c.Remove(name)])

    def _if_below(self, path: str, changes: Callable[[str], list[c.Change]]) -> Effect | None:
        name = self._name(path)
        return None if name is None else lambda result: changes(name)

    def _opened_path(self, call: Call) -> str:
        return self._path(*call.arguments[:2]) if call.number == OPENAT else self._path(AT_FDCWD, call.arguments[0])

    def _path(self, folder: int, address: int) -> str:
        """The path in the program's memory, absolute, without links but a last one."""
        text = self.traced.text(address)
        if not text.startswith("/"):
            base = "cwd" if _signed(folder) == AT_FDCWD else f"fd/{_signed(folder)}"
            text = f"{Path(f'/proc/{self.traced.pid}/{base}').readlink()}/{text}"
        parent, _, name = text.rstrip("/").rpartition("/")
        if name in ("", ".", ".."):
            return os.path.realpath(text)
        return f"{os.path.realpath(parent or '/').rstrip('/')}/{name}"

    def _name(self, path: str) -> str | None:
        """`path` relative to the folder; None if it is not below it. The folder itself is the empty name."""
        root = str(self.root)
        if path == root:
            return ""
        return path[len(root) + 1 :] if path.startswith(root + "/") else None

    def _descriptor(self, number: int) -> Path:
        return Path(f"/proc/{self.traced.pid}/fd/{_signed(number)}")

    def _descriptor_link(self, number: int) -> str:
        try:
            return str(self._descriptor(number).readlink())
        except OSError:
            return ""  # not open: the call will fail

    def _file_of_descriptor(self, number: int) -> str | None:
        """The model's name of a file below the folder; what has been removed in the meantime counts as well."""
        if self._name(self._descriptor_link(number)) is None:
            return None
        status = self._descriptor(number).stat()
        return self._files.get(_identity(status)) if stat.S_ISREG(status.st_mode) else None

    def _position(self, descriptor: int) -> int:
        return self._descriptor_info(descriptor, "pos", 10)

    def _flags(self, descriptor: int) -> int:
        return self._descriptor_info(descriptor, "flags", 8)

    def _may_write(self, descriptor: int) -> bool:
        return self._descriptor_link(descriptor) != "" and self._flags(descriptor) & os.O_ACCMODE != os.O_RDONLY

    def _descriptor_info(self, descriptor: int, wanted: str, base: int) -> int:
        for line in Path(f"/proc/{self.traced.pid}/fdinfo/{_signed(descriptor)}").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == wanted:
                return int(value.strip(), base)
        raise TracerError(f"/proc does not tell the {wanted} of a descriptor")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _signed(number: int) -> int:
    """An int argument, of which the kernel looks at the lower half only."""
    return number - 2**32 if (number := number & 0xFFFFFFFF) >= 2**31 else number
