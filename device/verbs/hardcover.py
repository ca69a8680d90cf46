"""Hardcover in the worker's verbs: the reader's choice of a book there, the token file, and what a sync adds.

Promises: a choice is kept before anything is asked; what waited for it goes out in the same run, if there is a network.
Called by: `device/verbs/`. Law: docs/protocol.md, “Command”.
"""

from __future__ import annotations

import time

from device import protocol
from device.ui import hardcover_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.secrets import Keeper
    from device.server.hardcover import Hardcover
    from device.store.hardcover import Subject
    from device.ui.hardcover_menu import Waiting
    from device.verbs.run import Run

TOKEN_FILE = "hardcover_token.txt"
TOKEN_KEYS = ("token", "hardcover_token")  # as in setup.txt; the bare token does as well
TOKEN_FILE_MAX_BYTES = 16_384
NONE = "none"  # the answer that a book is not there
TITLE_MAX_CHARS = 200


# The token file


def take_token_file(run: Run) -> None:
    """Reads it once, keeps what it holds, removes it. What is no token is said, and the file stays."""
    path = f"{run.folder.path}/{TOKEN_FILE}"
    if run.folder.disk.size_bytes(path) is None:
        return
    from device.core import hardcover as rules
    from device.sending.hardcover import forget_problems
    from device.server import address
    from device.store import hardcover, settings

    content = run.folder.disk.read(path, TOKEN_FILE_MAX_BYTES) or b""
    pasted, server = _parse(content)
    token = rules.token(pasted)
    if not token:
        run.result.say(protocol.ERROR, texts.NO_TOKEN_IN_FILE)
        return
    try:
        server = str(address.parse(server)) if server else ""
    except ValueError as problem:
        run.result.say(protocol.ERROR, texts.not_a_server(problem))
        return
    keeper = _keeper(run)
    secrets = keeper.load_all()
    secrets.hardcover_token = token
    keeper.save(secrets)
    with run.store.transaction():
        forget_problems(run.store)
        if server:
            settings.put(run.store, hardcover.SERVER, server)
        else:
            settings.remove(run.store, hardcover.SERVER)
    run.folder.disk.remove(path)
    run.result.say(protocol.INFO, texts.TOKEN_TAKEN)


def _parse(content: bytes) -> tuple[str, str]:
    """What was pasted, and the address of a line `server = …`, which is for tests."""
    pasted, server = "", ""
    for line in content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").splitlines():
        key, separator, value = line.partition("=")
        if separator and key.strip().lower() == "server":
            server = value.strip()
        elif separator and key.strip().lower() in TOKEN_KEYS:
            pasted += value + " "
        elif not line.startswith("#"):
            pasted += line + " "
    return pasted, server


def _keeper(run: Run) -> Keeper:
    from device.secrets import Keeper

    return Keeper(run.folder.disk, run.folder.secrets)


# What a sync adds


def send(run: Run) -> None:
    """Sends what waits for Hardcover, after all else and in what is left of the run's time."""
    from device.sending import hardcover
    from device.sending.clock import Clock

    secrets = _keeper(run).load_all()
    if not secrets.hardcover_token:
        return
    clock = Clock()
    now = clock.wall_s()
    hardcover.send(run.store, secrets, run.job.proxy, run.result, run.deadline, clock, now, run.job.asked_for())


def waiting(run: Run) -> tuple[list[Waiting], str] | None:
    """What waits, book by book, and what keeps it from going out; None without a token."""
    if not _keeper(run).load_all().hardcover_token:
        return None
    from device.core import hardcover as rules
    from device.core import preferences as table
    from device.sending.hardcover import grouped, waits_for_choice
    from device.store import hardcover, preferences, settings
    from device.ui.hardcover_menu import Waiting

    found = []
    for work in grouped(hardcover.wishes(run.store)):
        if rules.needs_nothing(work.wanted()):
            continue
        counts: dict[str, int] = {wish.field: 1 for wish in work.wishes}
        reason = next((wish.reason for wish in work.wishes if wish.reason), None)
        choice = waits_for_choice(work.subject)
        why = reason or texts.NEXT_SYNC
        if choice:
            several = hardcover.candidates(run.store, work.subject.id)
            why = texts.WAITS_FOR_CHOICE if several else texts.NOT_FOUND
        found.append(Waiting(work.subject.id, work.subject.title, counts, why, choice or reason is not None))
    problem = settings.get(run.store, hardcover.PROBLEM) or ""
    if preferences.load(run.store).get(table.HARDCOVER_SYNC) == table.OFF:
        problem = texts.SWITCHED_OFF
    return found, problem


def menu_items(run: Run) -> list[Json]:
    """The submenu, if there is one."""
    found = waiting(run)
    if found is None:
        return []
    from device.ui.hardcover_menu import section

    return [section(*found)]


def lines(run: Run) -> list[str]:
    """For the status report."""
    found = waiting(run)
    if found is None:
        return []
    from device.ui.hardcover_menu import report

    return report(*found)


