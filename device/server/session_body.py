"""A reading session in the words of `POST /api/v1/reading-sessions` and of its batch.

Promises: what is sent is rounded here and nowhere else; every session has a `bookType`, because a null is refused by
the server's database.
Called by: `deliveries.py` for one session, `book_state.py` for the kinds of books.
Source: the request records of BookLore 2.3.0 and the web reader's own sessions; KOReader's list of formats.
"""

from __future__ import annotations

from device.core.instants import to_iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.store.outbox import SessionToSend

LOCATION_MAX_CHARS = 500  # of the server's column
HAIR = 1e-6  # of the last decimal: 0.28505 is a hair less than itself in binary, and must not be rounded down for it

# The server's BookFileType for every suffix that KOReader opens. It has no type for most of them: EPUB stands for what
# flows, PDF for what has fixed pages, CBX for pictures.
BOOK_TYPES = {
    "azw": "AZW3",
    "azw3": "AZW3",
    "bmp": "CBX",
    "cb7": "CBX",
    "cbr": "CBX",
    "cbt": "CBX",
    "cbz": "CBX",
    "cfb": "EPUB",
    "chm": "EPUB",
    "djv": "PDF",
    "djvu": "PDF",
    "doc": "EPUB",
    "docx": "EPUB",
    "epub": "EPUB",
    "epub3": "EPUB",
    "fb2": "FB2",
    "fb3": "FB2",
    "gif": "CBX",
    "hdp": "CBX",
    "htm": "EPUB",
    "html": "EPUB",
    "j2k": "CBX",
    "jp2": "CBX",
    "jpeg": "CBX",
    "jpg": "CBX",
    "jxr": "CBX",
    "kepub": "EPUB",
    "log": "EPUB",
    "md": "EPUB",
    "mobi": "MOBI",
    "odt": "EPUB",
    "opf": "EPUB",
    "pam": "CBX",
    "pbm": "CBX",
    "pdb": "MOBI",
    "pdf": "PDF",
    "pgm": "CBX",
    "png": "CBX",
    "pnm": "CBX",
    "ppm": "CBX",
    "pptx": "PDF",
    "prc": "MOBI",
    "rtf": "EPUB",
    "svg": "CBX",
    "tar": "CBX",
    "tcr": "EPUB",
    "tif": "CBX",
    "tiff": "CBX",
    "txt": "EPUB",
    "wdp": "CBX",
    "webp": "CBX",
    "xhtml": "EPUB",
    "xlsx": "PDF",
    "xml": "EPUB",
    "xps": "PDF",
    "zip": "CBX",
}
BOOK_TYPE_DEFAULT = "EPUB"


def book_type(file: str, format: str) -> str:
    """The type of a book by its suffix; in `x.fb2.zip` it is the one before the packing that counts."""
    if format == "zip":
        inner = file.rpartition("/")[2].lower().split(".")[:-1]
        if len(inner) > 1 and inner[-1] in BOOK_TYPES:
            format = inner[-1]
    return BOOK_TYPES.get(format, BOOK_TYPE_DEFAULT)


def session_fields(session: SessionToSend, decimals: int) -> dict[str, Json]:
    """One session without its book. Progress is 0..100 there."""
    fields: dict[str, Json] = {
        "startTime": to_iso(session.started_at),
        "endTime": to_iso(session.ended_at),
        "durationSeconds": session.duration_s,
        "durationFormatted": duration_text(session.duration_s),
    }
    start, end = session.start_fraction, session.end_fraction
    if start is not None:
        fields["startProgress"] = percent(start, decimals)
    if end is not None:
        fields["endProgress"] = percent(end, decimals)
    if start is not None and end is not None:
        fields["progressDelta"] = percent(end - start, decimals)
    start_location, end_location = session.start_label or session.start_page, session.end_label or session.end_page
    if start_location is not None:
        fields["startLocation"] = str(start_location)[:LOCATION_MAX_CHARS]
    if end_location is not None:
        fields["endLocation"] = str(end_location)[:LOCATION_MAX_CHARS]
    return fields


def percent(fraction: float, decimals: int) -> float:
    """0..1 → 0..100, rounded half up."""
    return half_up(fraction * 100, decimals)


def half_up(value: float, decimals: int) -> float:
    """Of two numbers equally near the greater, also below zero; `round` would take the even one."""
    unit: int = 10**decimals
    return float((value * unit + 0.5 + HAIR) // 1) / unit


def duration_text(duration_s: int) -> str:
    """3723 → `1h 2m 3s`, as the web reader writes it."""
    minutes, seconds = divmod(duration_s, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes}m {seconds}s"
    return f"{minutes}m {seconds}s" if minutes else f"{seconds}s"
