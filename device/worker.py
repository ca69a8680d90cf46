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

    from device.command_line import CommandLine
    from device.configure import Setup
    from device.folder import Folder
    from device.protocol import Job, Result

CHANGE_WAITS_S = 20  # a sync of many entries takes longer; then the reader is told that it is going on
CHANGE_ASKS_EVERY_S = 0.2


def main(arguments: list[str]) -> int:
    """Performs one command line (without the program's name) and returns the exit code."""
    if arguments in (["version"], ["--version"]):
        _print(f"booklore-sync {VERSION}")
        return 0
    from device import protocol
    from device.command_line import USAGE, Usage, parse

    if not arguments or arguments[0] in ("help", "--help", "-h"):
        _print(USAGE)
        return 0
    try:
        line = parse(arguments)
    except Usage as problem:
        _print(f"booklore-sync: {problem}\n\n{USAGE}", sys.stderr)
        return protocol.EXIT_USAGE
    if line.verb == protocol.SESSIONS:
        from device.trace import print_sessions

        return print_sessions(line)
    if line.verb == protocol.POSITIONS:
        from device.verbs.positions import print_positions

        return print_positions(line)
    return _perform(line)


def _perform(line: CommandLine) -> int:
    from device import process, protocol
    from device.disk import Disk
    from device.folder import Folder

    process.behave()
    verb, options = line.verb, line.options
    folder = Folder(Disk(), _absolute(options["data"]))
    result = protocol.Result()
    job = protocol.Job(None, verb, protocol.TERMINAL, protocol.DEADLINE_DEFAULT_S)
    job.arguments = line.arguments
    job.book = _absolute(options["book"]) if options.get("book") else ""
    for name in ("statistics", "from"):
        if options.get(name):
            job.arguments[name] = _absolute(options[name])
    try:
        folder.make()
        if "job" in options:
            path = _absolute(options["job"])
            job = protocol.Job(_job_id(path), verb, protocol.UNKNOWN, protocol.DEADLINE_DEFAULT_S)
            job = _read_job(folder, path, verb)
        setup = _collect_setup(folder, options.get("setup")) if verb == protocol.CONFIGURE else None
        process.end_after(job.deadline_s)
        if _gets_its_turn(folder, job):
            _run_alone(folder, job, result, setup)
        else:
            from device.ui import texts

            result.outcome = protocol.BUSY
            if job.asked_for():
                result.say(protocol.INFO, texts.BUSY)
    except protocol.UnknownVersion as problem:
        result.outcome = protocol.UNKNOWN_VERSION
        result.say(protocol.ERROR, f"{options['job']} cannot be used: {problem}. Update BookLore Sync.")
    except ValueError as problem:
        result.outcome = protocol.FAILED
        result.say(protocol.ERROR, str(problem))
    except Exception as problem:
        # The last line of defence: the reader hears that something is wrong, and the log tells us what.
        from device.recovery import storage

        result.outcome = protocol.FAILED
        result.say(protocol.ERROR, storage.in_words(folder, problem))
    return _report(folder, job, result)


def _gets_its_turn(folder: Folder, job: Job) -> bool:
    """Whether this is the only run. A change that the reader made waits a while for the run that is going on; what
    anything else would do is done by that one or the next."""
    from device import process, protocol

    is_change = job.verb in protocol.READERS_CHANGES
    waits_until = time.monotonic() + (CHANGE_WAITS_S if is_change else 0)
    while not process.become_the_only_one(folder.lock):
        if time.monotonic() >= waits_until:
            return False
        time.sleep(CHANGE_ASKS_EVERY_S)
    return True


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
    """A run that fails for a reason that can be mended is tried once more."""
    from device import process, protocol
    from device.recovery.soundness import remedy
    from device.store import database
    from device.ui import texts

    deadline = time.monotonic() + job.deadline_s
    now = int(time.time())
    if job.verb == protocol.SELFCHECK:
        _selfcheck(folder, job, result, deadline)
        return
    said = len(result.messages)
    try:
        _run_on_store(folder, job, result, setup, deadline)
    except database.NewerStore as problem:
        result.outcome = protocol.UNKNOWN_VERSION
        result.say(protocol.ERROR, texts.store_of_newer_version(str(problem), folder.store))
    except Exception as problem:
        del result.messages[said:]
        if not remedy(folder, problem, result, now, process.uptime()):
            raise
        _run_on_store(folder, job, result, setup, deadline)


def _run_on_store(folder: Folder, job: Job, result: Result, setup: Setup | None, deadline: float) -> None:
    from device import process
    from device.recovery import evidence, soundness
    from device.store import database
    from device.verbs.ending import finish
    from device.verbs.run import Run
    from device.verbs.table import run_verb

    now = int(time.time())
    store = database.open_store(folder.disk, folder.store, now)
    try:
        soundness.begin(folder, store, result, now, process.uptime())
        run = Run(folder, store, job, result, deadline)
        run_verb(run, setup)
        evidence.let_go(folder, store)
        finish(run)
    finally:
        store.close()


def _selfcheck(folder: Folder, job: Job, result: Result, deadline: float) -> None:
    from device import protocol
    from device.secrets import Keeper
    from device.selfcheck import BAD, selfcheck

    for finding in selfcheck(folder, Keeper(folder.disk, folder.secrets).load(), deadline, job.proxy):
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
    content = json_text.encode(protocol.result_fields(job, result, int(time.time())))
    try:
        _write_result(folder, f"{folder.results}/{job.id}.json", content)
    except OSError as problem:
        from device.recovery import storage

        _print(f"booklore-sync: the result cannot be written: {storage.in_words(folder, problem)}", sys.stderr)
        return protocol.EXIT_CODES[protocol.FAILED]
    return code


def _write_result(folder: Folder, path: str, content: bytes) -> None:
    """What is kept for the worst case gives way to what the reader is to be told now."""
    try:
        folder.disk.write(path, content)
    except OSError as problem:
        from device.recovery import soundness, storage

        if not storage.is_full(problem) or not soundness.make_room(folder):
            raise
        folder.disk.write(path, content)


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
