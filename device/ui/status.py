"""The status report and the menu model: what waits, for which book, since when and why.

Called by: `device/worker.py`. Pure: the store's rows in, lines and menu items out.
"""

from __future__ import annotations

from device.core import outbox
from device.core.instants import DAY_S
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.store.outbox import OpenEntry

MENU_VERSION = 1
MENU_ENTRIES_MAX = 20  # more would be pages of menu; `status` on the command line names them all

WHY = {
    outbox.NEW: "will be sent with the next sync",
    outbox.INTENT: "its answer was lost; it is looked up before it is sent again",
    outbox.WAITING: "waits for its book to be found on the server",
    outbox.REJECTED: "refused by the server",
}


def report(entries: list[OpenEntry], acknowledged: int, server: str | None, problem: str | None, now: int) -> list[str]:
    """Lines for the terminal."""
    lines = [f"Server: {server}" if server else texts.NOT_CONFIGURED, f"Sent so far: {texts.sessions(acknowledged)}"]
    if problem is not None:
        lines.append(f"The last sync failed: {problem}")
    if not entries:
        return [*lines, texts.NOTHING_WAITS]
    return lines + [f"{describe(entry)}, since {age(entry.since, now)}" for entry in entries]


def describe(entry: OpenEntry) -> str:
    return f"{texts.sessions(entry.count)} of “{entry.title}”: {entry.reason or WHY[entry.state]}"


def age(since: int, now: int) -> str:
    """How long ago, in the largest whole unit."""
    elapsed = max(now - since, 0)
    for name, length in (("day", DAY_S), ("hour", 3_600), ("minute", 60)):
        if elapsed >= length:
            count = elapsed // length
            return f"1 {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"


def menu(
    entries: list[OpenEntry], server: str | None, last_sync_at: int, problem: str | None, now: int
) -> dict[str, Json]:
    """The menu model of docs/protocol.md."""
    items: list[Json] = [
        _action("sync", "Sync now", "Sends what waits to the server.", server is not None),
        _action("selfcheck", "Check the connection", "Tries store, clock, certificates and server.", True),
        _text("server", f"Server: {server}" if server else texts.NOT_CONFIGURED),
        _text("last", f"Last sync: {age(last_sync_at, now)} ago" if last_sync_at else "Not synced yet"),
    ]
    if problem is not None:
        items.append(_text("problem", f"The last sync failed: {problem}"))
    if not entries:
        items.append(_text("waiting", texts.NOTHING_WAITS))
    for number, entry in enumerate(entries[:MENU_ENTRIES_MAX], 1):
        items.append(_text(f"waiting-{number}", describe(entry)))
    if len(entries) > MENU_ENTRIES_MAX:
        items.append(_text("waiting-more", f"… and {len(entries) - MENU_ENTRIES_MAX} more"))
    return {"version": MENU_VERSION, "title": "BookLore Sync", "items": items}


def _action(verb: str, label: str, help: str, enabled: bool) -> Json:
    return {"id": verb, "kind": "action", "label": label, "help": help, "enabled": enabled, "verb": verb}


def _text(id: str, label: str) -> Json:
    return {"id": id, "kind": "text", "label": label, "enabled": False}
