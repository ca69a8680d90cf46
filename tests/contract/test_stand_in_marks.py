"""The stand-in keeps highlights, notes, bookmarks and shelves as the servers do."""

from __future__ import annotations

import pytest

from tests.contract.plain_client import PASSWORD, PlainClient, signed_in
from tests.sandbox import StandIn

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])
CFI = "epubcfi(/6/4!/4/2,/1:0,/1:10)"
HIGHLIGHTS, NOTES, BOOK_NOTES, BOOKMARKS = (
    "/api/v1/annotations", "/api/v2/book-notes", "/api/v1/book-notes", "/api/v1/bookmarks",
)  # fmt: skip
AT_A_CFI = [
    (HIGHLIGHTS, {"cfi": CFI, "text": "Call me Ishmael."}),
    (NOTES, {"cfi": CFI, "noteContent": "Who calls?"}),
    (BOOKMARKS, {"cfi": CFI}),
]
AT_A_CFI_IDS = ["highlight", "note", "bookmark"]


def second_reader(server: StandIn, client: PlainClient) -> None:
    server.add_user("berta", PASSWORD)
    client.sign_in("berta")


@ALL
@pytest.mark.parametrize(("path", "body"), AT_A_CFI, ids=AT_A_CFI_IDS)
def test_a_second_one_at_the_same_cfi_is_a_409(dialect: str, path: str, body: dict[str, object]) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        statuses = [client.post(path, {"bookId": book, **body}).status for _ in range(2)]
        assert len(client.get(f"{path}/book/{book}").json) == 1
    assert statuses == [200, 409]


@ALL
@pytest.mark.parametrize(("path", "body"), AT_A_CFI, ids=AT_A_CFI_IDS)
def test_a_missing_book_or_id_is_a_500(dialect: str, path: str, body: dict[str, object]) -> None:
    with signed_in(dialect) as (_, client):
        assert client.post(path, {"bookId": 4711, **body}).status == 500
        assert client.get(f"{path}/4711").status == 500
        assert client.put(f"{path}/4711", {}).status == 500
        assert client.delete(f"{path}/4711").status == 500


@ALL
@pytest.mark.parametrize(("path", "body"), AT_A_CFI, ids=AT_A_CFI_IDS)
def test_readers_do_not_see_or_delete_what_others_made(dialect: str, path: str, body: dict[str, object]) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        made = client.post(path, {"bookId": book, **body}).json["id"]
        second_reader(server, client)
        assert client.get(f"{path}/book/{book}").json == []
        assert client.delete(f"{path}/{made}").status == 500
        assert client.post(path, {"bookId": book, **body}).status == 200


@ALL
@pytest.mark.parametrize(("path", "body"), AT_A_CFI, ids=AT_A_CFI_IDS)
def test_what_was_deleted_is_gone(dialect: str, path: str, body: dict[str, object]) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        made = client.post(path, {"bookId": book, **body}).json["id"]
        assert client.delete(f"{path}/{made}").status == 204
        assert client.get(f"{path}/book/{book}").json == []


def test_a_highlight_has_the_servers_defaults_and_local_times() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        made = client.post(HIGHLIGHTS, {"bookId": book, "cfi": CFI, "text": "Call me Ishmael."}).json
        read = client.get(f"{HIGHLIGHTS}/{made['id']}").json
    assert (read["color"], read["style"]) == ("#FFFF00", "highlight")
    assert made["createdAt"] == "2026-11-22T13:00:00.000000000"
    assert read["createdAt"] == "2026-11-22T13:00:00"


def test_an_update_keeps_what_is_null_and_clears_a_note_with_an_empty_text() -> None:
    with signed_in() as (server, client):
        body = {"bookId": server.add_book(title="Moby Dick"), "cfi": CFI, "text": "Ishmael", "note": "who?"}
        made = client.post(HIGHLIGHTS, body).json["id"]
        recolored = client.put(f"{HIGHLIGHTS}/{made}", {"color": "#4ADE80", "text": "Ahab", "cfi": "other"}).json
        cleared = client.put(f"{HIGHLIGHTS}/{made}", {"note": ""}).json
    assert (recolored["color"], recolored["note"]) == ("#4ADE80", "who?")
    assert (recolored["text"], recolored["cfi"]) == ("Ishmael", CFI)
    assert (cleared["note"], cleared["color"]) == ("", "#4ADE80")


@pytest.mark.parametrize(
    ("field", "value"),
    [("text", "x" * 5001), ("cfi", "x" * 1001), ("color", "yellow"), ("style", "wavy"), ("chapterTitle", "x" * 501)],
)
def test_a_highlight_beyond_the_limits_names_the_field(field: str, value: str) -> None:
    with signed_in() as (server, client):
        body = {"bookId": server.add_book(title="Moby Dick"), "cfi": CFI, "text": "Ishmael", field: value}
        reply = client.post(HIGHLIGHTS, body)
    assert reply.status == 400
    assert [detail.split(":")[0] for detail in reply.json["details"]] == [field]


def test_lengths_are_counted_in_utf_16_units() -> None:
    with signed_in() as (server, client):
        body = {"bookId": server.add_book(title="Moby Dick"), "cfi": CFI, "text": "🐋" * 2500}
        assert client.post(HIGHLIGHTS, {**body, "text": "🐋" * 2501}).status == 400
        assert client.post(HIGHLIGHTS, body).status == 200


