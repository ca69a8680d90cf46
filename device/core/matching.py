"""Which book on the server is this file? Only certainty matches by itself; everything else is asked.

Rule 1: every rule by which a match is made, refused or left to the reader lives in this file. What it goes by is taken
apart in `titles.py`, `names.py` and `file_marks.py`.

Theory of operation. Each pair of a file and a book on the server is compared once, and what speaks for and against it
noted (`Candidate`). What makes a pair certain:
  hash       KOReader's fingerprint is the server's, and the sizes agree; or the titles do not contradict it, because
             KOReader of 2026 gives a book that is opened from within another the other's fingerprint.
  file       The file's name and its size in KiB, and no title that contradicts them. A name that libraries are full of
             (`book.epub`) is none; a title that is the file's name, where no author is told, contradicts nothing.
  ISBN       One ISBN in common, and titles that are the same, or the same but for a slip of the pen or for a subtitle
             that says nothing of an edition.
             An ISBN alone is no proof: sets give theirs to their volumes, and servers look the wrong one up.
  title      Title with subtitle and all authors, in one language and one kind of file. Where that could be a
             coincidence (`_needs_proof`), the file's size in KiB as well; never where the names of the two files
             tell two numbers, months or editions that the titles do not (`file_marks.py`).
What a pair never survives, but for the hash of a file of the same size: another language, or the number of another
volume. What it does not survive without hash or file: a word that makes another book of a title (`abridged`, `box
set`) in only one of them, and two ISBNs that are not the same.

One certain pair is a match, unless another book of the server could be it just as well: then file, and after it the
format, decide between them, or nobody does. What is not certain is shown to the reader in the order of its score.

Called by: `device/sending/finding_books.py`. Never: asks the server.
"""

from __future__ import annotations

from device.core import file_kinds, file_marks, isbn, languages, names, titles
from device.core.folding import words
from device.core.title_words import COMMON_FILE_NAMES, MAKES_ANOTHER, MAKES_ANOTHER_EDITION

BY_HASH, BY_ISBN, BY_FILE, BY_TITLE = "hash", "ISBN", "file name and size", "title and author"
RULES = (BY_HASH, BY_FILE, BY_ISBN, BY_TITLE)  # the surest first

SIZE_TOLERANCE_KB = 1  # the servers round, and not all the same way
REWRITTEN_KB = 128  # as much as a cover and metadata add to a file
SIZES_APART = 2  # a file that is so many times as big as another is not the same text: a sample, an illustrated edition
CANDIDATES_MOST = 5  # for the reader to choose from
KEPT_MOST = 40  # candidates of one book in memory: those with the highest scores
SCORE_LEAST = 0.3  # below this there is no more than a common word

NONE_FOUND = "no book on the server has its ISBN, its file, or its title and author"
SEVERAL_FOUND = "several books on the server could be this one"
UNCERTAIN = "a book on the server looks like this one, but it is not certain"

# What speaks for or against a candidate, in the order in which it is said.
SAME_HASH, SAME_FILE, SAME_ISBN, SAME_TITLE, LIKE_TITLE, SAME_AUTHOR = (
    "hash", "file", "isbn", "title", "like title", "author"
)  # fmt: skip
SAME_SIZE, OTHER_LANGUAGE, OTHER_VOLUME, OTHER_FORMAT, OTHER_ISBN, OTHER_AUTHOR = (
    "size", "other language", "other volume", "other format", "other isbn", "other author"
)  # fmt: skip

_WEIGHTS = {
    SAME_HASH: 1.0,
    SAME_FILE: 0.6,
    SAME_ISBN: 0.5,
    SAME_TITLE: 0.5,
    SAME_AUTHOR: 0.25,
    SAME_SIZE: 0.1,
    OTHER_LANGUAGE: -0.2,
    OTHER_VOLUME: -0.2,
    OTHER_FORMAT: -0.05,
    OTHER_ISBN: -0.05,
    OTHER_AUTHOR: -0.25,
}
LIKENESS_WEIGHT = 0.46  # of the words that two titles share

STEM_LEAST_CHARS = 4
NAME_OF_ONE_WORD_LEAST_CHARS = 8  # to be a proof where nothing else says what a book is called


