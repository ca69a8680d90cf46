"""What is highlighted in the demo, where KOReader would say that it is, and what has become of it on the server.

Promises: places as KOReader's engine spells them since DOM version 20260812, found from the words themselves.
Never: computes a position of the web reader's; that is the worker's part.
Called by: `demo`.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.fixtures.make_books import PAGE_CHARACTERS
from tests.sandbox import StandIn
from tests.web.book_files import has_library

DOM = 20260812
XHTML = "{http://www.w3.org/1999/xhtml}"
AFTER_TURNING_S = 12  # from the turn of the page to the highlight
SHOWN_LIMIT_S = 30

# Words, colour and style as KOReader calls them, note. The second goes over a word in italics, the third over entities.
KEEPERS_LOG = (
    ("The rest I put down because nobody asked for it.", "yellow", "lighten", None),
    ("The brig Constance went by under full sail", "green", "underscore", "Is she the one in the song?"),
)
ODD_BOOK = (("1 < 2 & \"3\" > '2'", "blue", "lighten", None),)
Wanted = tuple[tuple[str, str, str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a paragraph: its xpointer without an offset."""

    chapter: str
    paragraph: int  # counted through the book
    place: str
    content: str
    page: int


def with_places(described: dict[str, Any]) -> dict[str, Any]:
    """The description of a book as its text flows: an xpointer for each page."""
    texts = _texts(Path(str(described["file"])))
    pages = range(1, int(described["pages"]) + 1)
    places = [next(text for text in reversed(texts) if text.page <= page).place + ".0" for page in pages]
    return {**described, "places": places, "dom": DOM}


def with_highlights(book: dict[str, Any], reading: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    """The reading, with a highlight soon after its page was turned to."""
    texts = _texts(Path(str(book["file"])))
    turns = [event for event in reading["events"] if event["ev"] in ("open", "page")]
    events = list(reading["events"])
    for words, color, drawer, note in wanted:
        first, start, last, end = _find(texts, words)
        mark = {
            "page": f"{first.place}.{start}",
            "pos0": f"{first.place}.{start}",
            "pos1": f"{last.place}.{end}",
            "text": words,
            "chapter": first.chapter,
            "color": color,
            "drawer": drawer,
            **({"note": note} if note else {}),
        }
        turn = next(turn for turn in reversed(turns) if turn["page"] <= first.page)
        events.append({"at": turn["at"] + AFTER_TURNING_S, "ev": "mark", "mark": mark})
    return {**reading, "events": sorted(events, key=lambda event: int(event["at"]))}


def show(server: StandIn, picture: Path | None) -> bool:
    """What arrived of them, and where to see it; whether all did."""
    arrived = server.marks("annotation")
    print("\nHighlights at their place in the text:\n")
    for row in arrived:
        print(f"  “{row['text']}”")
        print(f"    {row['chapter_title']}, {row['color']} {row['style']}, {row['cfi']}")
        if row["note"]:
            print(f"    note: {row['note']}")
    if not has_library():
        print("\n  The page cannot show them in the text: the web reader's library is missing (`make web` says why).")
    else:
        for book in sorted({int(str(row["book_id"])) for row in arrived}):
            print(f"\n  In the text, drawn by the web reader's own library: {address(server, book)}")
        if picture is not None and arrived:
            take_picture(server, int(str(arrived[0]["book_id"])), picture)
    return len(arrived) == len(KEEPERS_LOG) + len(ODD_BOOK)


def address(server: StandIn, book: int) -> str:
    return f"{server.url}/sandbox/reader/reader.html?book={book}"


def take_picture(server: StandIn, book: int, path: Path) -> None:
    from tests.web.remote_page import RemotePage  # only a picture needs a browser of our own

    with RemotePage() as page:
        page.open(address(server, book))
        page.wait_for("document.documentElement.dataset.shown")
        page.take_picture(path)
        print(f"\n  A picture of it: {path}. The words under the mark: {page.evaluate(WORDS_UNDER)}")


WORDS_UNDER = "document.getElementById('under').textContent"


def _texts(path: Path) -> list[Text]:
    """Every text of every paragraph, in order."""
    found: list[Text] = []
    characters = paragraphs = 0
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("OEBPS/chapter"))
        for fragment, name in enumerate(names, 1):
            body = ElementTree.fromstring(archive.read(name)).find(f"{XHTML}body")
            assert body is not None
            chapter = "".join(body[0].itertext())
            characters += len(chapter)
            for number, paragraph in enumerate(body.findall(f"{XHTML}p"), 1):
                paragraphs += 1
                page = characters // PAGE_CHARACTERS + 1
                above = f"/body[1]/DocFragment[{fragment}]/body[1]/p[{number}]"
                for place, content in _texts_of(paragraph):
                    found.append(Text(chapter, paragraphs, above + place, content, page))
                characters += len("".join(paragraph.itertext()))
    return found


def _texts_of(paragraph: ElementTree.Element) -> list[tuple[str, str]]:
    """(the rest of its xpointer, content) of each text; elements within hold nothing but text."""
    texts = [("own", paragraph.text or "")]
    counts: dict[str, int] = {}
    for child in paragraph:
        name = child.tag.removeprefix(XHTML)
        counts[name] = counts.get(name, 0) + 1
        texts += [(f"/{name}[{counts[name]}]/text()[1]", child.text or ""), ("own", child.tail or "")]
    own = 0
    found = []
    for place, content in texts:
        if content:
            own += place == "own"
            found.append((f"/text()[{own}]" if place == "own" else place, content))
    return found


def _find(texts: list[Text], words: str) -> tuple[Text, int, Text, int]:
    """First text and offset, last text and offset behind the words, which lie in one paragraph."""
    for paragraph in sorted({text.paragraph for text in texts}):
        of_it = [text for text in texts if text.paragraph == paragraph]
        start = "".join(text.content for text in of_it).find(words)
        if start >= 0:
            return (*_at(of_it, start), *_at(of_it, start + len(words), behind=True))
    raise ValueError(f"{words!r} is not in the book")


def _at(texts: list[Text], offset: int, behind: bool = False) -> tuple[Text, int]:
    for text in texts:
        if offset < len(text.content) + behind:
            return text, offset
        offset -= len(text.content)
    raise ValueError("behind the paragraph")
