"""The end of a run: counts, the menu for the next time it opens, and the sentences that sum the run up.

Promises: after every verb the menu is what it should be.
Called by: `device/worker.py`.
"""

from __future__ import annotations

import time

from device import protocol
from device.verbs.history import is_preview, say_all

UNTRACKED_MAX_BYTES = 65_536  # as much as the launcher reads when a book opens; ingest goes by the store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.protocol import Job, Result
    from device.secrets import Secrets
    from device.store.outbox import OpenEntry
    from device.ui.account_menu import Shown
    from device.verbs.run import Run


def finish(run: Run) -> None:
    """Counts, the menu for the next time it opens, and the sentences that sum the run up."""
    from device.core import outbox as rules
    from device.secrets import Keeper
    from device.store import mark_plans, outbox, preferences, reading_sessions, settings
    from device.ui import account_texts, status

    wanted = preferences.load(run.store)
    entries = outbox.open_entries(run.store)
    has_marks = mark_plans.are_any(run.store)
    if has_marks:
        from device.verbs import annotation_results

        entries += annotation_results.waiting(run.store, wanted)
    # What is kept back because its book is switched off waits for nothing.
    run.result.counts["waiting"] = sum(_waiting(entries).values())
    run.result.counts["rejected"] = sum(entry.count for entry in entries if entry.state == rules.REJECTED)
    secrets = Keeper(run.folder.disk, run.folder.secrets).load_all()
    account = _shown(secrets) if secrets.has_account() else None
    server = None if account is None else account.server
    problem = settings.get(run.store, settings.LAST_PROBLEM)
    offered = _offer(run)
    marks = annotation_results.menu_items(run.store) if has_marks else []
    _write_for_launcher(run, entries, account, secrets.has_others(), problem, offered, marks)
    if run.job.id is not None:
        from device.verbs import book_state_results

        book_state_results.tell(run.store, wanted, run.job, run.result)
        if has_marks:
            annotation_results.tell(run.store, wanted, run.result)
        if run.job.verb == protocol.SYNC:
            book_state_results.warn_of_kosync(run.store, wanted, run.job, run.result)
    if run.job.verb == protocol.STATUS and not is_preview(run.job):
        there = reading_sessions.count_acknowledged(run.store)
        if account is not None and account.unencrypted:
            run.result.say(protocol.WARNING, account_texts.unencrypted(" and ".join(account.unencrypted)))
        from device.verbs import hardcover

        for line in status.report(entries, there, server, problem, int(time.time())) + hardcover.lines(run):
            run.result.say(protocol.INFO, line)
        say_all(run, _lacking(run))
    elif run.job.verb == protocol.SYNC:
        _sum_up(run.job, run.result, entries)


def _lacking(run: Run) -> list[str]:
    """What the account at the server is known not to be allowed, as far as it matters."""
    from device.store import settings

    if not settings.get(run.store, settings.PERMISSIONS):
        return []
    from device.sending import rights
    from device.ui import dialect_texts

    return dialect_texts.lacking(rights.used(run.store))


def _shown(secrets: Secrets) -> Shown:
    from device.server.address import is_unencrypted
    from device.ui.account_menu import Shown

    shown = Shown(secrets.server)
    shown.local_server, shown.network = secrets.local_server, secrets.home_network
    shown.unencrypted = [place for place in secrets.addresses() if is_unencrypted(place)]
    shown.is_pinned = bool(secrets.pins)
    return shown


def _offer(run: Run) -> bool:
    """Whether an older plugin's data could be taken over; said once, and in the menu until it is done or declined."""
    from device.importing.plugin_files import offer
    from device.store import settings
    from device.ui import texts

    files = offer(run.folder, run.store)
    if files is None:
        return False
    if run.job.verb in (protocol.STATUS, protocol.SYNC) and not settings.get(run.store, settings.OFFER_TOLD):
        run.result.say(protocol.INFO, texts.plugin_offer(files))
        with run.store.transaction():
            settings.put(run.store, settings.OFFER_TOLD, "1")
    return True


def _write_for_launcher(
    run: Run,
    entries: list[OpenEntry],
    account: Shown | None,
    has_others: bool,
    problem: str | None,
    offered: bool,
    marks: list[Json],
) -> None:
    from device import json_text
    from device.store import books, preferences, settings
    from device.ui import menu
    from device.verbs import hardcover, matching

    state = menu.State(entries, preferences.load(run.store), int(time.time()))
    state.account = account
    state.has_other_accounts = has_others
    state.server = None if account is None else account.server
    state.problem = problem
    state.lacking = _lacking(run)
    state.last_sync_at = settings.get_int(run.store, settings.LAST_SYNC_AT)
    state.untracked = books.untracked_files(run.store)
    state.offers = menu.plugin_offer() if offered else []
    state.matching = matching.menu_items(run)
    state.hardcover = hardcover.menu_items(run)
    state.marks = marks
    disk, folder = run.folder.disk, run.folder
    disk.write(folder.menu, json_text.encode(menu.menu(state)))
    if state.untracked:
        disk.write(folder.untracked, _lines(state.untracked, UNTRACKED_MAX_BYTES))
    elif disk.size_bytes(folder.untracked) is not None:
        disk.remove(folder.untracked)


def _lines(texts: list[str], limit_bytes: int) -> bytes:
    """One a line, as many as the launcher reads; what would be two lines is left out."""
    content = b""
    for text in texts:
        line = text.encode("utf-8", "replace") + b"\n"
        if b"\n" not in line[:-1] and len(content) + len(line) <= limit_bytes:
            content += line
    return content


def _waiting(entries: list[OpenEntry]) -> dict[str, int]:
    """What is still to be sent, by kind."""
    from device.core import outbox as rules

    found: dict[str, int] = {}
    for entry in entries:
        if entry.tracked and entry.state != rules.REJECTED:
            found[entry.kind] = found.get(entry.kind, 0) + entry.count
    return found


def _sum_up(job: Job, result: Result, entries: list[OpenEntry]) -> None:
    from device.core import outbox as rules
    from device.ui import status, texts

    if result.sent:
        result.say(protocol.INFO, texts.sent_things(result.sent))
    told: set[str] = set()
    for entry in entries:
        if entry.state != rules.WAITING or not entry.tracked or not (job.asked_for() or result.counts["recorded"]):
            continue
        text = texts.unmatched(entry.title, status.why(entry))
        if text not in told:
            result.say(protocol.INFO, text)
            told.add(text)
    if job.asked_for() and result.outcome == protocol.DONE and not result.messages:
        waiting = _waiting(entries)
        result.say(protocol.INFO, texts.still_waiting(waiting) if waiting else texts.NOTHING_WAITS)
