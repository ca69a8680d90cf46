"""What a file's name says beside the title."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.file_marks import is_dated, marks
from device.core.folding import words


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SciAm January 2024", {"1", "2024"}), ("guardian-06jan2024", {"6", "1", "2024"}), ("Band zwei", {"2"}),
        ("guardian20240106", {"20240106"}), ("Kapital II", {"2"}), ("II", set()), ("2nd edition", {"2"}),
        ("zweite Auflage", {"2"}), ("The Second Sex", set()), ("Two Towers", set()), ("Berserk c001", {"1"}),
        ("Herbst", {"autumn"}), ("x 1234567890abcdef1234567890abcdef", set()),
    ],
)  # fmt: skip
def test_numbers_months_and_editions_are_read_however_they_are_written(name: str, told: set[str]) -> None:
    assert marks(words(name)) == told


@pytest.mark.parametrize(
    ("name", "dated"),
    [("Wired 2024 05", True), ("Wired May 2024", True), ("Wired issue 12", True), ("Wired 2024", False),
     ("Wired 12", False), ("Wired", False)],
)  # fmt: skip
def test_a_date_or_the_number_of_a_volume_is_told_from_a_lone_number(name: str, dated: bool) -> None:
    assert is_dated(words(name), frozenset({"wired"})) == dated


def test_the_date_of_the_title_is_none_of_the_file() -> None:
    assert not is_dated(words("Wired May 2024"), frozenset({"wired", "5", "2024"}))


@given(st.lists(st.text("ivx2é٣ janedito", max_size=9), max_size=6))
def test_marks_are_words_whatever_a_file_is_called(stem: list[str]) -> None:
    assert all(each and not each.isspace() for each in marks(stem))
