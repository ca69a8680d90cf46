"""Books with many highlights, as EPUBs and as KOReader's records beside them: what positions and marks cost.

Called by: `tests/bench.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from device.koreader import fingerprint
from tests.fixtures import make_sidecars
from tests.fixtures.make_books import make_book

WORDS = ("whale", "sailed", "under", "grey", "sky", "while", "nobody", "on", "deck", "spoke", "of", "night")
PARAGRAPH_WORDS = 100
HIGHLIGHT_WORDS = 12

Item = dict[str, Any]


def paragraph(chapter: int, number: int) -> str:
    """Words that no other paragraph has in this order: a highlight in it cannot be mistaken for another."""
    seed = chapter * 7_919 + number * 104_729
    return " ".join(f"{WORDS[(seed + at * (3 + number % 7)) % len(WORDS)]}{(seed + at) % 97}" for at in range(
        PARAGRAPH_WORDS))  # fmt: skip


class Annotated:
    """One book of `chapters` chapters with `paragraphs` paragraphs each, and `highlights` spread over it evenly."""

    def __init__(self, file: Path, title: str, author: str, chapters: int, paragraphs: int, highlights: int) -> None:
        self.file = file
        self.title = title
        self.author = author
        texts = [[paragraph(chapter, number) for number in range(paragraphs)] for chapter in range(chapters)]
        make_book(
            file, title=title, authors=[author],
            chapters=[(f"Chapter {number}", text) for number, text in enumerate(texts, 1)],
        )  # fmt: skip
        self.items = [_highlight(texts, number, number * chapters * paragraphs // highlights)
                      for number in range(highlights)]  # fmt: skip

    def put_record(self, modified_at: int) -> None:
        """KOReader's own record of the book, beside it."""
        known = {
            "partial_md5_checksum": fingerprint.of_file(str(self.file)),
            "doc_props": {"title": self.title, "authors": self.author, "language": "en"},
        }
        make_sidecars.write(
            make_sidecars.beside(self.file), make_sidecars.record(self.items, str(self.file), **known), modified_at
        )

    def lines(self) -> str:
        """For the verb `positions`."""
        asked = [{name: item[name] for name in ("pos0", "pos1", "text")} for item in self.items]
        return "".join(json.dumps(each) + "\n" for each in asked)


def _highlight(texts: list[list[str]], number: int, place: int) -> Item:
    chapter, at = divmod(place, len(texts[0]))
    text = texts[chapter][at]
    words = text.split(" ")
    first = number * 5 % (len(words) - HIGHLIGHT_WORDS)
    start = len(" ".join(words[:first])) + (1 if first else 0)
    marked = " ".join(words[first : first + HIGHLIGHT_WORDS])
    where = f"/body/DocFragment[{chapter + 1}]/body/p[{at + 1}]/text()"
    return make_sidecars.highlight(
        number, text=marked, page=f"{where}.{start}", pos0=f"{where}.{start}", pos1=f"{where}.{start + len(marked)}",
        chapter=f"Chapter {chapter + 1}",
    )  # fmt: skip
