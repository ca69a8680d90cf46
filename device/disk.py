"""The disk port: every file operation of the worker goes through one `Disk`.

Promises: `write` is all or nothing, also when power fails; `read` never allocates more than it was told. Missing files
are None or an empty list, not errors; everything else that goes wrong is an `OSError` that names the path.
Never: knows what is in the files.
Called by: the worker's edges. Tests hand in a kernel that records, fails, or loses its power.
Source: docs/adr/0004; vfat and FUSE have no atomic rename over an existing file that could be trusted alone, so `write`
leaves the new file beside the old one until the rename, `read` falls back to it, and the next `write` first finishes
such a rename, because the file beside is then the only one there is.
It uses `posix`, the C module below `os`: importing `os` costs a quarter of the start-up (docs/adr/0006).
"""

from __future__ import annotations

import errno
import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Kernel(Protocol):
        """What of `posix` is used here."""

        def open(self, path: str, flags: int, mode: int = 0o777, /) -> int: ...
        def read(self, handle: int, size_bytes: int, /) -> bytes: ...
        def write(self, handle: int, content: memoryview | bytes, /) -> int: ...
        def fsync(self, handle: int, /) -> None: ...
        def close(self, handle: int, /) -> None: ...
        def rename(self, old: str, new: str, /) -> None: ...
        def unlink(self, path: str, /) -> None: ...
        def mkdir(self, path: str, mode: int = 0o777, /) -> None: ...
        def listdir(self, path: str, /) -> list[str]: ...
        def stat(self, path: str, /) -> posix.stat_result: ...


NEW_SUFFIX = ".new"
CHUNK_BYTES = 65_536

# What file systems answer that cannot flush a folder (FUSE, old kernels); anything else is a real failure.
_NO_FOLDER_FLUSH = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF)


class Disk:
    """The real disk, unless another kernel is handed in. Paths are absolute."""

    __slots__ = ("_kernel",)

    def __init__(self, kernel: Kernel = posix) -> None:
        self._kernel = kernel

    def read(self, path: str, limit_bytes: int) -> bytes | None:
        """The first `limit_bytes` of a file; None if it is missing.

        Where only the file that an interrupted `write` left is there, that one; it may be cut off, so callers check.
        """
        for candidate in (path, path + NEW_SUFFIX):
            try:
                handle = self._kernel.open(candidate, posix.O_RDONLY | posix.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                return self._read_all(handle, limit_bytes)
            except OSError as problem:
                raise OSError(problem.errno, problem.strerror, candidate) from problem
            finally:
                self._kernel.close(handle)
        return None

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Replaces the file with `content`; either the old or the new content is there at any time.

        Durably, where the file system can flush folders; elsewhere a cut may take it back, but not what follows it in
        the folder without it.
        """
        new = path + NEW_SUFFIX
        if self.size_bytes(path) is None:
            self._finish_rename(new, path)
        try:
            self._write_new(new, content, mode)
        except OSError:
            self._give_up(new)
            raise
        self._kernel.rename(new, path)
        self.sync_folder(path.rpartition("/")[0])

    def _finish_rename(self, new: str, path: str) -> None:
        try:
            self._kernel.rename(new, path)
        except FileNotFoundError:
            return

    def _give_up(self, new: str) -> None:
        """Half a file is of no use, and on a full disk it is in the way of the next one."""
        try:
            self._kernel.unlink(new)
        except OSError:
            return  # the failure that led here is the one to tell

    def _write_new(self, path: str, content: bytes, mode: int) -> None:
        handle = self._kernel.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, mode)
        try:
            view = memoryview(content)
            while view:
                view = view[self._kernel.write(handle, view) :]
            self._kernel.fsync(handle)
        except OSError as problem:
            raise OSError(problem.errno, problem.strerror, path) from problem
        finally:
            self._kernel.close(handle)

    def append(self, path: str, content: bytes) -> None:
        """Adds to the end of a file, not durably: for logs."""
        handle = self._kernel.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_CLOEXEC, 0o600)
        try:
            self._kernel.write(handle, content)
        finally:
            self._kernel.close(handle)

    def rename(self, old: str, new: str) -> None:
        self._kernel.rename(old, new)

    def remove(self, path: str) -> None:
        """Removes a file, and what an interrupted `write` of it left; a missing one is no error."""
        for candidate in (path + NEW_SUFFIX, path):  # the leftover first: alone it would bring the file back
            try:
                self._kernel.unlink(candidate)
            except FileNotFoundError:
                continue

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; none if the folder is missing."""
        try:
            return sorted(self._kernel.listdir(folder))
        except FileNotFoundError:
            return []

    def size_bytes(self, path: str) -> int | None:
        try:
            return self._kernel.stat(path).st_size
        except FileNotFoundError:
            return None

    def stamp(self, path: str) -> tuple[int, int] | None:
        """(size in bytes, time of the last change in ns): what tells later whether a file was changed. None if missing.

        vfat counts that time in steps of two seconds.
        """
        try:
            found = self._kernel.stat(path)
        except FileNotFoundError:
            return None
        return found.st_size, found.st_mtime_ns

    def copy(self, path: str, to: str, limit_bytes: int) -> None:
        """Copies a file that belongs to another program, not durably. Raises OSError, also when it is too big."""
        source = self._kernel.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            target = self._kernel.open(to, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, 0o600)
            try:
                self._copy_all(source, target, path, limit_bytes)
            except OSError as problem:
                raise OSError(problem.errno, problem.strerror, to) from problem
            finally:
                self._kernel.close(target)
        finally:
            self._kernel.close(source)

    def _copy_all(self, source: int, target: int, path: str, limit_bytes: int) -> None:
        copied = 0
        while part := self._kernel.read(source, CHUNK_BYTES):
            copied += len(part)
            if copied > limit_bytes:
                raise OSError(errno.EFBIG, f"{path} is too big to copy")
            view = memoryview(part)
            while view:
                view = view[self._kernel.write(target, view) :]

    def make_folder(self, path: str) -> None:
        """Makes one folder if it is missing; its parent must be there."""
        try:
            self._kernel.mkdir(path, 0o755)
        except FileExistsError:
            return

    def sync_folder(self, path: str) -> None:
        """Makes renames and removals in a folder durable, where the file system can."""
        try:
            handle = self._kernel.open(path or "/", posix.O_RDONLY | posix.O_CLOEXEC)
        except OSError:
            return  # some FUSE file systems do not open folders; then there is nothing to flush either
        try:
            self._kernel.fsync(handle)
        except OSError as problem:
            if problem.errno not in _NO_FOLDER_FLUSH:
                raise OSError(problem.errno, problem.strerror, path) from problem
        finally:
            self._kernel.close(handle)

    def _read_all(self, handle: int, limit_bytes: int) -> bytes:
        parts: list[bytes] = []
        left = limit_bytes
        while left > 0:
            part = self._kernel.read(handle, min(left, CHUNK_BYTES))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)
