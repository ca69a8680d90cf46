"""The records of a folder of ground truth, and a deterministic sample of them.

Promises: every line with the fields that its README names, or a ValueError that names file and line.
Never: changes the folder.
Called by: `__main__`, `forward`, `reverse`.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

NORMAL, CROSS, NOSOURCE = "normal", "cross", "nosource"
OLD_SPELLING, NEW_SPELLING = 20240114, 20260812  # DOM versions: without and with [1] on every step
# The web reader opens the wrong section after a dangling itemref; the standard CFI is right and cannot be judged.
NOT_JUDGED = ("torture-spine-dangling.epub",)
DECLARED_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']*)")
MATHML = re.compile(rb"<(\w+:)?math[\s>]")


@dataclass(frozen=True, slots=True)
class Highlight:
    """A range of KOReader's engine. `raw` is its text before KOReader trims it; empty where it is not recorded."""

    epub: str
    dom: int
    kind: str
    pos0: str
    pos1: str
    text: str
    raw: str = ""
    sources: tuple[str, ...] = ()
    cfi: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection in the web reader."""

    epub: str
    cfi: str
    text: str


class GroundTruth:
    def __init__(self, folder: Path, sample: int | None = None) -> None:
        self.folder = folder
        self.ranges = _sampled(_read(folder / "ranges.jsonl", _range), sample)
        self.golden = _sampled(_read(folder / "golden.jsonl", _golden), sample)
        self.selections = _sampled(_read(folder / "browser_cfis.jsonl", _selection), sample)

    def book(self, name: str) -> Path:
        return self.folder / "epubs" / name

    def has_mathml(self, highlight: Highlight) -> bool:
        """Whether it lies in a spine item with formulas."""
        members = _members_with_mathml(self.book(highlight.epub))
        return any(
            member.endswith("/" + source) or member == source for member in members for source in _files(highlight)
        )


def by_book(records: Iterable[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for record in records:
        groups[record.epub].append(record)
    return groups


@cache
def reads_differently(book: Path) -> bool:
    """Whether a file in it is not UTF-8, so that Chromium's own ways matter."""
    with zipfile.ZipFile(book) as archive:
        for name in archive.namelist():
            if not name.lower().endswith((".xhtml", ".html", ".htm", ".xml", ".svg")):
                continue
            data = archive.read(name)
            declared = DECLARED_ENCODING.match(data)
            if b"\0" in data or (declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii")):
                return True
    return False


@cache
def _members_with_mathml(book: Path) -> tuple[str, ...]:
    with zipfile.ZipFile(book) as archive:
        return tuple(name for name in archive.namelist() if MATHML.search(archive.read(name)))


def _files(highlight: Highlight) -> list[str]:
    return [source.partition("#")[0] for source in highlight.sources if source]


def _read(path: Path, make: Callable[[dict[str, Any]], Any]) -> list[Any]:
    records = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                records.append(make(json.loads(line)))
            except (ValueError, KeyError) as error:
                raise ValueError(f"{path}:{number}: {error!r}") from error
    return records


def _range(record: dict[str, Any]) -> Highlight:
    return Highlight(
        record["epub"],
        record["dom"],
        record["class"],
        record["pos0"],
        record["pos1"],
        record["text"],
        record.get("raw") or "",
        tuple(record.get(name) or "" for name in ("src0", "src1")),
    )


def _golden(record: dict[str, Any]) -> Highlight:
    return Highlight(
        record["epub"], record["dom"], NORMAL, record["pos0"], record["pos1"], record["text"], cfi=record["cfi"]
    )


def _selection(record: dict[str, Any]) -> Selection:
    return Selection(record["epub"], record["cfi"], record["text"])


def _sampled(records: Sequence[Any], sample: int | None) -> list[Any]:
    """Every n-th, so that all books and classes keep their share; the same in every run."""
    if sample is None or sample >= len(records):
        return list(records)
    return [records[number * len(records) // sample] for number in range(sample)]
