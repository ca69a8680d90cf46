"""The status report: what waits, for which book, since when and why.

Called by: `device/verbs.py`, `menu.py`. Pure: the store's rows in, lines out.
"""

from __future__ import annotations

from device.core import outbox
from device.core.instants import DAY_S
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.outbox import OpenEntry

WHY = {
    outbox.NEW: "will be sent with the next sync",
    outbox.INTENT: "its answer was lost; it is looked up before it is sent again",
    outbox.WAITING: "waits for its book to be found on the server",
    outbox.REJECTED: "refused by the server",
}


def report(entries: list[OpenEntry], acknowledged: int, server: str | None, problem: str | None, now: int) -> list[str]:
    """Lines for the terminal."""
    lines = [
        texts.server(server) if server else texts.NOT_CONFIGURED,
        f"Sent so far: {texts.sessions(acknowledged)}",
    ]
    if problem is not None:
        lines.append(texts.sync_failed(problem))
    if not entries:
        return [*lines, texts.NOTHING_WAITS]
    return lines + [f"{describe(entry)}, since {age(entry.since, now)}" for entry in entries]


def describe(entry: OpenEntry) -> str:
    why = (entry.reason or WHY[entry.state]) if entry.tracked else texts.UNTRACKED
    return f"{texts.things(entry.kind, entry.count)} of “{entry.title}”: {why}"


def age(since: int, now: int) -> str:
    """How long ago, in the largest whole unit."""
    elapsed = max(now - since, 0)
    for name, length in (("day", DAY_S), ("hour", 3_600), ("minute", 60)):
        if elapsed >= length:
            count = elapsed // length
            return f"1 {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"
