"""Which mark is which on the device: what it had, and what it has. (And on the server: `server_rows.py`.)

Promises: every mark is paired once. A highlight that KOReader has moved, spelt anew for another version of its engine,
or given another date, is the same one and not a deletion and a new one; marks at different words are never made one.
Never: reads books. How a position is spelt is not known here: two functions are handed in that give two spellings of
one place the same form.

The device, then and now, in this order; what is paired is out of the way for the next:

    date and position       as KOReader itself tells them apart
    date                    if only one has it on either side: moved, or spelt anew
    position                another date: also one that was deleted, as long as the server has not confirmed that
    words                   if only one has them on either side, and the whole list was seen: both are new

Called by: `device/annotation_ingest.py`.
"""

from __future__ import annotations

from device.core.annotations.holding import (
    DELETED,
    HERE,
    Holding,
    is_old_record,
)
from device.core.annotations.marks import DeviceMark
from device.core.annotations.words import TELLING_CHARS, squeezed
from device.core.outbox import HIGHLIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    Spelt = Callable[[str], str]
    Pairs = list[tuple[Holding, DeviceMark]]


class Seen:
    """What came of reading the device's marks: holdings that are different now, and marks that were not known."""

    __slots__ = ("changed", "new")

    def __init__(self) -> None:
        self.changed: list[Holding] = []
        self.new: list[DeviceMark] = []


def take_seen(
    holdings: list[Holding],
    seen: list[DeviceMark],
    is_whole: bool,
    is_old: bool = False,
    spelt: Spelt = str,
    beyond: dict[int, bool] | None = None,
) -> Seen:
    """Takes the marks that KOReader has of a book into what is known of them.

    `is_whole`: the list has all of them, so that what is not in it is gone: deleted by the reader, unless the record is
    an old copy or is not there at all any more (`is_old`, or as its content shows), or has nothing of what it had: then
    it is another record, and what it does not have is lost. `spelt`: the form of an xpointer for comparing. `beyond`:
    keys of marks that were not deleted if they are not in it. True: it is older than they are, or no record has had
    them yet: they are lost; False: nothing follows from it.
    """
    beyond = beyond or {}
    result = Seen()
    here = [holding for holding in holdings if holding.on_device() is not None]
    pairs, result.new = pair_seen(holdings, seen, is_whole, spelt)
    is_old = is_old or (is_whole and is_old_record(pairs))
    has_none = is_whole and not any(
        holding.device is not None and holding.gone == HERE and holding.device.made_at == mark.made_at
        for holding, mark in pairs
    )
    for holding, mark in pairs:
        if (has_none or is_old) and holding.device is not None and holding.device.made_at < mark.made_at:
            holding.miss(True)  # what stands at the same place in another record was made anew
        if holding.see(mark, is_old):
            result.changed.append(holding)
    if is_whole:
        paired = {id(holding) for holding, _ in pairs}
        missing = [holding for holding in here if id(holding) not in paired and beyond.get(holding.key) is not False]
        is_lost = is_old or has_none or _ends_before(seen, missing)
        for holding in missing:
            if holding.miss(is_lost or beyond.get(holding.key) is True):
                result.changed.append(holding)
    return result


def _ends_before(seen: list[DeviceMark], missing: list[Holding]) -> bool:
    """Whether several marks are missing, and all were made after the last thing in the record: then it is as good as an
    older copy of itself, however new the file. What is given back once too often can be deleted again."""
    last = max((max(mark.made_at, mark.changed_at) for mark in seen), default="")
    newer = [holding for holding in missing if holding.device is not None and holding.device.made_at > last]
    return len(missing) > 1 and len(newer) == len(missing)


def take_gone(holdings: list[Holding], gone: list[DeviceMark], spelt: Spelt = str) -> list[Holding]:
    """The reader was seen to delete these on the device; their date and position are enough. What is different now.

    One with a date that is not known was made and deleted in between: what stood at its place before is another. One
    that the device did not have, and was offered, had been given to it: nobody has told us.
    """
    pairs, _ = pair_seen([holding for holding in holdings if _can_be_deleted(holding)], gone, False, spelt)
    changed = []
    for holding, mark in pairs:
        if holding.on_device() is None and holding.offered is not None and holding.offered.made_at == mark.made_at:
            holding.took()
        here = holding.on_device()
        if here is not None and here.made_at == mark.made_at and holding.miss(False, mark.changed_at):
            changed.append(holding)
    return changed


def _can_be_deleted(holding: Holding) -> bool:
    return holding.on_device() is not None or holding.offered is not None


def pair_seen(
    holdings: list[Holding], seen: list[DeviceMark], is_whole: bool, spelt: Spelt = str
) -> tuple[Pairs, list[DeviceMark]]:
    """The pairs, and the marks that belong to no holding."""
    pairing = _Pairing(holdings, seen)
    pairing.by(lambda mark: (mark.kind, mark.made_at, mark.pos0, mark.pos1, mark.page if not mark.pos0 else 0), _any)
    pairing.by(lambda mark: (mark.kind, mark.made_at), _any, alone=True)
    pairing.by(lambda mark: _position(mark, spelt), _can_be_back)
    if is_whole:
        pairing.by(_words_of, _is_here, alone=True)
    return pairing.pairs, [mark for mark in seen if id(mark) not in pairing.used]


class _Pairing:
    __slots__ = ("_holdings", "_seen", "pairs", "used")

    def __init__(self, holdings: list[Holding], seen: list[DeviceMark]) -> None:
        self._holdings = sorted(holdings, key=lambda holding: holding.on_device() is None)
        self._seen = seen
        self.pairs: Pairs = []
        self.used: set[int] = set()

    def by(
        self,
        key: Callable[[DeviceMark], Hashable | None],
        is_meant: Callable[[Holding], bool],
        alone: bool = False,
    ) -> None:
        """Pairs what has the same key; `alone`: only where nothing else that is still to be paired has it."""
        marks: dict[Hashable, list[DeviceMark]] = {}
        for mark in self._seen:
            if id(mark) not in self.used:
                found = key(mark)
                if found is not None:
                    marks.setdefault(found, []).append(mark)
        if not marks:
            return
        known: dict[Hashable, list[Holding]] = {}
        for holding in self._holdings:
            if id(holding) not in self.used and is_meant(holding):
                for found in {key(mark) for mark in (holding.device, holding.offered) if mark is not None}:
                    if found in marks:
                        known.setdefault(found, []).append(holding)
        for found, holdings in known.items():
            here = marks[found]
            if alone and (len(here) > 1 or len(holdings) > 1):
                continue
            for holding, mark in zip(holdings, here, strict=False):
                if id(holding) not in self.used and id(mark) not in self.used:
                    self.used.update((id(holding), id(mark)))
                    self.pairs.append((holding, mark))


def _any(holding: Holding) -> bool:
    return True


def _is_here(holding: Holding) -> bool:
    return holding.gone == HERE


def _can_be_back(holding: Holding) -> bool:
    return holding.gone != DELETED or any(not link.closed for link in holding.links)


def _position(mark: DeviceMark, spelt: Spelt) -> Hashable | None:
    if mark.pos0:
        return mark.kind, spelt(mark.pos0), spelt(mark.pos1)
    return None if mark.page is None else (mark.kind, mark.page)


def _words_of(mark: DeviceMark) -> Hashable | None:
    words = squeezed(mark.text) if mark.kind == HIGHLIGHT else ""
    return words if len(words) >= TELLING_CHARS else None
