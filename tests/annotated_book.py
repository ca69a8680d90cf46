"""A reader with a real EPUB on her device and on the server, who highlights and bookmarks in both places.

`Device` stands for KOReader and the launcher: it keeps KOReader's list of marks, writes the journal lines `marks` of
what has changed, and makes the changes that a result brings. Used by `tests/contract/test_annotations*.py`.
"""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

from tests.fixtures.make_books import describe, make_book
from tests.reader import Reader
from tests.sandbox import StandIn

PARAGRAPHS = (
    "Call me Ishmael. Some years ago – never mind how long precisely – having little or no money in my purse.",
    "There now is your <i>insular</i> city of the Manhattoes, belted round by wharves as Indian isles by coral reefs.",
    "Circumambulate the city of a dreamy Sabbath afternoon. Go from Corlears Hook to Coenties Slip.",
    "But here is an artist. He desires to paint you the dreamiest, shadiest, quietest bit of romantic landscape.",
)
WORDS = ["".join(part.split("<i>")).replace("</i>", "") for part in PARAGRAPHS]
CHAPTERS = [("Loomings", PARAGRAPHS), ("The Carpet-Bag", PARAGRAPHS[::-1]), ("The Spouter-Inn", PARAGRAPHS[:3])]
DOM = 20240114

TABLES = {
    "annotation": "/api/v1/annotations",
    "in_book_note": "/api/v2/book-notes",
    "book_note": "/api/v1/book-notes",
    "bookmark": "/api/v1/bookmarks",
}
Item = dict[str, Any]


def highlight(words: str, chapter: int = 1, paragraph: int = 1, minute: int = 0, **more: Any) -> Item:
    """KOReader's own record of a highlight of these words; the paragraph must have them in its first text."""
    text = CHAPTERS[chapter - 1][1][paragraph - 1]
    start = text.index(words)
    place = f"/body/DocFragment[{chapter}]/body/p[{paragraph}]/text()"
    return {
        "datetime": f"2026-11-20 21:{minute:02}:00",
        "drawer": "lighten",
        "color": "yellow",
        "text": words,
        "chapter": CHAPTERS[chapter - 1][0],
        "pageno": chapter * 10 + paragraph,
        "page": f"{place}.{start}",
        "pos0": f"{place}.{start}",
        "pos1": f"{place}.{start + len(words)}",
        **more,
    }


def bookmark(chapter: int = 1, paragraph: int = 1, minute: int = 0, **more: Any) -> Item:
    return {
        "datetime": f"2026-11-21 08:{minute:02}:00",
        "text": f"in {CHAPTERS[chapter - 1][0]}",
        "chapter": CHAPTERS[chapter - 1][0],
        "pageno": chapter * 10 + paragraph,
        "page": f"/body/DocFragment[{chapter}]/body/p[{paragraph}]/text().0",
        **more,
    }


