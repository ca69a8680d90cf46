"""Ratings, read status and progress, both ways, against the three kinds of server."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
FILE = "/mnt/onboard/Moby Dick.epub"
COMIC = "/mnt/onboard/comic.cbz"
BOOK = "/api/v1/books/"
HASH = "0123456789abcdef0123456789abcdef"


class Shelf:
    """A reader with one book that the server knows, and the same reader at the web page."""

    def __init__(self, server: StandIn, reader: Reader) -> None:
        self.server = server
        self.reader = reader
        self.anna = server.add_user("anna", "secret")
        self.moby = server.add_book(
            title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247", file_hash=HASH
        )
        self.started_at = int(time.time()) - 40_000
        reader.configure(server.url)

    def closes(
        self,
        fraction: float,
        at: int | None = None,
        opened_at: float | None = None,
        fingerprint: str | None = None,
        **saved: Any,
    ) -> None:
        """An evening's reading that ends there; `saved`: the stars and status that KOReader has by then."""
        self.started_at += 1_000
        start = self.started_at if at is None else at - 210
        opened = {"page": 3, "pages": 200, "fraction": fraction / 2 if opened_at is None else opened_at}
        place = {"page": max(4, round(fraction * 200)), "pages": 200, "fraction": fraction}
        self.reader.journal(
            [
                (0, "open", opened),
                (60, "page", {"page": 4, "pages": 200}),
                (120, "page", place),
                (200, "close", {"reason": "close", **place}),
                (210, "snapshot", {"fraction": fraction, "xpointer": "/body/DocFragment[2]/body/p[1]", **saved}),
            ],
            start=start,
            fingerprint=fingerprint,
            **MOBY,
        )

    def sync(self, reason: str = "tap", **fields: Any) -> dict[str, Any]:
        return self.reader.run_job("sync", reason=reason, **fields)

    def state(self) -> dict[str, object]:
        return self.server.state(self.moby)

    def set_preference(self, key: str, value: str) -> None:
        assert self.reader.run("set", key, value).returncode == 0

    def requests(self, path: str, method: str) -> int:
        return sum(request.path.startswith(path) and request.method == method for request in self.server.requests)

    def let_an_hour_pass(self) -> None:
        """What an hour would do: it is time to ask the server for changes again."""
        self.let_hours_pass(1)

    def let_hours_pass(self, hours: int) -> None:
        self.reader.let_hours_pass(hours)

    def koreader_reads(self, fraction: float, progress: str = "/body/DocFragment[9]/body/p[1]") -> None:
        """Another device, with KOReader's own progress sync."""
        self.server.add_koreader_account(self.anna, "anna-koreader", "secret")
        body = {"document": HASH, "percentage": fraction, "progress": progress}
        request = urllib.request.Request(
            f"{self.server.url}/api/koreader/syncs/progress",
            json.dumps({**body, "device": "Kobo", "device_id": "1"}).encode(),
            {
                "Content-Type": "application/json",
                "x-auth-user": "anna-koreader",
                "x-auth-key": hashlib.md5(b"secret").hexdigest(),
            },
            method="PUT",
        )
        urllib.request.urlopen(request).close()

    def applied(self, result: dict[str, Any], outcome: str = "done") -> dict[str, Any]:
        """The launcher has made the changes, and says so."""
        arguments = {change["id"]: outcome for change in result["changes"] if "id" in change}
        return self.reader.run_job("applied", reason="tap", arguments=arguments)

    def answers(self, result: dict[str, Any], label: str) -> dict[str, Any]:
        """The reader taps on an answer of the first question."""
        [answer] = [answer for answer in result["questions"][0]["answers"] if answer["label"].startswith(label)]
        return self.reader.run_job(answer["verb"], reason="tap", arguments=answer["arguments"])

    def dismisses(self, result: dict[str, Any]) -> dict[str, Any]:
        dismissed = result["questions"][0]["dismissed"]
        return self.reader.run_job(dismissed["verb"], reason="tap", arguments=dismissed["arguments"])


