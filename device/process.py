"""The worker as a process: inherited descriptors closed, low priority, one at a time, a hard end.

Called by: `device/worker.py`, before anything else is opened; `device/sending/sync.py` asks for the uptime.
"""

from __future__ import annotations

import errno
import fcntl
import posix
import time

from device.core.outbox import Uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
else:
    import _signal  # `signal` wraps it in enums: 18 million instructions

FIRST_INHERITED, LAST_INHERITED = 3, 256  # KOReader's sockets and files; it never holds more
NICENESS = 5
BOOT_ID = "/proc/sys/kernel/random/boot_id"
BOOT_ID_BYTES = 36
CLOCK_BOOTTIME = 7  # Linux 2.6.39; it runs through sleep
GRACE_S = 15  # between the run's own deadline and the kernel's


def behave() -> None:
    """Lets go of what the parent held (a listening socket stays busy otherwise) and steps behind KOReader."""
    posix.closerange(FIRST_INHERITED, LAST_INHERITED)
    try:
        posix.nice(NICENESS)
    except OSError:
        return  # not allowed in some sandboxes; being nice is a courtesy


def end_after(deadline_s: int) -> None:
    """The kernel ends the process with SIGALRM if it still runs `GRACE_S` after its deadline."""
    _signal.alarm(deadline_s + GRACE_S)


def uptime() -> Uptime:
    """Now, on the clock that no setting of the time touches. Kernels before 2.6.39 have one that stands still asleep,
    which only makes waits longer."""
    try:
        seconds = time.clock_gettime(CLOCK_BOOTTIME)
    except OSError:
        seconds = time.monotonic()
    try:
        handle = posix.open(BOOT_ID, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return Uptime("", int(seconds))
    try:
        return Uptime(posix.read(handle, BOOT_ID_BYTES).decode("ascii", "replace"), int(seconds))
    finally:
        posix.close(handle)


def become_the_only_one(path: str) -> bool:
    """Takes the lock for the rest of the process's life; False if another run has it. The kernel frees it at our end,
    however that comes.

    Where the file system knows no locks (FUSE may answer ENOSYS), an abstract socket's name serves: it is as mortal.
    Raises OSError when the lock file cannot be made.
    """
    handle = posix.open(path, posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        posix.close(handle)
        return False
    except OSError as problem:
        posix.close(handle)
        if problem.errno not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL):
            raise
        return _take_name(path)
    posix.ftruncate(handle, 0)
    posix.write(handle, b"%d\n" % posix.getpid())
    return True  # the descriptor stays open on purpose


def _take_name(path: str) -> bool:
    import _socket

    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        socket.bind(b"\0booklore-sync" + path.encode("utf-8", "surrogateescape")[-90:])
    except OSError:
        socket.close()
        return False
    socket.detach()  # keep it until the process ends
    return True
