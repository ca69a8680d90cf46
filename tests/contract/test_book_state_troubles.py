"""Ratings, read status and progress when something goes wrong: servers, records, clocks, words that cross."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_book_states import BOOK, DIALECTS, FILE, HASH, Shelf
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

DAY_S = 86_400


@pytest.fixture(params=DIALECTS)
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    with StandIn(dialect=request.param) as server:
        yield Shelf(server, Reader(tmp_path / "bookloresync"))


def on(method: str, path: str, nth: int = 1) -> Callable[[str, str, int], bool]:
    """A fault's `when`: the n-th and every later request of this method whose path begins so."""
    seen = 0

    def when(m: str, p: str, count: int) -> bool:
        nonlocal seen
        if m != method or not p.startswith(path):
            return False
        seen += 1
        return seen >= nth

    return when


def others_read(shelf: Shelf, count: int, day: int = 0) -> list[int]:
    """Further books, read an evening each and given four stars."""
    return [read_other(shelf, number, day) for number in range(count)]


def read_other(shelf: Shelf, number: int, day: int) -> int:
    title, author = f"Other {number}", f"Author {number}"
    book = 0
    if not day:
        book = shelf.server.add_book(title=title, authors=[author], file_name=f"{title}.epub", size_kb=100)
    place = {"page": 20, "pages": 200, "fraction": 0.1 + day / 10}
    shelf.reader.journal(
        [
            (0, "open", {"page": 3, "pages": 200, "fraction": 0.015}),
            (60, "page", place),
            (200, "close", {"reason": "close", **place}),
            (210, "snapshot", {"fraction": place["fraction"], "rating": 4 - day, "status": "reading"}),
        ],
        title=title,
        authors=[author],
        size_bytes=102_400,
        start=1_790_000_000 + day * DAY_S + number * 1_000,
    )
    return book


# Servers


@pytest.mark.parametrize("fault", ["error_before", "truncate", "garbage_chunk"])
def test_what_was_not_heard_is_not_told(shelf: Shelf, fault: str) -> None:
    shelf.closes(0.42, rating=4, status="reading")
    shelf.sync()
    shelf.server.rate_on_web("anna", shelf.moby, 3)
    shelf.server.status_on_web("anna", shelf.moby, "READ")
    shelf.server.fault(on("GET", f"{BOOK}{shelf.moby}"), fault, times=9)
    shelf.closes(0.5, opened_at=0.42, rating=5, status="reading")
    shelf.sync()
    state = shelf.state()
    assert (state["personal_rating"], state["read_status"], state["epub_percent"]) == (3, "READ", pytest.approx(42))
    assert len(shelf.server.sessions()) == 2 or fault != "error_before"
    shelf.server.forget_faults()
    assert shelf.sync()["counts"]["waiting"] == 0


def test_a_login_page_in_the_servers_place_lets_nothing_out(shelf: Shelf) -> None:
    shelf.closes(0.42, rating=4, status="reading")
    shelf.sync()
    shelf.server.rate_on_web("anna", shelf.moby, 3)
    shelf.server.fault(on("GET", f"{BOOK}{shelf.moby}"), "html", times=9)
    shelf.closes(0.5, opened_at=0.42, rating=5, status="reading")
    assert shelf.sync()["outcome"] == "offline"
    assert shelf.state()["personal_rating"] == 3


def test_a_list_of_books_that_always_fails_holds_up_neither_sessions_nor_ratings(shelf: Shelf) -> None:
    others_read(shelf, 5)
    shelf.server.fault(on("GET", f"{BOOK}batch"), "error_before", times=None)
    shelf.sync()
    assert len(shelf.server.sessions()) == 5
    assert [row["personal_rating"] for row in map(shelf.server.state, range(2, 7))] == [8] * 5


def test_a_server_that_tells_of_no_book_holds_up_no_session(shelf: Shelf) -> None:
    others_read(shelf, 5)
    shelf.sync()
    others_read(shelf, 5, day=1)
    shelf.server.fault(lambda method, path, _: method == "GET" and path.startswith(BOOK), "error_before", times=None)
    result = shelf.sync()
    assert len(shelf.server.sessions()) == 10
    assert result["counts"]["waiting"] == 10  # five ratings, five positions


def test_a_book_that_the_server_has_lost_waits_with_its_rating(shelf: Shelf) -> None:
    shelf.closes(0.42, status="reading")
    shelf.sync()
    shelf.server.remove_book(shelf.moby)
    shelf.closes(0.42, opened_at=0.42, rating=4, status="reading")
    result = shelf.sync()
    assert result["counts"]["waiting"] == 2
    assert "is not on the server any more" in str(result["messages"]) or "waits" in str(result["messages"])


