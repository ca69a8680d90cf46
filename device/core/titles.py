"""Titles: taken apart into title, subtitle and number of the volume, and compared.

Promises: two titles that are called the same say the same in the same order; `Hobbit, The` is `The Hobbit`, `Part II`
is `Part 2`, and a series in brackets is no part of the title. The numbers of two volumes are compared wherever they
stand, in the title or beside it. It makes no difference which title comes first.
Never: decides that two books are one; `matching.py` does.
"""

from __future__ import annotations

from device.core.folding import TEXT_MAX_CHARS, words
from device.core.title_words import (
    ARTICLES,
    BOILERPLATE,
    EDITIONS,
    GENERIC,
    JUNK_STARTS,
    JUNK_TITLES,
    MAKES_ANOTHER,
    MARKERS,
    MARKERS_OF_SEVERAL,
    NUMBER_WORDS,
    ORDINAL_ENDS,
    ORDINAL_MARKERS,
    ORDINALS,
    ROMANS,
    SMALL_WORDS,
    SMALL_WORDS_OF,
)

WORDS_MOST = 60  # of a title with its subtitle
WORDS_OF_A_NAME = 3  # so many may be a name, which translations keep
DIGITS_OF_A_YEAR = 4
DIGITS_OF_A_TITLE = 3  # fewer are a number somebody gave a file; `1984` is a title
NUMBER_LESS_THAN = 2**53  # of a book in a series: floats are exact up to here

# How two titles agree.
SAME = "same"
MAIN = "main"  # one of them has a subtitle that the other lacks
NEAR = "near"  # but for a slip of the pen
OTHER = "other"
NONE = "none"  # one of them is missing

# What the numbers of two volumes say.
SAME_NUMBER, NO_NUMBER, ONE_NUMBER, ONE_INDEX, OTHER_NUMBER = "same", "none", "one title", "one index", "other"

_SURE_ROMANS = frozenset(roman for roman in ROMANS if len(roman) > 1)  # `i`, `v` and `x` may be words
_OPENING, _CLOSING = "([{\uff08\u3010", ")]}\uff09\u3011"
_BREAKS = (":", " - ", " \u2013 ", " \u2014 ", "\u2014", ";", "\uff1a", " / ")


class Title:
    """A title taken apart. `main` and `rest` are words without the volume's number; `numbers` are volumes it names."""

    __slots__ = ("another", "editions", "is_generic", "is_junk", "keys", "main", "numbers", "rest", "said", "series")

    def __init__(self, title: str, subtitle: str = "", series: str = "") -> None:
        title, subtitle = title[:TEXT_MAX_CHARS], subtitle[:TEXT_MAX_CHARS]
        plain, brackets = _without_brackets(_with_markers(title))
        main, rest = _broken(plain)
        numbers: set[str] = set()
        editions: set[str] = set()
        series_words = words(series)
        self.main = _article_first(main, _take_numbers(words(main), numbers, editions))
        if not self.main or len(self.main) == len(words(main)) == 1:
            self.main = words(main)[:WORDS_MOST]  # `Book One`, `V2` and `XIV` are titles
        tail = _take_numbers(words(rest), numbers, editions)
        for bracket in brackets:
            found: set[str] = set()
            inner = _take_numbers(words(bracket), found, editions)
            if not found and len(inner) > 1 and inner[-1].isdigit() and len(inner[-1]) < DIGITS_OF_A_YEAR:
                found.add(inner[-1])  # `(Discworld 13)`
            numbers |= found
            if not found and inner != series_words:
                tail += inner
        under = _take_numbers(words(subtitle), numbers, editions)
        if under and tail[-len(under) :] != under and self.main[-len(under) :] != under:
            tail += under
        if not self.main:
            self.main, tail = tail, []
        self.rest = [] if " ".join(tail) in BOILERPLATE else tail[:WORDS_MOST]
        self.series = series_words
        self.numbers = frozenset(numbers)
        self.editions = frozenset(editions)
        self.said = [*self.main, *self.rest]
        # The words by which it is looked for.
        self.keys = frozenset(word for word in self.said if word not in SMALL_WORDS) or frozenset(self.said)
        self.another = frozenset(word for word in self.said if word in MAKES_ANOTHER)
        plain_words = " ".join(self.said)
        self.is_junk = (
            plain_words in JUNK_TITLES
            or plain_words.startswith(JUNK_STARTS)
            or (plain_words.isdigit() and len(plain_words) < DIGITS_OF_A_TITLE)
        )
        self.is_generic = not plain_words.replace(" ", "").isdigit() and all(
            word in GENERIC or word in SMALL_WORDS or word.isdigit() for word in self.said
        )

    def tells_its_language(self, language: str) -> bool:
        """Whether, in that language, a translation would hardly have the same title: not `Dune`, not `Anna Karenina`.

        Its small words are the language's, and no other's: `Les Misérables` is called so in English too, and
        `La Peste` in Spanish.
        """
        telling = [word for word in self.said if word not in MAKES_ANOTHER and word not in EDITIONS]
        small = frozenset(word for word in telling if word in SMALL_WORDS)
        if not small:
            return len(telling) > WORDS_OF_A_NAME
        return [each for each, known in SMALL_WORDS_OF.items() if small <= known] == [language]