class ServerBook:
    """One book of the server's library, as far as matching needs it."""

    __slots__ = (
        "authors", "files", "fingerprint", "hardcover_id", "isbns", "language", "series", "series_index", "server_id",
        "subtitle", "taken_apart", "title",
    )  # fmt: skip

    def __init__(self, server_id: int, title: str) -> None:
        self.server_id = server_id
        self.title = title
        self.subtitle = ""
        self.authors: list[str] = []
        self.series = ""
        self.series_index: float | None = None
        self.language = ""
        self.isbns: list[str] = []  # as ISBN-13
        self.files: list[tuple[str, int]] = []  # (name, size in KiB, -1 if it is not told)
        self.fingerprint: str | None = None
        self.hardcover_id: int | None = None
        self.taken_apart: _Said | None = None  # once it has been compared


class _Said:
    """What a book of the server says of itself, taken apart once for all files that it is compared with."""

    __slots__ = ("authors", "title")

    def __init__(self, book: ServerBook) -> None:
        self.title = titles.Title(book.title, book.subtitle, book.series)
        self.authors = names.parse(book.authors)


class Candidate:
    """A book of the server that a file could be.

    `rule`: what makes it certain; `is_rival`: whether it stands in the way of another one that is.
    """

    __slots__ = (
        "facts",
        "has_format",
        "has_name",
        "has_other_isbn",
        "is_rival",
        "rule",
        "score",
        "server_id",
        "size_gap_kb",
    )

    def __init__(self, server_id: int) -> None:
        self.server_id = server_id
        self.rule: str | None = None
        self.is_rival = False
        self.has_format = False
        self.has_name = False
        self.has_other_isbn = False
        self.size_gap_kb: int | None = None  # to the nearest of its files in our format
        self.facts: list[str] = []
        self.score = 0.0


class Wanted:
    """A file of ours that has no book on the server yet, and what has been found for it so far."""

    __slots__ = (
        "_candidates", "_wrong_isbn", "authors", "file_name", "fingerprints", "format", "index",
        "is_called_by_its_file", "isbns", "keys", "kind", "language", "refused", "size_kb", "stem", "title",
    )  # fmt: skip

    def __init__(
        self, title: str, authors: list[str], identifiers: list[str], file: str, size_bytes: int | None
    ) -> None:
        self.file_name = file.rpartition("/")[2].casefold()
        self.stem = words(file_kinds.stem(file))
        self.title = titles.Title(title)
        self.authors = names.parse(authors)
        # KOReader says so where a file has no metadata.
        self.is_called_by_its_file = not self.authors and words(title) == self.stem
        self.isbns = isbn.of_identifiers(identifiers)
        self.size_kb = None if size_bytes is None else size_bytes // 1024
        self.format = file_kinds.suffix(file)
        self.kind = file_kinds.kind(file)
        self.language = ""
        self.index: str | None = None
        self.fingerprints: dict[str, int | None] = {}  # with the size in bytes of the file that had it
        self.refused: int | None = None  # the reader has said that it is not this one
        self.keys = frozenset(self.title.keys if not self.title.is_junk else self.stem)
        self._candidates: list[Candidate] = []
        self._wrong_isbn = False  # one of its ISBNs belongs to a book of another title there

    def set_series(self, title: str, series: str, number: float | None) -> None:
        self.title = titles.Title(title, "", series)
        self.index = titles.number_text(number) if series else None

    def compare(self, book: ServerBook) -> None:
        """Takes one book of the server's library into account; call it for each of them, in any order."""
        said = book.taken_apart
        if said is None:
            said = book.taken_apart = _Said(book)
        if not self._may_be(book, said):
            return
        pair = _Pair(self, book, said)
        candidate = pair.candidate()
        self._wrong_isbn = self._wrong_isbn or (pair.has_isbn and pair.titles in (titles.OTHER, titles.NONE))
        if candidate.rule is None and not candidate.is_rival and candidate.score < SCORE_LEAST:
            return
        self._candidates.append(candidate)
        if len(self._candidates) > 2 * KEPT_MOST:
            self._forget_the_worst()

    def _may_be(self, book: ServerBook, said: _Said) -> bool:
        """Whether a comparison could come to anything; most books of a library are done with here."""
        if not self.isbns.isdisjoint(book.isbns) or book.fingerprint in self.fingerprints:
            return True
        if any(name.casefold() == self.file_name for name, _ in book.files):
            return True
        best = LIKENESS_WEIGHT * titles.likeness(self.keys, said.title.keys) + _WEIGHTS[SAME_SIZE]
        if names.may_agree(self.authors, said.authors):
            best += _WEIGHTS[SAME_AUTHOR]
        return best >= SCORE_LEAST

    def _forget_the_worst(self) -> None:
        self._candidates.sort(key=_rank)
        del self._candidates[KEPT_MOST:]

    def candidates(self) -> list[Candidate]:
        """The best first; for the reader to choose from."""
        self._forget_the_worst()
        return [each for each in self._candidates if each.score >= SCORE_LEAST][:CANDIDATES_MOST]

    def answer(self) -> tuple[int, str] | str:
        """(server id, rule) when one book is certain, else why not."""
        self._forget_the_worst()
        certain = [each for each in self._candidates if each.rule is not None]
        if self._wrong_isbn:
            certain = [each for each in certain if each.rule in (BY_HASH, BY_FILE)]
        for rule in (BY_HASH, BY_FILE):
            proven = [each for each in certain if each.rule == rule]
            if len(proven) == 1 and not (rule == BY_FILE and self._has_twin(proven[0])):
                return self._unless_refused(proven[0])
            if proven:
                return SEVERAL_FOUND
        if not certain:
            return UNCERTAIN if self.candidates() else NONE_FOUND
        by_isbn = next((each for each in certain if each.rule == BY_ISBN), None)
        could_be = [
            each
            for each in self._candidates
            if each in certain or (each.is_rival and not _is_another_edition(each, by_isbn))
        ]
        if len(could_be) == 1:
            return self._unless_refused(could_be[0])
        in_format = [each for each in could_be if each.has_format]
        if len(in_format) == 1 and in_format[0] in certain:
            return self._unless_refused(in_format[0])
        return SEVERAL_FOUND

    def _has_twin(self, proven: Candidate) -> bool:
        """Whether another book has a file of that name, and of a size that ours may have had before a rewriting."""
        return any(
            each is not proven
            and each.is_rival
            and each.has_name
            and each.size_gap_kb is not None
            and each.size_gap_kb <= REWRITTEN_KB
            for each in self._candidates
        )

    def _unless_refused(self, candidate: Candidate) -> tuple[int, str] | str:
        if candidate.server_id == self.refused or candidate.rule is None:
            return UNCERTAIN
        return candidate.server_id, candidate.rule


