"""Who tells whom how far a book is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import preferences, progress
from device.core.preferences import Preferences
from device.core.progress import CLOSE, NOTHING, OFFER, TELL, Heard, decide, how_to_offer

FRACTIONS = st.floats(0, 1, allow_nan=False).map(lambda value: round(value, 4))
NAMES = st.sampled_from(["web", "koreader", "kobo"])


def web(fraction: float | None, at: int | None = 100) -> Heard:
    return Heard({} if fraction is None else {"web": fraction}, at)


@pytest.mark.parametrize(
    ("ours", "read_at", "agreed", "there", "heard_at", "before", "outcome"),
    [
        (0.4, 50, 0.4, 0.4, 100, {"web": 0.4}, NOTHING),
        (0.5, 50, 0.4, 0.4, 100, {"web": 0.4}, TELL),
        (0.4, 50, 0.4, 0.6, 100, {"web": 0.4}, OFFER),
        (0.5, 50, 0.4, 0.6, 100, {"web": 0.4}, OFFER),
        (0.5, 150, 0.4, 0.6, 100, {"web": 0.4}, OFFER),  # later, but not as far: nobody has asked her yet
        (0.7, 150, 0.4, 0.6, 100, {"web": 0.4}, TELL),
        (0.7, 50, 0.4, 0.6, 100, {"web": 0.4}, OFFER),
        (0.1, 50, None, None, None, None, TELL),
        (0.1, 50, None, 0.0, 100, None, TELL),
        (None, 0, None, 0.6, 100, None, OFFER),
        (0.1, 50, None, 0.6, 100, None, OFFER),
        (0.7, 150, 0.4, 0.6, None, {"web": 0.4}, OFFER),  # nobody knows when
    ],
)
def test_the_table_of_who_tells_whom(
    ours: float | None,
    read_at: int,
    agreed: float | None,
    there: float | None,
    heard_at: int | None,
    before: dict[str, float] | None,
    outcome: str,
) -> None:
    assert decide(ours, read_at, agreed, web(there, heard_at), before).outcome == outcome


@given(FRACTIONS, st.integers(0, 4))
def test_what_we_have_told_comes_back_rounded_and_is_no_news(fraction: float, decimals: int) -> None:
    back = round(round(fraction * 100, decimals), 1) / 100
    assert decide(fraction, 50, fraction, web(back), {"web": 0.0}, decimals).outcome == NOTHING


@given(FRACTIONS, FRACTIONS, st.integers(0, 200), FRACTIONS)
def test_a_newer_position_there_is_never_replaced(ours: float, agreed: float, read_at: int, there: float) -> None:
    found = decide(ours, read_at, agreed, web(there), {"web": agreed})
    is_news = all(abs(there - known) > 2 * CLOSE for known in (ours, agreed))
    if is_news and read_at <= 100:
        assert found.outcome == OFFER
        assert found.without_offers == NOTHING


@given(st.dictionaries(NAMES, FRACTIONS, max_size=3))
def test_what_was_heard_is_read_back_from_the_store(fractions: dict[str, float]) -> None:
    assert progress.parse(Heard(fractions, None).text()) == pytest.approx(fractions)


@given(st.text(max_size=40))
def test_a_text_that_is_none_leads_to_nothing(text: str) -> None:
    assert all(0 <= value <= 1 for value in progress.parse(text).values())


@pytest.mark.parametrize(
    ("there", "here", "stored", "how"),
    [
        (0.6, 0.4, {}, preferences.ASK),
        (0.6, 0.4, {"progress_forward": "silently"}, preferences.SILENTLY),
        (0.6, 0.4, {"progress_forward": "off"}, preferences.OFF),
        (0.4, 0.6, {"progress_forward": "silently"}, preferences.ASK),
        (0.4, 0.6, {"progress_backward": "off"}, preferences.OFF),
        (0.401, 0.4, {"progress_forward": "silently"}, preferences.OFF),  # a page is not worth a jump
    ],
)
def test_forward_and_backward_are_set_separately(there: float, here: float, stored: dict[str, str], how: str) -> None:
    assert how_to_offer(there, here, Preferences(stored)) == how


def test_nobody_can_set_that_she_is_taken_back_silently() -> None:
    assert preferences.SILENTLY not in preferences.BY_KEY[preferences.PROGRESS_BACKWARD].choices
