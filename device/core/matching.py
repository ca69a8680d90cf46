"""Which book on the server is this file? Only certainty matches by itself; everything else waits for the reader.

Rules, in order; the first that names exactly one book wins, and one that names several ends the search, because the
weaker rules cannot tell them apart either:
  1. ISBN: one of the file's ISBNs, checksum verified, as ISBN-13.
  2. File name and size in KiB. The name alone is no proof: libraries are full of `book.epub`.
  3. Title and one author, compared by their letters and digits only, without case.

Called by: `device/sending/sync.py`. Never: asks the server.
"""

from __future__ import annotations

BY_ISBN, BY_FILE, BY_TITLE = "ISBN", "file name and size", "title and author"
RULES = (BY_ISBN, BY_FILE, BY_TITLE)

SIZE_TOLERANCE_KB = 1  # the servers round, and not all the same way

NONE_FOUND = "no book on the server has its ISBN, its file, or its title and author"
SEVERAL_FOUND = "several books on the server could be this one"


class ServerBook:
    """One line of the server's library, as far as matching needs it."""

    __slots__ = ("authors", "files", "isbns", "server_id", "title")  # in the form in which they are compared

    def __init__(
        self, server_id: int, title: str, authors: list[str], isbns: list[str], files: list[tuple[str, int]]
    ) -> None:
        self.server_id = server_id
        self.title = normal(title)
        self.authors = {normal(author) for author in authors}
        self.isbns = {isbn13(isbn) for isbn in isbns}
        self.files = [(name.casefold(), size_kb) for name, size_kb in files]  # size in KiB


class Wanted:
    """A book of ours that has no id on the server yet, and which ids each rule has found for it so far."""

    __slots__ = ("_authors", "_file_name", "_found", "_isbns", "_size_kb", "_title")

    def __init__(
        self, title: str, authors: list[str], identifiers: list[str], file: str, size_bytes: int | None
    ) -> None:
        self._title = normal(title)
        self._authors = {normal(author) for author in authors} - {""}
        self._isbns = {isbn for isbn in (isbn13(identifier) for identifier in identifiers) if isbn}
        self._file_name = file.rpartition("/")[2].casefold()
        self._size_kb = None if size_bytes is None else size_bytes // 1024
        self._found: dict[str, set[int]] = {rule: set() for rule in RULES}

    def compare(self, candidate: ServerBook) -> None:
        """Takes one book of the server's library into account; call it for each of them, in any order."""
        if not self._isbns.isdisjoint(candidate.isbns):
            self._found[BY_ISBN].add(candidate.server_id)
        if self._is_one_of(candidate.files):
            self._found[BY_FILE].add(candidate.server_id)
        if self._title and self._title == candidate.title and not self._authors.isdisjoint(candidate.authors):
            self._found[BY_TITLE].add(candidate.server_id)

    def _is_one_of(self, files: list[tuple[str, int]]) -> bool:
        if self._size_kb is None:
            return False
        return any(
            name == self._file_name and abs(size_kb - self._size_kb) <= SIZE_TOLERANCE_KB for name, size_kb in files
        )

    def answer(self) -> tuple[int, str] | str:
        """(server id, rule) when one book is certain, else why not."""
        for rule in RULES:
            ids = self._found[rule]
            if len(ids) == 1:
                return next(iter(ids)), rule
            if ids:
                return SEVERAL_FOUND
        return NONE_FOUND


def normal(text: str) -> str:
    """`The Whale; or, Moby-Dick` and `the whale or moby dick` are one title: letters and digits, single spaces."""
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())


def isbn13(identifier: str) -> str | None:
    """The ISBN-13 in `ISBN:0-14-243724-6`, `urn:isbn:9780142437247`, `9780142437247`; None if the checksum is wrong."""
    bare = identifier.casefold().replace("urn:", "").replace("isbn:", "").replace("isbn", "")
    digits = bare.replace("-", "").replace(" ", "").replace("\u2010", "").replace("\u2011", "").upper()
    if not digits.isascii():
        return None
    if len(digits) == 10 and digits[:9].isdigit() and (digits[9].isdigit() or digits[9] == "X"):
        check = 10 if digits[9] == "X" else int(digits[9])
        if (sum((10 - place) * int(digits[place]) for place in range(9)) + check) % 11:
            return None
        digits = "978" + digits[:9]
        return digits + str(-_isbn13_sum(digits) % 10)
    if len(digits) == 13 and digits.isdigit() and digits[:3] in ("978", "979"):
        return digits if (_isbn13_sum(digits)) % 10 == 0 else None
    return None


def _isbn13_sum(digits: str) -> int:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
