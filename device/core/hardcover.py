"""Hardcover: what a book is to be given there, and which book it is there.

Promises: a status or rating that Hardcover has already costs no request; a book is taken for one of Hardcover's only by
its ISBN, or where title and author are plainly the same and no second one is.
Never: sends, stores.
Called by: `device/sending/hardcover.py`, `device/hardcover.py`; `hardcover_answers.py` for what answers are read
into. Source: docs.hardcover.app (status numbers) and the published GraphQL schema of August 2026.
"""

from __future__ import annotations

import zlib

from device.core import isbn as numbers
from device.core.folding import normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

TOKEN_MAX_CHARS = 4_000  # an older one, a JWT, has some hundred
LABEL_MAX_CHARS = 160
TITLE_MAX_CHARS = 200  # of what is searched for

WANT_TO_READ, CURRENTLY_READING, READ, PAUSED, DID_NOT_FINISH, IGNORED = 1, 2, 3, 4, 5, 6
# BookLore's words. UNREAD and what is not here are nothing that Hardcover would have to be told.
STATUS_IDS = {
    "READING": CURRENTLY_READING,
    "RE_READING": CURRENTLY_READING,
    "READ": READ,
    "PARTIALLY_READ": PAUSED,
    "PAUSED": PAUSED,
    "ABANDONED": DID_NOT_FINISH,
    "WONT_READ": IGNORED,
}
UNREAD = "UNREAD"
# These say less than Hardcover's “Read”, which may be years old: they do not replace it when a book is first seen.
_LESS_THAN_READ = ("READING", "PARTIALLY_READ")
RATING, STATUS = "rating", "status"


# The token


def token(text: str) -> str:
    """The token in what the reader pasted, with or without “Bearer” before it; empty if there is none."""
    words = text.split()
    if words and words[0].lower().rstrip(":") == "authorization":
        words = words[1:]
    if words and words[0].lower() == "bearer":
        words = words[1:]
    if len(words) != 1 or len(words[0]) > TOKEN_MAX_CHARS or not words[0].isascii() or not words[0].isprintable():
        return ""
    return words[0]


def mark(token: str) -> str:
    """Tells one token from another without keeping it."""
    return str(zlib.crc32(token.encode("utf-8")))


# What is to be sent


class Entry:
    """A book in the reader's library at Hardcover. `rating`: 0.5 to 5, None for none."""

    __slots__ = ("book_id", "id", "rating", "status_id")

    def __init__(self, id: int, book_id: int, status_id: int | None, rating: float | None) -> None:
        self.id = id
        self.book_id = book_id
        self.status_id = status_id
        self.rating = rating


class Plan:
    """`fields` are to be sent, for a new entry if `creates`; `settled` are the wishes that need no request."""

    __slots__ = ("creates", "fields", "settled")

    def __init__(self) -> None:
        self.creates = False
        self.fields: dict[str, Json] = {}
        self.settled: list[str] = []


class Wanted:
    """One wish: what is wanted, and what Hardcover confirmed last, both as they are stored."""

    __slots__ = ("sent", "value")

    def __init__(self, value: str | None, sent: str | None) -> None:
        self.value = value
        self.sent = sent


def plan(wishes: dict[str, Wanted], entry: Entry | None, was_read: bool) -> Plan:
    """What a book still needs. `was_read`: to its end on this device, as far as that is known."""
    made = Plan()
    status, rating = wishes.get(STATUS), wishes.get(RATING)
    status_id = None if status is None else STATUS_IDS.get(status.value or "")
    if status is not None:
        if status_id is None or _has_it(entry, status, status_id):
            made.settled.append(STATUS)
        else:
            made.fields["status_id"] = status_id
    if rating is not None:
        stars = stars_of(rating.value)
        present = None if entry is None else entry.rating
        if stars == present or (stars is None and rating.value is not None):
            made.settled.append(RATING)
        else:
            made.fields["rating"] = stars
    made.creates = entry is None and bool(made.fields)
    if made.creates and "status_id" not in made.fields:
        # A rated book has to have a status: what is known of it, without claiming more.
        unread = status is not None and status.value == UNREAD
        made.fields["status_id"] = WANT_TO_READ if unread else READ if was_read else CURRENTLY_READING
    return made


