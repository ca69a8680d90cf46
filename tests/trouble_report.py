"""What each trouble costs, with the limits that a device has: `python -m tests.trouble_report`

Prints for each: what came of the run, wall time, requests, what arrived in the end and what arrived twice, and what the
reader was told. Two minutes, most of them for hosts that say nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.trouble import SESSIONS, TROUBLES, course


def main() -> int:
    print(f"{'trouble':<30} {'outcome':<8} {'seconds':>7} {'requests':>8} {'arrived':>8} {'twice':>5}  told")
    failed = 0
    for trouble in TROUBLES:
        with tempfile.TemporaryDirectory() as folder:
            found = course(trouble, Path(folder))
        told = " ".join(message["text"] for message in found.result["messages"])
        arrived = f"{found.arrived} of {SESSIONS}"
        print(
            f"{trouble.name:<30} {found.result['outcome']:<8} {found.wall_s:7.1f} {found.requests:8d} {arrived:>8}"
            f" {found.doubled:5d}  {told}",
            flush=True,
        )
        failed += found.arrived != SESSIONS or found.doubled > 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