def compare(one: Title, other: Title) -> str:
    if one.is_junk or other.is_junk:
        return NONE
    is_same = one.said == other.said or _is_same_but_for_series(one, other) or _is_same_but_for_series(other, one)
    if is_same and one.editions == other.editions:
        return SAME
    if one.editions and other.editions and one.editions.isdisjoint(other.editions):
        return OTHER
    if _has_subtitle_more(one, other) or _has_subtitle_more(other, one):
        return MAIN
    if is_same:
        return MAIN  # but for the number of an edition
    return NEAR if _is_slip(one.said, other.said) else OTHER


def likeness(first: frozenset[str], second: frozenset[str]) -> float:
    """0..1: how many of their telling words two titles share."""
    if not first or not second:
        return 0.0
    shared = len(first & second)
    fewer, all_words = min(len(first), len(second)), len(first | second)
    return (shared / fewer + shared / all_words) / 2


def _is_same_but_for_series(longer: Title, shorter: Title) -> bool:
    """`The Wheel of Time, Book 1: The Eye of the World`, and `The Two Towers (The Lord of the Rings)`."""
    series = longer.series or shorter.series
    if not series or not longer.rest or shorter.rest or series == shorter.said:
        return False
    return (longer.main == series and longer.rest == shorter.said) or (
        longer.main == shorter.said and longer.rest == series
    )


def _has_subtitle_more(longer: Title, shorter: Title) -> bool:
    return bool(longer.rest) and longer.main == shorter.said and longer.main != []


def _is_slip(one: list[str], other: list[str]) -> bool:
    """A leading article more or less, or letters that differ in one long word; never a digit."""
    first = one[1:] if one and one[0] in ARTICLES and len(one) > 1 else one
    second = other[1:] if other and other[0] in ARTICLES and len(other) > 1 else other
    if first == second:
        return True
    if "".join(first) == "".join(second):
        return True  # `Moby-Dick`, `Mobydick`
    if len(first) != len(second):
        return False
    differing = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    return len(differing) == 1 and _is_one_letter_off(*differing[0])


def _is_one_letter_off(one: str, other: str) -> bool:
    if min(len(one), len(other)) < 5 or abs(len(one) - len(other)) > 1 or not (one + other).isalpha():
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    left = max(len(one), len(other)) - start - end
    # `Ghost` and `Ghosts` are two books; two letters changed places in a slip.
    if left == 1:
        return end > 0
    return left == 2 and len(one) == len(other) and one[start : start + 2] == other[start : start + 2][::-1]


def compare_numbers(one: Title, one_index: str | None, other: Title, other_index: str | None) -> str:
    """`…_index`: the number in the series, as `number_text` writes it, where there is a series."""
    if one.numbers and other.numbers and one.numbers != other.numbers:
        return OTHER_NUMBER
    if one.series and other.series and _digits(one.series) != _digits(other.series):
        return OTHER_NUMBER  # `Batman (2011)` and `Batman (2016)` both begin with 1
    if one_index is not None and other_index is not None and one_index != other_index:
        return OTHER_NUMBER
    for title, index in ((one, other_index), (other, one_index)):
        if title.numbers and index is not None and index not in title.numbers:
            return OTHER_NUMBER
    if one.numbers and other.numbers:
        return SAME_NUMBER
    if one_index is not None and other_index is not None:
        return SAME_NUMBER
    if one.numbers or other.numbers:
        return SAME_NUMBER if (other_index if one.numbers else one_index) is not None else ONE_NUMBER
    return NO_NUMBER if one_index is None and other_index is None else ONE_INDEX