def needs_nothing(wishes: dict[str, Wanted]) -> bool:
    """Whether there is nothing to be sent, whatever Hardcover has."""
    status, rating = wishes.get(STATUS), wishes.get(RATING)
    if status is not None and (status.value or "") in STATUS_IDS:
        return False
    return rating is None or (stars_of(rating.value) is None and (rating.value is not None or rating.sent is None))


def _has_it(entry: Entry | None, wish: Wanted, status_id: int) -> bool:
    if entry is None:
        return False
    if entry.status_id == READ and wish.sent is None and wish.value in _LESS_THAN_READ:
        return True
    return entry.status_id == status_id


def stars_of(rating: str | None) -> float | None:
    """1..10 as half to five stars; None for none, and for what is no rating."""
    if rating is None or not rating.isascii() or not rating.isdigit() or len(rating) > 2:
        return None
    return int(rating) / 2 if 1 <= int(rating) <= 10 else None


def contradicts(fields: dict[str, Json], entry: Entry) -> bool:
    """Whether what Hardcover says that it has is not what it was sent."""
    if "status_id" in fields and entry.status_id != fields["status_id"]:
        return True
    return "rating" in fields and entry.rating != fields["rating"]


# Which book it is


class Hit:
    """A book that Hardcover's search found."""

    __slots__ = ("authors", "id", "subtitle", "title", "year")

    def __init__(self, id: int, title: str, subtitle: str, authors: list[str], year: int | None) -> None:
        self.id = id
        self.title = title
        self.subtitle = subtitle
        self.authors = authors
        self.year = year

    def label(self) -> str:
        """For the reader to choose by."""
        parts = [", ".join(self.authors[:2]), "" if self.year is None else str(self.year)]
        about = ", ".join(part for part in parts if part)
        return cut(f"{self.title} ({about})" if about else self.title)


class Edition:
    __slots__ = ("book_id", "isbns", "title")

    def __init__(self, book_id: int, isbns: list[str], title: str) -> None:
        self.book_id = book_id
        self.isbns = isbns  # as ISBN-13
        self.title = title


def looked_for(title: str, authors: list[str], identifiers: list[str]) -> str:
    """By what a book is looked for: where this has not changed, looking again would find no more."""
    return " | ".join([*isbns(identifiers), normal(title), *sorted(normal(author) for author in authors)])[:1_000]


def isbns(identifiers: list[str]) -> list[str]:
    """The ISBN-13s among identifiers of any kind, each once."""
    found: list[str] = []
    for identifier in identifiers:
        isbn = numbers.of_identifier(identifier)
        if isbn is not None and isbn not in found:
            found.append(isbn)
    return found


def isbn10(isbn: str) -> str | None:
    """The older form of an ISBN-13; those that begin with 979 have none."""
    if not isbn.startswith("978"):
        return None
    digits = isbn[3:12]
    check = -sum((10 - place) * int(digit) for place, digit in enumerate(digits)) % 11
    return digits + ("X" if check == 10 else str(check))


def of_editions(isbns: list[str], editions: list[Edition]) -> dict[int, str]:
    """The books that have one of these ISBNs, with a title for each."""
    wanted = set(isbns)
    return {edition.book_id: cut(edition.title) for edition in editions if not wanted.isdisjoint(edition.isbns)}


def search_text(title: str, authors: list[str]) -> str:
    """What is searched for: the title without what follows a colon, and the first author's name in speaking order."""
    short = title.partition(": ")[0].strip() or title
    name = next((author.strip() for author in authors if author.strip()), "")
    last, comma, first = name.partition(",")
    if comma and first.strip() and "," not in first:
        name = f"{first.strip()} {last.strip()}"
    return " ".join(f"{short} {name}".split())[:TITLE_MAX_CHARS]


def certain(title: str, authors: list[str], hits: list[Hit]) -> int | None:
    """The one hit whose title and author are plainly the same; None if there is none, or a second one."""
    wanted, names = normal(title), {_name(author) for author in authors} - {""}
    same = [
        hit.id
        for hit in hits
        if wanted
        and wanted in (normal(hit.title), normal(f"{hit.title} {hit.subtitle}"))
        and not names.isdisjoint({_name(author) for author in hit.authors})
    ]
    return same[0] if len(set(same)) == 1 else None


def _name(author: str) -> str:
    """`Melville, Herman` and `Herman Melville` are one name."""
    return " ".join(sorted(normal(author).split()))


def cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LABEL_MAX_CHARS else text[: LABEL_MAX_CHARS - 1] + "…"
