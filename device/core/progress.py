"""How far a book is read, here and on the server: who tells whom.

Rule 1: the server is asked before it is told. A position there that is newer than the device's is never replaced; it is
offered to the reader, forwards or backwards as she has set. Nobody is moved backwards without having been asked.

The server keeps several positions of one book, none with a time of its own: the web reader's, another KOReader's, a
Kobo's. When it last heard anything is known (`heard_at`). A position is news if it differs from what was heard last
time (or is heard for the first time) and is neither ours nor what was agreed.

    here       there    what happens
    as agreed  no news  nothing
    moved      no news  the server is told
    as agreed  news     offered
    moved      news     offered, unless we are further on and read later than it was heard: then the server is told

An offer that was not answered yet is still news. Where the reader wants no offers, the later of the two counts.

Called by: `device/sending/book_states.py`. Never: stores, sends, asks.
"""

from __future__ import annotations

from device.core import preferences

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.preferences import Preferences

CLOSE = 0.0015  # the servers round to one decimal of a percent, their databases to single precision
PAGE_MAX_DIGITS = 8  # of a page's number
SAME = 0.0001  # of the device's own: a page of ten thousand
NEAR = 0.005  # of an offer: half a percent is a page or two, which is not worth a question

TOLD = "told"  # among what was heard: what the server may have been told, if its answer was lost

TELL, OFFER, NOTHING = "tell", "offer", "nothing"


class Heard:
    """What the server says: fractions 0..1 by who told it, and when it last heard of any (epoch seconds)."""

    __slots__ = ("fractions", "heard_at")

    def __init__(self, fractions: dict[str, float], heard_at: int | None) -> None:
        self.fractions = fractions
        self.heard_at = heard_at

    def text(self) -> str:
        """For the store; `parse` reads it."""
        return " ".join(f"{name}={fraction:.4f}" for name, fraction in sorted(self.fractions.items()))


def parse(text: str | None) -> dict[str, float]:
    """The fractions of `Heard.text`; what is none is left out."""
    found: dict[str, float] = {}
    for part in (text or "").split():
        name, _, number = part.partition("=")
        fraction = to_fraction(number)
        if fraction is not None:
            found[name] = fraction
    return found


class Place:
    """What is offered: a fraction, and the exact place where somebody said it: a page of fixed ones, or an xpointer."""

    __slots__ = ("fraction", "page", "xpointer")

    def __init__(self, fraction: float, page: int | None = None, xpointer: str | None = None) -> None:
        self.fraction = fraction
        self.page = page
        self.xpointer = xpointer

    def text(self) -> str:
        """For the store."""
        exactly = self.xpointer or ("" if self.page is None else str(self.page))
        return f"{self.fraction:.4f} {exactly}".rstrip()


def parse_place(text: str | None) -> Place | None:
    number, _, exactly = (text or "").partition(" ")
    fraction = to_fraction(number)
    if fraction is None:
        return None
    if exactly.isascii() and exactly.isdigit():
        return Place(fraction, int(exactly) if len(exactly) < PAGE_MAX_DIGITS else None)
    return Place(fraction, None, exactly or None)


def to_fraction(text: str | None) -> float | None:
    try:
        fraction = float(text or "")
    except ValueError:
        return None
    return fraction if 0 <= fraction <= 1 else None


class Decision:
    """`outcome`: TELL, OFFER, NOTHING; `fraction`: what is told or offered.

    `without_offers`: the outcome instead of OFFER, where the reader wants none.
    """

    __slots__ = ("fraction", "outcome", "without_offers")

    def __init__(self, outcome: str, fraction: float | None = None, without_offers: str = NOTHING) -> None:
        self.outcome = outcome
        self.fraction = fraction
        self.without_offers = without_offers


def decide(
    ours: float | None,
    read_at: int,
    agreed: float | None,
    heard: Heard,
    before: dict[str, float] | None,
    decimals: int = 2,
) -> Decision:
    """`before`: what the server said last time, None if it was never heard. `read_at`: by the server's clock.

    `decimals`: those of the percent that the server is told, so that it is known again when it comes back.
    """
    moved = has_moved(ours, agreed)
    told = None if before is None else before.get(TOLD)
    news = _news((ours, agreed, told), heard, before, CLOSE + 0.005 / 10**decimals)
    if news is None:
        return Decision(TELL, ours) if moved else Decision(NOTHING)
    later = moved and heard.heard_at is not None and read_at > heard.heard_at
    if later and ours is not None and ours >= news:
        return Decision(TELL, ours)
    return Decision(OFFER, news, TELL if later else NOTHING)


def has_moved(ours: float | None, agreed: float | None) -> bool:
    return ours is not None and (agreed is None or abs(ours - agreed) > SAME)


def _news(mine: tuple[float | None, ...], heard: Heard, before: dict[str, float] | None, close: float) -> float | None:
    """The position that somebody else has told the server; of several the furthest."""
    found: float | None = None
    for name, fraction in heard.fractions.items():
        known = None if before is None else before.get(name)
        if known is not None and abs(fraction - known) < CLOSE:
            continue
        if any(place is not None and abs(fraction - place) < close for place in mine):
            continue
        if before is None and not fraction:
            continue  # a book that nobody has begun
        found = fraction if found is None else max(found, fraction)
    return found


def how_to_offer(offered: float, ours: float | None, wanted: Preferences) -> str:
    """SILENTLY, ASK or OFF."""
    here = ours or 0.0
    if abs(offered - here) < NEAR:
        return preferences.OFF
    if offered > here:
        return str(wanted.get(preferences.PROGRESS_FORWARD))
    return str(wanted.get(preferences.PROGRESS_BACKWARD))
