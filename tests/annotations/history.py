"""One random history of three parties, and what has to be true of it.

A history has epochs. In each, devices and web change what they like, devices run with all kinds of trouble, runs are
cut off at any point. At its end every device runs undisturbed until nothing happens any more (and if that does not end,
that is a failure). Then:

    everywhere the same   both devices and the server have the same highlights, notes, colours, styles and bookmarks
    no duplicate          nothing is there twice
    no loss               every text that was written is still there, except those that somebody gave up who saw them
    no resurrection       what was not there before the epoch and nobody has written in it is not there after it
    idle is idle          one more run tells the server and the device nothing
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from device.core import preferences
from device.core.annotations import colours
from device.core.annotations.destinations import Wishes
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE
from tests.annotations.client import Client, Trouble, complete, is_quiet
from tests.annotations.world import (
    DEVICE_COLOURS,
    DEVICE_DRAWERS,
    PLACELESS_FROM,
    POINTS,
    RANGES,
    WEB_COLOURS,
    WEB_STYLES,
    Clock,
    Reader,
    Refused,
    Server,
    Witness,
    cfi_of,
    note_shown,
    span_of,
    span_of_cfi,
    spelt_cfi,
    text_of,
    tokens_in,
)

ANY_LABEL = "a bookmark without a note is called what its device calls it"
Shown = dict[tuple[str, tuple[int, int]], tuple[str, str, str]]  # note, colour and drawer at a place

EPOCHS_MOST = 3
DEEDS_MOST = 8  # in one epoch
ROUNDS_MOST = 10  # of both devices, until nothing happens any more


class Broken(AssertionError):
    """What is not true, and all that was done."""


class Flavour:
    """What may happen. `races`: others act in the middle of a run, where the server cannot prevent that one change
    overwrites another; then nothing is said about loss."""

    def __init__(self, name: str, races: bool = False, accounts: bool = False, stores_lost: bool = False) -> None:
        self.name = name
        self.races = races
        self.accounts = accounts
        self.stores_lost = stores_lost


FLAVOURS = (
    Flavour("ordered"),
    Flavour("ordered"),
    Flavour("ordered"),
    Flavour("racing", races=True),
    Flavour("two accounts", accounts=True),
    Flavour("stores lost", stores_lost=True),
)


class History:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.flavour = FLAVOURS[seed % len(FLAVOURS)]
        self.clock = Clock()
        self.witness = Witness()
        self.server = Server(self.clock)
        self.other_server = Server(self.clock)
        notes_to = self.random.choice((preferences.IN_BOOK,) * 4 + (preferences.BOTH, preferences.BOOKLORE))
        in_book = self.random.choice((preferences.AS_HIGHLIGHT, preferences.AS_HIGHLIGHT, preferences.AS_NOTE))
        self.clients = [
            Client(Reader(self.clock), self.server, Wishes(notes_to, in_book, spelt=spelt_cfi)) for _ in range(2)
        ]
        self.is_witnessed = True
        for client in self.clients:
            client.reader.is_journalled = self.random.random() < 0.7
            self.is_witnessed = self.is_witnessed and client.reader.is_journalled
        self.diary: list[str] = [f"{self.flavour.name} {notes_to} {in_book}"]
        self.deeds = 0
        self.has_moved = False

    def go(self) -> None:
        for _ in range(self.random.randint(1, EPOCHS_MOST)):
            before = self.tokens()
            spans = self.spans()
            self.witness.begin()
            for client in self.clients:
                client.reader.brought_back = set()
            self.is_strict, self.was_asked = True, False
            for _ in range(self.random.randint(1, DEEDS_MOST)):
                self.one_deed()
            self.settle()
            self.judge(before, spans)

    def say(self, text: str) -> None:
        self.diary.append(text)

    def broken(self, what: str) -> Broken:
        return Broken(f"seed {self.seed}: {what}\n  " + "\n  ".join(self.diary))

    # Deeds

    def one_deed(self) -> None:
        self.deeds += 1
        who = self.random.randrange(5)
        if who < 2:
            self.on_device(who)
        elif who == 2:
            self.on_web()
        else:
            self.run(who - 3)

    def on_device(self, who: int) -> None:
        random, reader = self.random, self.clients[who].reader
        name = "AB"[who]
        what = random.randrange(24)
        mark = random.choice(reader.marks) if reader.marks else None
        if mark is None or what < 7:
            self.add_on_device(name, reader)
        elif what < 11:
            self.write_note(name, mark, reader)
        elif what < 13 and mark.kind == HIGHLIGHT:
            mark.color, mark.drawer = random.choice(DEVICE_COLOURS), random.choice(DEVICE_DRAWERS)
            reader.touch(mark)
            self.done(mark, "look")
            self.takes_up(mark, reader)
            self.say(f"{name} looks {span_of(mark)} {mark.color} {mark.drawer}")
        elif what < 16:
            reader.delete(mark)
            self.witness.gives_up(note_shown(mark))
            self.gives_up_newer(mark, self.clients[who])
            self.done(mark, "delete")
            self.say(f"{name} deletes {mark.kind} {span_of(mark)} {mark.note!r}")
        elif what < 18 and mark.kind == HIGHLIGHT:
            self.move(name, mark, reader)
        elif what == 18:
            reader.respell()
            self.say(f"{name} respells")
        elif what == 19:
            mark.made_at = self.clock.now()
            self.done(mark, "redate")
            self.say(f"{name} redates {span_of(mark)}")
        elif what == 20:
            reader.save_backup()
            self.say(f"{name} saves a backup")
        elif what == 21 and reader.backup:
            self.restore_backup(who)
            self.say(f"{name} restores a backup")
        elif what == 22:
            self.collect_first(who)
            reader.lose_record()
            self.say(f"{name} loses its record")
        elif what == 23 and self.flavour.stores_lost:
            self.clients[who].forget_all()
            self.is_strict = False
            self.say(f"{name} loses its store")
        elif self.flavour.accounts and who == 0:
            client = self.clients[0]
            self.say("A changes the account")
            client.change_account(self.other_server if client.server is self.server else self.server)

    def collect_first(self, who: int) -> None:
        """What KOReader closed was collected before anything happened to its record."""
        self.clients[who].collect()

    def done(self, mark: DeviceMark, what: str) -> None:
        self.witness.did(mark.kind, span_of(mark), what)

    def restore_backup(self, who: int) -> None:
        """What has a date that is not known any more, of before it was redated or the store was lost, cannot be told
        from what was made anew: it is as if it was, with its note."""
        self.collect_first(who)
        client = self.clients[who]
        known = {holding.device.made_at for holding in client.holdings if holding.device is not None}
        for saved in client.reader.backup:
            if saved.made_at not in known:
                self.done(saved, "add")
                self.witness.writes_again(tokens_in(note_shown(saved)), False)
        client.reader.restore_backup()

    def takes_up(self, mark: DeviceMark, reader: Reader, is_appended: bool = False) -> None:
        """A note that a backup brought back is written anew by the reader who goes on from it; it has not risen.

        Appended to, it is part of what she wrote, and a merge that knows what was there before keeps it just so. Where
        she changed another thing of the mark before the record was collected, nobody can tell the old note from one
        that she has written with it: there is nothing it could be held against, and then both notes are kept. Once the
        record was collected there is, and only what she appended to counts.
        """
        if is_appended or reader.record_is_old:
            self.witness.writes_again(tokens_in(mark.note) & reader.brought_back, is_appended)

    def gives_up_newer(self, mark: DeviceMark, client: Client) -> None:
        """Deleted in a record that a backup brought back, a mark is deleted as it was before: so this device had shown
        it, nobody has changed it since, and the launcher saw it go. (Were it given back, a deletion would be undone.)
        """
        if client.reader.record_is_old:
            for holding in client.holdings:
                device = holding.device
                if device is not None and (device.kind, device.made_at) == (mark.kind, mark.made_at):
                    self.witness.gives_up(note_shown(device))

    def add_on_device(self, name: str, reader: Reader) -> None:
        random = self.random
        kind = random.choice((HIGHLIGHT, HIGHLIGHT, HIGHLIGHT, BOOKMARK))
        span = random.choice(RANGES) if kind == HIGHLIGHT else (random.choice(POINTS),) * 2
        if any(mark.kind == kind and span_of(mark) == span for mark in reader.marks):
            return
        note = self.witness.token() if random.random() < 0.5 else ""
        reader.add(kind, span, note, random.choice(DEVICE_COLOURS), random.choice(DEVICE_DRAWERS))
        self.witness.did(kind, span, "add")
        self.say(f"{name} adds {kind} {span} {note!r}")

    def write_note(self, name: str, mark: DeviceMark, reader: Reader) -> None:
        how = self.random.randrange(4)
        if mark.kind == BOOKMARK:
            self.witness.gives_up(mark.text)
        if how == 0:
            self.witness.gives_up(mark.note)
            mark.note = ""
        elif how == 1:
            self.takes_up(mark, reader, is_appended=True)
            mark.note = f"{mark.note} {self.witness.token()}".strip()
        else:
            self.witness.gives_up(mark.note)
            mark.note = self.witness.token()
        reader.touch(mark)
        self.done(mark, "append" if how == 1 else "note")
        self.say(f"{name} writes {mark.kind} {span_of(mark)} {mark.note!r}")

    def move(self, name: str, mark: DeviceMark, reader: Reader) -> None:
        span = self.random.choice(RANGES)
        if any(other.kind == HIGHLIGHT and span_of(other) == span for other in reader.marks):
            return
        if "delete" in self.witness.done_at.get((HIGHLIGHT, span), set()):
            return  # if an edit wins there, the device has two marks at one place: hers, and the one that came back
        self.done(mark, "move away")
        self.has_moved = True  # two marks with a book note each may have become one
        reader.move(mark, span)
        self.done(mark, "add")
        self.takes_up(mark, reader)
        self.say(f"{name} moves to {span} {mark.note!r}")

    def on_web(self) -> None:
        random, server = self.random, self.server
        rows = list(server.rows.values())
        row = random.choice(rows) if rows else None
        what = random.randrange(12)
        if row is None or what < 4:
            self.add_on_web()
        elif what < 7:
            self.write_on_web(row)
        elif what < 9 and row.kind in (HIGHLIGHT, IN_BOOK_NOTE):
            row.color = random.choice(WEB_COLOURS)
            if row.kind == HIGHLIGHT:
                row.style = random.choice(WEB_STYLES)
            self.did_on_web(row, "look")
            self.say(f"web looks {row.cfi} {row.color} {row.style}")
        else:
            del server.rows[row.kind, row.id]
            self.witness.gives_up(f"{row.note} {row.title}")
            place = spelt_cfi(row.cfi)
            has_another = any(
                spelt_cfi(other.cfi) == place and other.kind != BOOKMARK and not self.is_replaced(other)
                for other in server.rows.values()
            )
            self.did_on_web(row, "delete beside" if has_another else "delete")
            self.say(f"web deletes {row.kind} {row.cfi} {row.note!r} {row.title!r}")

    def is_replaced(self, row: ServerMark) -> bool:
        """Whether a device has put another row in its place, was cut off there, and is about to delete it: then it is
        not a second note that keeps the highlight."""
        return any(
            link.is_old() and (link.kind, link.remote_id) == (row.kind, row.id)
            for client in self.clients
            for holding in client.holdings
            for link in holding.links
        )

    def did_on_web(self, row: ServerMark, what: str) -> None:
        for span in RANGES:
            if row.kind == BOOK_NOTE and f"\u201c{text_of(span)}\u201d" in row.note:
                self.witness.did(HIGHLIGHT, span, f"{what} of the copy")
        if row.cfi:
            kind = BOOKMARK if row.kind == BOOKMARK else HIGHLIGHT
            self.witness.did(kind, span_of_cfi(spelt_cfi(row.cfi)), what)

    def add_on_web(self) -> None:
        random = self.random
        kind = random.choice((HIGHLIGHT, HIGHLIGHT, HIGHLIGHT, BOOKMARK, IN_BOOK_NOTE))
        span = random.choice(RANGES[:-1]) if kind != BOOKMARK else (random.choice(POINTS),) * 2
        row = ServerMark(kind)
        row.cfi = cfi_of(BOOKMARK if kind == BOOKMARK else HIGHLIGHT, span)
        there = [other for other in self.server.rows.values() if spelt_cfi(other.cfi) == row.cfi]
        if len(there) > 1:
            return  # a third one at the same place has no room beside the other two
        if kind != BOOKMARK and random.random() < 0.1 and not there:
            row.cfi = row.cfi.replace("/6/4!", "/6/4[Chapter]!")
        note = self.witness.token() if random.random() < 0.5 or kind == IN_BOOK_NOTE else ""
        if kind == BOOKMARK:
            row.title = note or "Chapter"
        else:
            row.note, row.text = note, text_of(span)
            row.color, row.style = random.choice(WEB_COLOURS), random.choice(WEB_STYLES) if kind == HIGHLIGHT else ""
        try:
            self.server.create(row)
        except Refused:
            self.witness.written -= tokens_in(note)
            return
        self.did_on_web(row, "add")
        self.say(f"web adds {kind} {row.cfi} {note!r}")

    def write_on_web(self, row: ServerMark) -> None:
        is_append = self.random.random() < 0.3
        token = self.witness.token()
        if row.kind == BOOKMARK:
            self.witness.gives_up(row.title)
            row.title = token
        elif is_append:
            row.note = f"{token} {row.note}"
        elif row.kind == BOOK_NOTE:
            _, quote, rest = row.note.partition("\u201c")
            self.witness.gives_up(row.note)
            row.note = f"{token}\n\n{quote}{rest}"
        else:
            self.witness.gives_up(row.note)
            row.note = token
        self.did_on_web(row, "append" if is_append else "note")
        self.say(f"web writes {row.kind} {row.cfi} {row.note!r} {row.title!r}")

    def run(self, who: int) -> None:
        random, client = self.random, self.clients[who]
        trouble = Trouble(random, random.choice((0, 0.3)), random.choice((0, 0.3)), random.choice((0, 0.3)))
        is_blind = random.random() < 0.2
        if client.asked:
            self.answer(client)
        cut = random.choice((None, None, random.randrange(12)))
        self.say(f"{'AB'[who]} runs, cut at {cut}{', blind' if is_blind else ''}")
        left = [cut]

        def ends() -> bool:
            if self.flavour.races and random.random() < 0.1:
                if random.random() < 0.5:
                    self.on_web()
                else:
                    self.on_device(1 - who)
            if left[0] is None:
                return False
            left[0] -= 1
            return left[0] < 0

        complete(client.run(trouble, is_blind), ends)

    def answer(self, client: Client) -> None:
        client.answer = self.random.choice(("restore", "restore", "delete"))
        self.was_asked = True
        if client.answer == "delete":
            self.is_strict = False
        self.say(f"answered {client.asked}: {client.answer}")

    # The end of an epoch

    def settle(self) -> None:
        calm = Trouble(self.random)
        client = self.clients[0]
        if client.server is not self.server:
            client.change_account(self.server)
        self.say("all settle")
        for _ in range(ROUNDS_MOST):
            before = [one.calls for one in self.clients]
            given = 0
            for one in self.clients:
                if one.asked:
                    self.answer(one)
                    given += 1
                marks = [mark.to_json() for mark in one.reader.marks]
                complete(one.run(calm))
                given += marks != [mark.to_json() for mark in one.reader.marks]
            if before == [one.calls for one in self.clients] and not given and all(map(is_quiet, self.clients)):
                return
        raise self.broken("it does not come to rest\n  " + self.state())

    def judge(self, before: set[str], spans: dict[str, set[tuple[int, int]]]) -> None:
        self.judge_sameness()
        if self.flavour.races:
            return
        after = self.tokens()
        if not self.flavour.accounts:
            lost = ((before | self.witness.written) - self.witness.given_up) - after
            if lost and self.is_strict:
                raise self.broken(f"lost: {sorted(lost)}\n  " + self.state())
        if self.is_strict and not self.flavour.accounts:
            risen = after - before - self.witness.written - self.labels()
            if risen:
                raise self.broken(f"risen: {sorted(risen)}\n  " + self.state())
            self.judge_places(spans)

    def judge_places(self, before: dict[str, set[tuple[int, int]]]) -> None:
        after = self.spans()
        for kind in (HIGHLIGHT, BOOKMARK):
            for span in after[kind] | before[kind]:
                done = self.witness.done_at.get((kind, span), set())
                is_made = done & {"add", "note", "append", "look"}  # also of what an old record had brought back
                if span in after[kind] and span not in before[kind] and not is_made:
                    raise self.broken(f"{kind} at {span} has risen\n  " + self.state())
                if span in before[kind] and span not in after[kind] and not done & {"delete", "move away"}:
                    raise self.broken(f"{kind} at {span} is lost\n  " + self.state())
                is_in_book = span[0] < PLACELESS_FROM and self.clients[0].wishes.notes_to != preferences.BOOKLORE
                if (
                    is_in_book
                    and span in after[kind]
                    and done == {"delete"}
                    and not self.was_asked
                    and self.is_witnessed
                ):
                    raise self.broken(f"{kind} at {span} was deleted\n  " + self.state())

    def judge_sameness(self) -> None:
        one, other = (self.shown(client.reader) for client in self.clients)
        with_place, there_too = self.in_book(one), self.in_book(other)
        for key in set(with_place) & set(there_too):
            if ANY_LABEL in (with_place[key][0], there_too[key][0]):
                with_place[key] = there_too[key]
        if with_place != there_too:
            raise self.broken("the devices differ\n  " + self.state())
        there: dict[tuple[str, tuple[int, int]], list[ServerMark]] = {}
        notes: dict[tuple[str, tuple[int, int]], str] = {}
        for row in self.server.rows.values():
            if not row.cfi:
                continue
            kind = BOOKMARK if row.kind == BOOKMARK else HIGHLIGHT
            key = (kind, span_of_cfi(spelt_cfi(row.cfi)))
            there.setdefault(key, []).append(row)
            notes[key] = f"{notes.get(key, '')} {row.note} {row.title}"
        for key, (note, color, drawer) in with_place.items():
            if key not in there:
                raise self.broken(f"{key} is not on the server\n  " + self.state())
            if not tokens_in(note) <= tokens_in(notes[key]) | self.book_note_tokens():
                raise self.broken(f"{key} has another note on the server\n  " + self.state())
            rows = [row for row in there[key] if row.kind == HIGHLIGHT]
            if rows and not any(
                colours.same_colour(color, row.color) and colours.same_style(drawer, row.style) for row in rows
            ):
                raise self.broken(f"{key} looks different on the server\n  " + self.state())
        for key in there:
            if key not in with_place:
                raise self.broken(f"{key} is not on the devices\n  " + self.state())
            is_compared = key[0] == HIGHLIGHT and self.clients[0].wishes.notes_to != preferences.BOOKLORE
            if is_compared and not tokens_in(notes[key]) <= tokens_in(with_place[key][0]):
                raise self.broken(f"{key} has another note on the devices\n  " + self.state())
        self.judge_book_notes()

    def in_book(self, marks: Shown) -> Shown:
        """Those that have a place in the book. A note that goes to the book's page only stays on its device."""
        only_there = self.clients[0].wishes.notes_to == preferences.BOOKLORE
        rows = {
            (BOOKMARK if row.kind == BOOKMARK else HIGHLIGHT, span_of_cfi(spelt_cfi(row.cfi)))
            for row in self.server.rows.values()
            if row.cfi
        }
        has_style = {row.cfi for row in self.server.rows.values() if row.kind == HIGHLIGHT}
        styled = {(HIGHLIGHT, span_of_cfi(spelt_cfi(cfi))) for cfi in has_style}
        return {
            key: ("" if only_there else value[0], value[1], value[2] if key in styled else "")
            for key, value in marks.items()
            if key[1][0] < PLACELESS_FROM and not (only_there and value[0] and key not in rows)
        }

    def judge_book_notes(self) -> None:
        contents = [row.note for row in self.server.rows.values() if row.kind == BOOK_NOTE]
        if len(set(contents)) != len(contents) and not self.has_moved:
            raise self.broken("a book note is there twice\n  " + self.state())

    def shown(self, reader: Reader) -> Shown:
        shown: Shown = {}
        for mark in reader.marks:
            key = (mark.kind, span_of(mark))
            if key in shown:
                raise self.broken(f"{key} is there twice\n  " + self.state())
            note = mark.note if mark.kind == HIGHLIGHT or mark.note else ANY_LABEL
            shown[key] = (" ".join(note.split()), colours.word_of(colours.hex_of(mark.color)), mark.drawer)
        return shown

    def book_note_tokens(self) -> set[str]:
        return {token for row in self.server.rows.values() if row.kind == BOOK_NOTE for token in tokens_in(row.note)}

    def tokens(self) -> set[str]:
        texts = [note_shown(mark) for client in self.clients for mark in client.reader.marks]
        texts.extend(f"{row.note} {row.title}" for row in self.server.rows.values())
        return {token for text in texts for token in tokens_in(text)}

    def labels(self) -> set[str]:
        marks = [mark for client in self.clients for mark in client.reader.marks if mark.kind == BOOKMARK]
        return {token for mark in marks for token in tokens_in(mark.text)}

    def spans(self) -> dict[str, set[tuple[int, int]]]:
        found: dict[str, set[tuple[int, int]]] = {HIGHLIGHT: set(), BOOKMARK: set()}
        for client in self.clients:
            for mark in client.reader.marks:
                found[mark.kind].add(span_of(mark))
        return found

    def state(self) -> str:
        lines = []
        for name, client in zip("AB", self.clients, strict=True):
            lines.append(f"{name}: asked {client.asked!r}")
            lines.extend(f"   {mark.to_json()}" for mark in client.reader.marks)
            for holding in client.holdings:
                links = [
                    (link.role, link.kind, link.remote_id, "closed" * link.closed, "tombstone" * link.tombstone)
                    for link in holding.links
                ]
                wanted = holding.wanted()
                lines.append(
                    f"   #{holding.key} {holding.kind} gone {holding.gone} offered {holding.is_offered} {links}"
                    f" {wanted.note if wanted else None!r} {span_of(wanted) if wanted else None}"
                )
        lines.append("server:")
        lines.extend(f"   {row.to_json()}" for row in self.server.rows.values())
        return "\n  ".join(lines)


def try_one(seed: int) -> History:
    history = History(seed)
    history.go()
    return history


def try_many(first: int, count: int, tell: Callable[[int], None] | None = None) -> dict[str, int]:
    """Figures: histories, deeds, requests."""
    figures = {"histories": 0, "deeds": 0, "requests": 0, "calls": 0}
    for seed in range(first, first + count):
        history = try_one(seed)
        figures["histories"] += 1
        figures["deeds"] += history.deeds
        figures["requests"] += history.server.requests
        figures["calls"] += sum(client.calls for client in history.clients)
        if tell is not None:
            tell(seed)
    return figures
