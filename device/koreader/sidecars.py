"""KOReader's record of a book, its “sidecar”: where it lies, and what it holds.

    beside the book   /books/Moby Dick.sdr/metadata.epub.lua
    in one folder     <KOReader>/docsettings/books/Moby Dick.sdr/metadata.epub.lua
    by fingerprint    <KOReader>/hashdocsettings/5d/5d0c….sdr/metadata.epub.lua
    before 2022       /books/Moby Dick.sdr/Moby Dick.epub.lua, <KOReader>/history/[#books#] Moby Dick.epub.lua
    before 2014       /books/Moby Dick.pdf.kpdfview.lua

Each may have an older copy beside it (`.old`). The newest is believed, as KOReader does it, a copy never before its
original. KOReader does not replace the file in one go: one that ends in the middle is read once more a moment later,
and then the next older one is taken, which is what KOReader itself would do.

Promises: reads only, and runs nothing; no more than `lua_literals.CONTENT_MAX_BYTES` at a time.
Never: decides whose record it is (`device/collecting.py`).
Called by: `device/collecting.py`.
Law: KOReader's `docsettings.lua` of 2026-08. Its setting of which place comes first only decides between files of the
same second, and is not asked for.
"""

from __future__ import annotations

import time

from device.koreader import fingerprint, lua_literals
from device.koreader.lua_scanner import LuaError, Truncated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk
    from device.koreader.lua_literals import Table

    Stamp = tuple[int, int]  # size in bytes, time of change in ns

NS_PER_S = 1_000_000_000
OLD = ".old"
NAME, SUFFIX = "metadata.", ".lua"
TRIES = 3  # of a file that ends in the middle
PAUSE_S = 0.3  # between them; KOReader writes a record in less
CHECKSUM_CHARS = 32
TEXT_MAX_CHARS = 1_000  # of a title or a list of authors

_HEX_DIGITS = frozenset("0123456789abcdef")


class Unreadable(Exception):
    """There are records, and none of them can be read."""


class Found:
    """The files that may hold a book's record, the one that KOReader believes first.

    `path` and `stamp` are those of the first: while they are the same there is no news. `size_bytes`: of that.
    """

    __slots__ = ("files", "path", "size_bytes", "stamp")

    def __init__(self, files: list[tuple[str, Stamp]]) -> None:
        self.files = files
        self.path, stamp = files[0]
        self.stamp = in_words(stamp)
        self.size_bytes = stamp[0]


class Record:
    """What a record says. `modified_at`: when it was written, UTC epoch seconds. `is_copy`: it is an older one, for the
    newest could not be read."""

    __slots__ = ("is_copy", "modified_at", "table")

    def __init__(self, table: Table, modified_at: int, is_copy: bool) -> None:
        self.table = table
        self.modified_at = modified_at
        self.is_copy = is_copy

    def checksum(self) -> str | None:
        """The fingerprint that the book had when KOReader opened it first."""
        return fingerprint_in(self.table.get("partial_md5_checksum"))

    def properties(self) -> tuple[str, str]:
        """(title, authors) as KOReader read them in the book; empty for what it does not say."""
        found = self.table.get("doc_props")
        if not isinstance(found, dict):
            return "", ""
        title, authors = (found.get(name) for name in ("title", "authors"))
        return (
            title[:TEXT_MAX_CHARS].strip() if isinstance(title, str) else "",
            authors[:TEXT_MAX_CHARS].strip() if isinstance(authors, str) else "",
        )

    def dom(self) -> int | None:
        """The version of the engine's rules by which its positions are spelt."""
        found = self.table.get("cre_dom_version")
        return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def fingerprint_in(value: object) -> str | None:
    """A fingerprint, if that is what it is; it may become part of a path."""
    if not isinstance(value, str) or len(value) != CHECKSUM_CHARS or not _HEX_DIGITS.issuperset(value.lower()):
        return None
    return value.lower()