# The reader's choice


def hardcover(run: Run) -> None:
    """Which book at Hardcover a file is: says it, asks, or takes an answer. Raises ValueError."""
    from device.core import hardcover as rules

    take_token_file(run)
    token = rules.token(_keeper(run).load_all().hardcover_token)
    if not token:
        raise ValueError(texts.NO_TOKEN)
    subject = _subject(run)
    value = run.job.arguments.get("value")
    number = _number(run, value)
    if number is not None:
        _choose(run, subject, number)
    elif value == NONE:
        _rule_out(run, subject)
    elif isinstance(value, str) and value.strip():
        _search(run, subject, token, value.strip()[:TITLE_MAX_CHARS])
    else:
        _tell(run, subject, token)


def _subject(run: Run) -> Subject:
    from device.store import books, hardcover

    book_id = run.job.arguments.get("book_id")
    if not isinstance(book_id, int) or isinstance(book_id, bool):
        if not run.job.book:
            raise ValueError(texts.WHICH_BOOK)
        book_id = books.with_file(run.store, run.job.book)
    subject = None if book_id is None else hardcover.subject(run.store, book_id)
    if subject is None:
        raise ValueError(texts.UNKNOWN_BOOK)
    return subject


def _number(run: Run, value: Json) -> int | None:
    """A book's number at Hardcover. Digits that were typed on the device are a title: `1984`."""
    from device.core.hardcover_answers import ID_MOST

    if isinstance(value, str) and run.job.reason == protocol.TERMINAL and value.isascii() and value.isdigit():
        value = int(value) if len(value) <= 10 else 0
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if not 0 < value <= ID_MOST:
        raise ValueError(texts.no_number(value))
    return value


def _choose(run: Run, subject: Subject, number: int) -> None:
    from device.sending.hardcover import keep_candidates
    from device.store import hardcover

    label = _label(run, subject, number)
    with run.store.transaction():
        hardcover.identify(run.store, subject.id, number, None)
        keep_candidates(run.store, subject.id, [(number, label)] if label else [])
        if number != subject.known_id:
            hardcover.retry(run.store, subject.id)
    run.result.say(protocol.INFO, texts.is_book(subject.title, number, label))
    send(run)


def _label(run: Run, subject: Subject, number: int) -> str:
    """What the book is called there, if that is remembered."""
    from device.store import hardcover

    return next((one.label for one in hardcover.candidates(run.store, subject.id) if one.remote_id == number), "")


def _rule_out(run: Run, subject: Subject) -> None:
    from device.store import hardcover

    with run.store.transaction():
        hardcover.identify(run.store, subject.id, None, hardcover.NOT_THERE)
        hardcover.forget_candidates(run.store, subject.id)
    run.result.say(protocol.INFO, texts.is_no_book(subject.title))


def _tell(run: Run, subject: Subject, token: str) -> None:
    """What is known; where nothing is, it is looked for."""
    from device.core import hardcover as rules
    from device.store import hardcover

    if subject.known_id is not None:
        label = _label(run, subject, subject.known_id)
        run.result.say(protocol.INFO, texts.is_book(subject.title, subject.known_id, label))
    elif subject.looked_for == hardcover.NOT_THERE:
        run.result.say(protocol.INFO, texts.is_no_book(subject.title))
    elif not hardcover.candidates(run.store, subject.id) and subject.title:
        _search(run, subject, token, rules.search_text(subject.title, subject.authors))
        return
    _offer(run, subject)


def _search(run: Run, subject: Subject, token: str, text: str) -> None:
    """What Hardcover finds is offered; the reader chooses, even if there is only one."""
    from device.sending.clock import Clock
    from device.sending.hardcover import keep_candidates, search, with_api

    clock = Clock()
    found: list[tuple[int, str]] = []

    def use(api: Hardcover, _until: float) -> None:
        found.extend((hit.id, hit.label()) for hit in search(api.ask, text))

    now = int(time.time())
    if not with_api(run.store, token, run.job.proxy, run.result, run.deadline, clock, now, True, use):
        run.result.outcome = protocol.OFFLINE
        return
    with run.store.transaction():
        keep_candidates(run.store, subject.id, found)
    if not found:
        run.result.say(protocol.INFO, texts.no_hits(text))
    _offer(run, subject)


def _offer(run: Run, subject: Subject) -> None:
    """The candidates: as a question on the device, as lines at a terminal."""
    from device.store import hardcover
    from device.ui.hardcover_menu import question

    found = hardcover.candidates(run.store, subject.id)
    candidates = [(one.remote_id, one.label) for one in found if one.remote_id != subject.known_id]
    if run.job.reason != protocol.TERMINAL:
        run.result.questions.append(question(subject.id, subject.title, candidates))
        return
    for id, label in candidates:
        run.result.say(protocol.INFO, texts.candidate(id, label))
