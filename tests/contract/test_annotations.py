"""Highlights, notes and bookmarks, both ways, of a real EPUB, against the three kinds of server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.annotated_book import PARAGRAPHS, TABLES, Device, Web, bookmark, highlight
from tests.sandbox import StandIn

DIALECTS = ("booklore", "grimmory", "worldteacher")


class Desk:
    """The reader's device, and the web page of her server."""

    def __init__(self, server: StandIn, folder: Path) -> None:
        self.server = server
        self.folder = folder
        server.add_user("anna", "secret")
        self.moby = server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        self.device = Device(folder, server)
        self.web = Web(server, self.moby)


@pytest.fixture(params=DIALECTS)
def any_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with StandIn(dialect=request.param) as server:
        yield Desk(server, tmp_path)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with StandIn(dialect="booklore") as server:
        yield Desk(server, tmp_path)


def test_a_highlight_arrives_at_its_words(any_desk: Desk) -> None:
    result = any_desk.device.syncs(highlight("Call me Ishmael", color="green", drawer="underscore"))
    [row] = any_desk.web.rows()
    assert result["counts"]["waiting"] == 0
    assert (row["cfi"], row["text"]) == ("epubcfi(/6/2!/4/4,/1:0,/1:15)", "Call me Ishmael")
    assert (row["color"], row["style"], row["chapter_title"]) == ("#4ADE80", "underline", "Loomings")


def test_a_highlight_that_only_koreaders_record_of_the_book_has_arrives(desk: Desk) -> None:
    write_record(desk.device, 0)
    desk.device.closes()
    desk.device.sync()
    [row] = desk.web.rows()
    assert (row["cfi"], row["text"]) == ("epubcfi(/6/2!/4/8,/1:0,/1:5)", "Circu")


