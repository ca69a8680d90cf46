"""What an account at the server may not do, read from `users/me`.

Promises: what the answer does not say counts as allowed; an administrator may do everything.
Never: keeps anybody from trying; what is allowed the server decides when it is asked.
Called by: `device/sending/rights.py`, `device/selfcheck.py`.
Source: the permissions of BookLore 2.3.0 and Grimmory 3.2.4. Sending reading sessions needs none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

ME = "/api/v1/users/me"

LIBRARY, DOWNLOAD, KOREADER, OPDS = "library", "download", "koreader", "opds"  # what may be lacking
NEEDED = {DOWNLOAD: "canDownload", KOREADER: "canSyncKoReader", OPDS: "canAccessOpds"}


def lacking(me: Json) -> list[str]:
    """Raises ValueError if this is no answer of `users/me`."""
    permissions = me.get("permissions") if isinstance(me, dict) else None
    if not isinstance(me, dict) or not isinstance(permissions, dict):
        raise ValueError("the server does not tell the account's permissions")
    if permissions.get("admin") is True:
        return []
    found = [what for what, name in NEEDED.items() if permissions.get(name) is False]
    return [LIBRARY, *found] if me.get("assignedLibraries") == [] else found
