"""What is known of one mark: how the device has it, what the device is to be given, what the server had of it last.

Theory of operation. Three things of a mark are kept apart, and every module here speaks of them by these names:

    device    as KOReader had it when it was last seen there, and whether it still does (`gone`)
    offered   what the device is to have in its place, because the server's side has changed; None with `is_offered`:
              nothing, it is to be removed. Until the device has it, everybody else counts it as what the device has
    agreed    for each link: what the server had when it was last heard, in the device's words (`agreed_device`) and in
              the server's (`agreed_server`). It is the common ancestor of the three-way merge, and moves each time the
              server is heard or has confirmed something, whether the device has got it yet or not

So `wanted()`, which is what is offered or else what the device has, against `agreed_device` tells what the server is
still to be told; the server's row against `agreed_server` tells what is still to be taken from it. Each side is only
ever compared with what that same side had, so that a colour or a text which does not survive the way there and back is
no change.

What was sent and never answered (`sent_device`, `sent_server`) may be on the server. The next list tells: where the row
is what was sent, that becomes what is agreed.

The device's side:

    seen     nothing offered      an edit offered               its removal offered         deleted before
    ------   ------------------   ---------------------------   -------------------------   ---------------------------
    as was   nothing              nothing; it is still offered  nothing; still offered      an old record: removed again
    edited   that is what it has  both are merged               the edit wins, it stays     the edit wins, it is back
    older    an old record: what it had before is offered to it                             as “as was”
    gone     deleted              the edit wins: offered again  done                        nothing
    lost     given back           given back                    done                        nothing

A deleted mark is kept (`gone`), so that an old copy of KOReader's record does not bring it back.

Called by: `device/annotation_ingest.py` (see, miss), `device/verbs/` (took, could_not_take), `merge.py`.
"""

from __future__ import annotations

from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.annotations.words import merged, same_on_device

# `gone`
HERE, DELETED, LOST = 0, 1, 2  # the device has it; its reader deleted it; KOReader's record of it was lost

# Roles of links
MAIN = "main"  # at its place in the book, or a bookmark
COPY = "copy"  # its note, on the book's page
TWIN = "twin"  # the server's in-book note at the very place of a highlight
STAND_IN = "stand_in"  # a note on the book's page where it has no place in the book that could be named
OLD = "old"  # and which (`old_role`): the row that another one replaces; it is deleted once that one is there


class Link:
    """What a mark is on the server, for one account. `remote_id` None: not there yet, or not known under which id.

    `closed`: somebody deleted it there, and that is respected; of a MAIN: the device cannot have it. `tombstone`: its
    deletion there has been decided; until a list no longer has it, it counts as about to be deleted. Both: the server
    has answered that it is deleted, and no list has confirmed it yet.
    `heard` and `row` are of this run: whether its list was read, and what that has of it.
    """

    __slots__ = (
        "agreed_device",
        "agreed_server",
        "closed",
        "heard",
        "kind",
        "remote_id",
        "role",
        "row",
        "sent_device",
        "sent_server",
        "tombstone",
    )

    def __init__(self, role: str, kind: str, remote_id: int | None = None) -> None:
        self.role = role
        self.kind = kind
        self.remote_id = remote_id
        self.agreed_device: DeviceMark | None = None
        self.agreed_server: ServerMark | None = None
        self.sent_device: DeviceMark | None = None
        self.sent_server: ServerMark | None = None
        self.closed = False
        self.tombstone = False
        self.heard = False
        self.row: ServerMark | None = None

    def is_old(self) -> bool:
        return self.role.startswith(OLD)

    def forget(self) -> None:
        """It is not there: as if it had never been."""
        self.remote_id = None
        self.agreed_device, self.agreed_server = None, None
        self.sent_device, self.sent_server = None, None
        self.closed, self.tombstone = False, False

    def copy(self) -> Link:
        link = Link(self.role, self.kind, self.remote_id)
        link.agreed_device, link.agreed_server = self.agreed_device, self.agreed_server
        link.sent_device, link.sent_server = self.sent_device, self.sent_server
        link.closed, link.tombstone = self.closed, self.tombstone
        link.heard, link.row = self.heard, self.row
        return link


def old_role(link: Link) -> str:
    return f"{OLD} {link.kind} {link.remote_id}"


