"""The status report: what waits, for which book, since when and why.

Called by: `device/verbs/`, `menu.py`. Pure: the store's rows in, lines out.
"""

from __future__ import annotations

from device.core.instants import DAY_S
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.outbox import OpenEntry


def report(entries: list[OpenEntry], there: int, server: str | None, problem: str | None, now: int) -> list[str]:
    """Lines for the terminal. `there`: how many sessions are known to be on the server, by whomever sent."""
    lines = [texts.server(server) if server else texts.NOT_CONFIGURED, texts.on_the_server(there)]
    if problem is not None:
        lines.append(texts.sync_failed(problem))
    if not entries:
        return [*lines, texts.NOTHING_WAITS]
    return lines + [texts.since(describe(entry), age(entry.since, now)) for entry in entries]


def describe(entry: OpenEntry) -> str:
    return texts.waits(entry.kind, entry.count, entry.title, why(entry))


def why(entry: OpenEntry) -> str:
    """Why it is not acknowledged."""
    return (entry.reason or texts.WHY[entry.state]) if entry.tracked else texts.UNTRACKED


def age(since: int, now: int) -> str:
    """How long ago, in the largest whole unit."""
    elapsed = max(now - since, 0)
    for name, length in (("day", DAY_S), ("hour", 3_600), ("minute", 60)):
        if elapsed >= length:
            count = elapsed // length
            return f"1 {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"
