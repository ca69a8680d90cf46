"""What counts as exact, and what does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.exactness import folded, is_beginning, is_exact, readings, shown
from tests.web.browser import Piece

TEXTS = st.text(st.sampled_from("ab \n\u00ad"), max_size=6)


def pieces(*texts: str) -> list[Piece]:
    """Text nodes; those in round brackets are hidden in KOReader."""
    return [Piece(text.strip("()"), "hidden" if text.startswith("(") else "") for text in texts]


def test_blanks_and_invisible_signs_do_not_count() -> None:
    assert is_exact(pieces("Call me\n ", "Ish\u00admael"), "Call me Ishmael")


def test_a_letter_of_a_formula_is_the_plain_letter() -> None:
    assert is_exact(pieces("x"), "\U0001d465")


def test_other_signs_are_not_folded() -> None:
    assert not is_exact(pieces("ﬁ"), "fi")


def test_a_hidden_node_inside_may_be_missing() -> None:
    assert is_exact(pieces("漢", "(かん)", "字"), "漢字")


def test_a_hidden_node_inside_may_be_there() -> None:
    assert is_exact(pieces("漢", "(かん)", "字"), "漢かん字")


def test_a_hidden_node_counts_whole_or_not_at_all() -> None:
    assert not is_exact(pieces("漢", "(かん)", "字"), "漢か字")


def test_a_visible_node_may_not_be_missing() -> None:
    assert not is_exact(pieces("one", "two", "three"), "one three")


def test_a_hidden_node_at_the_end_is_not_forgiven() -> None:
    assert not is_exact(pieces("one", "(two)"), "one")
    assert not is_exact(pieces("(one)", "two"), "two")


def test_a_blank_node_at_the_end_is_no_node() -> None:
    assert is_exact(pieces("\n", "one", " \n"), "one")


def test_one_letter_too_many_is_not_exact() -> None:
    assert not is_exact(pieces("Ishmael."), "Ishmael")
    assert not is_exact(pieces("Ishmae"), "Ishmael")


def test_nothing_is_not_exact_for_a_text() -> None:
    assert not is_exact([], "Ishmael")


def test_of_two_hidden_nodes_the_right_one_is_left_out() -> None:
    assert is_exact(pieces("a", "(ab)", "(a)", "b"), "aab")


def test_a_beginning_is_exact_as_far_as_it_goes() -> None:
    assert is_beginning(pieces("one", "(1)", "two"), "one two three")
    assert not is_beginning(pieces("one", "2", "two"), "one two three")
    assert not is_beginning([], "one")


def test_a_section_reads_with_and_without_what_is_hidden() -> None:
    assert readings(pieces("x = ", "(1)", "2")) == ("x=12", "x=2")


def test_what_is_shown_leaves_out_what_is_hidden() -> None:
    assert shown(pieces("(page 12)", "one ", "(x)", "two")) == "onetwo"


@given(st.lists(st.tuples(TEXTS, st.booleans()), max_size=5))
def test_the_whole_text_of_the_nodes_is_always_exact(nodes: list[tuple[str, bool]]) -> None:
    found = [Piece(text, "hidden" if hidden else "") for text, hidden in nodes]
    assert is_exact(found, "".join(text for text, _ in nodes))


@given(st.lists(st.tuples(TEXTS, st.booleans()), max_size=5), TEXTS)
def test_exact_is_what_some_choice_of_hidden_inner_nodes_gives(nodes: list[tuple[str, bool]], text: str) -> None:
    found = [Piece(content, "hidden" if hidden else "") for content, hidden in nodes]
    kept = [(folded(content), hidden) for content, hidden in nodes if folded(content)]
    choices = {""}
    for number, (content, hidden) in enumerate(kept):
        optional = hidden and 0 < number < len(kept) - 1
        choices = {choice + content for choice in choices} | (choices if optional else set())
    assert is_exact(found, text) == (folded(text) in choices)
