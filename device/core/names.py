"""Authors: whether two lists of names mean the same people.

Promises: `Austen, Jane` and `Jane Austen` are one, in whatever order the list has them; an initial fits the name that
begins with it, and a name with a second one that without, but both are told apart from the same name; `Alexandre Dumas
fils` is not his father. It makes no difference which list comes first.
Called by: `matching.py`.
"""

from __future__ import annotations

from device.core.folding import words
from device.core.title_words import NAME_TITLES, NOT_AUTHORS
from device.core.title_words import NOBODY as NOBODY_NAMED

NAMES_MOST = 30  # of one book; an anthology names them all

# How much two lists of authors agree. UNKNOWN: one of them names nobody.
NOBODY, UNKNOWN, SOME, BY_INITIALS, ALL = "nobody", "unknown", "some", "by initials", "all"

_SEPARATORS = (";", " & ", " and ", " und ", " et ", " / ", "|", "\u3001", "\uff0c")
_VOWELS = frozenset("aeiouy")
RUN_OF_INITIALS_MOST = 3  # `JRR`; what is longer is a name

Name = tuple[str, ...]  # the words of a name, the surname last


def parse(authors: list[str]) -> list[Name]:
    """The people that a list of authors names, without those who are said to have another part in the book."""
    found: list[Name] = []
    for text in authors[:NAMES_MOST]:
        for part in _split(text):
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


def _name(text: str) -> Name:
    for opening, closing in ("()", "[]"):
        before, bracket, rest = text.partition(opening)
        if bracket:
            inner, _, behind = rest.partition(closing)
            if any(word in NOT_AUTHORS for word in words(inner)):
                return ()
            text = before + " " + behind
    surname, comma, given = text.partition(",")
    found = words(surname)
    if comma:
        first = words(given)
        found = first + found if first and first[0] not in NAME_TITLES else found
    if " ".join(found) in NOBODY_NAMED:
        return ()
    spread: list[str] = []
    for place, word in enumerate(found):
        if word in NAME_TITLES and len(found) > 1:
            continue
        last = place == len(found) - 1
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


def compare(one: list[Name], other: list[Name]) -> str:
    """How far two lists agree: ALL and BY_INITIALS need everybody of the one in the other, and the reverse."""
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


def may_agree(one: list[Name], other: list[Name]) -> bool:
    """Quickly, whether `compare` could say anything but NOBODY: some word of a name is in both, or a list is empty."""
    if not one or not other:
        return True
    known = {word for name in one for word in name}
    return any(word in known for name in other for word in name)


_OTHER, _FITS, _SAME = 0, 1, 2


def _grade(one: Name, other: Name) -> int:
    if sorted(one) == sorted(other):
        return _SAME
    if one[-1] != other[-1]:
        return _OTHER
    first, second = one[:-1], other[:-1]
    if not first or not second:
        return _FITS  # `Austen`
    if len(first) > len(second):
        first, second = second, first
    return _FITS if _is_within(first, second) and _begins_like(first[0], second[0]) else _OTHER


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
