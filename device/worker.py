"""The one-shot run: command line or job in, one verb performed, result file or text out, exit code.

Promises: whatever happens, a run that was asked for by a job leaves a result file, and a run ends. Only one run at a
time touches the data folder. Nothing heavy is imported before it is needed: `version` needs nothing.
Never: decides; the verbs' modules and `device/core` do.
Called by: `device/__main__.py`, which is the program.
"""

from __future__ import annotations

import sys
import time

from device.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from device.configure import Setup
    from device.folder import Folder
    from device.protocol import Job, Result
    from device.store.database import Store
    from device.store.outbox import OpenEntry

USAGE = """\
usage: booklore-sync VERB --data FOLDER [--job FILE]

  configure [--setup FILE]  set the server account from FILE, from FOLDER/setup.txt, or by asking
  ingest                    take finished readings from the journal into the store
  sync                      ingest, then send what waits to the server
  status                    say what waits, for which book, since when and why
  selfcheck                 try store, clock, certificates and server
  version                   print the version
"""
OPTIONS = {"--data": "data", "--job": "job", "--setup": "setup"}
PATH_MAX_CHARS = 4_000


class Usage(Exception):
    """The command line is wrong; the text says how."""


def main(arguments: list[str]) -> int:
    """Performs one command line (without the program's name) and returns the exit code."""
    if arguments in (["version"], ["--version"]):
        _print(f"booklore-sync {VERSION}")
        return 0
    if not arguments or arguments[0] in ("help", "--help", "-h"):
        _print(USAGE)
        return 0
    from device import protocol

    try:
        verb, options = parse(arguments)
    except Usage as problem:
        _print(f"booklore-sync: {problem}\n\n{USAGE}", sys.stderr)
        return protocol.EXIT_USAGE
    return _perform(verb, options)


def parse(arguments: list[str]) -> tuple[str, dict[str, str]]:
    """(verb, options) of a command line. Raises Usage."""
    from device import protocol

    verb = arguments[0]
    if verb not in protocol.JOB_VERBS:
        raise Usage(f"there is no verb {verb!r}")
    options: dict[str, str] = {}
    rest = list(arguments[1:])
    while rest:
        name = rest.pop(0)
        if name not in OPTIONS or not rest:
            raise Usage(f"{name!r} is unknown or lacks its value")
        options[OPTIONS[name]] = rest.pop(0)
    if not options.get("data"):
        raise Usage("--data FOLDER is missing")
    for value in options.values():
        if len(value) > PATH_MAX_CHARS:
            raise Usage("a path is too long")
    return verb, options


def _perform(verb: str, options: dict[str, str]) -> int:
    from device import process, protocol
    from device.disk import Disk
    from device.folder import Folder

    process.behave()
    folder = Folder(Disk(), _absolute(options["data"]))
    result = protocol.Result()
    job = protocol.Job(None, verb, protocol.TERMINAL, protocol.DEADLINE_DEFAULT_S)
    try:
        folder.make()
        if "job" in options:
            path = _absolute(options["job"])
            job = protocol.Job(_job_id(path), verb, protocol.UNKNOWN, protocol.DEADLINE_DEFAULT_S)
            job = _read_job(folder, path, verb)
        setup = _collect_setup(folder, options.get("setup")) if verb == protocol.CONFIGURE else None
        process.end_after(job.deadline_s)
        if process.become_the_only_one(folder.lock):
            _run_alone(folder, job, result, setup)
        else:
            from device.ui import texts

            result.outcome = protocol.BUSY
            if job.asked_for():
                result.say(protocol.INFO, texts.BUSY)
    except protocol.UnknownVersion as problem:
        result.outcome = protocol.UNKNOWN_VERSION
        result.say(protocol.ERROR, f"{options['job']} cannot be used: {problem}. Update BookLore Sync.")
    except (OSError, ValueError) as problem:
        result.outcome = protocol.FAILED
        result.say(protocol.ERROR, str(problem))
    except Exception as problem:
        # The last line of defence: the reader hears that something is wrong, and the log tells us what.
        result.outcome = protocol.FAILED
        result.say(protocol.ERROR, f"BookLore Sync failed: {type(problem).__name__}: {problem}")
    return _report(folder, job, result)


