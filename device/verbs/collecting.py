"""Highlights and bookmarks from KOReader's records: in passing, and of all books at the reader's wish.

Called by: `recording.py`, `table.py`. Never: sends; that is the next sync's.
"""

from __future__ import annotations

import time

from device import protocol
from device.store import preferences

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.collecting import Collected
    from device.verbs.run import Run

STOPS_BEFORE_S = 5  # the deadline: there is still a result to be written


def collect(run: Run, closed: list[int], in_turn: bool) -> None:
    """What a run does in passing. `closed`: books of which a journal was just taken."""
    if not preferences.load(run.store).collects_marks():
        return
    from device.collecting import Collector

    collector = Collector(run.folder, run.store, run.job, int(time.time()))
    collector.of_closed(closed)
    if in_turn:
        collector.in_turn()


def collect_all(run: Run) -> None:
    """Every book that is known or in KOReader's history."""
    from device.importing.progress import Progress
    from device.ui import collecting_texts as texts
    from device.verbs.recording import ingest

    ingest(run)
    if not preferences.load(run.store).collects_marks():
        run.result.say(protocol.INFO, texts.ARE_OFF)
        return
    from device.collecting_all import Everything
    from device.store import marks

    progress = Progress(run.job.id is None, texts.progress, run.folder.log)
    everything = Everything(run.folder, run.store, run.job, int(time.time()), run.deadline - STOPS_BEFORE_S)
    try:
        collected = everything.collect(progress.report)
    finally:
        progress.end()
    highlights, bookmarks, count = marks.count_on_device(run.store)
    for line in _lines(collected, highlights, bookmarks, count):
        run.result.say(protocol.INFO, line)
    if not everything.is_complete:
        run.result.say(protocol.WARNING, texts.TIME_IS_UP)


def _lines(collected: Collected, highlights: int, bookmarks: int, count: int) -> list[str]:
    from device.collecting import FOREIGN, UNREADABLE
    from device.ui import collecting_texts as texts

    lines = [texts.found(highlights, bookmarks, count, collected.new) if count else texts.NOTHING_FOUND]
    if collected.lost:
        lines.append(texts.lost(collected.lost))
    for reason, line in ((UNREADABLE, texts.unreadable), (FOREIGN, texts.foreign)):
        names = [file.rpartition("/")[2] for file, why in collected.left if why == reason]
        if names:
            lines.append(line(names))
    return lines
