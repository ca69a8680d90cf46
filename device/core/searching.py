"""Looking through the server's library: for many files at once, and for words that the reader typed.

Promises: one pass over the library, whatever is looked for; no file is compared with a book that it has nothing in
common with.
Called by: `device/sending/finding_books.py`, `device/verbs/matching.py`.
"""

from __future__ import annotations

from device.core.folding import words
from device.core.title_words import SMALL_WORDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.core.matching import ServerBook, Wanted


def title_hit(text: str, book: ServerBook) -> float:
    """How well a book fits words that the reader typed: 0 unless each of them begins a word of it."""
    sought = words(text)
    of_title = words(f"{book.title} {book.subtitle}")
    known = {*of_title, *words(book.series), *(word for author in book.authors for word in words(author))}
    if not sought or not all(any(word.startswith(each) for word in known) for each in sought):
        return 0.0
    in_title = sum(each in of_title for each in sought)
    return 1.0 + in_title / len(sought) + (1.0 if of_title == sought else 0.0) - len(of_title) / 1_000


class Search:
    """Many files looked for at once, in one pass over the library: each book is compared only with those files that it
    shares an ISBN, a file's name, a fingerprint or half of a title's telling words with."""

    __slots__ = ("_by_isbn", "_by_mark", "_by_name", "_by_word", "wanted")

    def __init__(self, wanted: list[Wanted]) -> None:
        self.wanted = wanted
        self._by_word: dict[str, list[int]] = {}
        self._by_isbn: dict[str, list[int]] = {}
        self._by_name: dict[str, list[int]] = {}
        self._by_mark: dict[str, list[int]] = {}
        for number, each in enumerate(wanted):
            for index, keys in (
                (self._by_word, each.keys),
                (self._by_isbn, each.isbns),
                (self._by_mark, each.fingerprints),
                (self._by_name, (each.file_name,)),
            ):
                for key in keys:
                    index.setdefault(key, []).append(number)

    def near(self, title: str, isbns: list[str], file_names: list[str], fingerprint: str | None) -> set[int]:
        """Which of the files a book of the library is to be compared with."""
        found: set[int] = set()
        for number in isbns:
            found.update(self._by_isbn.get(number, ()))
        for name in file_names:
            found.update(self._by_name.get(name.casefold(), ()))
        if fingerprint is not None:
            found.update(self._by_mark.get(fingerprint, ()))
        shared: dict[int, int] = {}
        said = set(words(title))
        for word in said:
            for place in self._by_word.get(word, ()):
                shared[place] = shared.get(place, 0) + 1
        if shared:
            telling = len(said - SMALL_WORDS) or len(said)
            for place, count in shared.items():
                if 2 * count >= min(telling, len(self.wanted[place].keys)):
                    found.add(place)
        return found