def test_a_book_that_comes_back_under_another_number_gets_what_the_device_has(shelf: Shelf) -> None:
    shelf.closes(0.5, rating=5, status="complete")
    shelf.sync()
    shelf.server.remove_book(shelf.moby)
    again = shelf.server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    shelf.closes(0.55, opened_at=0.5, rating=5, status="complete")
    result = shelf.sync()
    for _ in range(3):
        shelf.let_an_hour_pass()
        result = shelf.sync()
        assert result["changes"] == []
    state = shelf.server.state(again)
    assert (state["personal_rating"], state["read_status"]) == (10, "READ")


def test_an_answer_that_was_lost_is_not_taken_for_somebody_elses_position(shelf: Shelf) -> None:
    shelf.closes(0.3, status="reading")
    shelf.sync()
    shelf.server.fault(on("POST", f"{BOOK}progress"), "lose_reply", times=1)
    shelf.closes(0.4, opened_at=0.3, status="reading")
    shelf.sync(deadline_s=10)
    shelf.reader.let_intents_settle()
    shelf.closes(0.35, at=int(time.time()) + 5, opened_at=0.4, status="reading")
    assert shelf.sync(book=FILE)["questions"] == []
    assert shelf.state()["epub_percent"] == pytest.approx(35)


def test_a_rating_that_is_taken_back_after_its_answer_was_lost_stays_taken_back(shelf: Shelf) -> None:
    shelf.closes(0.42, rating=4, status="reading")
    shelf.sync()
    shelf.server.fault(on("PUT", BOOK), "lose_reply", times=1)
    shelf.closes(0.43, opened_at=0.42, rating=5, status="reading")
    shelf.sync(deadline_s=10)
    assert shelf.state()["personal_rating"] == 10
    shelf.reader.let_intents_settle()
    shelf.closes(0.44, opened_at=0.43, rating=4, status="reading")
    shelf.sync()
    assert shelf.state()["personal_rating"] == 8


def test_the_date_of_an_end_that_is_over_is_not_sent(shelf: Shelf) -> None:
    shelf.closes(0.97, status="complete")
    shelf.server.fault(on("POST", f"{BOOK}progress"), "error_before", times=9)
    shelf.sync()
    shelf.server.forget_faults()
    shelf.reader.let_intents_settle()
    shelf.closes(0.3, opened_at=0.1, status="reading")
    shelf.sync()
    assert (shelf.state()["read_status"], shelf.state()["date_finished"]) == ("READING", None)


def test_a_failing_account_page_costs_only_the_exact_place(shelf: Shelf) -> None:
    shelf.closes(0.12, status="reading", fingerprint=HASH)
    shelf.sync()
    shelf.koreader_reads(0.31)
    shelf.server.fault(lambda method, path, _: "koreader-users" in path, "html", times=9)
    result = shelf.sync("open", book=FILE)
    assert (result["outcome"], len(result["questions"])) == ("done", 1)


@pytest.mark.parametrize("progress", ["²", "/body/²", "999999999999999999999", "12", " "])
def test_a_strange_place_of_another_koreader_is_offered_as_far_as_it_goes(shelf: Shelf, progress: str) -> None:
    shelf.closes(0.12, status="reading", fingerprint=HASH)
    shelf.sync()
    shelf.koreader_reads(0.4, progress)
    for reason in ("open", "tap"):
        result = shelf.sync(reason, book=FILE)
        assert (result["outcome"], len(result["questions"])) == ("done", 1)


# What the reader says


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (("rate", "none"), ("personal_rating", None)),
        (("rate", "6"), ("personal_rating", 6)),
        (("mark", "unread"), ("read_status", "UNREAD")),
        (("mark", "abandoned"), ("read_status", "ABANDONED")),
        (("mark", "paused"), ("read_status", "PAUSED")),
        (("mark", "read"), ("read_status", "READ")),
    ],
)
@pytest.mark.parametrize("hours", [0, 20])
def test_what_the_reader_says_counts_although_the_device_had_said_something_else(
    shelf: Shelf, words: tuple[str, str], kept: tuple[str, object], hours: int
) -> None:
    shelf.closes(0.42, rating=4, status="reading")
    shelf.sync()
    shelf.let_hours_pass(hours)
    verb, word = words
    assert shelf.reader.run(verb, "--book", FILE, word).returncode == 0
    result = shelf.sync()
    shelf.applied(result)
    shelf.let_an_hour_pass()
    shelf.sync("wake")
    assert shelf.state()[kept[0]] == kept[1]


def test_abandoned_is_not_paused_when_the_reader_says_so(shelf: Shelf) -> None:
    shelf.closes(0.3, status="abandoned")
    shelf.sync()
    assert shelf.state()["read_status"] == "PAUSED"
    shelf.reader.run("mark", "--book", FILE, "abandoned")
    shelf.sync()
    assert shelf.state()["read_status"] == "ABANDONED"