def _job_id(path: str) -> str | None:
    """The id that a job file's name gives it: a job that cannot be read gets its result all the same."""
    from device import protocol

    name = path.rpartition("/")[2].removesuffix(".json")
    return name if protocol.is_id(name) else None


def _collect_setup(folder: Folder, setup_path: str | None) -> Setup:
    from device.configure import collect

    return collect(folder, None if setup_path is None else _absolute(setup_path))


def _read_job(folder: Folder, path: str, verb: str) -> Job:
    from device import protocol

    content = folder.disk.read(path, protocol.JOB_MAX_BYTES)
    if content is None:
        raise ValueError(f"the job file {path} is missing")
    try:
        job = protocol.read_job(content)
    except protocol.UnknownVersion:
        raise
    except ValueError as problem:
        raise ValueError(f"the job file {path} cannot be used: {problem}") from problem
    if job.verb != verb:
        raise ValueError(f"the job file {path} is for {job.verb!r}, not for {verb!r}")
    folder.disk.remove(path)
    return job


def _run_alone(folder: Folder, job: Job, result: Result, setup: Setup | None) -> None:
    from device import protocol
    from device.store import database

    deadline = time.monotonic() + job.deadline_s
    now = int(time.time())
    if job.verb == protocol.SELFCHECK:
        _selfcheck(folder, result, deadline)
        return
    try:
        store = database.open_store(folder.disk, folder.store, now)
        try:
            if store.set_aside is not None:
                from device.ui import texts

                result.say(protocol.WARNING, texts.store_set_aside(store.set_aside))
            _run_verb(folder, store, job, result, setup, deadline)
            _finish(folder, store, job, result)
        finally:
            store.close()
    except database.NewerStore as problem:
        result.outcome = protocol.UNKNOWN_VERSION
        result.say(protocol.ERROR, f"{problem}. Update BookLore Sync.")
    except database.Error as problem:
        if database.is_damage(problem):
            from device.ui import texts

            moved_to = database.set_aside(folder.disk, folder.store, now)
            raise OSError(texts.store_set_aside(moved_to)) from problem
        message = f"the store {folder.store} failed: {problem}. What is not in it yet stays in the journal."
        raise OSError(message) from problem


def _run_verb(folder: Folder, store: Store, job: Job, result: Result, setup: Setup | None, deadline: float) -> None:
    from device import protocol

    if setup is not None:
        _store_account(folder, store, result, setup)
        return
    if job.verb == protocol.STATUS:
        return
    from device.core.reading_session import Rules
    from device.ingest import ingest

    ingest(folder, store, Rules(), result, int(time.time()))
    if job.verb == protocol.SYNC:
        _sync(folder, store, job, result, deadline)


def _store_account(folder: Folder, store: Store, result: Result, setup: Setup) -> None:
    from device import protocol
    from device.configure import store_account
    from device.ui import texts

    store_account(folder, store, setup)
    result.say(protocol.INFO, texts.configured(setup.account.user, setup.account.server))


def _sync(folder: Folder, store: Store, job: Job, result: Result, deadline: float) -> None:
    from device import protocol
    from device.secrets import Keeper
    from device.ui import texts

    if folder.disk.size_bytes(folder.setup) is not None:
        _take_setup_file(folder, store, result)
    keeper = Keeper(folder.disk, folder.secrets)
    secrets = keeper.load()
    if secrets is None:
        result.outcome = protocol.NOT_CONFIGURED
        if job.asked_for():
            result.say(protocol.ERROR, texts.NOT_CONFIGURED)
        return
    from device.sync import sync

    sync(store, keeper, secrets, job, result, deadline)


def _take_setup_file(folder: Folder, store: Store, result: Result) -> None:
    """A mistake in the file is said; an account that is there already goes on working."""
    from device import protocol
    from device.configure import SetupProblem

    try:
        _store_account(folder, store, result, _collect_setup(folder, None))
    except SetupProblem as problem:
        result.say(protocol.ERROR, str(problem))


