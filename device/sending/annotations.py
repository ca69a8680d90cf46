"""Highlights, notes and bookmarks: what is to be sent of them, and what the device is to be given.

A book's marks are decided about together: where they stand is looked up (`annotation_places.py`), the rules say what
follows (`device/core/annotations/`), and that becomes entries of the outbox and offers to the device, in one
transaction. What is new goes out without asking: the server refuses a second one at the same place. Before anything is
changed or deleted the book's lists are read in the same run, and what is in them is decided about first.

The lists are read besides when it is a book's turn (`annotation_turns.py`), and of what the server has named without
saying its number.

Promises: a list that could not be read to its end says nothing; a list without what was in it before is believed only
if the server still has the book. A book that cannot be read keeps none of the others, and nothing else of it, waiting.
Called by: `device/sending/sender.py`. What the device is to be given is told by `device/verbs/annotation_results.py`.
"""

from __future__ import annotations

from device import protocol
from device.core import outbox as rules
from device.core import preferences
from device.core.annotations import book, server_rows
from device.core.annotations.calls import CREATE, DELETE
from device.core.annotations.destinations import place_of_row, wishes_of
from device.core.annotations.holding import STAND_IN
from device.core.annotations.marks import ServerMark
from device.core.instants import to_iso
from device.epub.cfi import normal_form
from device.sending import agreeing, annotation_places
from device.sending import annotation_turns as turns
from device.sending.changes import GONE
from device.server import deliveries
from device.server.errors import ServerFailed
from device.store import books, holdings, mark_links, mark_plans, marks, outbox, settings
from device.store import shared_values as stored_books
from device.ui import annotation_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.core.annotations.destinations import Wishes
    from device.core.annotations.holding import Holding
    from device.core.annotations.merge import Plan
    from device.core.preferences import Preferences
    from device.protocol import Job, Result
    from device.sending.annotation_places import Found
    from device.sending.clock import Clock
    from device.sending.dialect import Dialect
    from device.server.client import Client
    from device.store.database import Store
    from device.store.marks import StoredMark
    from device.store.outbox import BookToServe, Entry
    from device.store.shared_values import Place

ROWS_MOST = 20_000  # of one of a book's lists: more than anybody marks, and 20 MB

DECIDE_MOST_S = 40  # a third of a run, for the rest is for sending: a first look at 200 books may take longer

OF_HIGHLIGHTS = (rules.HIGHLIGHT, rules.IN_BOOK_NOTE)


class Heard:
    """What the server has of a book's marks, of the kinds whose lists were read."""

    __slots__ = ("kinds", "rows")

    def __init__(self, kinds: tuple[str, ...], rows: list[ServerMark]) -> None:
        self.kinds = kinds
        self.rows = rows


