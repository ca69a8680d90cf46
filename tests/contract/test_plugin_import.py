"""A reader moves from the Lua plugin to this one: what it had sent, what it had not, and what it had sent without
knowing. In the end everything is on the server once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.plain_client import PlainClient
from tests.fixtures.make_plugin_database import NAME, PluginDatabase, session
from tests.old_plugin import HASH, OTHER_HASH, at
from tests.reader import Reader
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")
SESSIONS, BOOK_NOTES, ANNOTATIONS = "/api/v1/reading-sessions", "/api/v1/book-notes", "/api/v1/annotations"
RATING = "/api/v1/books/personal-rating"
CFI = "epubcfi(/6/2!/4/2,/1:0,/1:15)"  # beside its words, as the old plugin's were

Reading = tuple[str, str, int]  # start, end, seconds


class Move:
    """A server on which the old plugin has left its traces, and the device with its database."""

    def __init__(self, server: StandIn, folder: Path) -> None:
        self.server = server
        self.reader = Reader(folder / "bookloresync")
        self.source = folder / "settings" / NAME
        self.moby = server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        self.emma = server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
        self.client = PlainClient(server)
        self.client.sign_in()
        self.old = PluginDatabase(self.source)
        self.old.set(
            server_url=server.url + "/", booklore_username="anna", booklore_password="secret", username="anna-ko",
            password="koreader", is_enabled="true", sync_mode="automatic", min_duration="45",
        )  # fmt: skip
        self.cached_moby = self.old.add_book(
            "/books/Moby.epub", HASH, self.moby, title="Moby Dick", author="Herman Melville"
        )
        self.cached_emma = self.old.add_book(
            "/books/Emma.epub", OTHER_HASH, title="Emma", author="Jane Austen", isbn13="9780141439587"
        )

    def old_plugin_sends(self, book_id: int, reading: Reading) -> None:
        start, end, seconds = reading
        row = session(None, start, end, seconds)
        reply = self.client.post(
            SESSIONS,
            {
                "bookId": book_id, "bookType": "EPUB", "startTime": start, "endTime": end, "durationSeconds": seconds,
                "startProgress": row["start_progress"], "endProgress": row["end_progress"], "startLocation": "20",
                "endLocation": "25",
            },
        )  # fmt: skip
        assert reply.status in (200, 202), reply.raw

    def arrived(self) -> Counter[Reading]:
        return Counter(
            (str(one["startTime"]), str(one["endTime"]), int(str(one["durationSeconds"])))
            for one in self.server.sessions()
        )

    def list(self, path: str, book_id: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"{path}/book/{book_id}").json
        return found

    def rating(self, book_id: int) -> int | None:
        rating: int | None = self.client.get(f"/api/v1/books/{book_id}").json.get("personalRating")
        return rating


@pytest.fixture(params=DIALECTS)
def move(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Move]:
    server = StandIn(dialect=request.param)
    server.add_user("anna", "secret")
    with server:
        made = Move(server, tmp_path / "koreader")
        yield made
        made.client.close()


SENT, SENT_TWICE, SENT_UNKNOWN, ARCHIVED_ONLY = [(at(minute), at(minute + 10), 600) for minute in (0, 15, 30, 45)]
QUEUED = (at(60), at(70), 600)
# Sessions of KOReader's statistics, which the old plugin ended where their last page began.
HISTORY_UNSENT, HISTORY_SENT = [(at(minute), at(minute + 10), 660) for minute in (75, 90)]
HISTORY_EXTENDED = (at(75), at(86), 660)
OF_EMMA, HISTORY_OF_EMMA = [(at(minute), at(minute + 10), 600) for minute in (105, 120)]


def leave_everything(move: Move) -> None:
    """Sent and noted; sent twice, after an answer was lost; sent and still in the queue; and what never went out."""
    old, moby = move.old, move.moby
    for reading in (SENT, SENT_TWICE, SENT_TWICE, SENT_UNKNOWN, HISTORY_SENT):
        move.old_plugin_sends(moby, reading)
    old.add_history(HASH, *SENT, book_id=moby)
    old.add_history(HASH, *SENT_TWICE, book_id=moby)
    old.add_pending_session(HASH, *SENT_UNKNOWN, book_id=moby)
    old.add_history(HASH, *ARCHIVED_ONLY, book_id=moby)
    old.add_pending_session(HASH, *ARCHIVED_ONLY, book_id=moby)  # it was killed before it took it out of the queue
    old.add_pending_session(HASH, *QUEUED, book_id=moby)
    old.add_history(HASH, *HISTORY_UNSENT, book_id=moby, synced=0, koreader_book_id=4)
    old.add_history(HASH, *HISTORY_SENT, book_id=moby, synced=0, koreader_book_id=5)
    old.add_pending_session(OTHER_HASH, *OF_EMMA, book_title="Emma")
    old.add_history(OTHER_HASH, *HISTORY_OF_EMMA, matched=0, synced=0, koreader_book_id=6)
    old.add_history("c" * 32, at(140), at(150), 600, koreader_book_id=0, book_id=moby, synced=0)

    move.client.put(RATING, {"ids": [moby], "rating": 8})
    old.add("book_metadata", book_cache_id=move.cached_moby, rating=8, rating_synced=1)
    old.add("pending_ratings", book_cache_id=move.cached_emma, rating=6)

    move.client.post(BOOK_NOTES, {"bookId": moby, "title": "Loomings", "content": "A whale."})
    old.add_pending_annotation(
        move.cached_moby, "2026-03-01 18:01:00", "both_note", note="A whale.", chapter="Loomings", text="Ishmael",
        cfi=CFI, pos0="/body/p/text().0", pos1="/body/p/text().7",
    )  # fmt: skip
    old.add_pending_annotation(move.cached_moby, "2026-03-01 18:02:00", "booklore_note", note="Another.")
    move.client.post(ANNOTATIONS, {"bookId": moby, "cfi": CFI, "text": "Call me Ishmael"})
    old.add_pending_annotation(move.cached_moby, "2026-03-01 18:03:00", "highlight", text="Call me Ishmael", cfi=CFI)
    old.close()


def test_everything_the_old_plugin_left_is_on_the_server_once(move: Move) -> None:
    leave_everything(move)
    before, requests = move.arrived(), len(move.server.requests)
    source = move.source.read_bytes()
    assert move.reader.run("import-plugin").returncode == 0
    assert len(move.server.requests) == requests

    run = move.reader.run("sync")
    assert run.returncode == 0, run.stdout + run.stderr
    missing = Counter([QUEUED, HISTORY_EXTENDED, OF_EMMA, HISTORY_OF_EMMA])
    assert move.arrived() == before + missing
    assert (move.rating(move.moby), move.rating(move.emma)) == (8, 6)
    notes = sorted(note["content"] for note in move.list(BOOK_NOTES, move.moby))
    assert notes == ["A whale.", "Another."]
    assert len(move.list(ANNOTATIONS, move.moby)) == 1
    assert move.source.read_bytes() == source


def test_importing_and_syncing_again_sends_nothing(move: Move) -> None:
    leave_everything(move)
    for verb in ("import-plugin", "sync"):
        move.reader.run(verb)
    arrived = move.arrived()
    sent = [request.path for request in move.server.requests if request.method != "GET"]
    told = move.reader.run("import-plugin").stdout
    move.reader.run("sync")
    assert "There is nothing new in what the old plugin left." in told
    assert move.arrived() == arrived
    assert [request.path for request in move.server.requests if request.method != "GET"] == sent


def test_answers_that_are_lost_while_the_rest_goes_out_double_nothing(move: Move) -> None:
    leave_everything(move)
    move.reader.run("import-plugin")
    before = move.arrived()
    move.server.fault(
        when=lambda method, path, _: method in ("POST", "PUT") and path.startswith((SESSIONS, BOOK_NOTES, RATING)),
        do="lose_reply",
        times=3,
    )
    for _ in range(5):
        move.reader.run_job("sync", reason="tap", deadline_s=10)
        move.reader.let_intents_settle()
    assert move.arrived() == before + Counter([QUEUED, HISTORY_EXTENDED, OF_EMMA, HISTORY_OF_EMMA])
    assert len(move.list(BOOK_NOTES, move.moby)) == 2


def test_a_session_of_a_book_that_nobody_knows_waits_and_is_not_given_to_another(move: Move) -> None:
    leave_everything(move)
    move.reader.run("import-plugin")
    move.reader.run("sync")
    assert move.reader.run_job("status")["counts"]["waiting"] == 1


def test_a_job_imports_as_a_command_does_and_declining_is_remembered(move: Move) -> None:
    leave_everything(move)
    declined = move.reader.run_job("import-plugin", reason="tap", arguments={"decline": True})
    assert [message["text"] for message in declined["messages"]] == [
        "What the old plugin left stays where it is, and is not offered again."
    ]
    assert declined["counts"]["waiting"] == 0
    taken = move.reader.run_job("import-plugin", reason="tap")
    assert taken["messages"][0]["text"].startswith("Taken over from the old plugin: 3 books,")
    assert taken["outcome"] == "done"


def test_neither_output_nor_log_nor_menu_says_anything_of_the_accounts(move: Move) -> None:
    move.old.connection.execute("UPDATE plugin_settings SET value = 'geheim-9' WHERE key LIKE '%password'")
    move.old.connection.execute("UPDATE plugin_settings SET value = 'annas-name' WHERE key LIKE '%username'")
    leave_everything(move)
    run = move.reader.run("import-plugin")
    written = run.stdout + run.stderr
    for name in ("log/worker.log", "menu.json"):
        written += (move.reader.data / name).read_text()
    assert "geheim" not in written
    assert "annas-name" not in written
    assert "geheim-9" in (move.reader.data / "secrets.json").read_text()
    assert (move.reader.data / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_what_is_not_there_is_an_error_in_words(move: Move, tmp_path: Path) -> None:
    run = move.reader.run("import-plugin", "--from", str(tmp_path))
    assert run.returncode == 1
    assert f"The old plugin has left nothing in {tmp_path}." in run.stderr
