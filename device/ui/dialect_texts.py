"""Texts about what a server, or the account there, cannot do.

Called by: `device/sending/rights.py`, `device/verbs/`, `device/selfcheck.py`. Law: what `texts.py` says of texts.
"""

from __future__ import annotations

# By what is lacking (device/server/permissions.py).
LACKING = {
    "library": (
        "Your account has no library assigned, so that none of your books can be found on the server."
        " An administrator can assign one."
    ),
    "download": "Your account may not download books.",
    "koreader": "Your account may not sync KOReader progress: the exact position in a book stays on this device.",
    "opds": "Your account may not use OPDS, so that the server cannot tell which file is which book.",
}
ALLOWED = "the account may do everything that is needed"


def lacking(words: list[str]) -> list[str]:
    """One sentence for each; words of a later version are passed over."""
    return [LACKING[word] for word in words if word in LACKING]