class Annotations:
    """One run's. `check_time` raises when the run's time is up."""

    def __init__(
        self,
        store: Store,
        client: Client,
        wanted: Preferences,
        job: Job,
        result: Result,
        clock: Clock,
        dialect: Dialect,
        check_time: Callable[[], None],
    ) -> None:
        self._store = store
        self._client = client
        self._wanted = wanted
        self._job = job
        self._result = result
        self._clock = clock
        self._dialect = dialect
        self._check_time = check_time
        self._account = settings.get(store, settings.MATCHES_OF) or ""
        self._heard: dict[int, set[str]] = {}  # by book: of which kinds the lists were read in this run
        self._unheard: set[int] = set()  # books whose lists could not be had in this run
        self._unread: set[int] = set()  # books whose file could not be read in this run
        self._stuck = {place.book_id for place in mark_plans.stuck(store, self._account, turns.BOOKS_AT_ONCE)}
        self._named: dict[int, Place] = {}  # books with something that is there under a number that is not known
        self.problem: ServerFailed | None = None  # why lists could not be had

    # When

    def decide(self) -> None:
        """About the books whose marks are not what they were; what takes too long is left for the next run.

        Raises ServerError.
        """
        until = self._clock.monotonic_s() + DECIDE_MOST_S
        for place in turns.due(self._store, self._wanted, self._account, self._job.asked_for()):
            if self._clock.monotonic_s() > until:
                break
            if settings.get(self._store, f"{settings.MARKS_ANSWER}{place.book_id}") is not None:
                self._hear_and_decide(place, None)  # the answer is about what the lists say
            elif place.book_id not in self._unread:
                self._check_time()
                self._decide(place, None)
        while self._named:
            _, place = self._named.popitem()
            self._hear_and_decide(place, None)

    def pull(self) -> None:
        """Reads the lists for which it is time. Raises ServerError."""
        now = self._clock.wall_s()
        for place in turns.to_pull(self._store, self._wanted, self._job, now, self._account):
            self._hear_and_decide(place, None)
        if turns.is_turn(self._store, now) or settings.get(self._store, settings.MARKS_TURN_AT) is None:
            with self._store.transaction():
                settings.put(self._store, settings.MARKS_TURN_AT, str(now))
        self.decide()

    def is_to_be_heard(self, served: BookToServe) -> bool:
        """Whether something of a book waits for its lists, and they have not been read in this run."""
        return served.id not in self._unheard and bool(self._lists_needed(served.id))

    def hear(self, served: BookToServe) -> None:
        """Reads the lists that something waits for, and decides anew. Raises what ends a run."""
        place = stored_books.Place(served.id, served.server_id, served.file, served.format)
        self._hear_and_decide(place, self._lists_needed(served.id))

    def may_go(self, entry: Entry) -> bool:
        """Whether it need not wait for a list of the server's that has not been read in this run."""
        if entry.kind not in rules.OF_MARKS:
            return True
        kind = agreeing.list_needed(entry.payload)
        return kind is None or kind in self._heard.get(entry.book_id, ())

    def _lists_needed(self, book_id: int) -> list[str]:
        found = {agreeing.list_needed(entry.payload) for entry in outbox.open_of_marks(self._store, book_id)}
        heard = self._heard.get(book_id, set())
        return sorted(kind for kind in found if kind is not None and kind not in heard)

    # The server's lists

    def _hear_and_decide(self, place: Place, kinds: list[str] | None) -> None:
        """`kinds`: which lists are wanted; None: all."""
        if place.book_id in self._unheard:
            return
        wanted = self._kinds(place) if kinds is None else kinds
        try:
            rows = self._hear(place, wanted)
        except ServerFailed as problem:
            self._unheard.add(place.book_id)
            self.problem = problem
            return
        if rows is None:
            return
        self._heard.setdefault(place.book_id, set()).update(wanted)
        if kinds is None:
            with self._store.transaction():
                now = self._clock.wall_s()
                mark_links.note_pull(self._store, place.book_id, self._account, place.server_id, now)
        self._decide(place, Heard(tuple(wanted), rows))

    def _hear(self, place: Place, kinds: list[str]) -> list[ServerMark] | None:
        """None: the server does not have the book any more. Raises ServerError."""
        rows: list[ServerMark] = []
        for kind in kinds:
            self._check_time()
            for row in self._client.marks(deliveries.KINDS[kind], place.server_id):
                if len(rows) == ROWS_MOST:
                    raise self._client.failing("has more highlights of a book than can be compared")
                try:
                    rows.append(ServerMark.from_row(kind, row))
                except ValueError:
                    continue
        there = {(row.kind, row.id) for row in rows}
        links = mark_links.of_book(self._store, place.book_id, self._account)
        known = {(link.kind, link.remote_id) for link in links if link.kind in kinds and link.remote_id is not None}
        if not known <= there:
            # A book that is not there has empty lists.
            self._check_time()
            is_there = self._client.has_book(place.server_id)
            if is_there is None:
                raise self._client.failing("does not say whether it still has a book")
            if not is_there:
                with self._store.transaction():
                    books.lose(self._store, place.book_id, GONE)
                return None
        return rows

    def _kinds(self, place: Place) -> list[str]:
        """Which lists say something about the book's marks: notes on its page only where one of ours can be."""
        kinds: list[str] = []
        if self._wanted.get(preferences.HIGHLIGHTS) == preferences.ON:
            kinds.extend(OF_HIGHLIGHTS)
            if mark_links.has_kind(self._store, place.book_id, self._account, rules.BOOK_NOTE):
                kinds.append(rules.BOOK_NOTE)
        if self._wanted.get(preferences.BOOKMARKS) == preferences.ON:
            kinds.append(rules.BOOKMARK)
        return kinds

    # Deciding

    def _decide(self, place: Place, heard: Heard | None) -> None:
        now = self._clock.wall_s()
        cause = ""
        stored = marks.of_book(self._store, place.book_id)
        try:
            annotation_places.place_marks(self._store, place, stored, self._check_time)
        except annotation_places.CannotRead as problem:
            cause = str(problem)
        if heard is not None:
            stored = self._without_old_misses(stored)
        is_fixed = annotation_places.has_fixed_pages(place)
        has_pages = is_fixed and self._dialect.has_page_bookmarks()
        wishes = wishes_of(self._wanted, has_pages, is_fixed, normal_form)
        held = self._held(place, stored)
        before = {holding.key: holdings.state_of(holding) for holding in held}
        made: list[tuple[Holding, Found | None]] = []
        if heard is not None:
            unknown = server_rows.pair_rows(held, heard.rows, heard.kinds, wishes)
            made = self._take_in(place, stored, held, unknown)
        about, _, answer = self._answer(place, heard)
        with self._store.transaction():
            for holding, found in made:
                holdings.add(self._store, place.book_id, holding, now)
                annotation_places.keep(self._store, holding, found, now)
            held.extend(holding for holding, _ in made)
            planned = self._plan(held, wishes, about, answer, now)
            says = [(plan, code) for plan in planned.plans for code in plan.says]
            if heard is not None and planned.wants_second_look:
                server_rows.pair_rows(held, heard.rows, heard.kinds, wishes)
                planned = self._plan(held, wishes, about, answer, now)
                says.extend((plan, code) for plan in planned.plans for code in plan.says)
            for holding in held:
                if before.get(holding.key) != holdings.state_of(holding):
                    self._keep(place, holding, now)
            inexact = self._put(place, planned.plans, heard is not None, now)
            self._ask(place, planned, answer)
            mark_plans.note(self._store, place, self._account, turns.basis(self._wanted), bool(cause))
        if cause:
            self._unread.add(place.book_id)
        self._say(place, says, inexact)
        waiting = sum(plan.holding.place is None and plan.wanted is not None for plan in planned.plans)
        if cause and waiting and (self._job.asked_for() or place.book_id not in self._stuck):
            self._result.say(protocol.WARNING, texts.cannot_be_read(self._title(place), waiting, cause))

    def _answer(self, place: Place, heard: Heard | None) -> tuple[str, str, str]:
        """(what was asked, "", what the reader answered)."""
        answer = None if heard is None else settings.get(self._store, f"{settings.MARKS_ANSWER}{place.book_id}")
        return (answer or "").partition(" ")

    def _plan(self, held: list[Holding], wishes: Wishes, about: str, answer: str, now: int) -> book.BookPlan:
        planned = book.plan_all(held, wishes, about, answer)
        for plan in planned.plans:
            plan.apply(_koreaders_words(now + self._job.utc_offset_s))
        return planned

    def _held(self, place: Place, stored: list[StoredMark]) -> list[Holding]:
        """Those of the kinds that are wanted, with their places."""
        held = holdings.of_book(self._store, place.book_id, self._account, stored)
        held = [holding for holding in held if turns.is_wanted(self._wanted, holding.kind)]
        annotation_places.spell(held, place, stored)
        return held

    def _keep(self, place: Place, holding: Holding, now: int) -> None:
        if not holding.links and holding.device is None and not holding.is_offered:
            marks.remove(self._store, holding.key)  # neither side has it, and the device never had
            return
        holdings.save(self._store, holding, now)
        holdings.save_links(self._store, holding, self._account, place.server_id, now)

    def _take_in(
        self, place: Place, stored: list[StoredMark], held: list[Holding], rows: list[ServerMark]
    ) -> list[tuple[Holding, Found | None]]:
        """What was made elsewhere, as marks to be offered to the device; what has no place in it stays there."""
        made: list[tuple[Holding, Found | None]] = []
        missed = 0
        try:
            places = annotation_places.find_rows(place, stored, rows) if rows else []
        except annotation_places.CannotRead:
            return []
        for row, found in zip(rows, places, strict=True):
            known = [*held, *[holding for holding, _ in made]]
            if found is None:
                holding = server_rows.take_in(row, 0, "", "", known)
                holding.could_not_take()
                missed += row.kind in OF_HIGHLIGHTS
            else:
                holding = server_rows.take_in(row, 0, found.pos0, found.pos1, known, found.text, found.dom)
                holding.cfi, holding.place = row.cfi, place_of_row(row, normal_form)
            _forget_the_servers_clock(holding)
            made.append((holding, found))
        if missed:
            self._result.say(protocol.INFO, texts.not_placed_here(self._title(place), missed))
        return made

    def _without_old_misses(self, stored: list[StoredMark]) -> list[StoredMark]:
        """What an older converter did not find here is looked for again, as if it had never been seen."""
        old = [mark for mark in stored if annotation_places.is_old_miss(mark)]
        with self._store.transaction():
            for mark in old:
                marks.remove(self._store, mark.id)
        return [mark for mark in stored if mark not in old]

    # What follows

    def _put(self, place: Place, plans: list[Plan], is_heard: bool, now: int) -> int:
        """Brings the outbox to what is to be told; how many highlights go as notes for want of a place."""
        told: set[tuple[str, str]] = set()
        inexact = 0
        for plan in plans:
            mark = plan.holding
            for call in plan.calls if self._may_be_sent(place) else ():
                kind, key, payload = agreeing.entry_of(mark.key, call)
                told.add((kind, key))
                before = outbox.mark_entry(self._store, kind, key)
                was_taken = before is not None and before.state == rules.ACKNOWLEDGED and before.payload == payload
                if was_taken and call.op == DELETE and not is_heard:
                    continue  # which the list has not confirmed yet
                if agreeing.put(self._store, kind, key, place.book_id, payload, now):
                    inexact += call.op == CREATE and call.role == STAND_IN and mark.kind == rules.HIGHLIGHT
            for link in mark.links:
                is_nameless = link.remote_id is None and link.sent_server is not None
                if is_nameless and not outbox.is_under_way(self._store, link.kind, agreeing.key(mark.key, link.role)):
                    self._named[place.book_id] = place
        self._withdraw(place, told, plans, now)
        return inexact if annotation_places.has_places(place) else 0

    def _withdraw(self, place: Place, told: set[tuple[str, str]], plans: list[Plan], now: int) -> None:
        """What waits, and is not to be told any more; of what the server may have, only what it is known to have."""
        known = {agreeing.key(plan.holding.key, link.role): link for plan in plans for link in plan.holding.links}
        planned = {plan.holding.key for plan in plans}
        for entry in outbox.open_of_marks(self._store, place.book_id):
            found = agreeing.call_of(entry.payload)
            if found is None or found[0] not in planned or (entry.kind, entry.key) in told:
                continue
            link = known.get(entry.key)
            is_there = link is not None and link.remote_id is not None and found[1].op == CREATE
            if not entry.may_be_there() or entry.kind == rules.EDIT or is_there:
                outbox.change(self._store, entry.id, rules.after(entry.state, rules.WITHDRAWN), False, now, None)

    def _may_be_sent(self, place: Place) -> bool:
        if self._wanted.get(preferences.MARKS_UPLOAD) != preferences.WHEN_FINISHED:
            return True
        return stored_books.finish(self._store, place.book_id).at > 0

    def _ask(self, place: Place, planned: book.BookPlan, answer: str) -> None:
        """Keeps what is to be asked about the book until it is answered, and lets go of what is not."""
        key = f"{settings.MARKS_ASK}{place.book_id}"
        question = planned.question
        if question is None:
            settings.remove(self._store, key)
        else:
            settings.put(self._store, key, f"{question.why} {question.count}")
        if answer:
            settings.remove(self._store, f"{settings.MARKS_ANSWER}{place.book_id}")

    def _say(self, place: Place, says: list[tuple[Plan, str]], inexact: int) -> None:
        title = self._title(place)
        for plan, code in says:
            mark = plan.wanted or plan.holding.device
            self._result.say(protocol.INFO, texts.said(code, title, "" if mark is None else mark.text or mark.note))
        if inexact:
            self._result.say(protocol.INFO, texts.sent_as_notes(title, inexact))

    def _title(self, place: Place) -> str:
        found = stored_books.title_and_file(self._store, place.book_id)
        return place.file if found is None else found[0]


def _forget_the_servers_clock(holding: Holding) -> None:
    """When it was changed there is told by another clock, in another zone: an edit on the device would seem older."""
    for mark in (holding.offered, *[link.agreed_device for link in holding.links]):
        if mark is not None:
            mark.changed_at = ""


def _koreaders_words(local_s: int) -> str:
    return to_iso(local_s)[:19].replace("T", " ")