def test_half_a_character_is_stored_as_a_replacement_character() -> None:
    with signed_in() as (server, client):
        body = {"bookId": server.add_book(title="Moby Dick"), "cfi": CFI, "text": "whale \ud83d"}
        assert client.post(HIGHLIGHTS, body).json["text"] == "whale \ufffd"


def test_highlights_come_newest_first() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        for number in range(3):
            client.post(HIGHLIGHTS, {"bookId": book, "cfi": f"epubcfi(/6/{number})", "text": str(number)})
            server.clock.advance(1)
        assert [highlight["text"] for highlight in client.get(f"{HIGHLIGHTS}/book/{book}").json] == ["2", "1", "0"]


def test_book_notes_pile_up_and_an_id_changes_one_of_them() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        first, _ = (client.post(BOOK_NOTES, {"bookId": book, "content": "wet"}).json for _ in range(2))
        client.post(BOOK_NOTES, {"id": first["id"], "bookId": book, "content": "very wet"})
        contents = sorted(note["content"] for note in client.get(f"{BOOK_NOTES}/book/{book}").json)
    assert contents == ["very wet", "wet"]


def test_a_book_note_for_an_unknown_book_is_a_404_and_with_an_unknown_id_a_500() -> None:
    with signed_in() as (server, client):
        book = server.add_book(title="Moby Dick")
        assert client.post(BOOK_NOTES, {"bookId": 4711, "content": "wet"}).status == 404
        assert client.post(BOOK_NOTES, {"id": 4711, "bookId": book, "content": "wet"}).status == 500


def test_only_grimmory_knows_bookmarks_by_page() -> None:
    for dialect, statuses, page in (("grimmory", [200, 409], 12), ("booklore", [200, 200], None)):
        with signed_in(dialect) as (server, client):
            book = server.add_book(title="Manual", book_type="PDF")
            replies = [client.post(BOOKMARKS, {"bookId": book, "pageNumber": 12}) for _ in range(2)]
        assert [reply.status for reply in replies] == statuses
        assert replies[0].json.get("pageNumber") == page


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 200), ("grimmory", 400), ("worldteacher", 200)])
def test_page_zero_is_refused_only_where_pages_are_known(dialect: str, status: int) -> None:
    with signed_in(dialect) as (server, client):
        body = {"bookId": server.add_book(title="Manual", book_type="PDF"), "pageNumber": 0}
        assert client.post(BOOKMARKS, body).status == status


def test_a_bookmark_title_too_long_is_a_data_conflict_and_not_a_named_field() -> None:
    with signed_in() as (server, client):
        body = {"bookId": server.add_book(title="Moby Dick"), "cfi": CFI, "title": "x" * 256}
        reply = client.post(BOOKMARKS, body)
    assert (reply.status, "details" in reply.json) == (400, False)


# Shelves


@ALL
def test_a_shelf_needs_only_a_name_and_its_name_only_once(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        made = client.post("/api/v1/shelves", {"name": "Kobo"})
        assert client.post("/api/v1/shelves", {"name": "Kobo"}).status == 409
    assert (made.status, made.json["publicShelf"], made.json["bookCount"]) == (201, False, 0)


@pytest.mark.parametrize(("dialect", "status"), [("booklore", 201), ("grimmory", 400), ("worldteacher", 201)])
def test_grimmory_no_longer_knows_the_old_icons(dialect: str, status: int) -> None:
    with signed_in(dialect) as (_, client):
        body = {"name": "Kobo", "icon": "pi pi-book", "iconType": "PRIME_NG"}
        assert client.post("/api/v1/shelves", body).status == status


def test_only_an_administrator_makes_a_public_shelf() -> None:
    with signed_in() as (server, client):
        assert client.post("/api/v1/shelves", {"name": "Ours", "publicShelf": True}).status == 403
        server.add_user("root", PASSWORD, permissions=["admin"])
        client.sign_in("root")
        assert client.post("/api/v1/shelves", {"name": "Ours", "publicShelf": True}).status == 201


@ALL
def test_books_are_put_on_a_shelf_and_taken_off_again(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        shelf = client.post("/api/v1/shelves", {"name": "Kobo"}).json["id"]
        put = {"bookIds": [book, 4711], "shelvesToAssign": [shelf], "shelvesToUnassign": []}
        for _ in range(2):
            assert [changed["id"] for changed in client.post("/api/v1/books/shelves", put).json] == [book]
        assert [found["id"] for found in client.get(f"/api/v1/shelves/{shelf}/books").json] == [book]
        client.post("/api/v1/books/shelves", {"bookIds": [book], "shelvesToAssign": [], "shelvesToUnassign": [shelf]})
        assert client.get(f"/api/v1/shelves/{shelf}/books").json == []


@ALL
def test_a_strangers_shelf_in_an_assignment_is_a_401_and_a_missing_list_a_500(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        shelf = client.post("/api/v1/shelves", {"name": "Kobo"}).json["id"]
        second_reader(server, client)
        body = {"bookIds": [book], "shelvesToAssign": [shelf]}
        assert client.post("/api/v1/books/shelves", {**body, "shelvesToUnassign": []}).status == 401
        assert client.post("/api/v1/books/shelves", body).status == 500
