"""Highlights, notes and bookmarks where something goes wrong: the network, the server, the book, the account."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.annotated_book import CHAPTERS, TABLES, Device, Web, bookmark, highlight
from tests.fixtures.make_books import make_book
from tests.sandbox import StandIn

SHORT_S = 10  # a run too short to wait for anything to settle


class Desk:
    """The reader's device, and the web page of her server."""

    def __init__(self, server: StandIn, folder: Path, book: Path | None = None) -> None:
        self.server = server
        self.folder = folder
        server.add_user("anna", "secret")
        self.moby = server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        self.device = Device(folder, server)
        self.web = Web(server, self.moby)

    def fails(self, do: str, method: str = "POST", table: str = "annotation", **options: Any) -> None:
        path = TABLES[table]
        self.server.fault(when=lambda m, p, count: m == method and p.startswith(path), do=do, **options)

    def later(self) -> dict[str, Any]:
        self.device.reader.let_intents_settle()
        return self.device.sync()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with StandIn(dialect="booklore") as server:
        yield Desk(server, tmp_path)


# Replies that are lost

LOST = ["lose_reply", "error_after_commit", "proxy_error_after_commit", "truncate", "drop_request", "error_before"]


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("table", ["annotation", "bookmark", "book_note"])
def test_what_is_made_is_there_once_whatever_becomes_of_the_reply(desk: Desk, table: str, fault: str) -> None:
    desk.device.reader.run("set", "notes_to", "booklore" if table == "book_note" else "in-book")
    mark = bookmark() if table == "bookmark" else highlight("Call me Ishmael", note="One")
    desk.fails(fault, table=table)
    desk.device.has(mark)
    desk.device.closes()
    desk.device.sync(deadline_s=SHORT_S)
    desk.later()
    desk.later()
    assert len(desk.web.rows(table)) == 1
    desk.device.syncs()
    desk.device.sync()
    assert desk.web.rows(table) == []  # so it was known under its number


@pytest.mark.parametrize("fault", LOST)
def test_an_edit_arrives_whatever_becomes_of_the_reply(desk: Desk, fault: str) -> None:
    desk.device.syncs(highlight("Call me Ishmael", note="One"))
    desk.fails(fault, "PUT")
    desk.device.has(highlight("Call me Ishmael", note="Two", datetime_updated="2026-11-21 09:00:00"))
    desk.device.closes()
    desk.device.sync(deadline_s=SHORT_S)
    desk.later()
    desk.later()
    assert [row["note"] for row in desk.web.rows()] == ["Two"]
    assert desk.device.sync()["counts"]["waiting"] == 0


@pytest.mark.parametrize("fault", LOST)
def test_a_deletion_is_done_whatever_becomes_of_the_reply(desk: Desk, fault: str) -> None:
    desk.device.syncs(highlight("Call me Ishmael"), highlight("Circumambulate", 1, 3, 1))
    desk.fails(fault, "DELETE")
    desk.device.has(highlight("Circumambulate", 1, 3, 1))
    desk.device.closes()
    desk.device.sync(deadline_s=SHORT_S)
    desk.later()
    assert [row["text"] for row in desk.web.rows()] == ["Circumambulate"]
    desk.device.let_hours_pass()
    result = desk.device.sync("open", book=str(desk.device.file))
    assert (result["changes"], result["counts"]["waiting"]) == ([], 0)


def test_a_highlight_that_is_deleted_while_its_reply_is_lost_is_deleted_there(desk: Desk) -> None:
    desk.fails("lose_reply")
    desk.device.has(highlight("Call me Ishmael"))
    desk.device.closes()
    desk.device.sync(deadline_s=SHORT_S)
    desk.device.has()
    desk.device.closes()
    desk.later()
    desk.later()
    assert desk.web.rows() == []


def test_a_note_that_changes_while_the_reply_of_its_highlight_is_lost_arrives_changed(desk: Desk) -> None:
    desk.fails("lose_reply")
    desk.device.has(highlight("Call me Ishmael", note="One"))
    desk.device.closes()
    desk.device.sync(deadline_s=SHORT_S)
    desk.device.has(highlight("Call me Ishmael", note="Two", datetime_updated="2026-11-21 09:00:00"))
    desk.device.closes()
    desk.later()
    desk.later()
    assert [row["note"] for row in desk.web.rows()] == ["Two"]


# What is not there, or there already


def test_what_is_there_already_is_learned_from_one_list(desk: Desk) -> None:
    marks = [highlight(words, 1, 1, minute) for minute, words in enumerate(("Call", "Ishmael", "years"))]
    for start, words in ((0, "Call"), (8, "Ishmael"), (22, "years")):
        desk.web.makes(cfi=f"epubcfi(/6/2!/4/4,/1:{start},/1:{start + len(words)})", text=words)
    desk.device.syncs(*marks)
    desk.device.sync()
    assert len(desk.web.rows()) == 3
    assert desk.web.requests("GET") == 1
    desk.device.syncs(*marks[1:])
    assert len(desk.web.rows()) == 2


