"""The built executables, and ways to run them as a device would."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.reader import ROOT, RUN_LIMIT_S

BIN = ROOT / "dist" / "bin"
ARMV7 = BIN / "booklore-sync-armv7"
X86_64 = BIN / "booklore-sync-x86_64"
QEMU_ARM = "qemu-arm-static"
OLDEST_CPU = "cortex-a8"  # Kobo Touch, Kindle 4: an instruction that it lacks must fail here


def built(path: Path) -> Path:
    """The executable; a test that needs it fails, and says what to do, when it has not been built."""
    assert path.exists(), f"{path.relative_to(ROOT)} is missing: make test builds it"
    return path


def qemu_arm() -> str:
    found = shutil.which(QEMU_ARM)
    assert found is not None, "qemu-arm-static is missing (Debian package qemu-user-static)"
    return found


def arm_worker() -> tuple[str, ...]:
    """The armv7 executable on the oldest processor we support."""
    return (qemu_arm(), "-cpu", OLDEST_CPU, str(built(ARMV7)))


class EmptyRoot:
    """A root folder that holds the armv7 executable, the data folder, and nothing else: no libraries, no /proc, no
    /etc, no /dev. qemu is handed in as an open descriptor, so not even the emulator lies in there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.data.mkdir(parents=True)
        shutil.copy(built(ARMV7), path / "booklore-sync")

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        """`verb` with the data folder of this root. Needs the right to chroot (root, as in CI)."""
        emulator = os.open(qemu_arm(), os.O_RDONLY)
        reading, writing = os.pipe()
        errors_reading, errors_writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
                os.dup2(writing, 1)
                os.dup2(errors_writing, 2)
                os.chroot(self.path)
                os.chdir("/")
                arguments = ["qemu-arm", "-cpu", OLDEST_CPU, "/booklore-sync", verb, "--data", "/data", *options]
                os.execve(emulator, arguments, {})
            finally:
                os._exit(127)
        for handle in (emulator, writing, errors_writing):
            os.close(handle)
        with os.fdopen(reading) as out, os.fdopen(errors_reading) as errors:
            stdout, stderr = out.read(), errors.read()
        _, status = os.waitpid(child, 0)
        return subprocess.CompletedProcess([verb], os.waitstatus_to_exitcode(status), stdout, stderr)


__all__ = ["ARMV7", "RUN_LIMIT_S", "X86_64", "EmptyRoot", "arm_worker", "built"]
