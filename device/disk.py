"""The disk port: every file operation of the worker goes through one `Disk`.

Promises: `write` is all or nothing, also when power fails; `read` never allocates more than it was told. Missing files
are None or an empty list, not errors; everything else that goes wrong is an `OSError` that names the path.
Never: knows what is in the files.
Called by: the worker's edges. Tests put a recording or a failing disk in its place.
Source: docs/adr/0004; vfat and FUSE have no atomic rename over an existing file that could be trusted alone, so `write`
leaves the new file beside the old one until the rename, and `read` falls back to it.
It uses `posix`, the C module below `os`: importing `os` costs a quarter of the start-up (docs/adr/0006).
"""

from __future__ import annotations

import posix

NEW_SUFFIX = ".new"
CHUNK_BYTES = 65_536


class Disk:
    """The real disk. Paths are absolute."""

    def read(self, path: str, limit_bytes: int) -> bytes | None:
        """The first `limit_bytes` of a file; None if it is missing.

        Where only the file that an interrupted `write` left is there, that one; it may be cut off, so callers check.
        """
        for candidate in (path, path + NEW_SUFFIX):
            try:
                handle = posix.open(candidate, posix.O_RDONLY | posix.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                return _read_all(handle, limit_bytes)
            except OSError as problem:
                raise OSError(problem.errno, problem.strerror, candidate) from problem
            finally:
                posix.close(handle)
        return None

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Replaces the file with `content`, durably; either the old or the new content is there at any time."""
        self._write_new(path + NEW_SUFFIX, content, mode)
        posix.rename(path + NEW_SUFFIX, path)
        self.sync_folder(path.rpartition("/")[0])

    def _write_new(self, path: str, content: bytes, mode: int) -> None:
        handle = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, mode)
        try:
            view = memoryview(content)
            while view:
                view = view[posix.write(handle, view) :]
            posix.fsync(handle)
        except OSError as problem:
            raise OSError(problem.errno, problem.strerror, path) from problem
        finally:
            posix.close(handle)

    def append(self, path: str, content: bytes) -> None:
        """Adds to the end of a file, not durably: for logs."""
        handle = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_CLOEXEC, 0o600)
        try:
            posix.write(handle, content)
        finally:
            posix.close(handle)

    def rename(self, old: str, new: str) -> None:
        posix.rename(old, new)

    def remove(self, path: str) -> None:
        """Removes a file, and what an interrupted `write` of it left; a missing one is no error."""
        for candidate in (path + NEW_SUFFIX, path):  # the leftover first: alone it would bring the file back
            try:
                posix.unlink(candidate)
            except FileNotFoundError:
                continue

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; none if the folder is missing."""
        try:
            return sorted(posix.listdir(folder))
        except FileNotFoundError:
            return []

    def size_bytes(self, path: str) -> int | None:
        try:
            return posix.stat(path).st_size
        except FileNotFoundError:
            return None

    def make_folder(self, path: str) -> None:
        """Makes one folder if it is missing; its parent must be there."""
        try:
            posix.mkdir(path, 0o755)
        except FileExistsError:
            return

    def sync_folder(self, path: str) -> None:
        """Makes renames and removals in a folder durable, where the file system can."""
        try:
            handle = posix.open(path or "/", posix.O_RDONLY | posix.O_CLOEXEC)
        except OSError:
            return  # some FUSE file systems do not open folders; then there is nothing to flush either
        try:
            posix.fsync(handle)
        except OSError:
            return  # likewise: EINVAL on FUSE
        finally:
            posix.close(handle)


def _read_all(handle: int, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = limit_bytes
    while left > 0:
        part = posix.read(handle, min(left, CHUNK_BYTES))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