def test_an_edit_of_what_has_just_been_deleted_there_makes_it_anew(desk: Desk) -> None:
    desk.device.syncs(highlight("Call me Ishmael", note="One"))
    [row] = desk.web.rows()
    desk.web.deletes(row["id"])
    desk.device.syncs(highlight("Call me Ishmael", note="Two", datetime_updated="2026-11-21 09:00:00"))
    [row] = desk.web.rows()
    assert row["note"] == "Two"
    assert desk.web.requests("PUT") == 0


def test_a_deleted_highlight_that_the_web_has_deleted_as_well_is_forgotten(desk: Desk) -> None:
    desk.device.syncs(highlight("Call me Ishmael"))
    desk.web.deletes(desk.web.rows()[0]["id"])
    result = desk.device.syncs()
    assert (result["counts"]["waiting"], result["counts"]["rejected"]) == (0, 0)
    assert desk.device.sync()["changes"] == []


def test_a_refused_highlight_is_said_and_keeps_nothing_else_waiting(desk: Desk) -> None:
    desk.fails("error_before", status=400)
    result = desk.device.syncs(highlight("Call me Ishmael"), highlight("Circumambulate", 1, 3, 1))
    assert result["counts"]["rejected"] == 1
    assert [row["text"] for row in desk.web.rows()] == ["Circumambulate"]
    before = len(desk.server.requests)
    desk.device.sync("close")
    assert len(desk.server.requests) == before


# Offline


def test_what_was_highlighted_offline_arrives_once_there_is_a_network(desk: Desk) -> None:
    desk.server.stop()
    result = desk.device.syncs(highlight("Call me Ishmael"))
    assert result["outcome"] == "offline"
    assert "1 highlight" in desk.device.reader.status()
    desk.server.start()
    desk.device.sync()
    assert len(desk.web.rows()) == 1


def test_a_dead_server_costs_one_time_out_however_many_highlights_wait(desk: Desk) -> None:
    desk.device.sync()
    desk.fails("drop_request", times=None)
    desk.device.syncs(*[highlight(words, 1, 1, minute) for minute, words in enumerate(("Call", "Ishmael", "years"))])
    assert desk.web.requests("POST") == 1


# Accounts


def test_another_account_gets_everything_and_the_first_one_is_left_as_it_was(desk: Desk) -> None:
    desk.server.add_user("ben", "secret")
    desk.device.syncs(highlight("Call me Ishmael", note="One"))
    desk.device.reader.configure(desk.server.url, user="ben")
    desk.device.sync()
    desk.device.sync()
    users = [row["user_id"] for row in desk.web.rows()]
    assert len(set(users)) == len(users) == 2
    changed = highlight("Call me Ishmael", note="Two", datetime_updated="2026-11-21 09:00:00")
    desk.device.syncs(changed)
    assert sorted(str(row["note"]) for row in desk.web.rows()) == ["One", "Two"]
    desk.device.reader.configure(desk.server.url, user="anna")
    desk.device.sync()
    desk.device.sync()
    assert [row["note"] for row in desk.web.rows()] == ["Two", "Two"]


def test_a_deletion_of_the_one_account_is_not_done_at_the_other(desk: Desk) -> None:
    desk.server.add_user("ben", "secret")
    desk.device.syncs(highlight("Call me Ishmael"), highlight("Circumambulate", 1, 3, 1))
    desk.fails("error_before", "DELETE", times=None)
    desk.device.syncs(highlight("Circumambulate", 1, 3, 1))
    desk.server.forget_faults()
    Web(desk.server, desk.moby, "ben").makes(cfi="epubcfi(/6/4!/4/4,/1:0,/1:3)", text="But")
    desk.device.reader.configure(desk.server.url, user="ben")
    desk.later()
    desk.device.sync()
    assert sorted(str(row["text"]) for row in desk.web.rows()) == [
        "But", "Call me Ishmael", "Circumambulate", "Circumambulate",
    ]  # fmt: skip
    desk.device.reader.configure(desk.server.url, user="anna")
    desk.later()
    desk.device.sync()
    assert sorted(str(row["text"]) for row in desk.web.rows()) == ["But", "Circumambulate", "Circumambulate"]


# Places that are not exact


def unplaceable() -> dict[str, Any]:
    return highlight("Call me Ishmael", text="Words that are nowhere in this book", note="Odd", pageno=12)


def test_what_cannot_be_placed_exactly_goes_to_the_books_page_and_that_is_said_once(desk: Desk) -> None:
    result = desk.device.syncs(unplaceable())
    assert desk.web.rows() == []
    [row] = desk.web.rows("book_note")
    assert "Odd" in str(row["content"])
    assert "Words that are nowhere in this book" in str(row["content"])
    assert "Loomings, page 12" in str(row["content"])
    assert any("could not be placed exactly" in message["text"] for message in result["messages"])
    assert not any("placed" in message["text"] for message in desk.device.sync()["messages"])


