"""One program under ptrace, stopped before and after each of its system calls. Linux on x86_64, kernel 5.3 or later.

Promises: the program and nothing else is held: it is dead when the `with` block ends, however that comes. It runs at
most `limit_s` and makes at most `CALLS_MOST` system calls; what goes wrong is a `TracerError` that says what.
Never: follows a second process or thread; a program that starts one is refused, because its calls would be missed.
Called by: `tracer`.
Source: ptrace(2); `struct ptrace_syscall_info` in linux/ptrace.h; `struct user` in sys/user.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

CALLS_MOST = 2_000_000  # a worker's longest run makes some thousands
TEXT_MOST_BYTES = 4_096  # PATH_MAX
WRITE_MOST_BYTES = 256 * 1_048_576  # in one call: no program under test writes so much

_TRACEME, _POKEDATA, _POKEUSER, _SYSCALL, _SETOPTIONS, _GETEVENTMSG, _GET_SYSCALL_INFO = (
    0,
    5,
    6,
    24,
    0x4200,
    0x4201,
    0x420E,
)
_OPTIONS = {"SYSGOOD": 1 << 0, "FORK": 1 << 1, "VFORK": 1 << 2, "CLONE": 1 << 3, "EXEC": 1 << 4, "EXITKILL": 1 << 20}
_EVENT_EXEC, _EVENTS_OF_A_SECOND_PROCESS = 4, (1, 2, 3)
_WAIT_FOR_CLONES_TOO = 0x40000000  # __WALL
_SYSCALL_STOP = signal.SIGTRAP | 0x80
_INFO = struct.Struct("<B3xIQQQ6Q")  # op, arch, instruction, stack, number, arguments
_EXIT_INFO = struct.Struct("<B3xIQQqB")  # op, arch, instruction, stack, result, is_error
_INFO_BYTES = 96
_OP_ENTRY, _OP_EXIT = 1, 2
_AUDIT_ARCH_X86_64 = 0xC000003E
_X32_BIT = 0x40000000
_RAX_AT, _RDX_AT, _ORIG_RAX_AT = 10 * 8, 12 * 8, 15 * 8  # in struct user
NO_CALL = 2**64 - 1  # as number: the kernel does nothing


class TracerError(Exception):
    """The program cannot be traced, or did something that would escape the trace."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `environment` None is ours."""

    command: tuple[str, ...]
    cwd: Path | None = None
    environment: dict[str, str] | None = None
    limit_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that is about to happen; `count` is its number in the run, from 1."""

    count: int
    number: int
    arguments: tuple[int, ...]


class _Part(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _library() -> ctypes.CDLL:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise TracerError("the tracer knows the system calls of Linux on x86_64 only")
    library = ctypes.CDLL(None, use_errno=True)
    library.ptrace.restype = ctypes.c_long
    library.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    library.process_vm_readv.restype = ctypes.c_ssize_t
    return library


class Traced:
    """`next_call` and `finish_call` in turn, until `next_call` gives None: then `returncode` is set."""

    def __init__(self, program: Program) -> None:
        self._library = _library()
        self.returncode: int | None = None
        self.calls = 0
        self._program = program
        self._ran_out_of_time = False
        # Files, because nobody reads a pipe while the program stands still.
        self._output = (os.memfd_create("output"), os.memfd_create("errors"))
        try:
            self._process = subprocess.Popen(
                program.command,
                cwd=program.cwd,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output[0],
                stderr=self._output[1],
                preexec_fn=lambda: self._library.ptrace(_TRACEME, 0, None, None),
            )
        except BaseException:
            self._close_output()
            raise
        self.pid = self._process.pid
        self._handle = os.pidfd_open(self.pid)
        self._alarm = threading.Timer(program.limit_s, self._run_out_of_time)
        self._alarm.daemon = True
        try:
            self._wait()
            if self._has_ended():
                raise TracerError(f"{program.command[0]} ended before it was traced: ptrace is not allowed here?")
            self._ask(_SETOPTIONS, 0, sum(_OPTIONS.values()))
        except BaseException:
            self.close()
            raise
        self._alarm.start()

    def __enter__(self) -> Traced:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the program if it still runs."""
        self._alarm.cancel()
        if not self._has_ended():
            self.kill()
        os.close(self._handle)
        self._close_output()

    def _close_output(self) -> None:
        for file in self._output:
            os.close(file)

    def output(self) -> tuple[str, str]:
        """What the program has written to standard output and standard error so far."""
        # The place is the program's too: it is left where it is.
        out, errors = (os.pread(file, os.fstat(file).st_size, 0).decode("utf-8", "replace") for file in self._output)
        return out, errors

    def kill(self) -> None:
        """SIGKILL, now; a call that is about to happen does not happen."""
        signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        while not self._has_ended():
            self._wait()

    def next_call(self) -> Call | None:
        """Runs to the next system call; None when the program has ended instead."""
        info = self._run_to_stop()
        if info is None:
            return None
        op, arch, _, _, number, *arguments = _INFO.unpack_from(info)
        if op != _OP_ENTRY or arch != _AUDIT_ARCH_X86_64 or number & _X32_BIT:
            raise TracerError(f"a system call of another kind (op {op}, architecture {arch:#x}, number {number})")
        self.calls += 1
        if self.calls > CALLS_MOST:
            raise TracerError(f"more than {CALLS_MOST} system calls")
        return Call(self.calls, number, tuple(arguments))

    def finish_call(self) -> int | None:
        """Lets the call happen; its result (negative: minus the error number), or None when the program ended in it."""
        info = self._run_to_stop()
        if info is None:
            return None
        op, _, _, _, result, _ = _EXIT_INFO.unpack_from(info)
        if op != _OP_EXIT:
            raise TracerError("a system call began inside another")
        return int(result)

    def fail_call(self, error: int) -> None:
        """In place of `finish_call`: the call does not happen, the program sees `error`."""
        self._ask(_POKEUSER, _ORIG_RAX_AT, NO_CALL)
        if self.finish_call() is not None:
            self._ask(_POKEUSER, _RAX_AT, 2**64 - error)

    def shorten_call(self, third_argument: int) -> None:
        """Before `finish_call`: a write of so many bytes only."""
        self._ask(_POKEUSER, _RDX_AT, third_argument)

    def memory(self, address: int, size_bytes: int) -> bytes:
        if size_bytes > WRITE_MOST_BYTES:
            raise TracerError(f"{size_bytes} bytes in one call")
        buffer = ctypes.create_string_buffer(size_bytes)
        here = _Part(ctypes.addressof(buffer), size_bytes)
        there = _Part(address, size_bytes)
        got = self._library.process_vm_readv(
            self.pid, ctypes.byref(here), ctypes.c_ulong(1), ctypes.byref(there), ctypes.c_ulong(1), ctypes.c_ulong(0)
        )
        if got != size_bytes:
            raise TracerError(f"the program's memory at {address:#x} cannot be read: {os.strerror(ctypes.get_errno())}")
        return buffer.raw

    def set_memory(self, address: int, value: int) -> None:
        """Eight bytes."""
        self._ask(_POKEDATA, address, value)

    def text(self, address: int) -> str:
        """A path. It may end short of a page that cannot be read, so it is read page by page."""
        found = b""
        while b"\0" not in found:
            if len(found) > TEXT_MOST_BYTES:
                raise TracerError("a path without an end")
            found += self.memory(address + len(found), 4096 - (address + len(found)) % 4096)
        return os.fsdecode(found.partition(b"\0")[0])

    def _run_to_stop(self) -> bytes | None:
        """To the next stop at a system call; its description, or None when the program has ended."""
        deliver = 0
        while not self._has_ended():
            self._ask(_SYSCALL, 0, deliver)
            status = self._wait()
            stopped_by, event = os.WSTOPSIG(status & 0xFFFF), status >> 16
            if not os.WIFSTOPPED(status):
                continue
            if stopped_by == _SYSCALL_STOP:
                buffer = ctypes.create_string_buffer(_INFO_BYTES)
                self._ask(_GET_SYSCALL_INFO, _INFO_BYTES, ctypes.addressof(buffer))
                return buffer.raw
            if event in _EVENTS_OF_A_SECOND_PROCESS:
                self._end_second_process()
                raise TracerError("the program starts another process or thread, which would not be traced")
            deliver = 0 if event == _EVENT_EXEC else stopped_by
        if self._ran_out_of_time:
            raise TracerError(f"still running after {self._program.limit_s:g} s")
        return None

    def _has_ended(self) -> bool:
        return self.returncode is not None

    def _wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        if not os.WIFSTOPPED(status):
            self.returncode = self._process.returncode = os.waitstatus_to_exitcode(status)
        return status

    def _end_second_process(self) -> None:
        """It was born traced and would stay behind, stopped."""
        second = ctypes.c_ulong()
        self._ask(_GETEVENTMSG, 0, ctypes.addressof(second))
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(second.value, signal.SIGKILL)
            os.waitpid(second.value, _WAIT_FOR_CLONES_TOO)

    def _ask(self, request: int, address: int, data: int) -> None:
        ctypes.set_errno(0)
        if self._library.ptrace(request, self.pid, address, data) == -1 and ctypes.get_errno():
            number = ctypes.get_errno()
            if number == errno.ESRCH:
                return  # just killed: the next wait tells
            raise TracerError(f"ptrace request {request:#x} failed: {os.strerror(number)}")

    def _run_out_of_time(self) -> None:
        self._ran_out_of_time = True
        signal.pidfd_send_signal(self._handle, signal.SIGKILL)
