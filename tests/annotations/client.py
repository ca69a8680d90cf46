"""The program on one device: what it keeps, what it does in a run, and every point at which a run can be cut off.

A run is a generator; each `yield` is such a point. What is done between two of them is one transaction of the store.
Here are only the deeds; each decision is the product's (`device/core/annotations`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from random import Random

from device.core.annotations import book, identity, merge, server_rows
from device.core.annotations.calls import CREATE, DELETE, Call
from device.core.annotations.destinations import Wishes
from device.core.annotations.holding import HERE, Holding
from device.core.annotations.marks import ServerMark
from device.core.annotations.words import same_on_device
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE
from tests.annotations.world import (
    PLACELESS_FROM,
    Reader,
    Refused,
    Server,
    cfi_of,
    pointer,
    span_of,
    span_of_cfi,
    spelt_cfi,
    spelt_pointer,
    text_of,
)

KINDS = (HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK)
ROUNDS_MOST = 12  # calls of one mark that depend on one another; four are the most that should


class Trouble:
    """How likely it is that something goes wrong with a request or a report, 0..1."""

    def __init__(self, random: Random, lost_before: float = 0, lost_after: float = 0, unheard: float = 0) -> None:
        self.random = random
        self.lost_before = lost_before
        self.lost_after = lost_after
        self.unheard = unheard

    def strikes(self, likelihood: float) -> bool:
        return likelihood > 0 and self.random.random() < likelihood


class Client:
    """`links_of`: per account, what is kept of each holding's links while another account is signed in."""

    def __init__(self, reader: Reader, server: Server, wishes: Wishes) -> None:
        self.reader = reader
        self.server = server
        self.wishes = wishes
        self.holdings: list[Holding] = []
        self.last_key = 0
        self.other_links: dict[tuple[int, int], list[object]] = {}
        self.asked: str = ""
        self.answer: str = ""
        self.calls = 0

    def change_account(self, server: Server) -> None:
        for holding in self.holdings:
            self.other_links[id(self.server), holding.key] = list(holding.links)
            holding.links = self.other_links.pop((id(server), holding.key), [])  # type: ignore[assignment]
        self.server = server
        self.asked = self.answer = ""

    def forget_all(self) -> None:
        """The store is lost."""
        self.holdings = []
        self.other_links = {}
        self.asked = self.answer = ""

    # What the device has

    def collect(self) -> None:
        reader = self.reader
        if reader.is_journalled:
            identity.take_gone(self.holdings, reader.deleted, spelt_pointer)
        reader.deleted = []
        seen = [mark.copy() for mark in reader.marks]
        found = identity.take_seen(
            self.holdings,
            seen,
            True,
            reader.record_is_old or (reader.record_is_lost and not reader.marks),
            spelt_pointer,
        )
        reader.record_is_old = reader.record_is_lost = False
        for mark in found.new:
            self.last_key += 1
            holding = Holding(self.last_key, mark.kind)
            holding.device = mark
            self.holdings.append(holding)
        self.find_places()

    def find_places(self) -> None:
        for holding in self.holdings:
            mark = holding.wanted() or holding.on_device()
            if mark is not None:
                holding.cfi = cfi_of(mark.kind, span_of(mark))
                holding.place = holding.cfi

    # A run

    def run(self, trouble: Trouble, is_blind: bool = False) -> Iterator[None]:
        self.collect()
        for holding in self.holdings:
            for link in holding.links:
                link.heard, link.row = False, None
        yield
        is_heard = not is_blind and not trouble.strikes(trouble.unheard)
        rows = self.server.listed() if is_heard else []
        self.server.requests += 4 * is_heard
        for _ in range(2):
            if is_heard:
                self.hear(rows)
            planned = book.plan_all(self.holdings, self.wishes, self.asked, self.answer)
            self.answer = ""
            self.asked = planned.question.why if planned.question is not None else ""
            for made in planned.plans:
                made.apply(self.reader.clock.now())
            self.find_places()
            if not (is_heard and planned.wants_second_look):
                break
        yield
        for made in planned.plans:
            yield from self._tell(made, is_heard, trouble)
        yield from self.give(trouble)
        self.holdings = [holding for holding in self.holdings if self._is_kept(holding)]

    def hear(self, rows: list[ServerMark]) -> None:
        for row in server_rows.pair_rows(self.holdings, rows, KINDS, self.wishes):
            start, end = span_of_cfi(spelt_cfi(row.cfi))
            self.last_key += 1
            explicit = self.reader.is_explicit
            pos1 = "" if row.kind == BOOKMARK else pointer(end, explicit)
            self.holdings.append(server_rows.take_in(row, self.last_key, pointer(start, explicit), pos1, self.holdings))
        self.find_places()

    def _is_kept(self, holding: Holding) -> bool:
        return holding.device is not None or holding.is_offered or bool(holding.links)

    def _tell(self, made: merge.Plan, is_heard: bool, trouble: Trouble) -> Iterator[None]:
        holding = made.holding
        for _ in range(ROUNDS_MOST):
            calls = [call for call in made.calls if is_heard or not call.needs_list]
            if not calls:
                return
            self.calls += 1
            merge.begun(holding, calls[0])
            yield
            if not (yield from self._send(holding, calls[0], trouble)):
                return
            made = merge.plan(holding, self.wishes, is_second=holding.key in book.seconds(self.holdings))
            made.apply(self.reader.clock.now())
        raise AssertionError("one mark keeps the server busy for ever")

    def _send(self, holding: Holding, call: Call, trouble: Trouble) -> Generator[None, None, bool]:
        """Whether the server has answered that it is done."""
        self.server.requests += 1
        if trouble.strikes(trouble.lost_before):
            return False
        try:
            row = None
            if call.op == CREATE:
                assert call.server is not None
                row = self.server.create(call.server)
            elif call.op == DELETE:
                assert call.remote_id is not None
                self.server.delete(call.kind, call.remote_id)
            else:
                assert call.server is not None and call.remote_id is not None
                row = self.server.edit(call.kind, call.remote_id, call.server)
        except Refused:
            return False
        yield
        if trouble.strikes(trouble.lost_after):
            return False
        merge.answered(holding, call, row)
        return True

    # What the device is given

    def give(self, trouble: Trouble) -> Iterator[None]:
        for holding in self.holdings:
            if holding.is_offered:
                is_done = self._give_one(holding)
                yield
                if is_done and not trouble.strikes(trouble.lost_after):
                    holding.took()

    def _give_one(self, holding: Holding) -> bool:
        offered, reader = holding.offered, self.reader
        here = holding.on_device()
        if here is None:
            if offered is None or reader.find(offered) is not None:
                return False
            mark = offered.copy()
            if mark.kind == HIGHLIGHT:
                start, end = span_of(mark)
                mark.text, mark.page = text_of((start, end)), start + 1
            reader.marks.append(mark)
            return True
        there = reader.find(here)
        if there is None or not same_on_device(there, here):
            return False
        if offered is None:
            reader.marks.remove(there)
            return True
        there.note, there.color, there.drawer = offered.note, offered.color, offered.drawer
        if there.kind == HIGHLIGHT and span_of(there) != span_of(offered):
            reader.move(there, span_of(offered))
        there.changed_at = offered.changed_at
        return True


def complete(steps: Iterator[None], until: Callable[[], bool] | None = None) -> None:
    """Goes through the steps; `until`: asked at each of them whether it ends here."""
    for _ in steps:
        if until is not None and until():
            return


def is_quiet(client: Client) -> bool:
    """Nothing is left to be given, asked or told."""
    return not client.asked and not any(holding.is_offered for holding in client.holdings)


__all__ = ("HERE", "PLACELESS_FROM")
