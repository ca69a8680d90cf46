"""What a file's name says beside the title: numbers, dates, the volume and the edition, however they are written.

Promises: `06jan2024`, `2024-01-06` and `6. Januar 2024` say the same; `Band zwei` says 2, and so do `II`, `2nd` and
`c002`. The long names that programs give their files by themselves say nothing.
Never: decides whether two files are one book; `matching.py` does, which calls it.
"""

from __future__ import annotations

from device.core.title_words import (
    EDITIONS,
    MARKERS,
    MONTHS,
    NUMBER_WORDS,
    ORDINAL_MARKERS,
    ORDINALS,
    ROMANS,
    SEASONS,
)

CHECKSUM_LEAST_CHARS = 24  # digits and letters in one word: an MD5 has 32, an ISBN 13 and a date 8
YEAR_CHARS = 4


def marks(stem: list[str]) -> frozenset[str]:
    """The numbers, months (as theirs) and seasons in a file's name, which has been taken apart into words."""
    found: set[str] = set()
    for at, word in enumerate(stem):
        before, after = stem[at - 1] if at else "", stem[at + 1] if at + 1 < len(stem) else ""
        if at and word in ROMANS:
            found.add(ROMANS[word])
        elif word in NUMBER_WORDS and before in MARKERS:
            found.add(NUMBER_WORDS[word])
        elif word in ORDINALS and (after in EDITIONS or after in ORDINAL_MARKERS):
            found.add(ORDINALS[word])
        elif len(word) < CHECKSUM_LEAST_CHARS:
            found.update(_said_by(word))
    return frozenset(found)


def is_dated(stem: list[str], of_title: frozenset[str]) -> bool:
    """Whether a file is called by a date, or by the number of a volume, that is none of the title's."""
    told = marks(stem) - of_title
    if len(told) > 1 and any(len(each) == YEAR_CHARS and each.isdigit() for each in told):
        return True
    return any(
        word in MARKERS and not told.isdisjoint(marks([word, stem[at + 1]]))
        for at, word in enumerate(stem[:-1])
        if word not in of_title
    )


def _said_by(word: str) -> list[str]:
    found = []
    for run in _runs(word):
        if run.isdigit():
            found.append(run.lstrip("0") or "0" if run.isascii() else run)
        elif run in MONTHS or run in SEASONS:
            found.append(MONTHS.get(run) or SEASONS[run])
    return found


def _runs(word: str) -> list[str]:
    """`06jan2024` → 06, jan, 2024."""
    spaced, was_digit = "", word[:1].isdigit()
    for char in word:
        if char.isdigit() != was_digit:
            spaced += " "
            was_digit = not was_digit
        spaced += char
    return spaced.split()
