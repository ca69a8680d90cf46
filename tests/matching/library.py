"""Makes the library and the files, the same on every machine: `make(seed)`.

A file's ground truth is the one entry it was taken from; for a file of a book that the server does not have, it is
None. Two entries of one text are two answers, of which one is right. No author has two books of one title, except those
that are meant to mislead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from device.core.folding import words
from device.core.matching import ServerBook
from device.core.title_words import SMALL_WORDS
from tests.matching import works

LIBRARY_LEAST = 800


@dataclass
class Entry:
    """A book on the server, as it really is; `book` is what the server says of it."""

    id: int
    kind: str
    title: str
    subtitle: str
    authors: list[str]
    language: str
    isbn: str
    size_bytes: int
    file: str
    series: str = ""
    index: float | None = None
    fingerprint: str = ""
    book: ServerBook = field(default_factory=lambda: ServerBook(0, ""))


@dataclass
class File:
    """A file on the device, as KOReader and the file itself describe it. `truth`: the server's id, or None."""

    kind: str
    truth: int | None
    title: str
    authors: list[str]
    identifiers: list[str]
    file: str
    size_bytes: int | None
    language: str
    series: str = ""
    index: float | None = None
    fingerprint: str | None = None


def isbn(number: int) -> str:
    body = f"978{100_000_000 + number * 7919 % 899_999_999:09}"
    return body + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10)


