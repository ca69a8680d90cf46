"""Runs a program as if on Linux 2.6.32: every system call that came later is answered "no such call".

    python tests/device/old_kernel.py PROGRAM ARGUMENT ...

Promises: nothing else changes; the program and all its children see ENOSYS for each system call numbered 299 and up, as
the kernel of a ten-year-old e-reader would answer. The numbers are those of x86_64 (arch/x86/entry/syscalls in Linux):
298, perf_event_open, came with 2.6.31; 299, recvmmsg, with 2.6.33.
Never: needs root or a library: the filter is seven instructions of BPF, set with prctl.
Called by: the tests of the finished executable.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import sys

FIRST_NEWER_CALL = 299
AUDIT_ARCH_X86_64 = 0xC000003E
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_KILL, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00000000, 0x00050000, 0x7FFF0000
# Offsets in struct seccomp_data.
CALL_NUMBER_AT, ARCHITECTURE_AT = 0, 4
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06


class Instruction(ctypes.Structure):
    """struct sock_filter: code, jump if true, jump if false, operand."""

    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction)))


FILTER = (
    (LOAD_WORD, 0, 0, ARCHITECTURE_AT),
    (JUMP_IF_EQUAL, 1, 0, AUDIT_ARCH_X86_64),
    (RETURN, 0, 0, SECCOMP_RET_KILL),
    (LOAD_WORD, 0, 0, CALL_NUMBER_AT),
    (JUMP_IF_AT_LEAST, 0, 1, FIRST_NEWER_CALL),
    (RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.ENOSYS),
    (RETURN, 0, 0, SECCOMP_RET_ALLOW),
)


def become_old() -> None:
    """Puts the filter on this process, for good."""
    if platform.machine() != "x86_64" or sys.platform != "linux":
        raise SystemExit("old_kernel.py knows the system calls of Linux on x86_64 only")
    libc = ctypes.CDLL(None, use_errno=True)
    instructions = (Instruction * len(FILTER))(*(Instruction(*fields) for fields in FILTER))
    program = Program(len(FILTER), instructions)
    for call in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*call) != 0:
            number = ctypes.get_errno()
            raise SystemExit(f"prctl({call[0]}) failed: {os.strerror(number)}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    become_old()
    os.execv(sys.argv[1], sys.argv[1:])