class Device:
    """One device of the reader's: its folder, the file of the book, and what KOReader has of it."""

    def __init__(self, folder: Path, server: StandIn, name: str = "whale.epub", book: Path | None = None) -> None:
        self.server = server
        self.reader = Reader(folder / "koreader" / "bookloresync")
        self.file = folder / name
        self.book: dict[str, Any] = {}
        self.marks: list[Item] = []
        self.known: list[Item] = []  # as the last line `marks` left it
        self.opens(
            book
            or make_book(
                self.file, title="Moby Dick", authors=["Herman Melville"], chapters=CHAPTERS, isbn="9780142437247"
            )
        )
        self.started_at = int(time.time()) - 40_000
        self.fraction = 0.1
        self.reader.configure(server.url)

    # What the reader does in KOReader

    def opens(self, file: Path) -> None:
        """Another book, in which nothing is marked yet."""
        self.file = file
        if file.suffix == ".epub":
            self.book = describe(file)
            self.book.pop("pages", None)
        else:
            self.book = {
                "file": str(file), "format": file.suffix[1:], "title": "Moby Dick", "authors": ["Herman Melville"],
                "identifiers": ["ISBN:9780142437247"],
            }  # fmt: skip
        self.marks, self.known = [], []

    def has(self, *items: Item) -> None:
        """These are her marks now."""
        self.marks = copy.deepcopy(list(items))

    def closes(self, ago_s: int | None = None, at: str | None = None, **snapshot: Any) -> None:
        """She reads a little and closes the book, at an xpointer; what has changed of its marks is in the journal."""
        self.started_at += 1_000
        start = self.started_at if ago_s is None else int(time.time()) - ago_s - 210
        self.fraction = min(self.fraction + 0.01, 0.9)
        place: dict[str, Any] = {"page": 40, "pages": 200, "fraction": self.fraction}
        if at is not None:
            place["xpointer"] = at
        moments: list[Any] = [
            (0, "open", {"page": 39, "pages": 200, "fraction": self.fraction - 0.01}),
            (60, "page", place),
        ]
        line = self._line()
        if line is not None:
            moments.append((199, "marks", line))
        moments += [
            (200, "close", {"reason": "close", **place}),
            (210, "snapshot", {"fraction": self.fraction, "status": "reading", **snapshot}),
        ]
        fields = {name: value for name, value in self.book.items() if name != "title"}
        self.reader.journal(moments, title=str(self.book["title"]), start=start, **fields)

    def _line(self) -> dict[str, Any] | None:
        before = {_identity(item): item for item in self.known}
        now = {_identity(item): item for item in self.marks}
        changed = [item for key, item in now.items() if before.get(key) != item]
        gone = [item for key, item in before.items() if key not in now]
        self.known = copy.deepcopy(self.marks)
        if not changed and not gone:
            return None
        names = ("datetime", "page", "pos0", "pos1")
        return {
            "count": len(self.marks),
            "dom": DOM,
            "changed": copy.deepcopy(changed),
            "gone": [{name: item[name] for name in names if name in item} for item in gone],
        }

    def sync(self, reason: str = "tap", **fields: Any) -> dict[str, Any]:
        return self.reader.run_job("sync", reason=reason, **fields)

    def syncs(self, *items: Item, **fields: Any) -> dict[str, Any]:
        """Has these marks, closes the book and syncs."""
        self.has(*items)
        self.closes()
        return self.sync(**fields)

    def applies(self, result: dict[str, Any], outcome: str | None = None) -> dict[str, Any] | None:
        """The launcher makes the changes of marks that a result brings, and reports."""
        arguments = {}
        for change in result["changes"]:
            if change["kind"] == "annotations":
                words = [outcome or self._apply(item) for item in change["items"]]
                arguments[change["id"]] = " ".join(words)
                self.known = copy.deepcopy(self.marks)  # as the closed book's record has them when it is opened next
        return self.reader.run_job("applied", reason="tap", arguments=arguments) if arguments else None

    def _apply(self, item: dict[str, Any]) -> str:
        if item["do"] == "add":
            to = {"pageno": 1, **item["to"]}
            to.setdefault("page", to.get("pos0"))
            to.pop("fraction", None)
            assert to["page"] and to["datetime"]
            assert item["kind"] == "bookmark" or (to["text"] and to["drawer"])
            self.marks.append(to)
            return "done"
        same = [mark for mark in self.marks if mark["datetime"] == item["from"]["datetime"]]
        if not same:
            return "missing" if item["do"] == "edit" else "done"
        found = same[0]
        if item["do"] == "remove":
            self.marks.remove(found)
        else:
            found.update(item["to"])
            for name in [name for name, value in found.items() if value is None]:
                del found[name]
        return "done"

    def answers(self, result: dict[str, Any], label: str) -> dict[str, Any]:
        """She taps on an answer of the first question."""
        [answer] = [answer for answer in result["questions"][0]["answers"] if answer["label"].startswith(label)]
        return self.reader.run_job(answer["verb"], reason="tap", arguments=answer["arguments"])

    def let_hours_pass(self, hours: int = 2) -> None:
        """The server's lists are that much older, and what was read before is not read any more."""
        self.reader.let_hours_pass(hours)
        self.reader.change_store(f"UPDATE mark_pull SET pulled_at = MAX(pulled_at - {hours * 3600}, 0)")

    def notes(self) -> list[str]:
        return [mark.get("note", "") for mark in self.marks]

    def texts(self) -> list[str]:
        return sorted(mark["text"] for mark in self.marks)


def _identity(item: Item) -> tuple[str, ...]:
    return item["datetime"], str(item.get("page")), str(item.get("pos0")), str(item.get("pos1"))


class Web:
    """The same reader at the web page."""

    def __init__(self, server: StandIn, book_id: int, user: str = "anna") -> None:
        self.server = server
        self.book_id = book_id
        self.user = user

    def rows(self, table: str = "annotation") -> list[dict[str, Any]]:
        return [row for row in self.server.marks(table) if row["book_id"] == self.book_id]

    def makes(self, table: str = "annotation", **fields: Any) -> None:
        self.server.mark_on_web(self.user, "POST", TABLES[table], {"bookId": self.book_id, **fields})

    def changes(self, id: object, table: str = "annotation", **fields: Any) -> None:
        if table == "book_note":
            self.server.mark_on_web(self.user, "POST", TABLES[table], {"id": id, "bookId": self.book_id, **fields})
        else:
            self.server.mark_on_web(self.user, "PUT", f"{TABLES[table]}/{id}", fields)

    def deletes(self, id: object, table: str = "annotation") -> None:
        self.server.mark_on_web(self.user, "DELETE", f"{TABLES[table]}/{id}")

    def requests(self, method: str, table: str = "annotation") -> int:
        path = TABLES[table]
        return sum(request.path.startswith(path) and request.method == method for request in self.server.requests)
