"""The account in the menu model: where it is, and the ways out of it. The user's name is not in it: the model's file
can be read by anybody who has the device's storage in hand.

Called by: `menu.py`, with what `device/verbs/` knows of the account. Pure.
"""

from __future__ import annotations

from device.ui import account_texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json


class Shown:
    """What may be shown of an account. `local_server` and `network` may be empty."""

    __slots__ = ("is_pinned", "local_server", "network", "server", "unencrypted")

    def __init__(self, server: str) -> None:
        self.server = server
        self.local_server = ""
        self.network = ""
        self.unencrypted: list[str] = []  # those of its addresses that are
        self.is_pinned = False


def account(shown: Shown) -> list[Json]:
    """The submenu's items."""
    items: list[Json] = []
    if shown.local_server:
        items.append(_text("account-local", account_texts.local_server(shown.local_server, shown.network)))
    if shown.is_pinned:
        items.append(_text("account-pinned", account_texts.PINNED))
        items.append(
            {
                "id": "account-unpin",
                "kind": "action",
                "label": account_texts.UNPIN,
                "help": account_texts.UNPIN_HELP,
                "confirm": account_texts.UNPIN_CONFIRM,
                "verb": "trust",
                "arguments": {"fingerprint": "none"},
            }
        )
    items.append(
        {
            "id": "sign-out",
            "kind": "action",
            "label": account_texts.SIGN_OUT,
            "help": account_texts.SIGN_OUT_HELP,
            "confirm": account_texts.SIGN_OUT_CONFIRM,
            "verb": "sign-out",
        }
    )
    return items


def others() -> list[Json]:
    """The submenu's items where there are only accounts elsewhere than at a server."""
    return [
        {
            "id": "sign-out",
            "kind": "action",
            "label": account_texts.SIGN_OUT_OF_OTHERS,
            "help": account_texts.SIGN_OUT_OF_OTHERS_HELP,
            "confirm": account_texts.SIGN_OUT_OF_OTHERS_CONFIRM,
            "verb": "sign-out",
        }
    ]


def notes(shown: Shown) -> list[Json]:
    """What stands in the menu itself, below the server: it is to be seen."""
    if not shown.unencrypted:
        return []
    item: Json = {
        "id": "unencrypted",
        "kind": "text",
        "label": account_texts.UNENCRYPTED,
        "help": account_texts.unencrypted(" and ".join(shown.unencrypted)),
        "enabled": False,
    }
    return [item]


def _text(id: str, label: str) -> Json:
    return {"id": id, "kind": "text", "label": label, "enabled": False}
