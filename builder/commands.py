"""Runs the long commands of a build.

Promises: the output of a command goes to a log file; a line about it is printed at least every ten seconds, terminal or
not; a command that fails raises `BuildError` with the command, the log file and the log's last lines.
Never: lets a command see the caller's environment. A build depends on what it is given here, nothing else.
Called by: every step.
"""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from builder.failures import BuildError

PROGRESS_INTERVAL_S = 10.0
FAILURE_TAIL_LINES = 25
FAILURE_LINE_MAX_CHARS = 300
# What a compiler run may inherit: how to reach the network and the user's own files, never flags such as CFLAGS.
INHERITED_VARIABLES = (
    "HOME", "PATH", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
)  # fmt: skip
# Any moment will do as long as it is the same for all; this is 2020-01-01, which zip files can hold as well.
SOURCE_DATE_EPOCH = 1577836800


def say(text: str) -> None:
    """Prints one line of progress at once, also when the output is a pipe."""
    print(text, file=sys.stderr, flush=True)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a build command: the few inherited variables, a fixed locale and time, and `extra`."""
    environment = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment |= {
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return environment | dict(extra)


def run(
    label: str,
    command: Sequence[str],
    *,
    directory: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Runs `command` in `directory`, appending its output to `log`; `label` names it in the progress lines."""
    started_s = time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        output.write(f"$ {shlex.join(command)}\n".encode())
        output.flush()
        try:
            process = subprocess.Popen(
                list(command),
                cwd=directory,
                env=clean_environment(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except FileNotFoundError as error:
            raise BuildError(
                f"{label}: the program {command[0]!r} is not installed, see builder/host-packages.txt"
            ) from error
        try:
            while True:
                try:
                    code = process.wait(PROGRESS_INTERVAL_S)
                    break
                except subprocess.TimeoutExpired:
                    elapsed_s = round(time.monotonic() - started_s)
                    say(f"    {label}: {elapsed_s} s, {_line_count(log)} lines of log")
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if code != 0:
        tail = "\n".join("    | " + line for line in _last_lines(log))
        raise BuildError(
            f"{label} failed with exit code {code}\n  command: {shlex.join(command)}\n  in: {directory}\n"
            f"  log: {log}\n{tail}"
        )


def _line_count(log: Path) -> int:
    with log.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 16), b""))


def _last_lines(log: Path) -> list[str]:
    lines = [line for line in log.read_text(errors="replace").splitlines() if not line.startswith("$ ")]
    return [line[:FAILURE_LINE_MAX_CHARS] for line in lines[-FAILURE_TAIL_LINES:]]
