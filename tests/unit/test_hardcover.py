"""Hardcover's rules: tokens, plans, which book it is, and whatever may come as an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import hardcover as rules
from device.core import hardcover_answers as answers
from device.core.hardcover import CURRENTLY_READING, IGNORED, READ, WANT_TO_READ, Entry, Hit, Wanted, plan
from device.ui import hardcover_menu
from device.ui.hardcover_menu import Waiting
from tests.sandbox.hardcover import TRAPS

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["me", "id", "user_books", "book_id", "status_id", "rating", "editions", "isbn_13", "isbn_10", "title",
             "book", "canonical_id", "search", "error", "results", "hits", "document", "author_names", "release_year",
             "subtitle", "insert_user_book", "user_book", "errors", "message", "extensions", "code", "data", "scope",
             "error_description", "account_privacy_setting_id"]
        )
        | st.text(max_size=3),
        inner,
        max_size=6,
    ),
    max_leaves=40,
)  # fmt: skip
RATINGS = st.none() | st.integers(1, 10).map(str)
WORDS = st.sampled_from([*rules.STATUS_IDS, "UNREAD", "UNSET", "SOMETHING_NEW"])
ENTRIES = st.none() | st.builds(
    Entry, st.just(1), st.just(2), st.integers(1, 6), st.none() | st.integers(1, 10).map(lambda half: half / 2)
)


def wishes(status: str | None, rating: str | None, sent_status: str | None = None) -> dict[str, Wanted]:
    found = {}
    if status is not None:
        found[rules.STATUS] = Wanted(status, sent_status)
    if rating is not None:
        found[rules.RATING] = Wanted(rating, None)
    return found


# The token


@pytest.mark.parametrize(
    "text", ["abc.def", " abc.def\r\n", "Bearer abc.def", "BEARER\tabc.def", "Authorization: Bearer abc.def"]
)
def test_a_token_is_taken_out_of_what_was_pasted(text: str) -> None:
    assert rules.token(text) == "abc.def"


@pytest.mark.parametrize("text", ["", "Bearer", "two words", "tökén", "x" * (rules.TOKEN_MAX_CHARS + 1), "a\0b"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert rules.token(text) == ""


@given(st.text())
def test_a_token_can_stand_in_a_header_line(text: str) -> None:
    token = rules.token(text)
    assert token.isascii() and len(token.split()) <= 1 and token.isprintable()


# The plan


@given(st.none() | WORDS, RATINGS, ENTRIES, st.booleans())
def test_every_wish_is_either_settled_or_sent(
    status: str | None, rating: str | None, entry: Entry | None, was_read: bool
) -> None:
    wanted = wishes(status, rating)
    made = plan(wanted, entry, was_read)
    sent = {rules.STATUS: "status_id" in made.fields, rules.RATING: "rating" in made.fields}
    for field in wanted:
        # A new entry's status may come from elsewhere than a wish that needs no request.
        assert sent[field] or field in made.settled


@given(st.none() | WORDS, RATINGS, ENTRIES, st.booleans())
def test_what_a_plan_has_sent_needs_no_second_plan(
    status: str | None, rating: str | None, entry: Entry | None, was_read: bool
) -> None:
    wanted = wishes(status, rating)
    made = plan(wanted, entry, was_read)
    if not made.fields:
        return
    before = entry or Entry(1, 2, None, None)
    saved = Entry(1, 2, made.fields.get("status_id", before.status_id), made.fields.get("rating", before.rating))  # type: ignore[arg-type]
    assert not rules.contradicts(made.fields, saved)
    assert plan(wanted, saved, was_read).fields == {}


@given(WORDS, RATINGS, ENTRIES)
def test_what_needs_nothing_sends_nothing_whatever_is_there(
    status: str, rating: str | None, entry: Entry | None
) -> None:
    wanted = wishes(status, rating)
    if rules.needs_nothing(wanted):
        assert plan(wanted, entry, False).fields == {}


@given(WORDS, RATINGS, st.booleans())
def test_what_is_added_has_a_status(status: str, rating: str | None, was_read: bool) -> None:
    made = plan(wishes(status, rating), None, was_read)
    assert not made.creates or made.fields["status_id"] in range(WANT_TO_READ, IGNORED + 1)


def test_every_rating_is_half_as_many_stars() -> None:
    assert [rules.stars_of(str(rating)) for rating in range(1, 11)] == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]


@pytest.mark.parametrize("broken", ["", "0", "11", "7.5", "-1", "x", "٣", "100"])
def test_a_rating_that_is_none_takes_nothing_away(broken: str) -> None:
    made = plan(wishes(None, broken), Entry(1, 2, READ, 4.0), False)
    assert (made.fields, made.settled) == ({}, [rules.RATING])


def test_being_read_does_not_replace_read_the_first_time() -> None:
    assert plan(wishes("READING", None), Entry(1, 2, READ, None), False).fields == {}


def test_being_read_again_replaces_read() -> None:
    assert plan(wishes("RE_READING", None), Entry(1, 2, READ, None), False).fields == {"status_id": CURRENTLY_READING}


def test_being_read_replaces_read_once_read_has_been_sent_from_here() -> None:
    made = plan(wishes("READING", None, "READ"), Entry(1, 2, READ, None), False)
    assert made.fields == {"status_id": CURRENTLY_READING}


def test_an_unread_book_that_is_rated_is_added_as_wanted() -> None:
    assert plan(wishes("UNREAD", "8"), None, False).fields == {"status_id": WANT_TO_READ, "rating": 4.0}


# Which book it is


EMMA = Hit(1, "Emma", "", ["Jane Austen"], 1815)


def test_one_hit_of_the_same_title_and_author_is_certain() -> None:
    others = [Hit(2, "Emma", "", ["Alexander McCall Smith"], None), Hit(3, "Emma Brown", "", ["Jane Austen"], None)]
    assert rules.certain("EMMA", ["Austen, Jane"], [*others, EMMA]) == 1


def test_a_second_one_makes_it_uncertain() -> None:
    assert rules.certain("Emma", ["Jane Austen"], [EMMA, Hit(2, "Emma", "", ["Jane Austen"], 1994)]) is None


def test_the_same_hit_twice_is_one() -> None:
    assert rules.certain("Emma", ["Jane Austen"], [EMMA, EMMA]) == 1


def test_a_subtitle_may_be_part_of_the_title() -> None:
    hit = Hit(1, "Moby-Dick", "or, The Whale", ["Herman Melville"], None)
    assert rules.certain("Moby Dick; or, the Whale", ["Herman Melville"], [hit]) == 1


@pytest.mark.parametrize(("title", "authors"), [("Emma", []), ("Emma", [""]), ("", ["Jane Austen"]), ("", [])])
def test_without_title_or_author_nothing_is_certain(title: str, authors: list[str]) -> None:
    assert rules.certain(title, authors, [EMMA, Hit(2, "", "", [""], None)]) is None


@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=3))
def test_what_is_searched_for_is_one_short_line(title: str, authors: list[str]) -> None:
    text = rules.search_text(title, authors)
    assert len(text) <= rules.TITLE_MAX_CHARS
    assert text == " ".join(text.split())


def test_the_subtitle_and_the_order_of_a_name_do_not_matter_to_a_search() -> None:
    assert rules.search_text("Title: Subtitle", ["Name, Author", "Other"]) == "Title Author Name"


@pytest.mark.parametrize(
    ("isbn", "older"), [("9780142437247", "0142437247"), ("9780804429573", "080442957X"), ("9791032305690", None)]
)
def test_the_older_form_of_an_isbn(isbn: str, older: str | None) -> None:
    assert rules.isbn10(isbn) == older


@given(st.integers(0, 10**9 - 1))
def test_the_older_form_is_the_same_isbn(number: int) -> None:
    body = f"978{number:09d}"
    check = -sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body)) % 10
    older = rules.isbn10(f"{body}{check}")
    assert older is not None and older[:9] == body[3:]
    assert sum((10 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(older)) % 11 == 0


def test_what_a_book_is_looked_for_by_changes_with_its_isbn_only() -> None:
    without = rules.looked_for("Emma", ["Jane Austen"], ["calibre:4"])
    assert without == rules.looked_for("emma!", ["jane austen"], [""])
    assert without != rules.looked_for("Emma", ["Jane Austen"], ["calibre:4", "ISBN:9780142437247"])


# Answers


@given(ANYTHING)
def test_no_answer_can_make_reading_it_fail(data: object) -> None:
    answers.read_library(data)  # type: ignore[arg-type]
    answers.read_editions(data)  # type: ignore[arg-type]
    answers.read_hits(data)  # type: ignore[arg-type]
    answers.read_saved(data, "insert_user_book")  # type: ignore[arg-type]


@given(st.integers(100, 599), ANYTHING, st.booleans())
def test_an_answer_that_is_in_order_has_data_and_nothing_else_is_in_order(
    status: int, reply: object, is_json: bool
) -> None:
    fault = answers.fault(status, reply, is_json)  # type: ignore[arg-type]
    if fault is None:
        assert status == 200 and is_json and isinstance(reply, dict) and isinstance(reply["data"], dict)
    else:
        assert len(fault.detail) <= rules.LABEL_MAX_CHARS


@given(ANYTHING)
def test_every_number_of_a_book_fits_the_store_and_graphql(data: object) -> None:
    hits = answers.read_hits({"search": {"results": {"hits": [{"document": data}]}}})  # type: ignore[dict-item]
    assert isinstance(hits, list)
    assert all(0 < hit.id <= answers.ID_MOST and hit.title for hit in hits)


def test_a_rating_may_come_as_text() -> None:
    data = {"me": [{"id": 7, "user_books": [{"id": 1, "book_id": "2", "status_id": 3, "rating": "4.5"}]}]}
    library = answers.read_library(data)  # type: ignore[arg-type]
    assert library is not None and library.entries[2].rating == 4.5


@pytest.mark.parametrize(
    ("trap", "kind"),
    [
        ("bad token", answers.TOKEN),
        ("bad token, of old", answers.TOKEN),
        ("bad token in 200", answers.TOKEN),
        ("scope", answers.SCOPE),
        ("too many", answers.LATER),
        ("errors in 200", answers.REFUSED),
        ("no data", answers.REFUSED),
        ("html", answers.STRANGE),
        ("not json", answers.STRANGE),
        ("broken", answers.FAILED),
        ("gateway", answers.FAILED),
        ("slow query", answers.FAILED),
    ],
)
def test_every_kind_of_trouble_is_told_apart(trap: str, kind: str) -> None:
    from device import json_text

    status, headers, body = TRAPS[trap]
    is_json = headers["Content-Type"].startswith("application/json") and trap != "not json"
    fault = answers.fault(status, json_text.decode(body) if is_json else None, is_json)
    assert fault is not None and fault.kind == kind


@pytest.mark.parametrize(("text", "seconds"), [("120", 120), ("", 60), ("0", 60), ("soon", 60), ("9999999", 86_400)])
def test_a_pause_is_at_least_a_minute_and_at_most_a_day(text: str, seconds: int) -> None:
    assert answers.retry_after_s(text) == seconds


# The menu


def test_what_waits_is_one_line_with_its_reason() -> None:
    two = [Waiting(1, "Emma", {"rating": 1}, "why", True), Waiting(2, "Moby Dick", {"rating": 1}, "why", False)]
    assert hardcover_menu.state(two, "") == "Hardcover: 2 ratings wait: why"
    assert hardcover_menu.state(two, "Hardcover is away") == "Hardcover: 2 ratings wait: Hardcover is away"
    assert hardcover_menu.state([], "") == "Everything that waited is at Hardcover."


def test_a_menu_of_many_books_is_cut_short() -> None:
    many = [Waiting(id, f"Book {id}", {"rating": 1}, "why", True) for id in range(1, 60)]
    section = hardcover_menu.section(many, "")
    assert isinstance(section, dict) and isinstance(section["items"], list)
    assert len(section["items"]) == 2 + hardcover_menu.BOOKS_MOST + 1


@given(st.lists(st.tuples(st.integers(1, 99), st.text()), max_size=40))
def test_a_question_has_no_more_answers_than_a_dialog_takes(candidates: list[tuple[int, str]]) -> None:
    question = hardcover_menu.question(12, "Emma", candidates)
    assert isinstance(question, dict) and isinstance(question["answers"], list)
    assert 2 <= len(question["answers"]) <= hardcover_menu.ANSWERS_MOST
