"""Which of our sessions a list of the server's shows, and when a list proves anything about the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from device.core.read_back import SessionsSought, Span

SPANS = st.tuples(st.integers(0, 300), st.integers(0, 60)).map(lambda span: (span[0], span[0] + span[1], span[1]))


def shares_time(one: Span, other: Span) -> bool:
    """Sessions without a length last one second here."""
    return one[0] < max(other[1], other[0] + 1) and other[0] < max(one[1], one[0] + 1)


@given(st.lists(SPANS, max_size=12), st.lists(SPANS, max_size=12), st.lists(SPANS, max_size=12))
def test_what_is_sought_is_found_exactly_or_roughly_whatever_the_order(
    exact: list[Span], rough: list[Span], listed: list[Span]
) -> None:
    sought = SessionsSought()
    for number, span in enumerate(exact):
        sought.seek(number, span)
    for number, span in enumerate(sorted(rough), 100):
        sought.seek_roughly(number, span)
    for number, span in enumerate(listed):
        sought.see(number, span)
    expected = {number for number, span in enumerate(exact) if span in listed}
    expected |= {n for n, span in enumerate(sorted(rough), 100) if any(shares_time(span, other) for other in listed)}
    assert sought.found == expected
    assert sought.all_found() == (len(expected) == len(exact) + len(rough))


def test_sessions_that_only_touch_are_two() -> None:
    sought = SessionsSought()
    sought.seek_roughly(1, (100, 200, 100))
    sought.see(1, (0, 100, 100))
    sought.see(2, (200, 300, 100))
    assert sought.found == set()


def test_a_list_is_whole_when_as_many_rows_were_seen_as_there_are() -> None:
    sought = SessionsSought()
    sought.begin_reading()
    sought.begin_page(3)
    sought.see(1, None)
    sought.see(2, None)
    sought.begin_page(3)
    sought.see(2, None)  # the same row once more, because another one has slipped behind
    assert not sought.is_complete()
    sought.begin_reading()
    sought.begin_page(3)
    sought.see(3, None)
    assert sought.is_complete()


def test_a_list_that_changed_while_it_was_read_is_not_whole() -> None:
    """A row was deleted from the first page: what came first on the second has slipped to the first, unseen."""
    sought = SessionsSought()
    sought.begin_page(4)
    sought.see(1, None)
    sought.see(2, None)
    sought.begin_page(3)
    sought.see(4, None)
    assert not sought.is_complete()


def test_rows_without_an_id_count_in_the_reading_in_which_they_are_seen() -> None:
    sought = SessionsSought()
    for _ in range(2):
        sought.begin_reading()
        sought.begin_page(2)
        sought.see(None, None)
        assert not sought.is_complete()
    sought.see(None, None)
    assert sought.is_complete()


def test_a_server_that_does_not_count_is_believed_to_its_last_page() -> None:
    sought = SessionsSought()
    sought.begin_page(None)
    assert sought.is_complete()