class Holding:
    """One mark. `key`: the caller's number of it. `place`: its place in the book in the form in which two spellings are
    one (`identity.py`), "" if it has none that could be named, None if it has not been looked for. `cfi`: the same as
    it is sent. Both are of `wanted()`."""

    __slots__ = ("cfi", "device", "gone", "is_offered", "key", "kind", "links", "offered", "place")

    def __init__(self, key: int, kind: str) -> None:
        self.key = key
        self.kind = kind
        self.device: DeviceMark | None = None
        self.gone = HERE
        self.offered: DeviceMark | None = None
        self.is_offered = False
        self.place: str | None = None
        self.cfi = ""
        self.links: list[Link] = []

    def on_device(self) -> DeviceMark | None:
        """As the device has it now."""
        return self.device if self.gone == HERE else None

    def wanted(self) -> DeviceMark | None:
        """As the device has it, or will have it once it has taken what it is offered."""
        if self.is_offered:
            return self.offered
        return None if self.gone == DELETED else self.device

    def wanted_changed_at(self) -> str:
        wanted = self.wanted()
        return "" if wanted is None else wanted.changed_at

    def link(self, role: str) -> Link | None:
        found = [link for link in self.links if link.role == role]
        return found[0] if found else None

    def offer(self, mark: DeviceMark | None) -> None:
        """The device is to have this; nothing is offered where it has it."""
        here = self.on_device()
        self.is_offered = not (mark is here or (mark is not None and here is not None and same_on_device(mark, here)))
        self.offered = mark if self.is_offered else None

    def see(self, seen: DeviceMark, is_old: bool = False) -> bool:
        """Takes what the device has now; whether anything is different from what was known.

        `is_old`: it comes from a record of KOReader's that is older than the one before (`is_old_record`).
        """
        before = self.device
        if is_old and before is not None and (seen.made_at > before.made_at or _newer(seen, before)):
            self.miss(True)  # the reader went on from the old record: what she did there is to be merged
            before, is_old = self.device, False
        if before is None or self.gone == LOST:
            return self._see_first(seen, is_old)
        if same_on_device(seen, before) and not (self.gone == DELETED and _newer(seen, before)):
            return self._see_as_was(seen)
        if self.is_offered and self.offered is not None and same_on_device(seen, self.offered):
            self._has(seen)
        elif is_old or _is_stale(seen, before):
            wanted = self.wanted()
            self._has(seen)
            self.offer(wanted)
        elif self.is_offered and self.offered is not None:
            wanted = merged(before, seen, self.offered)
            self._has(seen)
            self.offer(wanted)
        else:
            self._has(seen)
        return True

    def _see_first(self, seen: DeviceMark, is_old: bool) -> bool:
        """The device had not had it, or had lost it."""
        wanted = self.wanted()
        self._has(seen)
        if wanted is not None and not same_on_device(seen, wanted):
            self.offer(wanted if is_old or _is_stale(seen, wanted) else merged(None, seen, wanted))
        return True

    def _see_as_was(self, seen: DeviceMark) -> bool:
        assert self.device is not None
        if self.gone == HERE:
            is_same = self.device.is_same(seen)  # if not, it is spelt otherwise, or on another page
            self.device = seen
            return not is_same
        wanted = self.wanted()
        self._has(seen)
        self.offer(wanted)
        return True

    def _has(self, seen: DeviceMark) -> None:
        self.device, self.gone = seen, HERE
        self.offered, self.is_offered = None, False

    def miss(self, lost: bool, changed_at: str = "") -> bool:
        """The device does not have it any more; whether that was news.

        `lost`: nobody deleted it, KOReader's record is not what it was. `changed_at`: when it had been changed last, if
        that was told: it shows whether what was offered had been taken before.
        """
        if self.on_device() is None:
            return False
        if self.is_offered and self.offered is None:
            self.gone, self.is_offered = DELETED, False
        elif lost:
            self.device = self.wanted()
            self.gone, self.offered, self.is_offered = LOST, None, False
        elif self.is_offered and self.offered is not None and changed_at != self.offered.changed_at:
            self.gone = DELETED  # what is offered stays so: the reader had not seen it when she deleted the mark
        else:
            self.gone = DELETED
            self.offered, self.is_offered = None, False
        return True

    def took(self) -> None:
        """The device has what it was offered."""
        if not self.is_offered:
            return
        if self.offered is None:
            self.gone = DELETED
        else:
            self.device, self.gone = self.offered, HERE
        self.offered, self.is_offered = None, False

    def could_not_take(self) -> None:
        """It has no place on the device. It stays on the server, and nothing follows from it any more."""
        self.offered, self.is_offered = None, False
        if self.on_device() is None:
            self.gone = DELETED
            for link in self.links:
                link.closed = True


def is_old_record(pairs: list[tuple[Holding, DeviceMark]]) -> bool:
    """Whether what was read of a book is an old copy: something in it was changed or deleted since, and is back."""
    for holding, seen in pairs:
        known = holding.device
        if known is None or known.made_at != seen.made_at or _newer(seen, known):
            continue
        if (holding.gone == DELETED and not holding.is_offered) or _is_stale(seen, known) or _is_before(seen, known):
            return True
    return False


def _newer(seen: DeviceMark, known: DeviceMark) -> bool:
    """Whether it was changed since; what was never changed has no time of that."""
    return seen.changed_at > known.changed_at


def _is_before(seen: DeviceMark, known: DeviceMark) -> bool:
    """Whether it is as it was before its first change: no version of KOReader takes back when that was."""
    return bool(known.changed_at) and not seen.changed_at and not same_on_device(seen, known)


def _is_stale(seen: DeviceMark, known: DeviceMark) -> bool:
    """Whether it was known with a later change. Old versions of KOReader do not say when; that proves nothing."""
    return bool(seen.changed_at) and seen.changed_at < known.changed_at
