"""File systems of a test's own: mounted in a child process's private name space, gone when the child ends.

Promises: what the child asserts fails the test with the child's words; nobody else ever sees the mounts, whatever ends
the test. Where mounting is not allowed the test is skipped with the reason.
Called by: the tests of full, read-only and FAT storage.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

CLONE_NEWNS = 0x00020000  # sched.h
MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE = 1, 32, 16384, 1 << 18  # sys/mount.h
FAILED, NOT_ALLOWED = 1, 2

_NOT_ALLOWED = (errno.EPERM, errno.EACCES, errno.ENODEV, errno.ENOSYS)

_libc = ctypes.CDLL(None, use_errno=True)


class NotAllowed(Exception):
    """This machine does not let us mount that."""


def in_own_mounts(body: Callable[[], None], output: Path) -> None:
    """Runs `body` in a child that may mount what it likes; its failure is this test's."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = FAILED
        with output.open("w") as errors:
            try:
                _leave_shared_mounts()
                body()
                code = 0
            except NotAllowed as problem:
                code = NOT_ALLOWED
                errors.write(str(problem))
            except BaseException:
                traceback.print_exc(file=errors)
        os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == NOT_ALLOWED:
        pytest.skip(f"nothing can be mounted here: {output.read_text()}")
    assert code == 0, output.read_text()


def _leave_shared_mounts() -> None:
    if _libc.unshare(CLONE_NEWNS):
        raise NotAllowed(os.strerror(ctypes.get_errno()))
    mount("none", Path("/"), None, MS_REC | MS_PRIVATE)


def mount(source: str, target: Path, kind: str | None, flags: int = 0, options: str | None = None) -> None:
    """Raises NotAllowed, or OSError for anything else that is wrong."""
    arguments = [None if text is None else text.encode() for text in (source, str(target), kind)]
    if _libc.mount(*arguments, ctypes.c_ulong(flags), None if options is None else options.encode()):
        number = ctypes.get_errno()
        if number in _NOT_ALLOWED:
            raise NotAllowed(os.strerror(number))
        raise OSError(number, os.strerror(number), str(target))


def mount_memory(folder: Path, size_kib: int) -> None:
    """A disk of so many KiB, in pages of 4 KiB."""
    folder.mkdir(exist_ok=True)
    mount("none", folder, "tmpfs", 0, f"size={size_kib}k")


def make_read_only(folder: Path, read_only: bool) -> None:
    mount("none", folder, None, MS_REMOUNT | (MS_RDONLY if read_only else 0))