class Sidecars:
    """The records of KOReader's whose folder is `koreader`."""

    __slots__ = ("_disk", "_has_hashes", "_has_history", "_koreader")

    def __init__(self, disk: Disk, koreader: str) -> None:
        self._disk = disk
        self._koreader = koreader
        self._has_hashes: bool | None = None  # whether the folders are there, once that was asked
        self._has_history: bool | None = None

    def find(self, file: str, fingerprints: list[str]) -> Found | None:
        """Where the record of the book that lies at `file` is; None if there is none."""
        found = self._newest_first(self._candidates(file, fingerprints))
        return Found(found) if found else None

    def read(self, found: Found) -> Record | None:
        """The record; None if there is nothing in it. Raises Unreadable."""
        problem = ""
        for path, stamp in found.files:
            try:
                table = self._parse(path)
            except (LuaError, OSError) as reason:
                problem = problem or f"{path}: {reason}"
                continue
            if table:
                return Record(table, stamp[1] // NS_PER_S, path != found.path)
        if problem:
            raise Unreadable(problem)
        return None  # as KOReader sees it: a file without anything in it

    def _parse(self, path: str) -> Table:
        """Raises LuaError, Truncated, OSError."""
        for attempt in range(TRIES):
            content = self._disk.read(path, lua_literals.CONTENT_MAX_BYTES + 1)
            if not content:
                return {}
            try:
                return lua_literals.parse(content)
            except Truncated:
                if attempt == TRIES - 1:
                    raise
                time.sleep(PAUSE_S)
        return {}

    def _newest_first(self, candidates: list[str]) -> list[tuple[str, Stamp]]:
        """Those that are there, with their stamps. Times count in whole seconds, as KOReader compares them."""
        found: list[tuple[int, int, str, Stamp]] = []
        original = ""
        for place, path in enumerate(candidates):
            stamp = self._stamp(path)
            if stamp is None:
                continue
            seconds = stamp[1] // NS_PER_S
            if path == original + OLD:
                # A clock that jumps over USB can make the copy seem newer than what it is a copy of.
                before = found[-1]
                found[-1] = (min(before[0], -seconds), *before[1:])
            found.append((-seconds, place, path, stamp))
            original = path
        return [(path, stamp) for _, _, path, stamp in sorted(found)]

    def _candidates(self, file: str, fingerprints: list[str]) -> list[str]:
        """Every path at which KOReader looks for the record of a book, its first choice first."""
        if not file.startswith("/") or "\0" in file:
            return []
        stem, dot, _ = file.rpartition(".")
        folder = (stem if dot else file) + ".sdr"
        name = NAME + _suffix(file) + SUFFIX
        beside = f"{folder}/{name}"
        in_one_folder = f"{self._koreader}/docsettings{beside}"
        candidates = [
            beside,
            beside + OLD,
            f"{folder}/{file.rpartition('/')[2]}{SUFFIX}",
            in_one_folder,
            in_one_folder + OLD,
        ]
        for path in self._by_fingerprint(file, name, fingerprints):
            candidates += (path, path + OLD)
        if self._has_history is None:
            self._has_history = self._stamp(f"{self._koreader}/history") is not None
        if self._has_history:
            path = f"{self._koreader}/history/{_in_history(file)}"
            candidates += (path, path + OLD)
        candidates.append(f"{file}.kpdfview.lua")
        return candidates

    def _by_fingerprint(self, file: str, name: str, fingerprints: list[str]) -> list[str]:
        root = f"{self._koreader}/hashdocsettings"
        if self._has_hashes is None:
            self._has_hashes = self._stamp(root) is not None
        if not self._has_hashes:
            return []
        # KOReader computes it anew each time: what it was when the book was first opened may be another.
        now = fingerprint.of_file(file)
        known = [found for found in (fingerprint_in(value) for value in (now, *fingerprints)) if found is not None]
        return [f"{root}/{digits[:2]}/{digits}.sdr/{name}" for digits in dict.fromkeys(known)]

    def _stamp(self, path: str) -> Stamp | None:
        try:
            return self._disk.stamp(path)
        except (OSError, ValueError):
            return None  # a name that is too long, a file where a folder should be: nothing of KOReader's


def in_words(stamp: Stamp) -> str:
    """Size and time of change of a file, by which it is known to be the same."""
    return f"{stamp[0]} {stamp[1]}"


def _suffix(file: str) -> str:
    """As KOReader finds it: behind the last dot that has something behind it, be it in a folder's name."""
    dot = file.rfind(".", 0, len(file) - 1)
    return file[dot + 1 :] if dot >= 0 else "_"


def _in_history(file: str) -> str:
    folder, _, name = file.rpartition("/")
    return f"[{folder}/] {name}".replace("/", "#") + SUFFIX
