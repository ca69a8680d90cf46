"""What the reader can set, and what becomes of a value that is not allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.preferences import BY_KEY, PREFERENCES, Preference, Preferences


@pytest.mark.parametrize("preference", PREFERENCES, ids=lambda preference: preference.key)
def test_every_default_is_a_value_that_could_be_set(preference: Preference) -> None:
    assert preference.parse(str(preference.default)) == preference.default


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("idle_cap_s", "29"),
        ("idle_cap_s", "3601"),
        ("idle_cap_s", "-300"),
        ("idle_cap_s", "5 minutes"),
        ("idle_cap_s", ""),
        ("idle_cap_s", "٣٠٠"),
        ("detection", "guess"),
        ("progress_decimals", "6"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_name(key: str, text: str) -> None:
    with pytest.raises(ValueError, match=key):
        BY_KEY[key].parse(text)


def test_a_stored_value_that_is_no_longer_allowed_counts_as_not_set() -> None:
    assert Preferences({"idle_cap_s": "7"}).number("idle_cap_s") == 300


def test_detection_by_pages_asks_for_pages_and_not_for_a_duration() -> None:
    rules = Preferences({"detection": "pages", "min_pages": "7", "min_duration_s": "600"}).rules()
    assert (rules.min_pages, rules.min_duration_s) == (7, 1)


def test_detection_by_duration_asks_for_a_duration_and_one_page() -> None:
    rules = Preferences({"min_pages": "7", "min_duration_s": "600"}).rules()
    assert (rules.min_pages, rules.min_duration_s) == (1, 600)


@given(st.dictionaries(st.sampled_from(sorted(BY_KEY)), st.text()))
def test_whatever_is_stored_every_preference_has_an_allowed_value(stored: dict[str, str]) -> None:
    values = Preferences(stored)
    for preference in PREFERENCES:
        assert preference.parse(str(values.get(preference.key))) == values.get(preference.key)
