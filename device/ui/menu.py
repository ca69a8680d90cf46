"""The menu model of docs/protocol.md: what the launcher draws under *Tools*, as data.

Called by: `device/verbs/`. Pure: preferences and the store's rows in, items out.
"""

from __future__ import annotations

from device.ui import account_menu, account_texts, collecting_texts, texts
from device.ui.settings_menu import settings
from device.ui.status import age, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.preferences import Preferences
    from device.json_text import Json
    from device.store.outbox import OpenEntry

VERSION = 1
ENTRIES_MAX = 20  # more would be pages of menu; `status` on the command line names them all


class State:
    """What the menu shows. `problem`: what the last sync that failed had to say; `offers`: items that come first."""

    __slots__ = (
        "account", "entries", "hardcover", "has_other_accounts", "lacking", "last_sync_at", "marks", "matching", "now",
        "offers", "preferences", "problem", "server", "untracked",
    )  # fmt: skip

    def __init__(self, entries: list[OpenEntry], preferences: Preferences, now: int) -> None:
        self.entries = entries
        self.preferences = preferences
        self.now = now
        self.server: str | None = None
        self.last_sync_at = 0
        self.problem: str | None = None
        self.untracked: list[str] = []
        self.offers: list[Json] = []
        self.account: account_menu.Shown | None = None
        self.has_other_accounts = False  # elsewhere than at a server
        self.lacking: list[str] = []  # what the account at the server may not do
        self.matching: list[Json] = []  # of the open book, and of those that are not matched
        self.hardcover: list[Json] = []  # its submenu, if there is one
        self.marks: list[Json] = []  # what there is to say of highlights, notes and bookmarks


def menu(state: State) -> dict[str, Json]:
    items: list[Json] = [
        *state.offers,
        action("sync", texts.SYNC_NOW, texts.SYNC_NOW_HELP, state.server is not None),
        {
            "id": "track",
            "kind": "toggle",
            "label": texts.TRACK,
            "help": texts.TRACK_HELP,
            "needs": "book",
            "checked": True,
            "unchecked_for": list(state.untracked),
            "verb": "track",
        },
        _submenu("settings", texts.SETTINGS, settings(state.preferences, state.marks)),
        _submenu("history", texts.HISTORY, _history()),
        *_collecting(state),
        *state.matching,
        *state.hardcover,
        *_account(state),
        action("selfcheck", texts.SELFCHECK, texts.SELFCHECK_HELP, True),
        text("server", texts.server(state.server) if state.server else texts.NOT_CONFIGURED),
        *(account_menu.notes(state.account) if state.account else []),
        text("last", texts.last_sync(age(state.last_sync_at, state.now)) if state.last_sync_at else texts.NO_SYNC_YET),
    ]
    if state.preferences.is_manual():
        items.append(text("manual", texts.MANUAL))
    if state.problem is not None:
        items.append(text("problem", texts.sync_failed(state.problem)))
    items.extend(text(f"lacking-{number}", line) for number, line in enumerate(state.lacking, 1))
    if not state.entries:
        items.append(text("waiting", texts.NOTHING_WAITS))
    for number, entry in enumerate(state.entries[:ENTRIES_MAX], 1):
        items.append(text(f"waiting-{number}", describe(entry)))
    if len(state.entries) > ENTRIES_MAX:
        items.append(text("waiting-more", texts.more(len(state.entries) - ENTRIES_MAX)))
    return {"version": VERSION, "title": "BookLore Sync", "items": items}


def plugin_offer() -> list[Json]:
    """An older plugin's data lies there: take it over, or never ask again."""
    take = action("plugin-import", texts.PLUGIN_IMPORT, texts.PLUGIN_IMPORT_HELP, True, "import-plugin")
    decline = action("plugin-decline", texts.PLUGIN_DECLINE, texts.PLUGIN_DECLINE_HELP, True, "import-plugin")
    decline["arguments"] = {"decline": True}
    return [take, decline]


def _account(state: State) -> list[Json]:
    if state.account:
        return [_submenu("account", account_texts.ACCOUNT, account_menu.account(state.account))]
    if state.has_other_accounts:
        return [_submenu("account", account_texts.ACCOUNT, account_menu.others())]
    return []


def _history() -> list[Json]:
    preview = action("history-preview", texts.HISTORY_PREVIEW, texts.HISTORY_PREVIEW_HELP, True, "status")
    preview["arguments"] = {"history": True}
    importing = action("history-import", texts.HISTORY_IMPORT, texts.HISTORY_IMPORT_HELP, True, "import-history")
    importing["confirm"] = texts.HISTORY_IMPORT_CONFIRM
    return [preview, importing]


def _collecting(state: State) -> list[Json]:
    if not state.preferences.collects_marks():
        return []
    item = action("collect-marks", collecting_texts.LOOK, collecting_texts.LOOK_HELP, True)
    item["confirm"] = collecting_texts.LOOK_CONFIRM
    return [item]


def _submenu(id: str, label: str, items: list[Json]) -> Json:
    return {"id": id, "kind": "menu", "label": label, "items": items}


def action(id: str, label: str, help: str, enabled: bool, verb: str | None = None) -> dict[str, Json]:
    """An item whose tap starts a verb, the one of its own name by default."""
    return {"id": id, "kind": "action", "label": label, "help": help, "enabled": enabled, "verb": verb or id}


def text(id: str, label: str) -> Json:
    return {"id": id, "kind": "text", "label": label, "enabled": False}
