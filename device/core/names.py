"""Authors: whether two lists of names mean the same people.

Promises: `Austen, Jane` and `Jane Austen` are one, in whatever order the list has them, and so are `村上 春樹` and
`村上春樹`; an initial fits the name that begins with it, and a name with a second one or a `Jr.` that without, but both
are told apart from the same name; `Alexandre Dumas fils` is not his father. Publishers and `staff` are nobody. It makes
no difference which list comes first.
Called by: `matching.py`.
"""

from __future__ import annotations

from device.core.folding import words
from device.core.title_words import GENERATIONS, NAME_TITLES, NOT_AUTHORS
from device.core.title_words import NOBODY as NOBODY_NAMED

NAMES_MOST = 30  # of one book; an anthology names them all
TEXT_MAX_CHARS = 3_000  # of several names in one text: as much as 30 of them take

# How much two lists of authors agree. UNKNOWN: one of them names nobody.
NOBODY, UNKNOWN, SOME, BY_INITIALS, ALL = "nobody", "unknown", "some", "by initials", "all"

_FROM_WORST = (UNKNOWN, NOBODY, SOME, BY_INITIALS, ALL)
_SEPARATORS = (";", " & ", " and ", " und ", " et ", " / ", "|", "\u3001", "\uff0c")
_VOWELS = frozenset("aeiouy")
RUN_OF_INITIALS_MOST = 3  # `JRR`; what is longer is a name

Name = tuple[str, ...]  # the words of a name, the surname last; before them `jr` or `sr`


class Authors:
    """The people that a list names. `readings`: one, or two where `Le Guin, Ursula K.` could be two people."""

    __slots__ = ("readings", "words")

    def __init__(self, readings: list[list[Name]]) -> None:
        self.readings = readings
        names = [name for reading in readings for name in reading]
        # Whoever shares none of these is somebody else.
        self.words = frozenset(
            word for name in names for word in (*name, *([] if _is_ascii(name) else ["".join(name)]))
        )

    def __bool__(self) -> bool:
        return bool(self.readings[0])


def parse(authors: list[str]) -> Authors:
    """Without those who are said to have another part in the book."""
    parts = [part for text in authors[:NAMES_MOST] for part in _split(text[:TEXT_MAX_CHARS])]
    readings = [_names(parts)]
    apart = [piece for part in parts for piece in _apart(part)]
    if apart != parts:
        readings.append(_names(apart))
    return Authors(readings)


def _names(parts: list[str]) -> list[Name]:
    found: list[Name] = []
    for part in parts:
        name = _name(part)
        if name and name not in found and len(found) < NAMES_MOST:
            found.append(name)
    return found


def _split(text: str) -> list[str]:
    parts = [text]
    for separator in _SEPARATORS:
        parts = [piece for part in parts for piece in part.split(separator)]
    found: list[str] = []
    for part in parts:
        pieces = [piece.strip() for piece in part.split(",")]
        if len(pieces) > 2 and all(len(piece.split()) > 1 for piece in pieces):
            found += pieces  # `Terry Pratchett, Neil Gaiman, Jane Austen`
        else:
            found.append(part)
    return found


def _apart(part: str) -> list[str]:
    """`Jane Doe, Max Mann` as two people, where it could be."""
    pieces = [piece.strip() for piece in part.split(",")]
    return pieces if len(pieces) == 2 and all(len(piece.split()) > 1 for piece in pieces) else [part]


def _name(text: str) -> Name:
    for opening, closing in ("()", "[]"):
        before, bracket, rest = text.partition(opening)
        if bracket:
            inner, _, behind = rest.partition(closing)
            if any(word in NOT_AUTHORS for word in words(inner)):
                return ()
            text = before + " " + behind
    surname, _, given = text.partition(",")
    found = words(given) + words(surname)
    if " ".join(found) in NOBODY_NAMED:
        return ()
    known = [word for word in found if word not in NAME_TITLES and word not in GENERATIONS]
    if not known:
        return tuple(found)
    spread = [word for word in found if word in GENERATIONS][:1]
    for place, word in enumerate(known):
        last = place == len(known) - 1
        if (
            not last
            and 1 < len(word) <= RUN_OF_INITIALS_MOST
            and _VOWELS.isdisjoint(word)
            and word.isascii()
            and word.isalpha()
        ):
            spread += list(word)
        else:
            spread.append(word)
    return tuple(spread)


def compare(one: Authors, other: Authors) -> str:
    """How far two lists agree: ALL and BY_INITIALS need everybody of the one in the other, and the reverse."""
    found = [_compare(first, second) for first in one.readings for second in other.readings]
    return max(found, key=_FROM_WORST.index)


def _compare(one: list[Name], other: list[Name]) -> str:
    if not one or not other:
        return UNKNOWN
    if sorted(one) == sorted(other):
        return ALL
    grades = [max(_grade(name, candidate) for candidate in other) for name in one]
    back = [max(_grade(candidate, name) for name in one) for candidate in other]
    least = min(min(grades), min(back))
    if least == _SAME:
        return ALL
    if least == _FITS:
        return BY_INITIALS
    return SOME if max(grades) >= _FITS else NOBODY


def may_agree(one: Authors, other: Authors) -> bool:
    """Quickly, whether `compare` could say anything but NOBODY: some word of a name is in both, or a list is empty."""
    return not one or not other or not one.words.isdisjoint(other.words)


_OTHER, _FITS, _SAME = 0, 1, 2


def _grade(one: Name, other: Name) -> int:
    if sorted(one) == sorted(other):
        return _SAME
    if not _is_ascii(one) and "".join(one) == "".join(other):
        return _SAME
    first_generation, one = _generation(one)
    second_generation, other = _generation(other)
    if first_generation and second_generation and first_generation != second_generation:
        return _OTHER
    if one[-1] != other[-1]:
        return _FITS if sorted(one) == sorted(other) else _OTHER
    first, second = one[:-1], other[:-1]
    if not first or not second:
        return _FITS  # `Austen`
    if len(first) > len(second):
        first, second = second, first
    return _FITS if _is_within(first, second) and _begins_like(first[0], second[0]) else _OTHER


def _generation(name: Name) -> tuple[str, Name]:
    return (name[0], name[1:]) if len(name) > 1 and name[0] in GENERATIONS else ("", name)


def _is_ascii(name: Name) -> bool:
    return all(word.isascii() for word in name)


def _is_within(few: Name, many: Name) -> bool:
    """Whether each of `few`, in order, is one of `many` or the initial of one, or has it as its initial."""
    at = 0
    for word in few:
        while at < len(many) and not _begins_like(word, many[at]):
            at += 1
        if at == len(many):
            return False
        at += 1
    return True


def _begins_like(one: str, other: str) -> bool:
    return one == other or (len(one) == 1 and other.startswith(one)) or (len(other) == 1 and one.startswith(other))
