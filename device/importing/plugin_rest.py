"""What is left of KOReader's sessions that were taken back because the old plugin had sent a part of their time.

Promises: the rest of their time is imported again from KOReader's statistics, in the same run if that can be, else it
is said how; what is owed is remembered until it is done.
Called by: `device/importing/plugin_import.py`, when everything that the old plugin had sent is noted.
"""

from __future__ import annotations

from device.importing.history import HistoryProblem, import_history, statistics_path
from device.store import plugin_records as records
from device.store import preferences, settings
from device.ui import texts
from device.ui.history import import_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.folder import Folder
    from device.protocol import Result
    from device.store.database import Store


def is_owed(store: Store) -> bool:
    return settings.get(store, records.REST_IN) is not None


def bring_back(folder: Folder, store: Store, result: Result, now: int, deadline: float) -> list[str]:
    """What to tell. Raises what the store raises."""
    path = statistics_path(folder, settings.get(store, records.REST_IN))
    try:
        outcome = import_history(folder, store, path, preferences.load(store), now, deadline, _no_report)
    except (HistoryProblem, OSError) as problem:
        return [str(problem), texts.PLUGIN_REST_LATER]
    if outcome.complete:
        with store.transaction():
            settings.remove(store, records.REST_IN)
    result.counts["recorded"] += outcome.total.sessions
    return [texts.PLUGIN_REST, *import_lines(outcome)]


def _no_report(done: int, total: int) -> None:
    """The statistics were read before; nobody waits for their number."""
