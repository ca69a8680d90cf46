"""What is wrong with the storage when something could not be written, in the reader's words.

Called by: the worker's edges. Never: writes.
"""

from __future__ import annotations

import errno
import posix

from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.folder import Folder

FULL_BYTES = 65_536  # what the smallest run needs; with less, whatever SQLite calls the failure, the disk is full
ST_RDONLY = 1  # statvfs(3)

_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(problem: Exception) -> bool:
    from device.store import database

    return database.is_full(problem) or (isinstance(problem, OSError) and problem.errno in _FULL)


def in_words(folder: Folder, problem: Exception) -> str:
    """What failed, that nothing is lost, and what to do."""
    from device.store import database

    free_bytes, is_read_only = _state(folder.path)
    if is_read_only or (isinstance(problem, OSError) and problem.errno == errno.EROFS):
        return texts.storage_read_only(folder.path)
    if is_full(problem) or (isinstance(problem, database.Error) and free_bytes < FULL_BYTES):
        return texts.storage_full(folder.path, free_bytes // 1024)
    if isinstance(problem, database.Error):
        return texts.store_failed(folder.store, str(problem))
    if isinstance(problem, OSError):
        return str(problem)
    return f"BookLore Sync failed: {type(problem).__name__}: {problem}"


def is_read_only(folder: Folder) -> bool:
    return _state(folder.path)[1]


def _state(path: str) -> tuple[int, bool]:
    """(bytes that are free for us, whether nothing can be written)."""
    try:
        found = posix.statvfs(path)
    except OSError:
        return 0, False
    return found.f_bavail * found.f_frsize, bool(found.f_flag & ST_RDONLY)
