"""One headless Chromium: how it is started, what it may do, and how it ends.

Promises: a profile of its own that goes with it, no process left behind, nothing reached but loopback.
Never: opens a window; keeps a profile.
Called by: `browser`, `remote_page`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = "chromium"
END_LIMIT_S = 5
LOG_CHARACTERS = 2000
NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody listens at: what is not loopback goes there and fails

FLAGS = (
    "--headless=new",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--metrics-recording-only",
    "--mute-audio",
    "--password-store=basic",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--window-size=1000,800",
    f"--proxy-server={NOWHERE}",
    "--proxy-bypass-list=127.0.0.1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

# Chromium wants its two pipes as descriptors 3 and 4, which Python's own machinery may be using until the last moment.
WITH_PIPES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class BrowserFailed(Exception):
    """The browser did not start, died, or did not answer; the text holds the end of what it said."""


class Chromium:
    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(prefix="booklore-sync-browser-", ignore_cleanup_errors=True)
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_there() -> bool:
        return shutil.which(PROGRAM) is not None

    @property
    def profile(self) -> Path:
        return Path(self._profile.name)

    @property
    def process_id(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, address: str, pipes: tuple[int, int] | None = None) -> None:
        """`pipes`: what the browser reads orders from, and what it writes answers to; neither may be 3 or 4."""
        program = shutil.which(PROGRAM)
        if program is None:
            raise BrowserFailed(f"{PROGRAM} is not on this machine (Debian package chromium)")
        command = [program, *FLAGS, f"--user-data-dir={self.profile / 'profile'}"]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium's sandbox refuses to start as root
        if pipes is not None:
            command = [sys.executable, "-c", WITH_PIPES, *map(str, pipes), *command, "--remote-debugging-pipe"]
        with (self.profile / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, address],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=pipes or (),
                env={**os.environ, "HOME": str(self.profile), "DBUS_SESSION_BUS_ADDRESS": "disabled:"},
            )

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """The end of what it has said."""
        path = self.profile / "log"
        return path.read_text(errors="replace")[-LOG_CHARACTERS:] if path.exists() else ""

    def stop(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            _wait_for_group(self._process.pid)
            self._process = None
        self._profile.cleanup()


def _wait_for_group(pid: int) -> None:
    """The browser's own children end a moment after it, and write to the profile until then."""
    ends_at_s = time.monotonic() + END_LIMIT_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < ends_at_s:
            os.killpg(pid, 0)
            time.sleep(0.02)
