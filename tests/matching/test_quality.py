"""Matching on a library of 800 books with all that libraries have: never a wrong match, and enough right ones."""

from __future__ import annotations

from functools import cache

import pytest

from tests.matching.library import LIBRARY_LEAST, Maker, make
from tests.matching.quality import Outcome, measure

SEEDS = (1, 2, 3)
RECALL_LEAST = 0.5  # of a library that is made to mislead; `python -m tests.matching_report` says by what
RECALL_WITH_FINGERPRINTS_LEAST = 0.7
OFFERED_LEAST = 0.9  # of what is left to the reader: the right one is among the five that she can tap on


@cache
def made(seed: int) -> Maker:
    return make(seed)


@cache
def outcome(seed: int, with_hash: bool) -> Outcome:
    return measure(made(seed), with_hash)


@pytest.mark.parametrize("with_hash", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_file_is_taken_for_another_book(seed: int, with_hash: bool) -> None:
    assert outcome(seed, with_hash).wrong == []


@pytest.mark.parametrize("seed", SEEDS)
def test_most_files_find_their_book_by_themselves(seed: int) -> None:
    found = outcome(seed, False)
    assert sum(found.right.values()) >= RECALL_LEAST * found.there


@pytest.mark.parametrize("seed", SEEDS)
def test_where_the_server_tells_fingerprints_more_do(seed: int) -> None:
    found = outcome(seed, True)
    assert sum(found.right.values()) >= RECALL_WITH_FINGERPRINTS_LEAST * found.there


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_left_to_the_reader_is_a_tap_away(seed: int) -> None:
    found = outcome(seed, False)
    assert found.offered >= OFFERED_LEAST * found.asked


def test_the_library_is_large_and_has_what_misleads() -> None:
    maker = made(1)
    kinds = {entry.kind for entry in maker.entries}
    assert len(maker.entries) >= LIBRARY_LEAST
    assert kinds >= {
        "translation",
        "edition",
        "series",
        "comic",
        "duplicate",
        "box set",
        "generic",
        "namesake",
        "sequel",
    }
    assert len([file for file in maker.files if file.truth is None]) > 300


def test_the_library_is_the_same_every_time() -> None:
    one, other = make(7), make(7)
    assert [(file.title, file.file, file.truth) for file in one.files] == [
        (file.title, file.file, file.truth) for file in other.files
    ]
