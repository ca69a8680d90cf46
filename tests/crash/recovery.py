"""What the worker does on the morning after: it runs again, on whatever the cut has left.

`Recovery` runs the checkout's worker many times a second: a process without threads, in which everything is imported,
forks for each state, and `device.worker.main` runs in the child as it would in a process of its own.

Promises: the child's clock is `LATER_S` ahead, as if the device had been switched on again that much later, and its
boot is another one, `UPTIME_S` ago: what was being sent when the power failed has settled. When it sleeps, its clocks
are put forward instead. Nothing else is changed.
Never: waits for more than the worker's own deadline.
Called by: `scenarios.py`. Run as a program it is the process that forks.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
import traceback
from pathlib import Path
from types import TracebackType

import device
from tests.reader import ROOT

LATER_S = 120
UPTIME_S = 60
BOOT_ID = "00000000-0000-4000-8000-000000000002"  # of the boot after the cut
DEADLINE_S = 60
BROKEN = 99  # exit code of a child in which something was raised
JOBS = ("1795000000-aaaaaa", "1795000000-bbbbbb")  # the second run must find nothing left to do


class Recovery:
    """`run` is one recovery; the worker's output is in `output` afterwards."""

    def __init__(self, scratch: Path) -> None:
        self._output = scratch / "output"
        boot_id = scratch / "boot_id"
        boot_id.write_text(BOOT_ID)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.recovery", str(boot_id), str(self._output)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Recovery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    @property
    def output(self) -> str:
        return self._output.read_text("utf-8", "replace")

    def run(self, data: Path, first: tuple[str, ...] = ()) -> list[dict[str, object]]:
        """Runs the verb `first`, if any, and syncs twice; the results of the syncs, whose files are removed.

        Raises ValueError when one is missing or broken.
        """
        (data / "jobs").mkdir(exist_ok=True)
        for job in JOBS:
            fields = {"version": 1, "job": job, "verb": "sync", "reason": "tap", "deadline_s": DEADLINE_S}
            (data / "jobs" / f"{job}.json").write_text(json.dumps(fields))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(data), *first]) + "\n")
        self._process.stdin.flush()
        ended = self._process.stdout.readline().strip()
        if not ended.isdigit() or int(ended) == BROKEN:
            raise ValueError(f"the worker ended with {ended or 'nothing at all'}: {self.output}")
        results = []
        for job in JOBS:
            path = data / "results" / f"{job}.json"
            if not path.exists():
                raise ValueError(f"there is no result: {self.output}")
            results.append(json.loads(path.read_text()))
            path.unlink()
        return results


def serve(boot_id: str, output: str) -> None:
    """Per line in a data folder and what to run first; per line out the child's end."""
    _import_everything()
    gc.freeze()
    for line in sys.stdin:
        data, *first = json.loads(line)
        child = os.fork()
        if child == 0:
            code = BROKEN
            try:
                code = _recover(data, first, boot_id, output)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_everything() -> None:
    """What the child would import otherwise, each time anew."""
    for module in pkgutil.walk_packages(device.__path__, "device."):
        if module.name != "device.__main__":
            importlib.import_module(module.name)


def _recover(data: str, first: list[str], boot_id: str, output: str) -> int:
    handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    from device import process, worker

    wall, boot, monotonic = time.time, time.clock_gettime, time.monotonic
    started = boot(process.CLOCK_BOOTTIME)
    slept_s = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept_s
        slept_s += seconds

    def clock_gettime(clock: int) -> float:
        return boot(clock) + slept_s + (UPTIME_S - started if clock == process.CLOCK_BOOTTIME else 0)

    time.time = lambda: wall() + LATER_S + slept_s
    time.monotonic = lambda: monotonic() + slept_s
    time.clock_gettime = clock_gettime
    time.sleep = sleep  # type: ignore[assignment]  # the worker sleeps for plain numbers only
    process.BOOT_ID = boot_id
    if first:
        worker.main([*first, "--data", data])
    codes = [worker.main(["sync", "--data", data, "--job", f"{data}/jobs/{job}.json"]) for job in JOBS]
    return max(codes)


if __name__ == "__main__":
    serve(*sys.argv[1:])
