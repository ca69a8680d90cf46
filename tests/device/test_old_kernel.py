"""The x86_64 executable with every system call newer than Linux 2.6.32 answered ENOSYS (see old_kernel.py).

The filter needs the machine's own architecture, so this is the x86_64 build; the armv7 one shares all of its C library,
interpreter and program source.
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.device.executables import X86_64, built
from tests.reader import MOBY, ROOT, Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import make_authority, make_server_certificate

pytestmark = pytest.mark.built

OLD_KERNEL = (sys.executable, str(ROOT / "tests" / "device" / "old_kernel.py"))


def test_the_filter_does_refuse_newer_calls() -> None:
    """Python's own getrandom (Linux 3.17) must fail below the filter, or the other tests would prove nothing."""
    program = "import os, sys; sys.exit(0 if os.getrandom(1, 0) else 1)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
    run = subprocess.run([*OLD_KERNEL, sys.executable, "-c", program], capture_output=True, text=True)
    assert "Function not implemented" in run.stderr


def test_a_session_travels_over_https_on_an_old_kernel(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    server = StandIn(dialect="booklore", tls=make_server_certificate(tmp_path, authority))
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"])
    reader = Reader(tmp_path / "data", (*OLD_KERNEL, str(built(X86_64))))
    with server:
        reader.configure(server.url, ca_file=authority.certificate)
        reader.reads(**MOBY)
        assert reader.run("ingest").stdout == "1 recorded, 1 to be sent\n"
        assert reader.run("sync").stdout == "1 reading session sent.\n"
        assert len(server.sessions()) == 1
        check = reader.run("selfcheck")
        assert (check.returncode, check.stderr) == (0, "")
        assert "Nothing waits to be sent." in reader.status()


def test_only_one_run_at_a_time_on_an_old_kernel(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data", (*OLD_KERNEL, str(built(X86_64))))
    assert reader.run("status").returncode == 0
    with (reader.data / "worker.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert reader.run("status").returncode == 5
