"""What was read before: KOReader's statistics and the older plugin's data. Called by: `table.py`."""

from __future__ import annotations

import time

from device import protocol
from device.verbs.recording import ingest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.importing.history import Outcome
    from device.protocol import Job
    from device.verbs.run import Run


def status(run: Run) -> None:
    """What waits is said by `finish`; what KOReader's history would bring is looked up here."""
    if not is_preview(run.job):
        return
    from device.importing.history import preview
    from device.ui.history import preview_lines

    say_all(run, preview_lines(_read_history(run, preview)))


def is_preview(job: Job) -> bool:
    return job.verb == protocol.STATUS and job.arguments.get("history") is True


def import_history(run: Run) -> None:
    from device.importing.history import import_history
    from device.ui.history import import_lines

    ingest(run)  # what is in a journal is not KOReader's to tell
    outcome = _read_history(run, import_history)
    run.result.counts["recorded"] += outcome.total.sessions
    say_all(run, import_lines(outcome))


def _read_history(run: Run, read: Callable[..., Outcome]) -> Outcome:
    from device.importing.history import statistics_path
    from device.importing.progress import Progress
    from device.store import preferences
    from device.ui import texts

    given = run.job.arguments.get("statistics")
    path = statistics_path(run.folder, given if isinstance(given, str) else None)
    progress = Progress(run.job.id is None, texts.history_progress, run.folder.log)
    try:
        return read(
            run.folder, run.store, path, preferences.load(run.store), int(time.time()), run.deadline, progress.report
        )
    finally:
        progress.end()


def import_plugin(run: Run) -> None:
    """Takes over what the old plugin left, or notes that the reader does not want it."""
    from device.importing import plugin_import
    from device.ui import texts

    if run.job.arguments.get("decline") is True:
        plugin_import.decline(run.store)
        run.result.say(protocol.INFO, texts.PLUGIN_DECLINED)
        return
    given = run.job.arguments.get("from")
    root = given.rstrip("/") or "/" if isinstance(given, str) and given.startswith("/") else None
    ingest(run)
    plugin_import.import_plugin(run.folder, run.store, root, run.result, int(time.time()), run.deadline)


def say_all(run: Run, lines: list[str]) -> None:
    for line in lines:
        run.result.say(protocol.INFO, line)
