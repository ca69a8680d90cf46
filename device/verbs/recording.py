"""From the journal to the server, and the account that is needed for it. Called by: `table.py` and other verbs."""

from __future__ import annotations

import time

from device import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.configure import Setup
    from device.verbs.run import Run


def ingest(run: Run) -> None:
    _collect(run, _take_journals(run), False)


def _take_journals(run: Run) -> list[int]:
    """The books of which a journal was taken."""
    from device import process
    from device.ingest import ingest as take_journals
    from device.store import preferences

    wanted = preferences.load(run.store)
    return take_journals(run.folder, run.store, wanted, run.result, int(time.time()), process.uptime())


def _collect(run: Run, closed: list[int], in_turn: bool) -> None:
    """Highlights and bookmarks from KOReader's records of books."""
    if closed or in_turn:
        from device.verbs.collecting import collect

        collect(run, closed, in_turn)


def sync(run: Run) -> None:
    from device.secrets import Keeper
    from device.ui import texts
    from device.verbs import hardcover

    _collect(run, _take_journals(run), True)
    if run.folder.disk.size_bytes(run.folder.setup) is not None:
        _take_setup_file(run)
    hardcover.take_token_file(run)
    keeper = Keeper(run.folder.disk, run.folder.secrets)
    secrets = keeper.load()
    if secrets is None:
        run.result.outcome = protocol.NOT_CONFIGURED
        if run.job.asked_for():
            run.result.say(protocol.ERROR, texts.NOT_CONFIGURED)
        return
    from device.sending.sync import sync as send

    send(run.folder, run.store, keeper, secrets, run.job, run.result, run.deadline)
    hardcover.send(run)


def _take_setup_file(run: Run) -> None:
    """A mistake in the file is said; an account that is there already goes on working."""
    from device.configure import SetupProblem, collect

    try:
        store_account(run, collect(run.folder, None))
    except SetupProblem as problem:
        run.result.say(protocol.ERROR, str(problem))


def store_account(run: Run, setup: Setup) -> None:
    from device.configure import store_account as keep
    from device.server.address import is_unencrypted
    from device.ui import account_texts, texts

    account = keep(run.folder, run.store, setup)
    if not setup.is_an_account():
        run.result.say(protocol.INFO, account_texts.taken(list(setup.values)))
        return
    run.result.say(protocol.INFO, texts.configured(account.user, account.server))
    for place in account.addresses():
        if is_unencrypted(place):
            run.result.say(protocol.WARNING, account_texts.unencrypted(place))
