"""The verb `positions`: where highlights of a book are, told from KOReader's places to the web reader's or back.

Promises: one line out for each line in, in their order; a line that cannot be used gets an `error` of its own and stops
nothing. Memory is bounded by a batch and by the largest chapter.
Never: reads or changes anything but the book; needs no data folder.
Called by: `device/worker.py`.
"""

from __future__ import annotations

import posix
import sys

from device import json_text
from device.command_line import BOOK_FILE, DOM, REVERSE
from device.epub.archive import Unreadable
from device.epub.positions import DOM_DEFAULT, DOM_LEAST, DOM_MOST, Positions, Wanted, spells_every_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.command_line import CommandLine
    from device.epub.positions import Cfi, Pointers
    from device.json_text import Json

CHUNK_BYTES = 65_536
LINE_MAX_BYTES = 4 * 1_048_576  # a highlight of a whole long chapter, escaped
BATCH_LINES = 2_000  # chapters are read once for each batch
BATCH_BYTES = 8 * 1_048_576
FAILED = 1


def print_positions(line: CommandLine) -> int:
    """Reads standard input to its end; the exit code."""
    path = str(line.arguments.get(BOOK_FILE, ""))
    dom = line.options.get(DOM)
    if not path:
        return _failed("which book? Give the path of an EPUB")
    if dom is not None and _dom(dom) is None:
        return _failed(f"{dom!r} is no DOM version of KOReader's, as its sidecars have it (20240114, for example)")
    try:
        with Positions(path, _dom(dom)) as book:
            for batch in _batches():
                _print_batch(book, _dom(dom), batch, line.arguments.get(REVERSE) is True)
    except Unreadable as problem:
        return _failed(f"{path} cannot be read as an EPUB: {problem}")
    except BrokenPipeError:
        return FAILED
    except OSError as problem:
        return _failed(f"{path}: {problem.strerror}")
    return 0


def _print_batch(book: Positions, option: int | None, lines: list[bytes], is_reverse: bool) -> None:
    answers: list[dict[str, Json]] = [{} for _ in lines]
    wanted: list[Wanted] = []
    reverse: dict[int | None, list[tuple[int, str, str | None]]] = {}  # by DOM version
    places: list[int] = []
    for index, content in enumerate(lines):
        try:
            fields = _fields(content)
            if is_reverse:
                asked = (index, _text(fields, "cfi") or "", _text(fields, "text"))
                reverse.setdefault(_dom_of(fields), []).append(asked)
            else:
                pos0 = _text(fields, "pos0") or ""
                wanted.append(Wanted(pos0, _text(fields, "pos1"), _text(fields, "text"), _dom_of(fields)))
                places.append(index)
        except ValueError as problem:
            answers[index] = {"error": str(problem)}
    for index, found in zip(places, book.to_cfis(wanted), strict=True):
        answers[index] = _cfi_fields(found)
    for dom, asked_of_it in reverse.items():
        effective = dom or option or DOM_DEFAULT
        pointers = book.to_pointers(
            [(cfi, text) for _, cfi, text in asked_of_it], spells_every_index(effective), effective
        )
        for (index, _, _), pointer in zip(asked_of_it, pointers, strict=True):
            answers[index] = _pointer_fields(pointer)
    for answer in answers:
        sys.stdout.write(json_text.encode(answer).decode("utf-8") + "\n")
    sys.stdout.flush()


def _cfi_fields(found: Cfi) -> dict[str, Json]:
    fields: dict[str, Json] = {"cfi": found.cfi, "status": found.status, "text": found.text}
    if found.reason:
        fields["reason"] = found.reason
    return fields


def _pointer_fields(found: Pointers) -> dict[str, Json]:
    fields: dict[str, Json] = {"pos0": found.pos0, "pos1": found.pos1, "text": found.text, "status": found.status}
    if found.reason:
        fields["reason"] = found.reason
    return fields


def _fields(content: bytes) -> dict[str, Json]:
    if len(content) > LINE_MAX_BYTES:
        raise ValueError("the line is too long")
    fields = json_text.decode(content)
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")
    return fields


def _text(fields: dict[str, Json], name: str) -> str | None:
    """Raises ValueError: nothing but a text or nothing may stand there, and a place has to be."""
    value = fields.get(name)
    if isinstance(value, str):
        return value
    if value is not None:
        raise ValueError(f"{name} is no text")
    if name in ("cfi", "pos0"):
        raise ValueError(f"{name} is missing")
    return None


def _dom_of(fields: dict[str, Json]) -> int | None:
    value = fields.get("dom")
    if value is None:
        return None
    if not isinstance(value, int) or not DOM_LEAST <= value <= DOM_MOST:
        raise ValueError("dom is no DOM version")
    return value


def _dom(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) != len(str(DOM_MOST)):
        return None
    return int(text) if DOM_LEAST <= int(text) <= DOM_MOST else None


def _batches() -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size_bytes = 0
    for line in _lines():
        batch.append(line)
        size_bytes += len(line)
        if len(batch) >= BATCH_LINES or size_bytes >= BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _lines() -> Iterator[bytes]:
    """Whole lines, but empty ones; of one that is too long, what shows that it is."""
    parts: list[bytes] = []
    size_bytes = 0
    while True:
        part = posix.read(0, CHUNK_BYTES)
        pieces = part.split(b"\n")
        for number, piece in enumerate(pieces):
            if number:
                line = b"".join(parts)
                parts, size_bytes = [], 0
                if line.strip():
                    yield line
            if size_bytes <= LINE_MAX_BYTES:
                parts.append(piece)
                size_bytes += len(piece)
        if not part:
            line = b"".join(parts)
            if line.strip():
                yield line
            return


def _failed(message: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"booklore-sync: {message}\n")
    return FAILED