def test_a_highlight_with_a_note_carries_it(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael", note="The famous one"))
    [row] = any_desk.web.rows()
    assert row["note"] == "The famous one"
    assert any_desk.web.rows("in_book_note") == any_desk.web.rows("book_note") == []


def test_a_bookmark_arrives_at_its_place(any_desk: Desk) -> None:
    any_desk.device.syncs(bookmark(2, 3))
    [row] = any_desk.web.rows("bookmark")
    assert (row["cfi"], row["title"]) == ("epubcfi(/6/4!/4/8/1:0)", "in The Carpet-Bag")


@pytest.mark.parametrize(
    ("preference", "value", "tables"),
    [
        ("notes_to", "booklore", {"book_note": 1}),
        ("notes_to", "both", {"annotation": 1, "book_note": 1}),
        ("notes_in_book", "note", {"in_book_note": 1}),
    ],
)
def test_notes_go_where_the_reader_wants_them(desk: Desk, preference: str, value: str, tables: dict[str, int]) -> None:
    desk.device.reader.run("set", preference, value)
    desk.device.syncs(highlight("Call me Ishmael", note="The famous one"))
    desk.device.sync()
    there = {table: len(desk.web.rows(table)) for table in TABLES}
    assert {table: count for table, count in there.items() if count} == tables
    assert "Nothing waits" in desk.device.reader.status()


def test_what_is_switched_off_does_not_go_out(desk: Desk) -> None:
    desk.device.reader.run("set", "highlights", "off")
    desk.device.syncs(highlight("Call me Ishmael"), bookmark())
    assert desk.web.rows() == []
    assert len(desk.web.rows("bookmark")) == 1
    desk.device.reader.run("set", "highlights", "on")
    desk.device.sync()
    assert len(desk.web.rows()) == 1


def test_what_is_to_go_out_with_a_finished_book_waits_for_its_end(desk: Desk) -> None:
    desk.device.reader.run("set", "marks_upload", "finished")
    desk.device.syncs(highlight("Call me Ishmael"))
    assert desk.web.rows() == []
    desk.device.closes(status="complete")
    desk.device.sync()
    assert len(desk.web.rows()) == 1


def test_nothing_is_sent_before_the_reader_asks_in_manual_mode(desk: Desk) -> None:
    desk.device.reader.run("set", "sync_mode", "manual")
    desk.device.syncs(highlight("Call me Ishmael"), reason="close")
    assert desk.web.rows() == []
    desk.device.sync()
    assert len(desk.web.rows()) == 1


# Changes on the device


def test_a_changed_note_and_colour_are_changed_there_after_one_look(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael", note="One"))
    before = len(any_desk.server.requests)
    any_desk.device.syncs(highlight("Call me Ishmael", note="Two", color="red", datetime_updated="2026-11-21 09:00:00"))
    [row] = any_desk.web.rows()
    assert (row["note"], row["color"]) == ("Two", "#DC143C")
    made = [(request.method, request.path) for request in any_desk.server.requests[before:]]
    assert [method for method, path in made if path.startswith(TABLES["annotation"])] == ["GET", "PUT"]


def test_a_note_that_is_taken_away_is_taken_away_there(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael", note="One"))
    any_desk.device.syncs(highlight("Call me Ishmael", datetime_updated="2026-11-21 09:00:00"))
    assert not any_desk.web.rows()[0]["note"]


def test_a_deleted_highlight_is_deleted_there(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael"), highlight("Circumambulate", 1, 3, 1))
    any_desk.device.syncs(highlight("Circumambulate", 1, 3, 1))
    assert [row["text"] for row in any_desk.web.rows()] == ["Circumambulate"]
    any_desk.device.let_hours_pass()
    any_desk.device.sync()
    assert any_desk.web.requests("DELETE") == 1


def test_a_highlight_that_is_extended_is_the_same_with_other_words(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael", note="One"))
    longer = highlight("Call me Ishmael. Some years ago", note="One", datetime_updated="2026-11-21 09:00:00")
    any_desk.device.syncs(longer)
    any_desk.device.sync()
    [row] = any_desk.web.rows()
    assert (row["text"], row["note"]) == ("Call me Ishmael. Some years ago", "One")


def test_a_moved_bookmark_and_a_deleted_one(any_desk: Desk) -> None:
    any_desk.device.syncs(bookmark(1, 1), bookmark(2, 1, 1))
    any_desk.device.syncs(bookmark(2, 1, 1))
    assert [row["cfi"] for row in any_desk.web.rows("bookmark")] == ["epubcfi(/6/4!/4/4/1:0)"]


def test_what_is_unchanged_costs_no_request(desk: Desk) -> None:
    desk.device.syncs(highlight("Call me Ishmael"), bookmark())
    desk.device.sync()
    before = len(desk.server.requests)
    desk.device.closes()
    desk.device.sync("close")
    assert [request.path for request in desk.server.requests[before:]] == [
        "/api/v1/reading-sessions", f"/api/v1/books/{desk.moby}", "/api/v1/books/progress",
    ]  # fmt: skip


# From the web to the device


def test_a_highlight_made_on_the_web_comes_to_the_device_at_its_words(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael"))
    any_desk.web.makes(
        cfi="epubcfi(/6/6!/4/8,/1:0,/1:14)", text="Circumambulate", color="#4ADE80", style="underline",
        note="From the web", chapterTitle="The Spouter-Inn",
    )  # fmt: skip
    result = any_desk.device.sync("open", book=str(any_desk.device.file))
    [change] = [change for change in result["changes"] if change["kind"] == "annotations"]
    [item] = change["items"]
    assert (item["do"], item["to"]["text"], item["to"]["note"]) == ("add", "Circumambulate", "From the web")
    assert item["to"]["pos0"] == "/body/DocFragment[3]/body/p[3]/text().0"
    assert item["to"]["pos1"] == "/body/DocFragment[3]/body/p[3]/text().14"
    assert (item["to"]["color"], item["to"]["drawer"]) == ("green", "underscore")
    assert 0.6 < item["to"]["fraction"] < 1


def test_what_the_device_has_taken_is_not_offered_again_and_not_sent_again(any_desk: Desk) -> None:
    any_desk.device.closes()
    any_desk.device.sync()
    any_desk.web.makes(cfi="epubcfi(/6/6!/4/8,/1:0,/1:14)", text="Circumambulate")
    any_desk.device.applies(any_desk.device.sync("open", book=str(any_desk.device.file)))
    any_desk.device.closes()
    any_desk.device.let_hours_pass()
    result = any_desk.device.sync("open", book=str(any_desk.device.file))
    assert any_desk.device.texts() == ["Circumambulate"]
    assert (result["changes"], len(any_desk.web.rows())) == ([], 1)
    assert any_desk.web.requests("POST") == any_desk.web.requests("PUT") == 0


def test_what_was_not_reported_is_offered_again_under_the_same_name(desk: Desk) -> None:
    desk.device.closes()
    desk.device.sync()
    desk.web.makes(cfi="epubcfi(/6/6!/4/8,/1:0,/1:14)", text="Circumambulate")
    first = desk.device.sync("open", book=str(desk.device.file))
    assert desk.device.sync("close")["changes"] == first["changes"] != []


def test_a_change_on_the_web_comes_to_the_device(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael", note="One"))
    any_desk.web.changes(any_desk.web.rows()[0]["id"], note="Two", color="#1E90FF")
    any_desk.device.let_hours_pass()
    any_desk.device.applies(any_desk.device.sync("open", book=str(any_desk.device.file)))
    [mark] = any_desk.device.marks
    assert (mark["note"], mark["color"]) == ("Two", "blue")


def test_a_deletion_on_the_web_comes_to_the_device(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael"), highlight("Circumambulate", 1, 3, 1))
    any_desk.web.deletes(any_desk.web.rows()[0]["id"])
    any_desk.device.let_hours_pass()
    any_desk.device.applies(any_desk.device.sync("open", book=str(any_desk.device.file)))
    assert any_desk.device.texts() == ["Circumambulate"]
    any_desk.device.closes()
    any_desk.device.let_hours_pass()
    any_desk.device.sync()
    assert len(any_desk.web.rows()) == 1


def test_a_bookmark_made_on_the_web_comes_to_the_device(any_desk: Desk) -> None:
    any_desk.device.closes()
    any_desk.device.sync()
    any_desk.web.makes("bookmark", cfi="epubcfi(/6/4!/4/8/1:0)", title="Here")
    any_desk.device.applies(any_desk.device.sync("open", book=str(any_desk.device.file)))
    [mark] = any_desk.device.marks
    assert mark["page"].replace("text()[1]", "text()") == "/body/DocFragment[2]/body/p[3]/text().0"


def test_a_place_that_is_not_in_the_book_here_stays_on_the_web_and_is_said_once(desk: Desk) -> None:
    desk.device.closes()
    desk.device.sync()
    desk.web.makes(cfi="epubcfi(/6/6!/4/8,/1:0,/1:14)", text="Words of another edition")
    result = desk.device.sync("open", book=str(desk.device.file))
    assert result["changes"] == []
    assert any("could not be found" in message["text"] for message in result["messages"])
    desk.device.let_hours_pass()
    again = desk.device.sync("open", book=str(desk.device.file))
    assert (again["messages"], len(desk.web.rows())) == ([], 1)


def test_a_place_that_the_open_book_does_not_have_stays_on_the_web(desk: Desk) -> None:
    desk.device.closes()
    desk.device.sync()
    desk.web.makes(cfi="epubcfi(/6/6!/4/8,/1:0,/1:14)", text="Circumambulate")
    reported = desk.device.applies(desk.device.sync("open", book=str(desk.device.file)), "unplaced")
    assert reported is not None
    assert any("could not be found" in message["text"] for message in reported["messages"])
    desk.device.let_hours_pass()
    assert desk.device.sync("open", book=str(desk.device.file))["changes"] == []
    assert len(desk.web.rows()) == 1


# Both sides


def test_two_notes_are_both_kept_on_both_sides_and_said(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael", note="One"))
    any_desk.web.changes(any_desk.web.rows()[0]["id"], note="From the web")
    mine = highlight("Call me Ishmael", note="From the device", datetime_updated="2026-11-21 09:00:00")
    result = any_desk.device.syncs(mine)
    any_desk.device.applies(result)
    [there], [here] = any_desk.web.rows(), any_desk.device.notes()
    for text in ("From the web", "From the device"):
        assert text in str(there["note"])
        assert text in here
    assert any("Both texts are kept" in message["text"] for message in result["messages"])


def test_an_edit_on_the_web_wins_over_a_deletion_here_and_that_is_said(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael"))
    any_desk.web.changes(any_desk.web.rows()[0]["id"], note="Do not go")
    result = any_desk.device.syncs()
    any_desk.device.applies(result)
    assert any_desk.device.notes() == ["Do not go"]
    assert (len(any_desk.web.rows()), any_desk.web.requests("DELETE")) == (1, 0)
    assert any("It stays" in message["text"] for message in result["messages"])


def test_an_edit_here_wins_over_a_deletion_on_the_web_and_that_is_said(any_desk: Desk) -> None:
    any_desk.device.syncs(highlight("Call me Ishmael"))
    any_desk.web.deletes(any_desk.web.rows()[0]["id"])
    mine = highlight("Call me Ishmael", note="Do not go", datetime_updated="2026-11-21 09:00:00")
    result = any_desk.device.syncs(mine)
    assert [row["note"] for row in any_desk.web.rows()] == ["Do not go"]
    assert any("It stays" in message["text"] for message in result["messages"])


def test_a_highlight_made_at_the_same_words_on_both_sides_is_one(any_desk: Desk) -> None:
    any_desk.web.makes(cfi="epubcfi(/6/2!/4/4,/1:0,/1:15)", text="Call me Ishmael", note="From the web")
    any_desk.device.applies(any_desk.device.syncs(highlight("Call me Ishmael", note="From the device")))
    any_desk.device.sync()
    assert len(any_desk.web.rows()) == len(any_desk.device.marks) == 1
    for text in (str(any_desk.web.rows()[0]["note"]), any_desk.device.notes()[0]):
        assert "From the web" in text
        assert "From the device" in text


SEVEN = [highlight(words, 1, 1, minute) for minute, words in enumerate(
    ("Call", "me", "Ishmael", "Some", "years", "ago", "never")
)]  # fmt: skip


def test_many_deletions_here_are_asked_about_and_done_when_the_reader_says_so(desk: Desk) -> None:
    desk.device.syncs(*SEVEN)
    result = desk.device.syncs(SEVEN[0])
    assert (len(desk.web.rows()), len(result["questions"])) == (7, 1)
    assert "6 highlights" in result["questions"][0]["text"]
    desk.device.answers(result, "Delete")
    assert len(desk.web.rows()) == 1
    assert desk.device.sync()["questions"] == []


def test_many_deletions_here_are_taken_back_when_the_reader_says_so(desk: Desk) -> None:
    desk.device.syncs(*SEVEN)
    result = desk.device.syncs(SEVEN[0])
    desk.device.applies(desk.device.answers(result, "Bring"))
    assert (len(desk.web.rows()), len(desk.device.marks)) == (7, 7)


def test_many_deletions_on_the_web_are_asked_about(desk: Desk) -> None:
    desk.device.syncs(*SEVEN)
    for row in desk.web.rows()[1:]:
        desk.web.deletes(row["id"])
    desk.device.let_hours_pass()
    result = desk.device.sync("open", book=str(desk.device.file))
    assert (result["changes"], len(result["questions"])) == ([], 1)
    desk.device.applies(desk.device.answers(result, "Delete"))
    assert desk.device.texts() == ["Call"]


def test_a_book_that_is_not_on_the_server_any_more_takes_nothing_from_the_device(desk: Desk) -> None:
    desk.device.syncs(highlight("Call me Ishmael"))
    desk.server.remove_book(desk.moby)
    desk.device.let_hours_pass()
    result = desk.device.sync("open", book=str(desk.device.file))
    assert (result["changes"], result["questions"]) == ([], [])


def test_a_list_that_cannot_be_read_deletes_nothing(desk: Desk) -> None:
    desk.device.syncs(highlight("Call me Ishmael"))
    desk.device.let_hours_pass()
    desk.server.fault(when=lambda m, p, count: "/book/" in p and p.startswith("/api/v1/anno"), do="truncate")
    result = desk.device.sync("open", book=str(desk.device.file))
    assert result["changes"] == []


# Two devices


def test_two_devices_and_the_web_come_to_the_same(desk: Desk, tmp_path: Path) -> None:
    other = Device(tmp_path / "other", desk.server)
    desk.device.syncs(highlight("Call me Ishmael", note="One"))
    other.closes()
    other.applies(other.sync("open", book=str(other.file)))
    assert other.notes() == ["One"]
    other.marks[0] |= {"note": "Two", "datetime_updated": "2026-11-22 10:00:00"}  # by a clock behind the server's
    other.has(*other.marks, highlight("Circumambulate", 1, 3, 1))
    other.closes()
    other.sync()
    desk.device.let_hours_pass()
    desk.device.applies(desk.device.sync("open", book=str(desk.device.file)))
    assert sorted(desk.device.notes()) == ["", "Two"]
    desk.device.closes()
    desk.device.has(desk.device.marks[0])
    desk.device.closes()
    desk.device.sync()
    other.let_hours_pass()
    other.applies(other.sync("open", book=str(other.file)))
    assert (other.texts(), [row["text"] for row in desk.web.rows()]) == (["Call me Ishmael"], ["Call me Ishmael"])


def write_record(device: Device, *numbers: int) -> None:
    """KOReader's record of the book, with these highlights."""
    place = "/body/DocFragment[1]/body/p[3]/text()"
    items = "".join(
        f'[{index}] = {{ ["chapter"] = "Loomings", ["color"] = "red", ["drawer"] = "lighten",'
        f' ["datetime"] = "2026-11-20 21:00:{number:02}", ["text"] = "{PARAGRAPHS[2][number : number + 5]}",'
        f' ["pageno"] = 3, ["page"] = "{place}.{number}", ["pos0"] = "{place}.{number}",'
        f' ["pos1"] = "{place}.{number + 5}" }}, '
        for index, number in enumerate(numbers, 1)
    )
    record = device.file.with_suffix(".sdr") / "metadata.epub.lua"
    record.parent.mkdir(exist_ok=True)
    record.write_text(
        f'return {{\n  ["partial_md5_checksum"] = "{device.book["fingerprint"]}",\n'
        f'  ["cre_dom_version"] = 20240114,\n  ["annotations"] = {{ {items} }},\n}}\n'
    )


def test_a_highlight_that_only_koreaders_record_shows_to_be_deleted_is_deleted_there(any_desk: Desk) -> None:
    syncs_record(any_desk, 0, 1, 2)
    result = syncs_record(any_desk, 0, 2)
    assert sorted(row["text"] for row in any_desk.web.rows()) == ["Circu", "rcuma"]
    assert (result["questions"], any_desk.web.requests("DELETE")) == ([], 1)


def test_an_emptied_record_of_koreaders_deletes_nothing_and_is_asked_about(desk: Desk) -> None:
    syncs_record(desk, 0, 1, 2)
    result = syncs_record(desk)
    assert (len(desk.web.rows()), desk.web.requests("DELETE")) == (3, 0)
    assert "has lost its record" in result["questions"][0]["text"]


@pytest.mark.parametrize(("answer", "left"), [("Delete", 2), ("Bring", 12)])
def test_many_highlights_that_koreaders_record_has_no_more_are_asked_about(desk: Desk, answer: str, left: int) -> None:
    syncs_record(desk, *range(12))
    result = syncs_record(desk, 3, 4)
    assert (len(desk.web.rows()), desk.web.requests("DELETE")) == (12, 0)
    answered = desk.device.answers(result, answer)
    desk.device.sync()
    assert len(desk.web.rows()) == left
    given = [item["do"] for change in answered["changes"] for item in change["items"]]
    assert given == ["add"] * (left - 2)


def syncs_record(desk: Desk, *numbers: int) -> dict[str, Any]:
    """KOReader has written a record with these highlights, and the reader syncs."""
    write_record(desk.device, *numbers)
    desk.device.closes()
    return desk.device.sync()


def test_a_lost_record_of_koreaders_deletes_nothing_and_is_asked_about(desk: Desk) -> None:
    write_record(desk.device, 0, 1, 2)
    desk.device.closes()
    desk.device.sync()
    assert len(desk.web.rows()) == 3
    (desk.device.file.with_suffix(".sdr") / "metadata.epub.lua").unlink()
    desk.device.closes()
    result = desk.device.sync()
    assert (len(desk.web.rows()), desk.web.requests("DELETE")) == (3, 0)
    assert "has lost its record" in result["questions"][0]["text"]
    answered = desk.device.answers(result, "Bring")
    [change] = [change for change in answered["changes"] if change["kind"] == "annotations"]
    assert [item["do"] for item in change["items"]] == ["add"] * 3