def test_what_a_newer_converter_places_takes_the_place_of_its_note(desk: Desk) -> None:
    right = desk.device.file.read_bytes()
    other = make_book(desk.folder / "other.epub", title="Moby Dick", authors=["X"], chapters=[("I", ["Nothing."])])
    desk.device.file.write_bytes(other.read_bytes())
    desk.device.syncs(highlight("Call me Ishmael", note="One"))
    assert (len(desk.web.rows()), len(desk.web.rows("book_note"))) == (0, 1)
    desk.device.file.write_bytes(right)
    desk.device.reader.change_store("UPDATE mark SET converter = 0")
    desk.device.reader.change_store("UPDATE mark_pull SET planned_as = replace(planned_as, '1 on', '0 on')")
    desk.device.sync()
    desk.device.sync()
    assert [row["note"] for row in desk.web.rows()] == ["One"]
    assert desk.web.rows("book_note") == []


def test_nothing_that_cannot_be_placed_is_ever_sent_as_a_position(desk: Desk) -> None:
    broken = [
        highlight("Call me Ishmael", pos0="/body/DocFragment[99]/body/p[1]/text().0", text="Nowhere", minute=1),
        highlight("Call me Ishmael", pos0="nonsense", pos1="nonsense", text="Nothing", minute=2),
        bookmark(minute=3, page="/body/DocFragment[77]/body/p[1]/text().0"),
    ]
    desk.device.syncs(*broken)
    assert desk.web.rows() == desk.web.rows("bookmark") == desk.web.rows("in_book_note") == []


# Books that cannot be read


def test_a_book_whose_file_is_gone_keeps_its_highlights_waiting_and_nothing_else(desk: Desk) -> None:
    content = desk.device.file.read_bytes()
    desk.device.file.unlink()
    result = desk.device.syncs(highlight("Call me Ishmael"))
    assert (len(desk.server.sessions()), desk.web.rows(), desk.web.rows("book_note")) == (1, [], [])
    assert any("its file is not there" in message["text"] for message in result["messages"])
    desk.device.file.write_bytes(content)
    desk.device.sync()
    assert len(desk.web.rows()) == 1


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06 this is no book", b"\x00" * 100_000])
def test_a_file_that_is_no_book_costs_nothing_but_a_message(desk: Desk, content: bytes) -> None:
    desk.device.file.write_bytes(content)
    result = desk.device.syncs(highlight("Call me Ishmael"))
    assert (len(desk.server.sessions()), desk.web.rows()) == (1, [])
    assert any("cannot be read" in message["text"] for message in result["messages"])


def test_a_hostile_book_costs_nothing_but_a_note_on_the_books_page(desk: Desk) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE html [<!ENTITY e0 "lol">{entities}]><html><body>{"<div>" * 10_000}&e9;</body></html>'
    poisoned = desk.folder / "poisoned.epub"
    with zipfile.ZipFile(desk.device.file) as old, zipfile.ZipFile(poisoned, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, bomb if name.endswith("chapter01.xhtml") else old.read(name))
    desk.device.file.write_bytes(poisoned.read_bytes())
    result = desk.device.syncs(highlight("Call me Ishmael"), highlight("Circumambulate", 3, 3, 1))
    assert result["outcome"] == "done"
    assert [row["text"] for row in desk.web.rows()] == ["Circumambulate"]
    assert len(desk.web.rows("book_note")) == 1


def test_a_run_whose_time_is_up_goes_on_with_the_next_one(desk: Desk) -> None:
    for number, isbn in enumerate(("9780141439587", "9780140449136", "9780306406157")):
        title = f"The House of {number}"
        desk.server.add_book(title=title, authors=["Somebody"], isbn13=isbn)
        path = desk.folder / f"{number}.epub"
        book = make_book(path, title=title, authors=["Somebody"], chapters=CHAPTERS, isbn=isbn)
        desk.device.opens(book)
        desk.device.has(highlight("Call me Ishmael"))
        desk.device.closes()
    desk.server.fault(when=lambda m, p, count: m == "POST" and p == TABLES["annotation"], do="hang", seconds=8, times=1)
    desk.device.sync(deadline_s=SHORT_S)
    assert len(desk.server.marks("annotation")) < 3
    desk.later()
    assert len(desk.server.marks("annotation")) == 3


def test_highlights_of_a_book_that_the_server_does_not_have_wait_for_it(tmp_path: Path) -> None:
    with StandIn(dialect="booklore") as server:
        server.add_user("anna", "secret")
        device = Device(tmp_path, server)
        device.reader.run("set", "min_duration_s", "3600")  # so that nothing but the highlight waits
        device.reader.run("set", "status_sync", "off")
        device.reader.run("set", "progress_sync", "off")
        device.has(highlight("Call me Ishmael"))
        device.closes()
        assert device.sync()["counts"]["waiting"] == 1
        assert "1 highlight of “Moby Dick”" in device.reader.status()
        server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        device.reader.let_the_library_age()
        device.sync()
        assert len(server.marks("annotation")) == 1
