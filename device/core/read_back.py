"""Reading back: which of our reading sessions the server's own list shows, and whether that list is whole enough to say
of the others that they are missing.

Rule 1: an entry counts as missing only when the list that lacks it is known to be complete. What is found is found in
any list.

A reading session has no key of ours on the server. It is there
    exactly: if there is one of the same start, end and duration; this is how we find what this store has sent;
    roughly: if there is one that shares time with it; this is how we find what another program may have sent of the
             same reading, with times of its own, and what a store that was lost has sent, where page turns that were
             counted again may differ by a second: every entry that is in doubt.

The servers list sessions in pages, the newest first, and those of one second in an order that may differ from one page
to the next. So a row can hide between two pages. Hence the rows are counted by their ids against the number that the
server gives with each page; a number that changes while it is read begins the count anew. The caller reads again, with
pages of another size, until they agree; until then nothing is missing.

Called by: `device/sending/reading_back.py`. Never: asks the server.
"""

from __future__ import annotations

Span = tuple[int, int, int]  # started_at, ended_at, duration_s


class SessionsSought:
    """Some of our sessions of one book; `see` every row of the server's list. `found` are those that are there."""

    __slots__ = ("_exact", "_ids", "_reach", "_rough", "_sought", "_total", "_unnamed", "found")

    def __init__(self) -> None:
        self._sought = 0
        self._exact: dict[Span, list[int]] = {}
        self._rough: list[Span] = []  # started_at, ended_at, entry; in the order of starts
        self._reach: list[int] = []  # the latest end of these up to each
        self._ids: set[int] = set()
        self._unnamed = 0
        self._total: int | None = None
        self.found: set[int] = set()

    def seek(self, entry: int, span: Span) -> None:
        self._sought += 1
        self._exact.setdefault(span, []).append(entry)

    def seek_roughly(self, entry: int, span: Span) -> None:
        """To be called in the order of starts."""
        self._sought += 1
        ended_at = max(span[1], span[0] + 1)
        self._rough.append((span[0], ended_at, entry))
        self._reach.append(max(ended_at, self._reach[-1]) if self._reach else ended_at)

    def begin_reading(self) -> None:
        """The list is read from its first page on, perhaps once more."""
        self._unnamed = 0

    def begin_page(self, total: int | None) -> None:
        """`total`: how many rows the server says that it has; None if it does not say."""
        if total != self._total:
            self._ids.clear()
            self._unnamed = 0
        self._total = total

    def see(self, id: int | None, span: Span | None) -> None:
        """One row; what cannot be read of it is None."""
        if id is None:
            self._unnamed += 1
        else:
            self._ids.add(id)
        if span is None:
            return
        self.found.update(self._exact.get(span, ()))
        started_at, ended_at = span[0], max(span[1], span[0] + 1)
        at = self._first_that_may_reach(started_at)
        while at < len(self._rough) and self._rough[at][0] < ended_at:
            if self._rough[at][1] > started_at:
                self.found.add(self._rough[at][2])
            at += 1

    def all_found(self) -> bool:
        return len(self.found) == self._sought

    def is_complete(self) -> bool:
        """Whether every row that the server has was seen."""
        return self._total is None or len(self._ids) + self._unnamed >= self._total

    def _first_that_may_reach(self, instant: int) -> int:
        """The first of those sought roughly that ends behind `instant`, by halving."""
        low, high = 0, len(self._reach)
        while low < high:
            middle = (low + high) // 2
            if self._reach[middle] > instant:
                high = middle
            else:
                low = middle + 1
        return low
