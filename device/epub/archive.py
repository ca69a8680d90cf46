"""A ZIP archive read at the few places that are wanted.

Promises: memory is bounded by the limits below whatever the file claims of itself; a member is whole and has its
checksum, or is none. Names are only compared, never taken for paths.
Never: extracts; writes; follows more than one archive's own pointers.
Called by: `package.py`, `spine.py`, `positions.py`.
Law: PKWARE's APPNOTE 6.3, as far as OCF 3.3 allows it: stored or deflated, no encryption. Archives in the ZIP64 form
are not read: a book is smaller than 4 GiB.
"""

from __future__ import annotations

import posix
import zlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

DIRECTORY_MOST_BYTES = 4 * 1_048_576  # 60,000 members with short names; comics have some hundreds
MEMBERS_MOST = 60_000
END_BYTES = 22
COMMENT_MOST_BYTES = 65_535
ENTRY_BYTES = 46
LOCAL_BYTES = 30
STORED, DEFLATED = 0, 8
ENCRYPTED = 1  # of the flags
_END, _ENTRY, _LOCAL = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"


class Unreadable(Exception):
    """The file is no archive, a broken one, or one that does not keep to the limits."""


class _Entry:
    __slots__ = ("checksum", "flags", "method", "name", "offset", "packed_bytes", "size_bytes")

    def __init__(self, name: bytes, fields: bytes) -> None:
        self.name = name
        self.flags = _number(fields, 8, 2)
        self.method = _number(fields, 10, 2)
        self.checksum = _number(fields, 16, 4)
        self.packed_bytes = _number(fields, 20, 4)
        self.size_bytes = _number(fields, 24, 4)
        self.offset = _number(fields, 42, 4)


class Archive:
    """An open archive; to be closed, best as a context. Raises Unreadable, OSError."""

    __slots__ = ("_directory", "_handle", "_places", "_shift", "_size_bytes")

    def __init__(self, path: str) -> None:
        self._handle = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
        self._places: dict[bytes, int] = {}  # name → where its entry begins in the directory; filled when it is wanted
        try:
            self._size_bytes = posix.fstat(self._handle).st_size
            self._directory, self._shift = self._read_directory()
        except BaseException:
            posix.close(self._handle)
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        posix.close(self._handle)

    def member(self, name: str, limit_bytes: int) -> bytes | None:
        """The whole content; None if there is no such member. Raises Unreadable, also for one beyond the limit."""
        entry = self._entry(name)
        return None if entry is None else self._content(entry, limit_bytes)

    def size_bytes(self, name: str) -> int | None:
        """How long the directory says that it is; None if there is no such member."""
        entry = self._entry(name)
        return None if entry is None else entry.size_bytes

    def names(self, suffix: str, most: int) -> list[str]:
        """Members whose names end so, without regard to case."""
        found: list[str] = []
        for _, entry in self._entries():
            name = entry.name.decode("utf-8", "replace")
            if name.casefold().endswith(suffix) and len(found) < most:
                found.append(name)
        return found

    def _read_directory(self) -> tuple[bytes, int]:
        """The central directory, and how far everything lies behind where the archive says that it does."""
        tail_bytes = min(self._size_bytes, END_BYTES + COMMENT_MOST_BYTES)
        tail = self._read(self._size_bytes - tail_bytes, tail_bytes)
        at = tail.rfind(_END)
        if at < 0 or len(tail) - at < END_BYTES:
            raise Unreadable("it is no ZIP archive")
        size_bytes, offset = _number(tail, at + 12, 4), _number(tail, at + 16, 4)
        begins_at = self._size_bytes - tail_bytes + at - size_bytes
        if size_bytes > DIRECTORY_MOST_BYTES or begins_at < 0 or begins_at < offset:
            raise Unreadable("its directory is not where it should be")
        return self._read(begins_at, size_bytes), begins_at - offset

    def _entry(self, name: str) -> _Entry | None:
        """The first one of that name."""
        if not self._places:
            for at, entry in self._entries():
                self._places.setdefault(entry.name, at)
        wanted = name.encode("utf-8", "replace")
        found = self._places.get(wanted)
        return None if found is None else _Entry(wanted, self._directory[found : found + ENTRY_BYTES])

    def _entries(self) -> Iterator[tuple[int, _Entry]]:
        at = 0
        for _ in range(MEMBERS_MOST):
            fields = self._directory[at : at + ENTRY_BYTES]
            if len(fields) < ENTRY_BYTES or not fields.startswith(_ENTRY):
                return
            name_bytes = _number(fields, 28, 2)
            name = self._directory[at + ENTRY_BYTES : at + ENTRY_BYTES + name_bytes]
            yield at, _Entry(name, fields)
            at += ENTRY_BYTES + name_bytes + _number(fields, 30, 2) + _number(fields, 32, 2)

    def _content(self, entry: _Entry, limit_bytes: int) -> bytes:
        if entry.size_bytes > limit_bytes or entry.packed_bytes > limit_bytes:
            raise Unreadable("a member is too long")
        if entry.flags & ENCRYPTED or entry.method not in (STORED, DEFLATED):
            raise Unreadable("a member is encrypted, or packed in a way that books may not use")
        local = self._read(entry.offset + self._shift, LOCAL_BYTES)
        if not local.startswith(_LOCAL):
            raise Unreadable("a member is not where it should be")
        begins_at = entry.offset + self._shift + LOCAL_BYTES + _number(local, 26, 2) + _number(local, 28, 2)
        packed = self._read(begins_at, entry.packed_bytes)
        content = packed if entry.method == STORED else _inflated(packed, limit_bytes)
        if len(content) != entry.size_bytes or zlib.crc32(content) != entry.checksum:
            raise Unreadable("a member is damaged")
        return content

    def _read(self, offset: int, size_bytes: int) -> bytes:
        parts: list[bytes] = []
        while size_bytes > 0:
            part = posix.pread(self._handle, size_bytes, offset)
            if not part:
                raise Unreadable("it is cut off")
            parts.append(part)
            offset += len(part)
            size_bytes -= len(part)
        return b"".join(parts)


def _inflated(packed: bytes, limit_bytes: int) -> bytes:
    """Up to one byte more than the limit: then it is too long, whatever the directory says."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return stream.decompress(packed, limit_bytes + 1)
    except zlib.error as problem:
        raise Unreadable("a member is damaged") from problem


def _number(data: bytes, at: int, size_bytes: int) -> int:
    return int.from_bytes(data[at : at + size_bytes], "little")