def test_abandoned_by_word_against_read_on_the_web_is_asked(shelf: Shelf) -> None:
    shelf.closes(0.42, status="reading")
    shelf.sync()
    shelf.reader.run("mark", "--book", FILE, "abandoned")
    shelf.server.status_on_web("anna", shelf.moby, "READ")
    result = shelf.sync()
    assert "abandoned on this device and read on the server" in result["questions"][0]["text"]
    shelf.answers(result, "Server")
    assert shelf.state()["read_status"] == "READ"
    assert shelf.sync()["questions"] == []


def test_a_question_that_the_reader_leaves_open_is_not_asked_again(shelf: Shelf) -> None:
    shelf.server.rate_on_web("anna", shelf.moby, 3)
    shelf.closes(0.42, rating=5, status="reading")
    shelf.dismisses(shelf.sync())
    assert shelf.sync()["questions"] == []
    shelf.server.rate_on_web("anna", shelf.moby, 2)
    shelf.let_an_hour_pass()
    assert len(shelf.sync()["questions"]) == 1  # it is another question


def test_questions_about_old_ratings_do_not_shut_out_the_book_that_was_just_finished(shelf: Shelf) -> None:
    for book in others_read(shelf, 7):
        shelf.server.rate_on_web("anna", book, 2)
    shelf.sync()
    shelf.set_preference("rating", "ask")
    shelf.closes(1.0, status="reading")
    questions = shelf.sync("close")["questions"]
    assert (len(questions), "You have finished" in questions[0]["text"]) == (5, True)


def test_a_book_that_is_rated_by_now_is_not_asked_about(shelf: Shelf) -> None:
    shelf.set_preference("rating", "ask")
    shelf.closes(0.995, status="reading")
    assert len(shelf.sync("close")["questions"]) == 1
    shelf.server.rate_on_web("anna", shelf.moby, 8)
    shelf.let_an_hour_pass()
    assert shelf.sync("wake")["questions"] == []


@pytest.mark.parametrize("verb", [("rate", "7"), ("mark", "read")])
def test_what_is_switched_off_says_so_instead_of_doing_nothing(shelf: Shelf, verb: tuple[str, str]) -> None:
    shelf.set_preference("rating", "off")
    shelf.set_preference("status_sync", "off")
    shelf.closes(0.42, status="reading")
    shelf.sync()
    run = shelf.reader.run(verb[0], "--book", FILE, verb[1])
    assert (run.returncode, "switched off" in run.stderr) == (1, True)


def test_what_is_switched_off_is_neither_given_nor_asked_any_more(shelf: Shelf) -> None:
    shelf.closes(0.12, rating=2, status="reading")
    shelf.sync()
    shelf.server.rate_on_web("anna", shelf.moby, 10)
    shelf.server.progress_on_web("anna", shelf.moby, 43)
    result = shelf.sync("open", book=FILE)
    assert (len(result["changes"]), len(result["questions"])) == (1, 1)
    shelf.set_preference("rating", "off")
    shelf.set_preference("progress_sync", "off")
    result = shelf.sync("open", book=FILE)
    assert (result["changes"], result["questions"]) == ([], [])


@pytest.mark.parametrize(
    "arguments",
    [
        {"book_id": 1, "rating": False},
        {"book_id": 10**30, "rating": 3},
        {"book_id": -1, "rating": 3},
        {"book_id": 1, "rating": 7.5},
        {"book_id": 1, "rating": "²"},
        {"book_id": 1},
    ],
)
def test_arguments_that_are_none_change_nothing_and_are_refused_in_words(
    shelf: Shelf, arguments: dict[str, Any]
) -> None:
    shelf.closes(0.42, rating=4, status="reading")
    shelf.sync()
    result = shelf.reader.run_job("rate", reason="tap", arguments=arguments)
    assert result["outcome"] == "failed"
    assert "Error" not in result["messages"][0]["text"]
    assert shelf.state()["personal_rating"] == 8


def test_a_change_that_is_reported_late_is_not_taken_for_what_is_offered_by_then(shelf: Shelf) -> None:
    shelf.closes(0.42, status="reading")
    shelf.sync()
    shelf.server.rate_on_web("anna", shelf.moby, 8)
    shelf.let_an_hour_pass()
    first = shelf.sync("wake")
    shelf.server.rate_on_web("anna", shelf.moby, 10)
    shelf.let_an_hour_pass()
    shelf.sync("wake")
    assert shelf.applied(first)["changes"][0]["to"] == 5


# Records