def _is_another_edition(other: Candidate, by_isbn: Candidate | None) -> bool:
    """Whether two ISBNs tell two entries of one title apart; not where the file's size says the contrary."""
    if by_isbn is None or by_isbn.size_gap_kb is None or not other.has_other_isbn:
        return False
    return other.size_gap_kb is not None and by_isbn.size_gap_kb <= other.size_gap_kb


def _rank(candidate: Candidate) -> tuple[bool, bool, float, int]:
    return candidate.rule is None, not candidate.is_rival, -candidate.score, candidate.server_id


class _Pair:
    """One file beside one book of the server."""

    def __init__(self, wanted: Wanted, book: ServerBook, said: _Said) -> None:
        self.wanted = wanted
        self.book = book
        self.title = said.title
        self.titles = titles.compare(wanted.title, self.title)
        if self.titles == titles.OTHER and wanted.is_called_by_its_file:
            self.titles = titles.NONE  # the file's name is for the rule of the file
        self.authors = names.compare(wanted.authors, said.authors)
        self.index = titles.number_text(book.series_index) if book.series else None
        self.numbers = titles.compare_numbers(wanted.title, wanted.index, self.title, self.index)
        self.has_isbn = not wanted.isbns.isdisjoint(book.isbns)
        self.isbns_differ = bool(wanted.isbns and book.isbns) and not self.has_isbn
        theirs = languages.code(book.language)
        self.languages_differ = bool(theirs and wanted.language) and theirs != wanted.language
        self.language = wanted.language or theirs
        self.language_is_half_known = bool(theirs) != bool(wanted.language)
        formats = [file_kinds.suffix(name) for name, _ in book.files]
        self.has_format = wanted.format in formats
        self.has_kind = not formats or wanted.kind in [file_kinds.kind(name) for name, _ in book.files]
        sizes = [
            size for (_, size), each in zip(book.files, formats, strict=True) if each == wanted.format and size >= 0
        ]
        gaps = [abs(size - wanted.size_kb) for size in sizes] if wanted.size_kb is not None else []
        self.size_gap_kb = min(gaps) if gaps else None
        self.has_size = wanted.size_kb is not None and any(_are_near(size, wanted.size_kb) for size in sizes)
        self.sizes_are_apart = (
            bool(sizes) and wanted.size_kb is not None and all(_are_apart(size, wanted.size_kb) for size in sizes)
        )
        self.has_name = any(name.casefold() == wanted.file_name for name, _ in book.files)
        self.has_file = wanted.size_kb is not None and any(
            name.casefold() == wanted.file_name and _are_near(size, wanted.size_kb) for name, size in book.files
        )
        self.hash_size = wanted.fingerprints.get(book.fingerprint or "", -1)
        if book.fingerprint is not None and wanted.fingerprints and self.hash_size == -1 and len(book.files) == 1:
            self.has_size = self.has_file = False  # the fingerprints say that it is another file

    def candidate(self) -> Candidate:
        found = Candidate(self.book.server_id)
        found.has_format = self.has_format
        found.has_name = self.has_name
        found.has_other_isbn = self.isbns_differ
        found.size_gap_kb = self.size_gap_kb
        found.facts = self._facts()
        likeness = titles.likeness(self.wanted.keys, self.title.keys)
        score = LIKENESS_WEIGHT * likeness if SAME_TITLE not in found.facts else 0.0
        found.score = min(max(score + sum(_WEIGHTS.get(fact, 0.0) for fact in found.facts), 0.0), 1.0)
        for rule, holds in (
            (BY_HASH, self._is_certain_by_hash),
            (BY_FILE, self._is_certain_by_file),
            (BY_ISBN, self._is_certain_by_isbn),
            (BY_TITLE, self._is_certain_by_title),
        ):
            if holds():
                found.rule = rule
                break
        found.is_rival = self._is_possible() and self._could_be_the_one()
        return found

    def _facts(self) -> list[str]:
        return [
            fact
            for fact, holds in (
                (SAME_HASH, self.hash_size != -1),
                (SAME_FILE, self.has_file),
                (SAME_ISBN, self.has_isbn),
                (SAME_TITLE, self.titles in (titles.SAME, titles.MAIN, titles.NEAR)),
                (LIKE_TITLE, self.titles == titles.NEAR),
                (SAME_AUTHOR, self.authors in (names.ALL, names.BY_INITIALS, names.SOME)),
                (SAME_SIZE, self.has_size and not self.has_file),
                (OTHER_LANGUAGE, self.languages_differ),
                (OTHER_VOLUME, self.numbers == titles.OTHER_NUMBER),
                (OTHER_FORMAT, bool(self.book.files) and not self.has_format),
                (OTHER_ISBN, self.isbns_differ),
                (OTHER_AUTHOR, self.authors == names.NOBODY),
            )
            if holds
        ]

    def _is_possible(self) -> bool:
        return not self.languages_differ and self.numbers != titles.OTHER_NUMBER

    def _are_of_one_edition(self) -> bool:
        """Whether no word in only one of the titles makes another book of it."""
        ours, theirs = self.wanted.title, self.title
        named = ours.another | frozenset(word for word in self.wanted.stem if word in MAKES_ANOTHER)
        if self.wanted.title.is_junk:
            return theirs.another <= named
        return ours.another == theirs.another and named - ours.another <= theirs.another

    def _could_be_the_one(self) -> bool:
        """Called the same by people who may be the same: it stands in the way of the others."""
        if self.authors == names.NOBODY or self.titles in (titles.OTHER, titles.NONE):
            return self.has_isbn and self.titles != titles.OTHER
        return self.has_isbn or (self.has_kind and self.titles in (titles.SAME, titles.MAIN, titles.NEAR))

    def _is_certain_by_hash(self) -> bool:
        size_bytes = self.hash_size
        if size_bytes == -1:
            return False
        sizes = [size for _, size in self.book.files if size >= 0]
        if size_bytes is not None and sizes:
            if any(_are_near(size, size_bytes // 1024) for size in sizes):
                return True
            return self.titles == titles.SAME and self._is_possible() and self.authors != names.NOBODY
        return self.titles != titles.OTHER and self._is_possible()

    def _is_certain_by_file(self) -> bool:
        if not self.has_file or not self._is_possible() or not self._is_a_telling_name():
            return False
        if self.titles == titles.NONE:
            is_all_that_is_told = self.wanted.title.is_junk or self.wanted.is_called_by_its_file
            one_word = len(self.wanted.stem) < 2
            return not self.isbns_differ and not (
                one_word and is_all_that_is_told and len(self.wanted.stem[0]) < NAME_OF_ONE_WORD_LEAST_CHARS
            )
        if self.titles == titles.OTHER or self.authors == names.NOBODY:
            return False
        return self.numbers != titles.ONE_NUMBER or self.titles == titles.SAME

    def _is_a_telling_name(self) -> bool:
        telling = [word for word in self.wanted.stem if word not in COMMON_FILE_NAMES and not word.isdigit()]
        return sum(len(word) for word in telling) >= STEM_LEAST_CHARS

    def _is_certain_by_isbn(self) -> bool:
        if not self.has_isbn or not self._is_possible() or not self._are_of_one_edition():
            return False
        if self.authors == names.NOBODY or self.numbers == titles.ONE_NUMBER or not self.has_kind:
            return False
        if self._may_be_any_volume() and not self.has_size:
            return False
        if self.titles == titles.SAME:
            return not (self.wanted.title.is_generic and self.authors == names.UNKNOWN)
        if self.authors == names.UNKNOWN or self.wanted.title.is_generic or self.title.is_generic:
            return False
        if self.titles == titles.MAIN:
            return not self._may_be_a_whole_series() and not self._are_marked_differently()
        return self.titles == titles.NEAR

    def _are_marked_differently(self) -> bool:
        """`(German Edition)`, `Large Print` or `and Other Stories` behind only one of the titles."""
        ours, theirs = self.wanted.title, self.title
        return ours.editions != theirs.editions or any(
            word in MAKES_ANOTHER_EDITION for word in set(ours.said) ^ set(theirs.said)
        )

    def _may_be_any_volume(self) -> bool:
        """A book that is called like its series, and only one side tells which of them it is."""
        ours, theirs = self.wanted.title, self.title
        return self.numbers == titles.ONE_INDEX and ours.said in (ours.series, theirs.series)

    def _may_be_a_whole_series(self) -> bool:
        """`The Lord of the Rings` and `The Lord of the Rings: The Two Towers` may carry the ISBN of the set."""
        shorter = self.wanted.title if len(self.wanted.title.said) < len(self.title.said) else self.title
        return shorter.said in (self.wanted.title.series, self.title.series)

    def _is_certain_by_title(self) -> bool:
        if self.titles != titles.SAME or self.authors not in (names.ALL, names.BY_INITIALS, names.SOME):
            return False
        if not self._is_possible() or not self._are_of_one_edition() or self.isbns_differ or not self.has_kind:
            return False
        if self.numbers == titles.ONE_NUMBER or self.sizes_are_apart or self._have_other_dates():
            return False
        return self.has_size or not self._needs_proof()

    def _needs_proof(self) -> bool:
        """Whether two books may well be called the same by the same people."""
        title = self.wanted.title
        if title.is_generic or self.authors != names.ALL:
            return True  # a title of many books; or somebody has adapted, illustrated or translated it
        if self.language_is_half_known and not title.tells_its_language(self.language):
            return True  # translations keep such a title; where neither side names a language, there is nothing to tell
        if self.wanted.kind == file_kinds.PICTURES:
            # Every series of a comic begins with 1.
            return self.numbers != titles.SAME_NUMBER or bool(
                title.series and self.title.series and title.series != self.title.series
            )
        of_theirs = _marks_of(self.title, self.index)
        if file_marks.is_dated(self.wanted.stem, _marks_of(title, self.wanted.index)) or any(
            file_marks.is_dated(words(file_kinds.stem(name)), of_theirs) for name, _ in self.book.files
        ):
            return True
        return self._may_be_any_volume()

    def _have_other_dates(self) -> bool:
        """Volumes and issues of a magazine may have one title, and their number or date in the file's name.

        Where only one of the two names has one, that is no other one, but the title may need proof. A number in a
        series explains the one in a file's name only if both sides tell it.
        """
        is_told_twice = self.numbers == titles.SAME_NUMBER
        of_titles = _marks_of(self.wanted.title, self.wanted.index if is_told_twice else None) | _marks_of(
            self.title, self.index if is_told_twice else None
        )
        ours = file_marks.marks(self.wanted.stem) - of_titles
        for name, _ in self.book.files:
            theirs = file_marks.marks(words(file_kinds.stem(name))) - of_titles
            if ours - theirs and theirs - ours:
                return True
        return False


def _marks_of(title: titles.Title, index: str | None) -> frozenset[str]:
    """What in the name of a file may come from its title, or from its number in a series."""
    return file_marks.marks(title.said).union(
        title.said, title.numbers, title.editions, () if index is None else (index,)
    )


def _are_near(one_kb: int, other_kb: int) -> bool:
    return abs(one_kb - other_kb) <= SIZE_TOLERANCE_KB


def _are_apart(one_kb: int, other_kb: int) -> bool:
    return max(one_kb, other_kb, 1) >= SIZES_APART * max(min(one_kb, other_kb), 1)
