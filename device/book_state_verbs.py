"""The verbs of this room."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.verbs import Run


def rate(run: Run) -> None:
    raise ValueError("not yet")


def mark(run: Run) -> None:
    raise ValueError("not yet")


def position(run: Run) -> None:
    raise ValueError("not yet")


def applied(run: Run) -> None:
    raise ValueError("not yet")
