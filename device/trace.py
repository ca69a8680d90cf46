"""The verb `sessions`: a trace in, one reading session a line out (`device/core/trace.py`).

Called by: `device/worker.py`. Touches nothing but the trace it reads.
"""

from __future__ import annotations

import posix
import sys

from device import json_text
from device.command_line import KOREADER_CAP, TRACE
from device.core import trace
from device.core.journal import LINE_MAX_BYTES
from device.core.reading_session import KOREADERS_CAP_S, Rules, koreaders_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from device.command_line import CommandLine

CHUNK_BYTES = 65_536
CAP_MOST_S = 86_400
FAILED = 1


def print_sessions(line: CommandLine) -> int:
    """Prints the sessions of a trace, of standard input if none is named; the exit code."""
    path = line.arguments.get(TRACE)
    cap = line.options.get(KOREADER_CAP)
    if cap is not None and not (cap.isascii() and cap.isdigit() and len(cap) < 9 and 1 <= int(cap) <= CAP_MOST_S):
        sys.stderr.write(f"booklore-sync: {cap!r} is no number of seconds (KOReader's own is {KOREADERS_CAP_S})\n")
        return FAILED
    try:
        handle = 0 if path is None else posix.open(str(path), posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError as problem:
        sys.stderr.write(f"booklore-sync: {path}: {problem.strerror}\n")
        return FAILED
    found = trace.Trace(_lines(handle), Rules() if cap is None else koreaders_rules(int(cap)))
    for book, session in found.sessions():
        sys.stdout.write(json_text.encode(trace.session_fields(book, session)).decode("utf-8") + "\n")
    sys.stdout.flush()
    if found.broken_lines:
        sys.stderr.write(f"booklore-sync: {found.broken_lines} lines could not be read and were passed over\n")
        return FAILED
    return 0


def _lines(handle: int) -> Iterator[bytes]:
    """Whole lines; one that is too long comes in pieces, each of which is then too long as well."""
    rest = b""
    while True:
        part = posix.read(handle, CHUNK_BYTES)
        if not part:
            break
        lines = (rest + part).split(b"\n")
        rest = lines.pop()
        yield from lines
        if len(rest) > LINE_MAX_BYTES:
            yield rest
            rest = b""
    yield rest