def test_a_lost_record_takes_no_position_back_and_offers_it(shelf: Shelf) -> None:
    shelf.closes(0.5, rating=4, status="reading")
    shelf.sync()
    shelf.closes(0.02, opened_at=0.0, status="reading")
    shelf.sync()
    assert shelf.state()["epub_percent"] == pytest.approx(50)
    [question] = shelf.sync("open", book=FILE)["questions"]
    assert "50% there, 2% here" in question["text"]


def test_a_book_that_was_gone_and_is_loaded_again_takes_nothing_back(shelf: Shelf) -> None:
    shelf.closes(1.0, rating=4, at=int(time.time()) - 30 * DAY_S, status="complete")
    shelf.sync()
    finished = shelf.state()["date_finished"]
    shelf.server.rate_on_web("anna", shelf.moby, 10)
    shelf.let_an_hour_pass()
    shelf.applied(shelf.sync("wake"), "gone")
    shelf.closes(0.02, opened_at=0.0, status="reading")
    result = shelf.sync()
    state = shelf.state()
    assert (state["personal_rating"], state["read_status"], state["date_finished"]) == (10, "READ", finished)
    assert {change["id"] for change in result["changes"]} == {"1-rating-5", "1-status-complete"}


def test_a_rating_said_before_koreader_was_ever_seen_to_have_one_stays(shelf: Shelf) -> None:
    pages = [(0, "open", {"page": 3, "pages": 200}), (60, "page", {"page": 4, "pages": 200})]
    shelf.reader.journal([*pages, (120, "page", {"page": 5, "pages": 200})], start=shelf.started_at, **MOBY)
    shelf.sync()
    shelf.reader.run("rate", "--book", FILE, "7")
    shelf.sync()
    shelf.closes(0.3, opened_at=0.2, status="reading")
    shelf.sync()
    assert shelf.state()["personal_rating"] == 7


def test_a_book_finished_long_ago_was_finished_on_the_day_that_koreader_says(shelf: Shelf) -> None:
    shelf.set_preference("rating", "ask")
    shelf.closes(0.2, opened_at=0.19, status="complete", changed_on="2024-05-03")
    result = shelf.sync("close")
    assert shelf.state()["read_status"] == "READ"
    assert abs(int(str(shelf.state()["date_finished"])) - 1_714_737_600) < DAY_S  # noon of that day
    assert result["questions"] == []


def test_a_rating_from_a_clock_that_ran_ahead_does_not_win_for_ever(shelf: Shelf) -> None:
    shelf.closes(0.42, at=int(time.time()), rating=4, status="reading")
    shelf.sync()
    shelf.reader.change_store("UPDATE shared_value SET device_at = device_at + 31536000")
    shelf.server.rate_on_web("anna", shelf.moby, 2)
    shelf.let_an_hour_pass()
    shelf.sync("wake")
    assert shelf.state()["personal_rating"] == 2


def test_that_koreaders_own_progress_sync_is_on_as_well_is_said_once(shelf: Shelf) -> None:
    def warnings(kosync: bool) -> int:
        shelf.closes(0.5, status="reading")
        return sum("KOReader's own progress sync" in text["text"] for text in shelf.sync(kosync=kosync)["messages"])

    assert [warnings(on) for on in (False, True, True, False, True)] == [0, 1, 0, 0, 1]
    shelf.set_preference("progress_sync", "off")
    assert [warnings(on) for on in (False, True)] == [0, 0]


# Where the reader is now


def test_nobody_who_has_read_on_meanwhile_is_taken_back_silently(shelf: Shelf) -> None:
    shelf.set_preference("progress_forward", "silently")
    shelf.closes(0.3, status="reading")
    shelf.sync()
    shelf.server.progress_on_web("anna", shelf.moby, 43)
    result = shelf.sync("open", book=FILE, fraction=0.5)
    assert result["changes"] == []
    assert "43% there, 50% here" in result["questions"][0]["text"]


# Many


def test_every_book_hears_of_the_web_in_its_turn(shelf: Shelf) -> None:
    books = others_read(shelf, 60)
    shelf.sync()
    for book in books:
        shelf.server.rate_on_web("anna", book, 10)
    given: set[str] = set()
    for _ in range(3):
        shelf.let_an_hour_pass()
        result = shelf.sync("wake")
        while result["changes"]:
            given |= {change["id"] for change in result["changes"]}
            result = shelf.applied(result)
    assert len(given) == 60


def test_what_a_pull_decides_goes_out_in_the_same_run(shelf: Shelf) -> None:
    shelf.closes(0.5, rating=5, status="complete")
    shelf.sync()
    other = shelf.server.add_book(title="Moby-Dick; or, The Whale", authors=["Herman Melville"])
    shelf.reader.run("match", "--book", FILE, str(other))
    shelf.let_an_hour_pass()
    shelf.sync("wake")
    assert shelf.server.state(other)["personal_rating"] == 10
