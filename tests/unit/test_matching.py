"""Which book on the server is this file: only what is certain matches by itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core import languages, matching
from device.core.matching import NONE_FOUND, SEVERAL_FOUND, UNCERTAIN, ServerBook, Wanted
from device.core.searching import Search, title_hit

MOBY = {
    "title": "Moby Dick; or, The Whale",
    "authors": ["Herman Melville"],
    "identifiers": ["ISBN:0-14-243724-7"],
    "file": "/b/moby.epub",
    "size_bytes": 812_345,
    "language": "en",
}
EMMA = {
    "title": "Emma",
    "authors": ["Jane Austen"],
    "file": "/b/Emma - Jane Austen.epub",
    "size_bytes": 500 * 1024,
    "language": "en",
}


def wanted(fields: dict[str, Any]) -> Wanted:
    made = Wanted(
        fields.get("title", ""),
        fields.get("authors", []),
        fields.get("identifiers", []),
        fields.get("file", "/b/x.epub"),
        fields.get("size_bytes"),
    )
    made.set_series(fields.get("title", ""), fields.get("series", ""), fields.get("series_index"))
    made.language = languages.code(fields.get("language", ""))
    made.fingerprints = fields.get("fingerprints", {})
    made.refused = fields.get("refused")
    return made


def there(server_id: int, **fields: Any) -> ServerBook:
    made = ServerBook(server_id, fields.pop("title", ""))
    made.language = "en"
    made.files = [("book.epub", 500)]
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def answer(ours: dict[str, Any], *library: ServerBook) -> tuple[int, str] | str:
    seeker = wanted(ours)
    for candidate in library:
        seeker.compare(candidate)
    return seeker.answer()


def moby(server_id: int, **fields: Any) -> ServerBook:
    values = {"title": "Moby-Dick or The Whale", "authors": ["Herman Melville"], "files": [("m.epub", 800)]}
    return there(server_id, **(values | fields))


def emma(server_id: int, **fields: Any) -> ServerBook:
    values = {"title": "Emma", "authors": ["Jane Austen"], "files": [("e.epub", 480)]}
    return there(server_id, **(values | fields))


COMIC = {
    "title": "Batman #1",
    "authors": ["Tom King"],
    "file": "/b/Batman 001.cbz",
    "size_bytes": 9_000 * 1024,
    "language": "en",
    "series": "Batman",
    "series_index": 1.0,
}


def comic(server_id: int, **fields: Any) -> ServerBook:
    values = {"title": "Batman #1", "authors": ["Tom King"], "files": [("b.cbz", 9_700)], "series_index": 1.0}
    return there(server_id, **({"series": "Batman"} | values | fields))


# What is certain


def test_a_comic_of_one_series_and_number_is_certain() -> None:
    assert answer(COMIC, comic(1)) == (1, matching.BY_TITLE)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Emma June 2024", "2024-06 Emma"), ("Emma vol 2", "Emma Band II"), ("Emma", "Emma 8"),
        ("Emma 1234567890abcdef1234567890abcdef", "Emma 1815"), ("John Smith III - Emma", "Emma"),
    ],
)  # fmt: skip
def test_names_of_files_that_say_the_same_or_nothing_are_in_no_ones_way(ours: str, theirs: str) -> None:
    ours_there = EMMA | {"file": f"/b/{ours}.epub", "size_bytes": 480 * 1024}
    assert answer(ours_there, emma(1, files=[(f"{theirs}.epub", 480)])) == (1, matching.BY_TITLE)


def test_the_same_isbn_and_title_are_the_same_book() -> None:
    other = moby(8, isbns=["9780140430554"])
    assert answer(MOBY, moby(7, isbns=["9780142437247"]), other) == (7, matching.BY_ISBN)


def test_a_file_name_with_its_size_is_certain() -> None:
    assert answer(MOBY, moby(3, files=[("Moby.EPUB", 793)])) == (3, matching.BY_FILE)


def test_a_title_that_is_the_files_name_contradicts_neither_file_nor_fingerprint() -> None:
    ours = EMMA | {"title": "austen_emma_final", "authors": [], "file": "/b/austen_emma_final.pdf", "language": ""}
    assert answer(ours, emma(3, files=[("austen_emma_final.pdf", 500)])) == (3, matching.BY_FILE)
    by_hash = ours | {"fingerprints": {"f" * 32: None}}
    assert answer(by_hash, emma(3, fingerprint="f" * 32)) == (3, matching.BY_HASH)


def test_an_isbn_matches_titles_of_which_one_has_a_subtitle() -> None:
    ours = EMMA | {"title": "Emma: The Life of a Matchmaker", "identifiers": ["ISBN:9780141439587"]}
    assert answer(ours, emma(3, isbns=["9780141439587"])) == (3, matching.BY_ISBN)


def test_a_number_in_a_series_that_both_sides_tell_explains_the_one_in_the_files_name() -> None:
    ours = EMMA | {"file": "/b/Highbury 2 - Emma.epub", "series": "Highbury", "series_index": 2.0}
    book = emma(3, series="Highbury", series_index=2.0, files=[("Emma 1815.epub", 480)])
    assert answer(ours, book) == (3, matching.BY_TITLE)


def test_two_authors_in_one_text_are_two_people() -> None:
    book = emma(3, authors=["Max Mann", "Jane Austen"])
    assert answer(EMMA | {"authors": ["Jane Austen, Max Mann"]}, book) == (3, matching.BY_TITLE)


def test_a_title_of_one_roman_number_is_found_as_it_stands_there() -> None:
    seeker, book = wanted(EMMA | {"title": "XIV"}), emma(3, title="XIV")
    assert Search([seeker]).near("XIV", [], [], None) == {0}
    seeker.compare(book)
    assert seeker.answer() == (3, matching.BY_TITLE)


def test_where_one_language_is_told_its_small_words_prove_the_title() -> None:
    title = "The Long Way of Emma"
    assert answer(EMMA | {"title": title, "language": ""}, emma(3, title=title)) == (3, matching.BY_TITLE)


def test_title_and_author_match_without_case_and_punctuation() -> None:
    book = moby(5, title="MOBY-DICK, or the whale", authors=["melville, herman"])
    assert answer(MOBY, book) == (5, matching.BY_TITLE)


def test_a_fingerprint_with_the_size_of_its_file_is_certain_whatever_the_book_is_called() -> None:
    ours = EMMA | {"title": "Unbekannt", "authors": [], "fingerprints": {"f" * 32: 500 * 1024}}
    assert answer(ours, emma(4, fingerprint="f" * 32, files=[("x.epub", 500)])) == (4, matching.BY_HASH)


def test_an_earlier_fingerprint_finds_a_book_whose_file_was_changed_since() -> None:
    ours = EMMA | {"size_bytes": 777_777, "fingerprints": {"a" * 32: 777_777, "f" * 32: 480 * 1024}}
    assert answer(ours, emma(4, fingerprint="f" * 32)) == (4, matching.BY_HASH)


def test_one_of_two_formats_of_a_book_is_the_one_that_is_read() -> None:
    assert answer(EMMA, emma(1, files=[("e.pdf", 900)]), emma(2)) == (2, matching.BY_TITLE)
    mobi = emma(1, files=[("e.mobi", 480)])
    assert answer(EMMA, mobi, emma(2)) == (2, matching.BY_TITLE)


def test_of_two_entries_of_one_book_the_file_decides() -> None:
    ours = EMMA | {"file": "/b/emma 2.epub"}
    assert answer(ours, emma(1), emma(2, files=[("Emma 2.epub", 500)])) == (2, matching.BY_FILE)


def test_two_copies_of_a_file_on_the_server_wait_for_the_reader() -> None:
    ours = EMMA | {"fingerprints": {"f" * 32: 480 * 1024}}
    assert answer(ours, emma(1, fingerprint="f" * 32), emma(2, fingerprint="f" * 32)) == SEVERAL_FOUND


# What is not: each row is a file, a book of the server, and why they are not taken for one

HARD = [
    ("no more than a name", EMMA, emma(1, title="Persuasion", authors=["Jane Austen"], files=[("e.epub", 900)])),
    ("an ISBN of another title", MOBY, moby(1, title="Billy Budd", isbns=["9780142437247"])),
    ("two ISBNs", EMMA | {"identifiers": ["ISBN:9780141439587"]}, emma(1, isbns=["9780142437247"])),
    ("another author", EMMA, emma(1, authors=["Alexander McCall Smith"])),
    ("no author", EMMA | {"authors": []}, emma(1)),
    ("no author there", EMMA, emma(1, authors=[])),
    ("another language", EMMA, emma(1, language="de")),
    ("a language that is not told", EMMA | {"language": ""}, emma(1)),
    ("a language that is not told there", EMMA, emma(1, language="")),
    ("an illustrator", EMMA, emma(1, authors=["Jane Austen", "Nancy Butler"])),
    ("a subtitle", EMMA, emma(1, subtitle="The Graphic Novel")),
    ("annotated", EMMA, emma(1, title="Emma (Annotated)")),
    ("abridged, in the file's name", EMMA | {"file": "/b/Emma (abridged).epub"}, emma(1)),
    ("another kind of file", EMMA, emma(1, files=[("e.cbz", 480)])),
    ("a sample of it", EMMA | {"size_bytes": 60 * 1024}, emma(1)),
    (
        "another volume",
        {"title": "Saga Vol. 2", "authors": ["B. Vaughan"], "language": "en", "size_bytes": 1},
        there(1, title="Saga, Vol. 1", authors=["B. Vaughan"]),
    ),
    (
        "another volume, by the series",
        EMMA | {"title": "The Long Way", "series": "Ways", "series_index": 2.0},
        emma(1, title="The Long Way", series="Ways", series_index=1.0),
    ),
    (
        "another volume with one ISBN for all",
        EMMA | {"title": "The Long Way, Book Two", "identifiers": ["ISBN:9780142437247"]},
        emma(1, title="The Long Way, Book One", isbns=["9780142437247"]),
    ),
    (
        "a volume and the series it is of",
        {"title": "Saga", "authors": ["Brian Vaughan"], "language": "en", "file": "/b/saga.epub"},
        there(1, title="Saga", authors=["Brian Vaughan"], series="Saga", series_index=1.0),
    ),
    (
        "the ISBN of the set",
        EMMA | {"title": "The Two Towers", "identifiers": ["ISBN:9780142437247"]},
        emma(1, title="The Lord of the Rings Boxed Set", isbns=["9780142437247"]),
    ),
    (
        "the ISBN of all in one volume",
        EMMA | {
            "title": "The Lord of the Rings: The Two Towers",
            "series": "The Lord of the Rings",
            "series_index": 2.0,
            "identifiers": ["ISBN:9780142437247"],
        },
        emma(1, title="The Lord of the Rings", isbns=["9780142437247"]),
    ),
    ("poems", EMMA | {"title": "Selected Poems"}, emma(1, title="Selected Poems")),
    ("another edition", EMMA | {"title": "Algorithms, 2nd Edition"}, emma(1, title="Algorithms, 3rd Edition")),
    ("an edition that is not told", EMMA | {"title": "Algorithms, 2nd Edition"}, emma(1, title="Algorithms")),
    (
        "another issue",
        EMMA | {"title": "The New Yorker", "authors": ["Condé Nast"], "file": "/b/The New Yorker 2024-05-06.epub"},
        emma(1, title="The New Yorker", authors=["Condé Nast"], files=[("The New Yorker 2024-04-29.epub", 480)]),
    ),
    ("the son", EMMA | {"authors": ["Alexandre Dumas fils"]}, emma(1, authors=["Alexandre Dumas"])),
    ("C++ and C#", EMMA | {"title": "The Art of C++"}, emma(1, title="The Art of C#")),
    ("an initial", EMMA | {"authors": ["J. Austen"]}, emma(1)),
    ("book.epub", EMMA | {"title": "Unknown", "file": "/b/book.epub"}, emma(1, files=[("book.epub", 500)])),
    ("a sequel", EMMA | {"title": "Dune Messiah"}, emma(1, title="Dune")),
    ("an ISBN and a sequel", MOBY | {"title": "Moby Dick II"}, moby(1, title="Moby Dick", isbns=["9780142437247"])),
    (
        "the fingerprint of the book it was opened from",
        EMMA | {"fingerprints": {"f" * 32: 500 * 1024}},
        moby(1, fingerprint="f" * 32),
    ),
    (
        "a name and a size that two books share",
        EMMA | {"file": "/b/novel-final.epub"},
        moby(1, files=[("novel-final.epub", 500)]),
    ),
    *(
        (f"file names: {name}", EMMA | {"file": f"/b/Emma {ours}.epub"}, emma(1, files=[(f"{x}.epub", 480)]))
        for name, ours, x in (
            ("months", "January 2024", "Emma February 2024"),
            ("months alone", "- May", "Emma - June"),
            ("seasons", "Spring", "Emma Autumn"),
            ("days", "06jan2024", "Emma 07jan2024"),
            ("dates glued to a word", "guardian20240106", "Emma guardian20240107"),
            ("volumes", "I", "Emma II"),
            ("volumes in words", "Band eins", "Emma Band zwei"),
            ("editions", "2nd edition", "Emma 3rd edition"),
            ("editions in words", "second edition", "Emma third edition"),
            ("editions in short", "3e", "Emma 2e"),
            ("a month in only one", "May 2024", "Emma"),
            ("a volume in only one", "vol 2", "Emma"),
        )
    ),
    (
        "two chapters of one size",
        EMMA | {"file": "/b/Emma c001.cbz", "size_bytes": 480 * 1024},
        emma(1, files=[("Emma c002.cbz", 480)]),
    ),
    (
        "two series of a comic that are told apart by their years",
        COMIC | {"series": "Batman (2011)"},
        comic(1, series="Batman (2016)"),
    ),
    *(
        (
            f"an ISBN for {subtitle}",
            EMMA | {"identifiers": ["ISBN:9780141439587"], "title": f"Emma ({subtitle})"},
            emma(1, isbns=["9780141439587"]),
        )
        for subtitle in (
            "German Edition", "Norton Critical Edition", "Large Print", "Third Edition", "Uncensored", "Stories",
        )
    ),
    (
        "an ISBN for a volume that is called like its series",
        EMMA | {"title": "Foundation", "identifiers": ["ISBN:9780141439587"]},
        emma(1, title="Foundation", series="Foundation", series_index=2.0, isbns=["9780141439587"]),
    ),
    ("the father of a junior", EMMA | {"authors": ["John Smith Jr."]}, emma(1, authors=["John Smith"])),
    ("the staff", EMMA | {"authors": ["Staff"]}, emma(1, authors=["Staff"])),
    ("the publisher", EMMA | {"authors": ["Marvel"]}, emma(1, authors=["Marvel"])),
    (
        "small words of another language",
        EMMA | {"title": "The Long Way of Emma", "language": ""},
        emma(1, title="The Long Way of Emma", language="de"),
    ),
    (
        "a French title that is not translated",
        EMMA | {"title": "Les Misérables", "language": ""},
        emma(1, title="Les Misérables"),
    ),
    (
        "a short name of a file that is all there is",
        EMMA | {"title": "x1234", "authors": [], "file": "/b/x1234.epub"},
        emma(1, files=[("x1234.epub", 500)]),
    ),
    (
        "the title is the file's name, but the size is another",
        EMMA | {"title": "austen_emma_final", "authors": [], "file": "/b/austen_emma_final.epub"},
        emma(1, files=[("austen_emma_final.epub", 700)]),
    ),
    (
        "a volume by the file's name here and by the series there",
        EMMA | {"file": "/b/Emma 2.epub"},
        emma(1, series="Highbury", series_index=1.0, files=[("Emma 1.epub", 480)]),
    ),
    (
        "a volume by the series here and by the file's name there",
        EMMA | {"file": "/b/Emma 2.epub", "series": "Highbury", "series_index": 2.0},
        emma(1, files=[("Emma 1.epub", 480)]),
    ),
    ("two series of a comic", COMIC | {"series": "Batman"}, comic(1, series="Batman: Rebirth")),
    ("number signs of scripts", EMMA | {"title": "कि कहानी की"}, emma(1, title="का कहानी के")),
]  # fmt: skip


@pytest.mark.parametrize(("ours", "book"), [row[1:] for row in HARD], ids=[row[0] for row in HARD])
def test_what_could_be_another_book_waits_for_the_reader(ours: dict[str, Any], book: ServerBook) -> None:
    assert answer(ours, book) in (NONE_FOUND, UNCERTAIN, SEVERAL_FOUND)


def test_two_editions_that_fit_equally_well_wait_for_the_reader() -> None:
    assert answer(EMMA, emma(1), emma(2)) == SEVERAL_FOUND


def test_an_entry_without_an_isbn_stands_in_the_way_of_one_with_it() -> None:
    ours = EMMA | {"identifiers": ["ISBN:9780141439587"]}
    assert answer(ours, emma(1, isbns=["9780141439587"]), emma(2)) == SEVERAL_FOUND


def test_an_isbn_that_the_server_has_at_another_title_makes_the_title_doubtful() -> None:
    ours = EMMA | {"identifiers": ["ISBN:9780142437247"]}
    assert answer(ours, moby(1, isbns=["9780142437247"]), emma(2)) == UNCERTAIN


def test_what_the_reader_has_ruled_out_is_only_offered() -> None:
    ours = EMMA | {"refused": 2}
    seeker = wanted(ours)
    seeker.compare(emma(2))
    assert seeker.answer() == UNCERTAIN
    assert [each.server_id for each in seeker.candidates()] == [2]


def test_an_empty_library_has_no_match() -> None:
    assert answer(EMMA) == NONE_FOUND


def test_a_book_without_any_metadata_matches_nothing() -> None:
    seeker = Wanted("", [], [], "", None)
    seeker.compare(there(1))
    assert seeker.answer() == NONE_FOUND


def test_at_most_five_candidates_are_offered_the_best_first() -> None:
    seeker = wanted(EMMA)
    for number in range(1, 30):
        seeker.compare(emma(number, title="Emma" if number == 17 else "Emma and her other friends"))
    found = seeker.candidates()
    assert len(found) == 5
    assert found[0].server_id == 17


def test_a_book_without_a_title_is_offered_what_its_file_is_called() -> None:
    seeker = wanted(EMMA | {"title": "Unknown", "authors": [], "file": "/b/Jane Austen - Emma.epub"})
    seeker.compare(emma(1))
    assert seeker.answer() == UNCERTAIN
    assert [each.server_id for each in seeker.candidates()] == [1]


# Many at once

TITLES = st.text("aeimn Té1", max_size=12)


@given(st.lists(TITLES, max_size=6), st.lists(TITLES, max_size=6))
def test_the_search_misses_nothing_that_a_comparison_of_all_with_all_would_find(
    ours: list[str], theirs: list[str]
) -> None:
    library = [emma(number, title=title) for number, title in enumerate(theirs, 1)]
    alone = [wanted(EMMA | {"title": title}) for title in ours]
    together = [wanted(EMMA | {"title": title}) for title in ours]
    search = Search(together)
    for book in library:
        for seeker in alone:
            seeker.compare(book)
        for number in search.near(book.title, book.isbns, [name for name, _ in book.files], book.fingerprint):
            together[number].compare(book)
    assert [isinstance(seeker.answer(), tuple) for seeker in together] == [
        isinstance(seeker.answer(), tuple) for seeker in alone
    ]


def test_words_of_a_title_an_author_or_a_series_find_a_book_the_nearest_first() -> None:
    books = [emma(1), emma(2, title="Emma and the Others"), moby(3, series="Emmas of the Sea"), moby(4)]
    found = sorted(((title_hit("emma", book), book.server_id) for book in books), reverse=True)
    assert [server_id for score, server_id in found if score] == [1, 2, 3]
    assert title_hit("aust em", books[0]) > 0
    assert title_hit("", books[0]) == 0


@given(st.permutations([emma(1), emma(2, title="Emma!", files=[("e.pdf", 9)]), moby(3), emma(4, language="fr")]))
def test_the_order_of_the_library_makes_no_difference(library: list[ServerBook]) -> None:
    assert answer(EMMA, *library) == (1, matching.BY_TITLE)