def isbn10(long: str) -> str:
    body = long[3:12]
    check = -sum((10 - place) * int(digit) for place, digit in enumerate(body)) % 11
    return body + ("X" if check == 10 else str(check))


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.entries: list[Entry] = []
        self.files: list[File] = []
        self.absent: list[Entry] = []  # books that the server does not have
        self._serial = 0
        self._taken: set[tuple[str, str]] = set()

    # The library

    def entry(
        self, kind: str, title: str, authors: list[str], language: str = "en", suffix: str = "epub", **more: object
    ) -> Entry:
        self._serial += 1
        made = Entry(
            self._serial, kind, title, "", authors, language, isbn(self._serial),
            self.random.randrange(150, 4000) * 1024,
            f"{title} - {authors[0] if authors else 'Unknown'}.{suffix}".replace("/", "-"),
        )  # fmt: skip
        made.size_bytes += self.random.randrange(1024)
        made.fingerprint = f"{self._serial:032x}"
        for name, value in more.items():
            setattr(made, name, value)
        return made

    def author(self) -> str:
        parts = (self.random.choice(works.GIVEN), self.random.choice(works.SECOND), self.random.choice(works.FAMILY))
        return " ".join(part for part in parts if part)

    def namesake_of(self, entry: Entry) -> str:
        while (author := self.author()) in entry.authors:
            continue
        return author

    def new_title(self, author: str) -> str:
        while True:
            title = self.title()
            if (title, author) not in self._taken:
                self._taken.add((title, author))
                return title

    def title(self) -> str:
        pick = self.random.choice
        pattern = self.random.randrange(6)
        if pattern == 0:
            return f"The {pick(works.ADJECTIVES)} {pick(works.PLACES)}"
        if pattern == 1:
            return f"The {pick(works.PEOPLE)}'s {pick(works.PLACES)}"
        if pattern == 2:
            return f"{pick(works.THINGS)} and {pick(works.THINGS)}"
        if pattern == 3:
            return f"A {pick(works.PLACES)} of {pick(works.THINGS)}"
        if pattern == 4:
            return pick(works.THINGS)
        return f"{pick(works.ADJECTIVES)} {pick(works.THINGS)}"

    def keep(self, entry: Entry, on_server: bool = True) -> Entry:
        (self.entries if on_server else self.absent).append(entry)
        return entry

    def fill(self) -> None:
        chance = self.random.random
        for _ in range(440):
            author = self.author()
            made = self.keep(self.entry("plain", self.new_title(author), [author]), chance() < 0.85)
            if chance() < 0.25:
                made.subtitle = self.random.choice(works.SUBTITLES)
            if chance() < 0.1:
                made.authors.append(self.author())
        for title, author, language, others in works.CLASSICS:
            for tongue, name in [(language, title), *others.items()]:
                self.keep(self.entry("translation", name, [author], tongue), chance() < 0.7)
                if chance() < 0.3:
                    self.keep(self.entry("translation", name, [author], tongue, "pdf"), chance() < 0.5)
            for mark in self.random.sample(works.MARKS, 2):
                self.keep(self.entry("edition", f"{title} ({mark})", [author], language), chance() < 0.5)
        for name in works.SERIES:
            author = self.author()
            for number in range(1, 8):
                self.keep(
                    self.entry("series", self.new_title(author), [author], series=name, index=float(number)),
                    chance() < 0.7,
                )
            self.keep(self.entry("box set", f"{name} Box Set: Books 1-3", [author], series=name), chance() < 0.7)
            self.keep(self.entry("box set", name, [author]), chance() < 0.4)
        for name in works.COMICS:
            author = self.author()
            for number in range(1, 16):
                title = self.random.choice(
                    [f"{name} Vol. {number}", f"{name}, Volume {number}", f"{name} #{number}", name]
                )
                made = self.entry("comic", title, [author], "en", "cbz", series=name, index=float(number))
                made.file = f"{name} v{number:02} (2019).cbz"
                self.keep(made, chance() < 0.7)
        for name in works.MAGAZINES:
            for month in range(1, 13):
                made = self.entry("magazine", name, ["Northern Press"], "en", self.random.choice(["pdf", "epub"]))
                made.file = f"{name} 2024-{month:02}.{made.file.rpartition('.')[2]}"
                self.keep(made, chance() < 0.6)
        for title in works.TEXTBOOKS:
            author = self.author()
            for number, word in enumerate(("1st", "2nd", "3rd", "4th"), 1):
                name = title if number == 1 else f"{title}, {word} Edition"
                self.keep(self.entry("textbook", name, [author], "en", "pdf"), chance() < 0.6)
        for _ in range(60):
            self.keep(self.entry("generic", self.random.choice(works.GENERIC), [self.author()]), chance() < 0.6)
        for original in self.random.sample([entry for entry in self.entries if entry.kind == "plain"], 60):
            again = self.entry("duplicate", original.title, list(original.authors), original.language)
            again.subtitle, again.isbn = original.subtitle, self.random.choice([original.isbn, again.isbn])
            if chance() < 0.5:
                again.file = again.file.replace(".epub", ".pdf")
            elif chance() < 0.5:
                again.file = original.file
            self.keep(again)
        for original in self.random.sample([entry for entry in self.entries if entry.kind == "plain"], 40):
            title = self.random.choice(
                [f"{original.title} II", f"Return to {original.title}", f"{original.title} Again"]
            )
            self.keep(self.entry("sequel", title, list(original.authors)), chance() < 0.5)
            self.keep(self.entry("namesake", original.title, [self.namesake_of(original)]), chance() < 0.5)
        while len(self.entries) < LIBRARY_LEAST:
            author = self.author()
            self.keep(self.entry("plain", self.new_title(author), [author]))

    def describe(self) -> None:
        """What the server says of its books: some of it is missing, and some of it is wrong."""
        chance = self.random.random
        for entry in self.entries:
            book = ServerBook(entry.id, entry.title)
            book.subtitle = entry.subtitle if chance() < 0.6 else ""
            book.authors = list(entry.authors) if chance() < 0.94 else []
            book.language = entry.language if chance() < 0.85 else ""
            book.isbns = [entry.isbn] if chance() < 0.65 else []
            if chance() < 0.03:
                book.isbns = [self.random.choice(self.entries).isbn]
            if entry.series and chance() < 0.8:
                book.series, book.series_index = entry.series, entry.index
            size_kb = entry.size_bytes // 1024 + self.random.choice([0, 0, 1])
            book.files = [(entry.file if chance() < 0.85 else f"book.{entry.file.rpartition('.')[2]}", size_kb)]
            book.fingerprint = entry.fingerprint
            entry.book = book

    # The files

    def take_files(self) -> None:
        for entry in self.entries:
            for _ in range(1 if self.random.random() < 0.75 else 2):
                self.files.append(self.file(entry, entry.id))
        for entry in self.absent:
            self.files.append(self.file(entry, None))
        self._near_misses()

    def file(self, entry: Entry, truth: int | None) -> File:
        chance, pick = self.random.random, self.random.choice
        made = File(
            entry.kind, truth, entry.title, list(entry.authors), [], f"/mnt/onboard/{entry.file}", entry.size_bytes,
            entry.language, entry.series, entry.index,
        )  # fmt: skip
        if entry.subtitle and chance() < 0.6:
            made.title = f"{entry.title}: {entry.subtitle}"
        made.title = self._spelling(made.title, entry)
        if chance() < 0.35:
            made.authors = [self._name(name) for name in made.authors]
        if len(made.authors) > 1 and chance() < 0.4:
            made.authors = pick([made.authors[:1], [" & ".join(made.authors)], list(reversed(made.authors))])
        if chance() < 0.07:
            made.authors = pick([[], ["Unknown"]])
        if chance() < 0.05:
            made.authors.append(self.author())
        if chance() < 0.6:
            number = entry.isbn if chance() < 0.85 else isbn(100_000 + self._serial + len(self.files))
            made.identifiers = [pick([f"ISBN:{number}", f"urn:isbn:{number}", f"ISBN:{isbn10(number)}", number])]
        if chance() < 0.02:
            made.identifiers = [f"ISBN:{pick(self.entries).isbn}"]
        made.identifiers.append(f"uuid:{self._serial}-{len(self.files)}")
        made.fingerprint = entry.fingerprint
        if chance() < 0.45:
            made.fingerprint = None if chance() < 0.7 else entry.fingerprint[::-1]
            assert made.size_bytes is not None
            made.size_bytes += self.random.randrange(3_000, 60_000)  # a cover or metadata were written into it
        elif chance() < 0.1:
            made.size_bytes = None
        suffix = entry.file.rpartition(".")[2]
        if chance() < 0.6:
            first = (made.authors or ["x"])[0]
            made.file = f"/b/{pick([f'{first} - {made.title}', made.title, 'book', made.title.lower()])}.{suffix}"
        if chance() < 0.06 and suffix == "epub":
            made.file = made.file.removesuffix("epub") + pick(["kepub.epub", "azw3", "mobi"])
        if chance() < 0.2:
            made.language = pick(["", f"{entry.language}-XX", ""])
        if entry.series and chance() < 0.5:
            made.series, made.index = "", None
        if chance() < 0.04:
            made.title = pick(["Unknown", "untitled", entry.file.rpartition(".")[0]])
        return made

    def _spelling(self, title: str, entry: Entry) -> str:
        chance, pick = self.random.random, self.random.choice
        if chance() < 0.08 and title.startswith("The "):
            return f"{title[4:]}, The"
        if chance() < 0.12:
            return pick(
                [
                    title.upper(),
                    title.lower(),
                    title.replace("'", "\u2019"),
                    f" {title} ",
                    title.replace(" and ", " & "),
                ]
            )
        if chance() < 0.04 and len(title) > 9:
            at = self.random.randrange(3, len(title) - 3)
            return title[:at] + title[at + 1 :]
        if entry.series and entry.index is not None and chance() < 0.3:
            number = int(entry.index)
            return pick(
                [
                    f"{title} ({entry.series}, #{number})",
                    f"{entry.series}, Book {number}: {title}",
                    f"{number:02} {title}",
                ]
            )
        return title

    def _name(self, name: str) -> str:
        given, _, family = name.rpartition(" ")
        if not given:
            return name
        choice = self.random.randrange(4)
        if choice == 0:
            return f"{family}, {given}"
        if choice == 1:
            return f"{given[0]}. {family}"
        if choice == 2:
            return name.replace("é", "e").replace("ö", "o").replace("ü", "u").replace("ø", "o").replace("ë", "e")
        return name.upper()

    def _near_misses(self) -> None:
        """Files of books that are not there, as like as can be to one that is."""
        pick = self.random.choice
        titles = [entry.title for entry in self.entries]
        for entry in self.random.sample([each for each in self.entries if titles.count(each.title) == 1], 300):
            made = self.file(entry, None)
            size_kb = entry.size_bytes // 1024
            made.file = f"/b/{entry.title}.{entry.file.rpartition('.')[2]}"
            made.size_bytes = (size_kb + pick([-1, 1]) * self.random.randrange(12, 900)) * 1024
            if made.size_bytes <= 0:
                made.size_bytes = 90 * 1024
            trap = self.random.randrange(8)
            other = isbn(200_000 + len(self.files))
            if trap == 0:
                made.kind, made.authors, made.identifiers = "miss: another author", [self.author()], [f"ISBN:{other}"]
            elif trap == 1:
                made.kind, made.language = "miss: a translation", pick(["nl", "it", "pl"])
                made.identifiers = pick([[], [f"ISBN:{other}"]])
                made.title = (
                    pick(works.TITLES_OF_ALL_LANGUAGES) if SMALL_WORDS & set(words(entry.title)) else entry.title
                )
            elif trap == 2:
                made.kind, made.title = "miss: another volume", f"{entry.title}, Book {self.random.randrange(20, 30)}"
            elif trap == 3:
                made.kind, made.title = "miss: a marked edition", f"{entry.title} ({pick(works.MARKS)})"
            elif trap == 4:
                made.kind, made.identifiers = "miss: another ISBN", [f"ISBN:{other}"]
                made.title = f"{entry.title} and Other Stories"
            elif trap == 5:
                made.kind = "miss: the ISBN of another book"
                made.title, made.identifiers = self.title() + " Revisited", [f"ISBN:{entry.isbn}"]
            elif trap == 6:
                made.kind, made.size_bytes = "miss: a sample", max(entry.size_bytes // 12, 9_000)
                made.identifiers, made.title = [], entry.title
                made.file = f"/b/{entry.title}.epub"
            else:
                made.kind, made.title = "miss: the set", f"{entry.title}: The Complete Trilogy"
                made.identifiers = [f"ISBN:{entry.isbn}"]
            made.fingerprint = None
            self.files.append(made)


def make(seed: int = 1) -> Maker:
    maker = Maker(seed)
    maker.fill()
    maker.describe()
    maker.take_files()
    return maker