def _finish(folder: Folder, store: Store, job: Job, result: Result) -> None:
    """Counts, the menu for the next time it opens, and the sentences that sum the run up."""
    from device import json_text, protocol
    from device.core import outbox as rules
    from device.secrets import Keeper
    from device.store import outbox, settings
    from device.ui import status

    counts = outbox.counts(store)
    result.counts["waiting"] = sum(counts.get(state, 0) for state in (rules.NEW, rules.INTENT, rules.WAITING))
    result.counts["rejected"] = counts.get(rules.REJECTED, 0)
    entries = outbox.open_entries(store)
    secrets = Keeper(folder.disk, folder.secrets).load()
    server = None if secrets is None else secrets.server
    now = int(time.time())
    problem = settings.get(store, settings.LAST_PROBLEM)
    menu = status.menu(entries, server, settings.get_int(store, settings.LAST_SYNC_AT), problem, now)
    folder.disk.write(folder.menu, json_text.encode(menu))
    if job.verb == protocol.STATUS:
        for line in status.report(entries, counts.get(rules.ACKNOWLEDGED, 0), server, problem, now):
            result.say(protocol.INFO, line)
    elif job.verb == protocol.SYNC:
        _sum_up(job, result, entries)


def _sum_up(job: Job, result: Result, entries: list[OpenEntry]) -> None:
    from device import protocol
    from device.core import outbox as rules
    from device.ui import status, texts

    if result.counts["sent"]:
        result.say(protocol.INFO, texts.sent(result.counts["sent"]))
    for entry in entries:
        if entry.state == rules.WAITING and (job.asked_for() or result.counts["recorded"]):
            result.say(protocol.INFO, texts.unmatched(entry.title, entry.reason or status.WHY[entry.state]))
    if job.asked_for() and result.outcome == protocol.DONE and not result.messages:
        waiting = result.counts["waiting"]
        result.say(protocol.INFO, texts.still_waiting(waiting) if waiting else texts.NOTHING_WAITS)


def _selfcheck(folder: Folder, result: Result, deadline: float) -> None:
    from device import protocol
    from device.secrets import Keeper
    from device.selfcheck import BAD, selfcheck

    for finding in selfcheck(folder, Keeper(folder.disk, folder.secrets).load(), deadline):
        bad = finding.verdict == BAD
        result.say(protocol.ERROR if bad else protocol.INFO, finding.line())
        if bad:
            result.outcome = protocol.FAILED


def _report(folder: Folder, job: Job, result: Result) -> int:
    from device import json_text, protocol

    for level, text in result.messages:
        folder.log(f"{job.verb} {level}: {text}")
    counts = " ".join(f"{name}={count}" for name, count in result.counts.items())
    folder.log(f"{job.verb} ({job.reason}): {result.outcome}, {counts}")
    code = protocol.EXIT_CODES[result.outcome]
    if job.id is None:
        for level, text in result.messages:
            _print(text, sys.stdout if level == protocol.INFO else sys.stderr)
        if job.verb == protocol.INGEST and code == 0:
            _print(f"{result.counts['recorded']} recorded, {result.counts['waiting']} to be sent")
        return code
    fields = protocol.result_fields(job, result, int(time.time()))
    try:
        folder.disk.write(f"{folder.results}/{job.id}.json", json_text.encode(fields))
    except OSError as problem:
        _print(f"booklore-sync: the result cannot be written: {problem}", sys.stderr)
        return protocol.EXIT_CODES[protocol.FAILED]
    return code


def _absolute(path: str) -> str:
    import posix

    # A path of the command line is bytes that Python has decoded; the launcher's are absolute already.
    return path.rstrip("/") or "/" if path.startswith("/") else f"{posix.getcwd()}/{path}".rstrip("/")


def _print(text: str, stream: TextIO | None = None) -> None:
    """To a terminal that may be gone, or not speak UTF-8: neither may end the run."""
    try:
        print(text, file=stream or sys.stdout, flush=True)
    except (OSError, ValueError):
        return
