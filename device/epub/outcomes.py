"""What comes of looking for a place: how sure it is, why, and the place itself.

Called by: `from_koreader.py` and `from_web.py`, which make them; `positions.py` hands them on.
"""

from __future__ import annotations

EXACT, REPAIRED, APPROXIMATE = "exact", "repaired", "approximate"  # positions.py says what they mean

CONVERTER = 1  # of the rules by which places are found; raised when they improve: what was approximate is tried again

# Why a result is what it is.
NO_POINTER, NO_CFI = "no-pointer", "no-cfi"  # cannot be read
NO_DOCUMENT = "no-document"  # the place is in no chapter of this book
NO_PLACE = "no-place"  # ... or not in its chapter
NO_TEXT = "no-text"  # nothing to prove it with
ENGINE_TEXT = "engine-text"  # words that only KOReader has: its notes for what it cannot show, pictures in the spine
UNUSABLE = "unusable"  # the chapter is damaged, missing or too large
NOT_FOUND, AMBIGUOUS = "not-found", "ambiguous"
READERS_DIFFER = "readers-differ"  # the web reader shows other characters there, or its CFI would be too long
HIDDEN = "hidden"  # KOReader does not show these words
MOVED, OTHER_DOCUMENT = "moved", "other-document"  # repaired: found near the place, or in another chapter
CROSS_DOCUMENT = "cross-document"  # repaired: the part in the first chapter that has words of it
BROWSERS_DIFFER = "browsers-differ"  # right, but Chromium has other words there: the file is not UTF-8
PARTLY_HIDDEN = "partly-hidden"  # what KOReader shows of it
DANGLING = "dangling-entry"  # right, but the web reader opens the wrong chapter (its own mistake)


class Wanted:
    """A highlight as KOReader keeps it; without `pos1` a page bookmark. `dom`: with which DOM version it was made."""

    __slots__ = ("dom", "pos0", "pos1", "text")

    def __init__(self, pos0: str, pos1: str | None, text: str | None, dom: int | None = None) -> None:
        self.pos0 = pos0
        self.pos1 = pos1
        self.text = text
        self.dom = dom


class Cfi:
    """`cfi` is None if approximate; `text`: what the web reader shows there, None for a place."""

    __slots__ = ("cfi", "reason", "status", "text")

    def __init__(self, cfi: str | None, status: str, text: str | None, reason: str) -> None:
        self.cfi = cfi
        self.status = status
        self.text = text
        self.reason = reason


class Pointers:
    """`pos0` is None if approximate, `pos1` also for a place without extent."""

    __slots__ = ("pos0", "pos1", "reason", "status", "text")

    def __init__(self, pos0: str | None, pos1: str | None, text: str | None, status: str, reason: str) -> None:
        self.pos0 = pos0
        self.pos1 = pos1
        self.text = text
        self.status = status
        self.reason = reason