def _digits(said: list[str]) -> list[str]:
    return [word for word in said if word.isdigit()]


def number_text(number: float | None) -> str | None:
    """2.0 is `2`, as it would stand in a title; None for what no book of a series has."""
    if number is None or not abs(number) < NUMBER_LESS_THAN:  # nor is it one at all
        return None
    return str(int(number)) if number == int(number) else str(number)


def _with_markers(text: str) -> str:
    """`Saga #2` → `Saga no 2`; the sign in `C#` is none of a number."""
    at = text.find("#")
    while at >= 0:
        if text[at + 1 : at + 2].isdigit() and not text[at - 1 : at].isalnum():
            text = f"{text[:at]} no {text[at + 1 :]}"
        at = text.find("#", at + 1)
    return text


def _without_brackets(text: str) -> tuple[str, list[str]]:
    plain, brackets, inner, depth = "", [], "", 0
    for char in text:
        if char in _OPENING:
            depth += 1
            if depth == 1:
                inner = ""
                continue
        elif char in _CLOSING and depth:
            depth -= 1
            if depth == 0:
                brackets.append(inner)
                plain += " "
                continue
        if depth:
            inner += char
        else:
            plain += char
    return (plain + " " + inner, brackets) if depth else (plain, brackets)


def _broken(text: str) -> tuple[str, str]:
    """(title, subtitle) at the first break."""
    found = [(at, len(mark)) for at, mark in ((text.find(mark, 1), mark) for mark in _BREAKS) if at > 0]
    if not found:
        return text, ""
    at, length = min(found)
    if not text[:at].strip() or not text[at + length :].strip():
        return text, ""
    return text[:at], text[at + length :]


def _article_first(text: str, found: list[str]) -> list[str]:
    """`Hobbit, The` → `the hobbit`."""
    _, comma, last = text.rpartition(",")
    if comma and len(found) > 1 and words(last) == found[-1:] and found[-1] in ARTICLES:
        return [found[-1], *found[:-1]][:WORDS_MOST]
    return found[:WORDS_MOST]


def _take_numbers(found: list[str], numbers: set[str], editions: set[str]) -> list[str]:
    """The words without what names a volume or an edition, which go into the sets; other roman numerals as digits."""
    left: list[str] = []
    at = 0
    while at < len(found):
        word, after = found[at], found[at + 1] if at + 1 < len(found) else ""
        number, after_number = _number(word), _number(after)
        if word in MARKERS_OF_SEVERAL and after_number is not None:
            end = at + 1
            while end < len(found) and (_number(found[end]) is not None or found[end] in ("to", "bis", "and")):
                end += 1
            numbers.add("-".join(_number(each) or "" for each in found[at + 1 : end] if _number(each)))
            at = end
        elif word in MARKERS and after_number is not None:
            numbers.add(after_number)
            at += 2
        elif after in EDITIONS and _ordinal(word) is not None:
            editions.add(_ordinal(word) or "")
            at += 2
        elif after in ORDINAL_MARKERS and _ordinal(word) is not None:
            numbers.add(_ordinal(word) or "")
            at += 2
        elif _glued(word) is not None:
            numbers.add(_glued(word) or "")
            at += 1
        else:
            left.append(number if number is not None and word in _SURE_ROMANS else _without_zeros(word))
            at += 1
    return left


def _number(word: str) -> str | None:
    if word[:1].isdigit() and word.replace(".", "").isdigit():
        return _without_zeros(word)
    return ROMANS.get(word) or NUMBER_WORDS.get(word)


def _ordinal(word: str) -> str | None:
    for end in ORDINAL_ENDS:
        if word.endswith(end) and word[: -len(end)].isdigit():
            return _without_zeros(word[: -len(end)])
    return ORDINALS.get(word)


def _glued(word: str) -> str | None:
    """`v01`, `vol2`, `bk3`."""
    for marker in ("vol", "book", "bk", "tome", "band", "v"):
        digits = word.removeprefix(marker)
        if digits != word and digits.isascii() and digits.isdigit() and len(digits) <= 3:
            return _without_zeros(digits)
    return None


def _without_zeros(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdigit() and word.isascii() else word
