"""When things really happened: the instants and lengths in a reading, from three clocks of which none is always right.

Rule 1: everything that decides which clock is believed lives in this file.

The clocks of a moment (docs/protocol.md, Journal):
  wall      epoch seconds; jumps when a network sets it, 1970 after an empty battery, 12 hours off after a wrong zone
  boot      milliseconds since the boot, sleep included; never jumps; absent on kernels before 2.6.39
  monotonic milliseconds that may stand still asleep

A length is taken from `boot` where both ends have it, else awake from `monotonic`, else from `wall`. Where the wall
clock moved more than `TOLERANCE_S` from that length, it jumped. A clock is set right far more often than it is set
wrong, so what follows a jump is believed, and what came before is moved up to it; except that a clock before 2020 is
never believed if the reading has another.

Promises: instants never decrease; lengths are never negative.
Called by: `reading_session.py`. Never: looks at a clock itself.
"""

from __future__ import annotations

from device.core import journal
from device.core.instants import EARLIEST_PLAUSIBLE_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.journal import Moment

TOLERANCE_S = 90  # drift and rounding, not a jump


class Timeline:
    """For each moment its instant in epoch seconds; for each gap behind it (the last has none) its length in ms.

    `jumped[n]`: the wall clock jumped in gap n. `moved[n]`: the instant of moment n is not what its wall clock said.
    """

    __slots__ = ("instants", "jumped", "lengths_ms", "moved")

    def __init__(self, instants: list[int], lengths_ms: list[int], jumped: list[bool], moved: list[bool]) -> None:
        self.instants = instants
        self.lengths_ms = lengths_ms
        self.jumped = jumped
        self.moved = moved


def timeline(moments: list[Moment]) -> Timeline:
    lengths_ms: list[int] = []
    jumped: list[bool] = []
    for number in range(len(moments) - 1):
        length_ms, jump = _length(moments[number], moments[number + 1])
        lengths_ms.append(length_ms)
        jumped.append(jump)
    believed = _believed(moments)
    instants = [moment.wall_s for moment in moments]
    shift_s = 0
    for number in range(believed - 1, -1, -1):
        if jumped[number]:
            wall_step_s = moments[number + 1].wall_s - moments[number].wall_s
            shift_s += wall_step_s - lengths_ms[number] // 1000
        instants[number] = max(min(moments[number].wall_s + shift_s, instants[number + 1]), 0)
    shift_s = 0
    for number in range(believed, len(moments) - 1):
        if jumped[number]:
            wall_step_s = moments[number + 1].wall_s - moments[number].wall_s
            shift_s += lengths_ms[number] // 1000 - wall_step_s
        instants[number + 1] = max(moments[number + 1].wall_s + shift_s, instants[number])
    moved = [instant != moment.wall_s for instant, moment in zip(instants, moments, strict=True)]
    return Timeline(instants, lengths_ms, jumped, moved)


def _believed(moments: list[Moment]) -> int:
    """Index of the moment whose wall clock all others are placed by: the last, unless only an earlier one is sane."""
    for number in range(len(moments) - 1, -1, -1):
        if moments[number].wall_s >= EARLIEST_PLAUSIBLE_S:
            return number
    return max(len(moments) - 1, 0)


def _length(earlier: Moment, later: Moment) -> tuple[int, bool]:
    """(milliseconds between two moments, whether the wall clock says something else)."""
    wall_ms = (later.wall_s - earlier.wall_s) * 1000
    boot_ms = _difference(earlier.boot_ms, later.boot_ms)
    if boot_ms is not None:
        return boot_ms, abs(wall_ms - boot_ms) > TOLERANCE_S * 1000
    monotonic_ms = _difference(earlier.monotonic_ms, later.monotonic_ms)
    if monotonic_ms is None:
        return max(wall_ms, 0), wall_ms < 0
    if earlier.event == journal.SUSPEND:
        # This clock may have stood still, so it only says how long the sleep was at least.
        return max(wall_ms, monotonic_ms), wall_ms < monotonic_ms - TOLERANCE_S * 1000
    return monotonic_ms, abs(wall_ms - monotonic_ms) > TOLERANCE_S * 1000


def _difference(earlier_ms: int | None, later_ms: int | None) -> int | None:
    if earlier_ms is None or later_ms is None or later_ms < earlier_ms:
        return None
    return later_ms - earlier_ms
