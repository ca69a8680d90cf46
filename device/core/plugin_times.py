"""Where a session of the Lua plugin finds its place among those that are in the store.

Rule 1: what the store demands holds for these sessions too: 0 < duration_s <= ended_at - started_at, and no session
shares time with another, of whatever book.

The old plugin ended a session of KOReader's statistics where its last page began, and counted that page all the same:
such a session is longer than its ends say, and is extended into the time behind it as far as that is free. What it read
is then cut to the time that there is.

`taken` is all recorded time around a session, in the order of the starts; a span without length takes the second in
which it begins. Called by: `device/importing/plugin_records.py`. Never: asks the store.
"""

from __future__ import annotations

from device.core.reading_session import ReadingSession

TYPE_CHECKING = False
if TYPE_CHECKING:
    Span = tuple[int, int]  # from, to (not included), in UTC epoch seconds


def latest_end(session: ReadingSession) -> int:
    """To where it may be extended."""
    return max(session.ended_at, session.started_at + max(session.duration_s, 1))


def is_free(session: ReadingSession, taken: list[Span]) -> bool:
    """Whether nothing else is recorded between its own ends."""
    reached = max(session.ended_at, session.started_at + 1)
    return not any(start < reached and max(end, start + 1) > session.started_at for start, end in taken)


def fit(session: ReadingSession, taken: list[Span]) -> None:
    """Brings its end and its duration into agreement."""
    reached = max(session.ended_at, session.started_at + 1)
    ended_at = latest_end(session)
    for start, end in taken:
        if max(end, start + 1) > reached:
            ended_at = min(ended_at, max(start, reached))
    session.ended_at = ended_at
    session.duration_s = min(max(session.duration_s, 1), ended_at - session.started_at)


def free_parts(session: ReadingSession, taken: list[Span]) -> list[Span]:
    """What of its time is not recorded yet."""
    parts: list[Span] = []
    free_from = session.started_at
    for start, end in taken:
        if start >= session.ended_at:
            break
        if start > free_from:
            parts.append((free_from, start))
        free_from = max(free_from, end, start + 1)
    if free_from < session.ended_at:
        parts.append((free_from, session.ended_at))
    return parts


def part_of(session: ReadingSession, span: Span) -> ReadingSession:
    """The session in a part of its time, with its share of what was read."""
    length_s = span[1] - span[0]
    share_s = session.duration_s * length_s // (session.ended_at - session.started_at)
    return ReadingSession(
        started_at=span[0],
        ended_at=span[1],
        duration_s=max(share_s, 1),
        start_page=session.start_page,
        end_page=session.end_page,
        start_fraction=session.start_fraction,
        end_fraction=session.end_fraction,
        pages_read=session.pages_read,
        flags=session.flags,
    )
