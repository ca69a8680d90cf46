"""Which of a server's two addresses is tried first: the one at home, or the one for everywhere.

Rule 1: everything that decides that lies in this file.

    the network is known, and is the home network    → local, then remote
    it is known, and is another one                  → remote; then local, in doubt
    it is not known, or no home network is named     → the one that worked last; then the other; local is in doubt

In doubt: an address like 192.168.1.5 is somebody else's in another network, so what answers there has to show first
that it is BookLore, before it is told anything; and that it is ours, by taking our token, before it is told a password
or a refresh token (`device/server/http.py`). Pure. Called by: `device/sending/connecting.py`, `selfcheck.py`.
"""

from __future__ import annotations

LOCAL, REMOTE = "local", "remote"


def order(home_network: str, network: str | None, worked_last: str | None) -> list[tuple[str, bool]]:
    """The addresses to try, the first one first, and whether each is in doubt. `network`: None if it is not known."""
    if home_network and network is not None:
        if network == home_network:
            return [(LOCAL, False), (REMOTE, False)]
        return [(REMOTE, False), (LOCAL, True)]
    if worked_last == REMOTE:
        return [(REMOTE, False), (LOCAL, True)]
    return [(LOCAL, True), (REMOTE, False)]
