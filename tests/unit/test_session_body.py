"""A reading session in the server's words."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.server.session_body import BOOK_TYPES, book_type, duration_text, half_up, percent, session_fields
from device.store.outbox import SessionToSend
from tests.sandbox.bodies import BOOK_TYPES as TYPES_OF_THE_SERVER

# Every suffix for which KOReader 2026.03 registers a reader (its documents crengine, MuPDF, DjVuLibre and pictures).
FLOWING = (
    "azw",
    "azw3",
    "chm",
    "doc",
    "docx",
    "epub",
    "epub3",
    "fb2",
    "fb3",
    "htm",
    "html",
    "log",
    "md",
    "mobi",
    "odt",
)
FLOWING_TOO = ("opf", "pdb", "prc", "rtf", "tcr", "txt", "xhtml", "xml", "cfb")
FIXED = ("djv", "djvu", "pdf", "pptx", "xlsx", "xps")
PICTURES = ("bmp", "cb7", "cbr", "cbt", "cbz", "gif", "hdp", "j2k", "jp2", "jpeg", "jpg", "jxr", "pam", "pbm", "pgm")
PICTURES_TOO = ("png", "pnm", "ppm", "svg", "tar", "tif", "tiff", "wdp", "webp", "zip")
OPENED_BY_KOREADER = (*FLOWING, *FLOWING_TOO, *FIXED, *PICTURES, *PICTURES_TOO)


def session(**changes: Any) -> SessionToSend:
    values: dict[str, Any] = {
        "id": 1,
        "source": "journal",
        "started_at": 1_795_000_000,
        "ended_at": 1_795_003_723,
        "duration_s": 3_723,
        "start_fraction": 0.12345,
        "end_fraction": 0.5,
        "start_page": 11,
        "end_page": 15,
        "start_label": None,
        "end_label": None,
        "flags": "",
    }
    return SessionToSend(*(values | changes).values())


def test_a_session_is_told_with_its_times_progress_and_pages() -> None:
    assert session_fields(session(), 2) == {
        "startTime": "2026-11-18T11:06:40Z",
        "endTime": "2026-11-18T12:08:43Z",
        "durationSeconds": 3723,
        "durationFormatted": "1h 2m 3s",
        "startProgress": 12.35,
        "endProgress": 50.0,
        "progressDelta": 37.66,
        "startLocation": "11",
        "endLocation": "15",
    }


def test_the_books_own_page_labels_are_better_than_numbers() -> None:
    fields = session_fields(session(start_label="xii", end_label="3"), 2)
    assert (fields["startLocation"], fields["endLocation"]) == ("xii", "3")


def test_what_is_not_known_is_not_told() -> None:
    fields = session_fields(session(start_fraction=None, start_page=None, end_page=None), 2)
    assert not {"startProgress", "progressDelta", "startLocation", "endLocation"} & set(fields)


def test_a_label_is_cut_to_what_the_server_takes() -> None:
    assert len(str(session_fields(session(start_label="x" * 900), 2)["startLocation"])) == 500


def test_the_difference_is_taken_before_rounding() -> None:
    fields = session_fields(session(start_fraction=0.1004, end_fraction=0.2008), 1)
    assert (fields["startProgress"], fields["endProgress"], fields["progressDelta"]) == (10.0, 20.1, 10.0)


@pytest.mark.parametrize(
    ("value", "decimals", "rounded"),
    [
        (0.4, 0, 0.0),
        (0.5, 0, 1.0),
        (0.9, 0, 1.0),
        (99.9, 0, 100.0),
        (50.04, 1, 50.0),
        (50.05, 1, 50.1),
        (99.99, 1, 100.0),
        (33.333, 2, 33.33),
        (33.335, 2, 33.34),
        (-0.5, 0, 0.0),
        (-0.6, 0, -1.0),
        (-33.335, 2, -33.33),
    ],
)
def test_halves_go_up_also_below_zero(value: float, decimals: int, rounded: float) -> None:
    assert half_up(value, decimals) == rounded


@given(st.integers(-100_000, 100_000), st.integers(1, 5), st.integers(0, 5))
def test_a_decimal_fraction_is_rounded_as_on_paper(digits: int, places: int, decimals: int) -> None:
    fraction = float(Decimal(digits).scaleb(-places))
    on_paper = (Decimal(repr(fraction)) * 100).scaleb(decimals) + Decimal("0.5")
    assert percent(fraction, decimals) == float(on_paper.to_integral_value(ROUND_FLOOR).scaleb(-decimals))


@pytest.mark.parametrize("suffix", OPENED_BY_KOREADER)
def test_every_format_that_koreader_opens_has_a_type(suffix: str) -> None:
    assert suffix in BOOK_TYPES


def test_every_type_is_one_of_the_servers() -> None:
    assert set(BOOK_TYPES.values()) <= TYPES_OF_THE_SERVER


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/b/Moby.epub", "EPUB"),
        ("/b/Moby.kepub.epub", "EPUB"),
        ("/b/Moby.fb2.zip", "FB2"),
        ("/b/Moby.FB2.ZIP", "FB2"),
        ("/b/Moby.txt.zip", "EPUB"),
        ("/b/pdf.zip", "CBX"),
        ("/my.fb2/comic.zip", "CBX"),
        ("/b/comic.no. 3.zip", "CBX"),
        ("/b/paper.pdf", "PDF"),
        ("/b/strange.xyz", "EPUB"),
        ("", "EPUB"),
    ],
)
def test_the_type_of_a_file(file: str, expected: str) -> None:
    suffix = file.rpartition(".")[2].lower()
    assert book_type(file, suffix) == expected


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3600, "1h 0m 0s"), (3723, "1h 2m 3s")]
)
def test_a_duration_is_written_as_the_web_reader_does(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text
