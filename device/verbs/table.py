"""The table of verbs. A verb's module is loaded when the verb is asked for, for the start costs time.

Promises: a verb says what came of it through the run's result.
Called by: `device/worker.py`. Never: decides what is sent or counted; `device/core` does.
"""

from __future__ import annotations

from device import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.configure import Setup
    from device.verbs.run import Run


def run_verb(run: Run, setup: Setup | None) -> None:
    """Raises ValueError with a text for the reader, OSError, or what the store raises."""
    if setup is not None:
        from device.verbs.recording import store_account

        store_account(run, setup)
        return
    VERBS[run.job.verb](run)


def _ingest(run: Run) -> None:
    from device.verbs.recording import ingest

    ingest(run)


def _sync(run: Run) -> None:
    from device.verbs.recording import sync

    sync(run)


def _status(run: Run) -> None:
    from device.verbs.history import status

    status(run)


def _import_history(run: Run) -> None:
    from device.verbs.history import import_history

    import_history(run)


def _import_plugin(run: Run) -> None:
    from device.verbs.history import import_plugin

    import_plugin(run)


def _collect_marks(run: Run) -> None:
    from device.verbs.collecting import collect_all

    collect_all(run)


def _set(run: Run) -> None:
    from device.verbs.settings import set_preference

    set_preference(run)


def _track(run: Run) -> None:
    from device.verbs.settings import track

    track(run)


def _match(run: Run) -> None:
    from device.verbs.matching import match

    _ingest(run)
    match(run)


def _hardcover(run: Run) -> None:
    from device.verbs.hardcover import hardcover

    hardcover(run)


def _trust(run: Run) -> None:
    from device.verbs.account import trust

    trust(run)


def _sign_out(run: Run) -> None:
    from device.verbs.account import sign_out

    sign_out(run)


def _rate(run: Run) -> None:
    from device.verbs.book_states import rate

    rate(run)


def _mark(run: Run) -> None:
    from device.verbs.book_states import mark

    mark(run)


def _marks(run: Run) -> None:
    from device.verbs.annotations import answer

    answer(run)


def _position(run: Run) -> None:
    from device.verbs.book_states import position

    position(run)


def _applied(run: Run) -> None:
    from device.verbs.book_states import applied

    applied(run)


VERBS: dict[str, Callable[[Run], None]] = {
    protocol.INGEST: _ingest,
    protocol.SYNC: _sync,
    protocol.STATUS: _status,
    protocol.SET: _set,
    protocol.TRACK: _track,
    protocol.IMPORT_HISTORY: _import_history,
    protocol.IMPORT_PLUGIN: _import_plugin,
    protocol.COLLECT_MARKS: _collect_marks,
    protocol.MATCH: _match,
    protocol.HARDCOVER: _hardcover,
    protocol.TRUST: _trust,
    protocol.SIGN_OUT: _sign_out,
    protocol.RATE: _rate,
    protocol.MARK: _mark,
    protocol.MARKS: _marks,
    protocol.POSITION: _position,
    protocol.APPLIED: _applied,
}