@pytest.fixture(params=DIALECTS)
def any_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    with server_of(request.param) as server:
        yield Shelf(server, Reader(tmp_path / "bookloresync"))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with server_of("booklore") as server:
        yield Shelf(server, Reader(tmp_path / "bookloresync"))


def server_of(dialect: str) -> StandIn:
    return StandIn(dialect=dialect)


# From the device to the server


def test_stars_arrive_times_two_with_status_and_progress(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    assert any_shelf.sync()["counts"]["waiting"] == 0
    state = any_shelf.state()
    assert (state["personal_rating"], state["read_status"]) == (8, "READING")
    assert state["epub_percent"] == pytest.approx(42)


def test_the_server_is_asked_before_it_is_told(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    of_states = [
        (request.method, request.path.partition("?")[0])
        for request in any_shelf.server.requests
        if request.path.startswith(BOOK) and "hash" not in request.path and "page" not in request.path
    ]
    assert of_states[0] == ("GET", f"{BOOK}{any_shelf.moby}")
    assert ("PUT", f"{BOOK}personal-rating") in of_states


def test_a_book_that_is_begun_costs_no_request_for_its_status(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, status="reading")
    any_shelf.sync()
    assert any_shelf.state()["read_status"] == "READING"
    assert any_shelf.requests(f"{BOOK}status", "POST") == 0


def test_a_rating_that_is_taken_back_is_taken_back_on_the_server(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    any_shelf.closes(0.43, opened_at=0.42, status="reading")
    any_shelf.sync()
    assert any_shelf.state()["personal_rating"] is None


def test_a_finished_book_is_read_there_since_the_day_on_which_it_was_finished(any_shelf: Shelf) -> None:
    finished_at = int(time.time()) - 3 * 86_400
    any_shelf.closes(0.97, at=finished_at, status="complete")
    any_shelf.sync()
    state = any_shelf.state()
    assert state["read_status"] == "READ"
    assert abs(int(str(state["date_finished"])) - finished_at) < 5


def test_a_book_read_to_its_last_page_is_read_there_since_that_day(any_shelf: Shelf) -> None:
    finished_at = int(time.time()) - 3 * 86_400
    any_shelf.closes(1.0, at=finished_at, status="reading")
    any_shelf.sync()
    state = any_shelf.state()
    assert (state["read_status"], state["epub_percent"]) == ("READ", 100)
    assert abs(int(str(state["date_finished"])) - finished_at) < 5


def test_looking_something_up_in_a_finished_book_changes_nothing_there(any_shelf: Shelf) -> None:
    any_shelf.closes(1.0, status="complete")
    any_shelf.sync()
    before = any_shelf.state()
    any_shelf.closes(0.2, opened_at=0.99, status="complete")
    any_shelf.sync()
    after = any_shelf.state()
    for name in ("read_status", "date_finished", "epub_percent"):
        assert after[name] == before[name]


def test_a_finished_book_that_is_begun_again_is_being_read_there(any_shelf: Shelf) -> None:
    any_shelf.closes(1.0, status="complete")
    any_shelf.sync()
    any_shelf.closes(0.2, opened_at=0.1, status="reading", rating=None)
    any_shelf.sync()
    state = any_shelf.state()
    assert (state["read_status"], state["epub_percent"]) == ("READING", pytest.approx(20))


@pytest.mark.parametrize(("preference", "status"), [("paused", "PAUSED"), ("abandoned", "ABANDONED")])
def test_a_book_on_hold_stays_so_although_progress_makes_the_server_think_otherwise(
    any_shelf: Shelf, preference: str, status: str
) -> None:
    any_shelf.set_preference("on_hold", preference)
    any_shelf.closes(0.3, status="abandoned")
    any_shelf.sync()
    assert any_shelf.state()["read_status"] == status
    any_shelf.closes(0.4, opened_at=0.3, status="abandoned")
    any_shelf.sync()
    assert (any_shelf.state()["read_status"], any_shelf.state()["epub_percent"]) == (status, pytest.approx(40))


def test_a_status_that_was_not_said_again_before_the_run_ended_is_said_by_the_next_one(shelf: Shelf) -> None:
    shelf.closes(0.3, status="abandoned")
    shelf.sync()
    shelf.server.fault(when=lambda m, p, count: p == f"{BOOK}status", do="drop_request", times=1)
    shelf.closes(0.4, opened_at=0.3, status="abandoned")
    shelf.sync(deadline_s=10)
    assert shelf.state()["read_status"] == "READING"  # what the server made of the progress
    shelf.reader.let_intents_settle()
    shelf.sync()
    assert shelf.state()["read_status"] == "PAUSED"


def test_only_the_last_of_several_changes_is_sent(shelf: Shelf) -> None:
    for stars, fraction in ((2, 0.1), (3, 0.2), (5, 0.3)):
        shelf.closes(fraction, rating=stars, status="reading")
        shelf.reader.run("ingest")
    shelf.sync()
    assert shelf.state()["personal_rating"] == 10
    assert shelf.requests(f"{BOOK}personal-rating", "PUT") == 1
    assert shelf.requests(f"{BOOK}progress", "POST") == 1


def test_what_is_unchanged_is_not_sent_again(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    requests = len(any_shelf.server.requests)
    any_shelf.closes(0.42, opened_at=0.42, rating=4, status="reading")
    any_shelf.sync("close")
    assert len(any_shelf.server.requests) == requests + 1  # the session


def test_a_page_of_a_book_with_fixed_pages_is_its_exact_position(shelf: Shelf) -> None:
    comic = reads_comic(shelf)
    state = shelf.server.state(comic)
    assert (state["cbx_page"], state["cbx_percent"]) == (12, pytest.approx(30))


def test_a_page_of_a_book_with_fixed_pages_is_offered_exactly(shelf: Shelf) -> None:
    comic = reads_comic(shelf)
    shelf.server.progress_on_web("anna", comic, 67.5, position="27")
    [question] = shelf.sync("open", book=COMIC)["questions"]
    assert question["answers"][0]["change"] == {"kind": "position", "file": COMIC, "fraction": 0.675, "page": 27}


def reads_comic(shelf: Shelf) -> int:
    comic = shelf.server.add_book(
        title="Comic", authors=["Ann Artist"], book_type="CBX", file_name="comic.cbz", size_kb=1000
    )
    shelf.reader.journal(
        [
            (0, "open", {"page": 1, "pages": 40}),
            (60, "page", {"page": 12, "pages": 40}),
            (120, "close", {"reason": "close", "page": 12, "pages": 40}),
            (121, "snapshot", {"fraction": 0.3, "last_page": 12, "status": "reading"}),
        ],
        title="Comic", authors=["Ann Artist"], file=COMIC, format="cbz", size_bytes=1_024_000, start=shelf.started_at,
    )  # fmt: skip
    shelf.sync()
    return comic


# From the server to the device


def test_a_rating_given_on_the_web_comes_to_the_device(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, status="reading")
    any_shelf.sync()
    any_shelf.server.rate_on_web("anna", any_shelf.moby, 7)
    any_shelf.let_an_hour_pass()
    result = any_shelf.sync("wake")
    change = {"id": "1-rating-4", "kind": "rating", "file": FILE, "from": None, "to": 4}
    assert result["changes"] == [change]
    any_shelf.applied(result)
    any_shelf.closes(0.5, opened_at=0.42, rating=4, status="reading")
    assert any_shelf.sync()["changes"] == []
    assert any_shelf.state()["personal_rating"] == 7  # four stars are seven or eight


def test_what_the_device_was_not_given_yet_is_told_again_and_not_taken_for_its_wish(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=2, status="reading")
    any_shelf.sync()
    any_shelf.server.rate_on_web("anna", any_shelf.moby, 9)
    any_shelf.let_an_hour_pass()
    assert any_shelf.sync("wake")["changes"][0]["to"] == 5
    any_shelf.closes(0.5, opened_at=0.42, rating=2, status="reading")  # KOReader ended before it could be given
    assert any_shelf.sync()["changes"][0] == {"id": "1-rating-5", "kind": "rating", "file": FILE, "from": 2, "to": 5}
    assert any_shelf.state()["personal_rating"] == 9


def test_a_book_marked_as_read_on_the_web_is_finished_on_the_device(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, status="reading")
    any_shelf.sync()
    any_shelf.server.status_on_web("anna", any_shelf.moby, "READ")
    any_shelf.let_an_hour_pass()
    [change] = any_shelf.sync("wake")["changes"]
    assert (change["kind"], change["from"], change["to"]) == ("status", "reading", "complete")


def test_a_rating_taken_back_on_the_web_is_taken_back_on_the_device(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    any_shelf.server.rate_on_web("anna", any_shelf.moby, None)
    any_shelf.let_an_hour_pass()
    [change] = any_shelf.sync("wake")["changes"]
    assert (change["kind"], change["from"], change["to"]) == ("rating", 4, None)


def test_an_idle_sync_asks_once_for_all_books_and_not_again_within_the_hour(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    any_shelf.let_an_hour_pass()
    requests = len(any_shelf.server.requests)
    any_shelf.sync("wake")
    assert len(any_shelf.server.requests) == requests + 1
    any_shelf.sync("wake")
    assert len(any_shelf.server.requests) == requests + 1


# Both sides


def test_of_two_new_ratings_the_newer_one_wins_and_it_is_said(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    any_shelf.server.rate_on_web("anna", any_shelf.moby, 3)
    any_shelf.let_hours_pass(1)
    any_shelf.closes(0.5, at=int(time.time()), opened_at=0.42, rating=5, status="reading")
    result = any_shelf.sync()
    assert any_shelf.state()["personal_rating"] == 10
    assert "The server had 3 of 10" in result["messages"][0]["text"]


def test_a_rating_given_long_before_the_servers_may_have_changed_gives_way(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, rating=4, status="reading")
    any_shelf.sync()
    any_shelf.server.rate_on_web("anna", any_shelf.moby, 3)
    any_shelf.let_hours_pass(20)
    any_shelf.closes(0.5, at=int(time.time()) - 19 * 3600, opened_at=0.42, rating=5, status="reading")
    result = any_shelf.sync()
    assert any_shelf.state()["personal_rating"] == 3
    assert {"id": "1-rating-2", "kind": "rating", "file": FILE, "from": 5, "to": 2} in result["changes"]


def test_two_ratings_that_were_never_compared_are_for_the_reader_to_say(any_shelf: Shelf) -> None:
    any_shelf.server.rate_on_web("anna", any_shelf.moby, 3)
    any_shelf.closes(0.42, rating=5, status="reading")
    result = any_shelf.sync()
    assert any_shelf.state()["personal_rating"] == 3
    assert "10 of 10 on this device and 3 of 10 on the server" in result["questions"][0]["text"]
    any_shelf.answers(result, "This device")
    assert any_shelf.state()["personal_rating"] == 10
    assert any_shelf.sync()["questions"] == []


def test_a_question_is_asked_again_until_it_is_answered(any_shelf: Shelf) -> None:
    any_shelf.server.rate_on_web("anna", any_shelf.moby, 3)
    any_shelf.closes(0.42, rating=5, status="reading")
    any_shelf.sync()
    any_shelf.let_an_hour_pass()
    result = any_shelf.sync("wake")
    assert len(result["questions"]) == 1
    result = any_shelf.answers(result, "Server")
    assert result["changes"] == [{"id": "1-rating-2", "kind": "rating", "file": FILE, "from": 5, "to": 2}]
    assert any_shelf.state()["personal_rating"] == 3


def test_read_here_and_abandoned_there_is_for_the_reader_to_say(any_shelf: Shelf) -> None:
    any_shelf.server.status_on_web("anna", any_shelf.moby, "ABANDONED")
    any_shelf.closes(0.97, status="complete")
    result = any_shelf.sync()
    assert any_shelf.state()["read_status"] == "ABANDONED"
    [question] = result["questions"]
    assert (question["when"], "abandoned on the server" in question["text"]) == ("between_books", True)
    any_shelf.answers(result, "This device")
    assert any_shelf.state()["read_status"] == "READ"


def test_paused_there_and_read_here_is_read(any_shelf: Shelf) -> None:
    any_shelf.server.status_on_web("anna", any_shelf.moby, "PAUSED")
    any_shelf.closes(1.0, status="complete")
    assert any_shelf.sync()["questions"] == []
    assert any_shelf.state()["read_status"] == "READ"


def test_a_lost_record_of_koreaders_takes_nothing_back(any_shelf: Shelf) -> None:
    any_shelf.closes(0.6, rating=4, status="complete")
    any_shelf.sync()
    any_shelf.closes(0.01, opened_at=0.0, status="reading")
    result = any_shelf.sync()
    assert (any_shelf.state()["personal_rating"], any_shelf.state()["read_status"]) == (8, "READ")
    assert {change["id"]: change["to"] for change in result["changes"]} == {
        "1-rating-4": 4,
        "1-status-complete": "complete",
    }


# Asked at the end of a book


def test_the_end_of_a_book_is_when_its_rating_is_asked(any_shelf: Shelf) -> None:
    any_shelf.set_preference("rating", "ask")
    any_shelf.closes(0.5, status="reading")
    assert any_shelf.sync("close")["questions"] == []
    any_shelf.closes(0.995, opened_at=0.5, status="reading")
    result = any_shelf.sync("close")
    [question] = result["questions"]
    assert [answer["label"] for answer in question["answers"]] == [str(number) for number in range(1, 11)]
    assert question["when"] == "between_books"
    answered = any_shelf.answers(result, "7")
    assert any_shelf.state()["personal_rating"] == 7
    assert {"id": "1-rating-4", "kind": "rating", "file": FILE, "from": None, "to": 4} in answered["changes"]
    assert any_shelf.sync()["questions"] == []


def test_a_question_that_was_dismissed_comes_only_at_the_next_end(any_shelf: Shelf) -> None:
    any_shelf.set_preference("rating", "ask")
    any_shelf.closes(0.995, status="reading")
    any_shelf.dismisses(any_shelf.sync("close"))
    any_shelf.closes(1.0, opened_at=0.995, status="reading")
    assert any_shelf.sync("close")["questions"] == []
    any_shelf.closes(0.4, opened_at=0.2, status="reading")
    assert any_shelf.sync("close")["questions"] == []
    any_shelf.closes(0.999, opened_at=0.4, status="reading")
    assert len(any_shelf.sync("close")["questions"]) == 1


def test_an_answer_without_a_network_waits(shelf: Shelf) -> None:
    shelf.set_preference("rating", "ask")
    shelf.closes(0.995, status="reading")
    shelf.server.stop()
    answered = shelf.answers(shelf.sync("close"), "9")
    assert answered["counts"]["waiting"] > 0
    shelf.server.start()
    shelf.sync()
    assert shelf.state()["personal_rating"] == 9


# Progress, both ways


def read_on_web(shelf: Shelf, percent: float) -> None:
    shelf.server.progress_on_web("anna", shelf.moby, percent)


def test_a_position_further_on_is_offered_when_the_book_is_opened(any_shelf: Shelf) -> None:
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    read_on_web(any_shelf, 43)
    result = any_shelf.sync("open", book=FILE)
    [question] = result["questions"]
    assert "43% there, 12% here" in question["text"]
    assert (question["when"], question["book"]) == ("book", FILE)
    assert question["answers"][0]["change"] == {"kind": "position", "file": FILE, "fraction": 0.43}
    any_shelf.answers(result, "Go there")
    any_shelf.closes(0.5, opened_at=0.43, status="reading")
    assert any_shelf.sync("open", book=FILE)["questions"] == []
    assert any_shelf.state()["epub_percent"] == pytest.approx(50)


def test_a_reader_who_stays_is_not_asked_again_and_her_next_page_counts(any_shelf: Shelf) -> None:
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    read_on_web(any_shelf, 43)
    any_shelf.answers(any_shelf.sync("open", book=FILE), "Stay here")
    assert any_shelf.sync("open", book=FILE)["questions"] == []
    any_shelf.closes(0.13, at=int(time.time()) + 1, opened_at=0.12, status="reading")
    any_shelf.sync()
    assert any_shelf.state()["epub_percent"] == pytest.approx(13)


def test_a_newer_position_there_is_not_overwritten_by_what_was_read_before(any_shelf: Shelf) -> None:
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    read_on_web(any_shelf, 43)
    any_shelf.closes(0.2, at=int(time.time()) - 3600, opened_at=0.12, status="reading")  # sent late
    result = any_shelf.sync(book=FILE)
    assert any_shelf.state()["epub_percent"] == pytest.approx(43)
    assert len(result["questions"]) == 1


def test_what_was_read_later_and_further_replaces_what_is_there(any_shelf: Shelf) -> None:
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    any_shelf.server.progress_on_web("anna", any_shelf.moby, 43, time.time() - 3600)
    any_shelf.closes(0.6, at=int(time.time()), opened_at=0.12, status="reading")
    assert any_shelf.sync()["questions"] == []
    assert any_shelf.state()["epub_percent"] == pytest.approx(60)


def test_silently_means_that_koreader_goes_there_without_a_question(any_shelf: Shelf) -> None:
    any_shelf.set_preference("progress_forward", "silently")
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    read_on_web(any_shelf, 43)
    result = any_shelf.sync("open", book=FILE)
    assert result["questions"] == []
    assert result["changes"] == [{"id": "1-progress-0.4300", "kind": "position", "file": FILE, "fraction": 0.43}]
    any_shelf.applied(result)
    assert any_shelf.sync("open", book=FILE)["changes"] == []


def test_further_back_is_asked_even_where_further_on_is_not(any_shelf: Shelf) -> None:
    any_shelf.set_preference("progress_forward", "silently")
    any_shelf.closes(0.5, status="reading")
    any_shelf.sync()
    read_on_web(any_shelf, 20)
    result = any_shelf.sync("open", book=FILE)
    assert (result["changes"], len(result["questions"])) == ([], 1)
    assert "further back" in result["questions"][0]["text"]


def test_progress_that_is_switched_off_is_neither_sent_nor_offered(any_shelf: Shelf) -> None:
    any_shelf.set_preference("progress_sync", "off")
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    assert any_shelf.state().get("epub_percent") is None
    read_on_web(any_shelf, 43)
    assert any_shelf.sync("open", book=FILE)["questions"] == []


def test_another_koreaders_position_is_offered_too(any_shelf: Shelf) -> None:
    any_shelf.closes(0.12, status="reading")
    any_shelf.sync()
    any_shelf.koreader_reads(0.31)
    [question] = any_shelf.sync("open", book=FILE)["questions"]
    assert "31% there" in question["text"]


def test_another_koreaders_position_is_offered_to_the_word(any_shelf: Shelf) -> None:
    any_shelf.closes(0.12, status="reading", fingerprint=HASH)
    any_shelf.sync()
    any_shelf.koreader_reads(0.31)
    [question] = any_shelf.sync("open", book=FILE)["questions"]
    change = question["answers"][0]["change"]
    assert (change["fraction"], change["xpointer"]) == (0.31, "/body/DocFragment[9]/body/p[1]")
    assert any_shelf.requests("/api/koreader/", "PUT") == 1  # the other KOReader's, none of ours


# From the command line


def test_a_rating_and_a_mark_from_the_command_line_arrive(any_shelf: Shelf) -> None:
    any_shelf.closes(0.42, status="reading")
    any_shelf.sync()
    assert any_shelf.reader.run("rate", "--book", FILE, "7").stdout == "“Moby Dick”: 7 of 10.\n"
    assert any_shelf.reader.run("mark", "--book", FILE, "abandoned").stdout == "“Moby Dick” is marked as abandoned.\n"
    any_shelf.sync()
    assert (any_shelf.state()["personal_rating"], any_shelf.state()["read_status"]) == (7, "ABANDONED")


@pytest.mark.parametrize(("verb", "word"), [("rate", "11"), ("rate", "good"), ("mark", "burnt")])
def test_a_word_that_is_none_is_refused(shelf: Shelf, verb: str, word: str) -> None:
    shelf.closes(0.42, status="reading")
    shelf.reader.run("ingest")
    run = shelf.reader.run(verb, "--book", FILE, word)
    assert (run.returncode, "is " in run.stderr) == (1, True)
