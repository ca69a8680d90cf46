"""The stand-in lists and finds books as the servers do, and keeps rating, status and progress by their rules."""

from __future__ import annotations

import pytest

from tests.contract.plain_client import PASSWORD, serving, signed_in

ALL = pytest.mark.parametrize("dialect", ["booklore", "grimmory", "worldteacher"])


@ALL
def test_the_list_holds_every_visible_book_with_what_matching_needs(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(
            title="Moby Dick",
            authors=["Herman Melville"],
            isbn13="9780142437247",
            isbn10="0142437247",
            file_name="moby.epub",
            size_kb=812,
            series_name="Whales",
            series_number=1.5,
        )
        (book,) = client.get("/api/v1/books").json
    metadata, file = book["metadata"], book["primaryFile"]
    assert (metadata["title"], metadata["authors"]) == ("Moby Dick", ["Herman Melville"])
    assert (metadata["isbn13"], metadata["isbn10"]) == ("9780142437247", "0142437247")
    assert (metadata["seriesName"], metadata["seriesNumber"]) == ("Whales", 1.5)
    assert (file["fileName"], file["fileSizeKb"], file["bookType"]) == ("moby.epub", 812, "EPUB")
    assert (file["extension"], file["book"]) == ("epub", True)


@ALL
def test_no_book_record_tells_the_hash_of_its_file(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        server.add_book(title="Moby Dick", file_hash="abcdef0123456789")
        assert b"abcdef0123456789" not in client.get("/api/v1/books").body


@ALL
def test_what_a_book_does_not_have_is_left_out(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = client.get(f"/api/v1/books/{server.add_book(title='Moby Dick')}").json
    assert "isbn13" not in book["metadata"]
    assert not {"epubProgress", "koreaderProgress", "personalRating", "dateFinished"} & set(book)


@pytest.mark.parametrize(
    ("dialect", "status"), [("booklore", "UNSET"), ("grimmory", "UNSET"), ("worldteacher", "UNREAD")]
)
def test_a_book_never_touched_has_the_dialects_own_word_for_it(dialect: str, status: str) -> None:
    with signed_in(dialect) as (server, client):
        assert client.get(f"/api/v1/books/{server.add_book(title='Moby Dick')}").json["readStatus"] == status


@ALL
def test_a_book_of_another_library_is_not_listed_and_refused(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        hidden = server.add_book(title="Diary", library_id=server.add_library("Private"))
        assert client.get("/api/v1/books").json == []
        assert client.get(f"/api/v1/books/batch?ids={hidden}").json == []
        assert client.get(f"/api/v1/books/{hidden}").status == 403


def test_an_administrator_sees_every_library() -> None:
    with serving() as (server, client):
        server.add_user("root", PASSWORD, permissions=["admin"], libraries=[])
        hidden = server.add_book(title="Diary", library_id=server.add_library("Private"))
        client.sign_in("root")
        assert client.get(f"/api/v1/books/{hidden}").status == 200


@ALL
def test_a_book_that_is_not_there_is_a_404(dialect: str) -> None:
    with signed_in(dialect) as (_, client):
        assert client.get("/api/v1/books/4711").status == 404


@ALL
def test_a_batch_leaves_unknown_books_out(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        first, second = server.add_book(title="One"), server.add_book(title="Two")
        books = client.get(f"/api/v1/books/batch?ids={second},4711,{first}").json
    assert [book["id"] for book in books] == [first, second]


def test_grimmory_pages_its_books() -> None:
    with signed_in("grimmory") as (server, client):
        for title in ("Emma", "Carmilla", "Dracula"):
            server.add_book(title=title)
        page = client.get("/api/v1/books/page?page=0&size=2&sort=metadata.title,asc").json
        assert client.get("/api/v1/books/page?size=101").status == 400
    assert [book["title"] for book in page["content"]] == ["Carmilla", "Dracula"]
    assert page["page"] == {"size": 2, "number": 0, "totalElements": 3, "totalPages": 2}


def test_grimmorys_app_list_is_flat_and_searched_by_title_series_and_author() -> None:
    with signed_in("grimmory") as (server, client):
        server.add_book(title="Emma", authors=["Jane Austen"], size_kb=300)
        server.add_book(title="Dracula", authors=["Bram Stoker"])
        found = client.get("/api/v1/app/books?search=austen").json
        assert client.get("/api/v1/app/books?size=51").status == 400
    (book,) = found.pop("content")
    assert (book["title"], book["authors"], book["fileSizeKb"]) == ("Emma", ["Jane Austen"], 300)
    assert found == {
        "page": 0, "size": 20, "totalElements": 1, "totalPages": 1, "hasNext": False, "hasPrevious": False,
    }  # fmt: skip


def test_the_worldteacher_image_finds_by_hash_isbn_and_title() -> None:
    with signed_in("worldteacher") as (server, client):
        book = server.add_book(title="Moby Dick", isbn13="9780142437247", file_hash="a" * 32)
        server.add_book(title="Emma")
        by_hash = client.get(f"/api/v1/books/by-hash/{'a' * 32}").json
        by_isbn = client.get("/api/v1/books/search?isbn=9780142437247").json
        by_title = client.get("/api/v1/books/search?title=moby%20dik").json
        assert client.get("/api/v1/books/search").status == 400
    assert by_hash["id"] == book
    assert (by_isbn[0]["id"], by_isbn[0]["matchScore"]) == (book, 1.0)
    assert by_title[0]["id"] == book
    assert 0.8 < by_title[0]["matchScore"] < 1.0


@ALL
@pytest.mark.parametrize("rating", [1, 10, 0, 127, None])
def test_a_rating_is_stored_on_no_scale_at_all(dialect: str, rating: int | None) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        reply = client.put("/api/v1/books/personal-rating", {"ids": [book], "rating": rating})
        assert reply.json == [{"bookId": book, "personalRating": rating}]
        assert client.get(f"/api/v1/books/{book}").json.get("personalRating") == rating


@ALL
def test_a_rating_beyond_the_column_is_a_data_conflict(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        reply = client.put("/api/v1/books/personal-rating", {"ids": [book], "rating": 128})
    assert (reply.status, reply.json["message"][:15]) == (400, "A data conflict")


@ALL
def test_a_rating_for_an_unknown_or_repeated_book_is_the_servers_broken_message(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        for ids in ([book, 4711], [book, book]):
            reply = client.put("/api/v1/books/personal-rating", {"ids": ids, "rating": 5})
            assert (reply.status, reply.json["message"]) == (400, "d != java.lang.String")
        assert client.put("/api/v1/books/personal-rating", {"rating": 5}).status == 500


@ALL
def test_a_status_is_taken_in_any_case_and_finishing_is_dated(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        (reply,) = client.post("/api/v1/books/status", {"bookIds": [book], "status": "read"}).json
    assert reply == {
        "bookId": book,
        "readStatus": "READ",
        "readStatusModifiedTime": "2026-11-22T12:00:00Z",
        "dateFinished": "2026-11-22T12:00:00Z",
    }


@ALL
def test_any_other_status_wipes_the_date_of_finishing(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post("/api/v1/books/status", {"bookIds": [book], "status": "READ"})
        client.post("/api/v1/books/status", {"bookIds": [book], "status": "PAUSED"})
        assert "dateFinished" not in client.get(f"/api/v1/books/{book}").json


@ALL
def test_an_unknown_status_is_a_success_that_stores_none(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        reply = client.post("/api/v1/books/status", {"bookIds": [book], "status": "DEVOURED"})
    assert (reply.status, reply.json[0]["readStatus"]) == (200, None)


def test_the_status_of_several_books_needs_a_permission() -> None:
    with signed_in() as (server, client):
        books = [server.add_book(title="One"), server.add_book(title="Two")]
        assert client.post("/api/v1/books/status", {"bookIds": books, "status": "READ"}).status == 403
        server.add_user("berta", PASSWORD, permissions=["canBulkResetBookReadStatus"])
        client.sign_in("berta")
        assert client.post("/api/v1/books/status", {"bookIds": books, "status": "READ"}).status == 200


@ALL
def test_web_progress_is_stored_with_its_position(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        progress = {"positionData": "epubcfi(/6/4!/4/2/1:0)", "positionHref": "c1.xhtml", "progressPercent": 12.34}
        reply = client.post("/api/v1/books/progress", {"bookId": book, "fileProgress": progress})
        read = client.get(f"/api/v1/books/{book}").json
    assert (reply.status, reply.body) == (204, b"")
    assert read["epubProgress"] == {"cfi": "epubcfi(/6/4!/4/2/1:0)", "href": "c1.xhtml", "percentage": 12.3}
    assert (read["readStatus"], read["lastReadTime"]) == ("READING", "2026-11-22T12:00:00Z")


@ALL
def test_web_progress_makes_a_finished_book_one_that_is_being_read(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post("/api/v1/books/status", {"bookIds": [book], "status": "READ"})
        client.post("/api/v1/books/progress", {"bookId": book, "epubProgress": {"percentage": 50}})
        assert client.get(f"/api/v1/books/{book}").json["readStatus"] == "READING"


@ALL
def test_web_progress_of_nearly_nothing_does_not_downgrade(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post("/api/v1/books/status", {"bookIds": [book], "status": "READ"})
        client.post("/api/v1/books/progress", {"bookId": book, "epubProgress": {"percentage": 0.1}})
        assert client.get(f"/api/v1/books/{book}").json["readStatus"] == "READ"


@pytest.mark.parametrize(("dialect", "dated"), [("booklore", False), ("grimmory", True), ("worldteacher", True)])
def test_finishing_by_web_progress_is_dated_by_all_but_booklore(dialect: str, dated: bool) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Moby Dick")
        client.post("/api/v1/books/progress", {"bookId": book, "epubProgress": {"percentage": 99.5}})
        read = client.get(f"/api/v1/books/{book}").json
    assert (read["readStatus"], "dateFinished" in read) == ("READ", dated)


@ALL
def test_the_page_of_a_pdf_must_be_a_number(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        book = server.add_book(title="Manual", file_name="manual.pdf", book_type="PDF")
        for page, status in (("twelve", 400), ("12", 204)):
            body = {"bookId": book, "fileProgress": {"positionData": page, "progressPercent": 5}}
            assert client.post("/api/v1/books/progress", body).status == status
        assert client.get(f"/api/v1/books/{book}").json["pdfProgress"] == {"page": 12, "percentage": 5.0}


@ALL
def test_progress_of_nothing_is_a_400(dialect: str) -> None:
    with signed_in(dialect) as (server, client):
        assert client.post("/api/v1/books/progress", {"bookId": server.add_book(title="Moby Dick")}).status == 400
