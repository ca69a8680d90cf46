"""Job and result files: the contract of docs/protocol.md in code.

Promises: a job is taken only if its version is known and its fields are of the right kind; a result replaces nothing
half. Unknown fields are ignored.
Called by: `device/worker.py`.
"""

from __future__ import annotations

from device import json_text
from device.core.journal import bounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

VERSION = 1
JOB_MAX_BYTES = 65_536

INGEST, SYNC, STATUS, SELFCHECK, CONFIGURE = "ingest", "sync", "status", "selfcheck", "configure"
SET, TRACK = "set", "track"
SESSIONS, POSITIONS = "sessions", "positions"
IMPORT_HISTORY = "import-history"
IMPORT_PLUGIN = "import-plugin"
RATE, MARK, POSITION, APPLIED = "rate", "mark", "position", "applied"
MATCH, HARDCOVER = "match", "hardcover"
TRUST, SIGN_OUT = "trust", "sign-out"
COLLECT_MARKS, MARKS = "collect-marks", "marks"
JOB_VERBS = (
    INGEST, SYNC, STATUS, SELFCHECK, CONFIGURE, SET, TRACK, IMPORT_HISTORY, IMPORT_PLUGIN, RATE, MARK, POSITION,
    APPLIED, MATCH, HARDCOVER, TRUST, SIGN_OUT, COLLECT_MARKS, MARKS,
)  # fmt: skip
VERBS = (*JOB_VERBS, SESSIONS, POSITIONS)
READERS_CHANGES = (
    SET, TRACK, RATE, MARK, MARKS, POSITION, APPLIED, MATCH, HARDCOVER, TRUST, SIGN_OUT,
)  # fmt: skip  # they wait for a turn
TAP = "tap"  # the reader asked: no pause keeps the run from trying
OPEN = "open"  # a book was opened: what the server knows of it may be newer
NETWORK = "network"  # a network has just come, perhaps another one
UNKNOWN = "unknown"  # of a job that could not be read
TERMINAL = "terminal"  # a person at a command line; never in a job file

DONE, FAILED, NOT_CONFIGURED, OFFLINE = "done", "failed", "not_configured", "offline"
BUSY, UNKNOWN_VERSION = "busy", "unknown_version"
EXIT_CODES = {DONE: 0, FAILED: 1, NOT_CONFIGURED: 3, OFFLINE: 4, BUSY: 5, UNKNOWN_VERSION: 6}
EXIT_USAGE = 2

INFO, WARNING, ERROR = "info", "warning", "error"

DEADLINE_LEAST_S, DEADLINE_MOST_S, DEADLINE_DEFAULT_S = 10, 600, 120
QUESTIONS_MOST, CHANGES_MOST = 5, 20  # of a result: the rest comes with the next one
ARGUMENTS_MOST = 20  # of a job; the menu's items carry one or two
TEXT_MOST_CHARS = 4_000  # of an argument or a path
ID_LEAST_CHARS, ID_MOST_CHARS = 8, 64
UTC_OFFSET_MOST_S = 86_400
UTC_OFFSET_LEAST_S = -43_200  # where it is not told: a date that is too early outranks nothing
_ID_CHARS = frozenset("0123456789abcdefghijklmnopqrstuvwxyz-")


class UnknownVersion(ValueError):
    """A file of a version this program does not know."""


class Job:
    __slots__ = (
        "arguments", "book", "deadline_s", "fraction", "id", "kosync", "proxy", "reason", "utc_offset_s", "verb",
    )  # fmt: skip

    def __init__(self, id: str | None, verb: str, reason: str, deadline_s: int) -> None:
        self.id = id  # None: no result file, the outcome goes to the terminal
        self.verb = verb
        self.reason = reason
        self.deadline_s = deadline_s
        self.arguments: dict[str, Json] = {}  # what the verb is to be done with
        self.book = ""  # the file of the book that is meant; for a job, the one that is open
        self.proxy = ""  # KOReader's HTTP proxy, as a URL
        self.fraction: float | None = None  # where that book is now, 0..1
        self.utc_offset_s = UTC_OFFSET_LEAST_S  # of KOReader's local time
        self.kosync = False  # whether KOReader's own progress sync sends by itself

    def asked_for(self) -> bool:
        """Whether a person waits for this run, rather than KOReader having started it in passing."""
        return self.reason in (TAP, TERMINAL)


class Result:
    """What a run has to say. `counts` as in docs/protocol.md."""

    __slots__ = ("changes", "counts", "messages", "outcome", "questions", "sent")

    def __init__(self) -> None:
        self.outcome = DONE
        self.questions: list[Json] = []  # as in docs/protocol.md
        self.changes: list[Json] = []
        self.sent: dict[str, int] = {}  # acknowledged in this run, by kind
        self.messages: list[tuple[str, str]] = []
        self.counts: dict[str, int] = {"recorded": 0, "sent": 0, "waiting": 0, "rejected": 0}

    def count_sent(self, kind: str) -> None:
        self.counts["sent"] += 1
        self.sent[kind] = self.sent.get(kind, 0) + 1

    def say(self, level: str, text: str) -> None:
        self.messages.append((level, text))


def is_id(text: str) -> bool:
    """Whether `text` can be the id of a journal or job: also a file name that cannot lead out of its folder."""
    return ID_LEAST_CHARS <= len(text) <= ID_MOST_CHARS and _ID_CHARS.issuperset(text)


def read_job(content: bytes) -> Job:
    """Raises UnknownVersion, or ValueError saying what is wrong with the job."""
    fields = json_text.decode(content)
    if not isinstance(fields, dict):
        raise ValueError("it is no JSON object")
    version = fields.get("version")
    if version != VERSION:
        raise UnknownVersion(f"job version {version!r}")
    id, verb, reason = fields.get("job"), fields.get("verb"), fields.get("reason")
    if not isinstance(id, str) or not is_id(id):
        raise ValueError("its id has another form")
    if verb not in JOB_VERBS:
        raise ValueError(f"no verb {verb!r}")
    deadline_s = bounded(fields.get("deadline_s"), DEADLINE_LEAST_S, DEADLINE_MOST_S)
    job = Job(id, str(verb), str(reason), deadline_s or DEADLINE_DEFAULT_S)
    job.arguments = _arguments(fields.get("arguments"))
    book = fields.get("book")
    if isinstance(book, str) and len(book) <= TEXT_MOST_CHARS:
        job.book = book
    proxy = fields.get("proxy")
    if isinstance(proxy, str) and len(proxy) <= TEXT_MOST_CHARS:
        job.proxy = proxy
    fraction = fields.get("fraction")
    if isinstance(fraction, (int, float)) and not isinstance(fraction, bool) and 0 <= fraction <= 1:
        job.fraction = float(fraction)
    offset_s = fields.get("utc_offset_s")
    if isinstance(offset_s, int) and not isinstance(offset_s, bool) and abs(offset_s) <= UTC_OFFSET_MOST_S:
        job.utc_offset_s = offset_s
    job.kosync = fields.get("kosync") is True
    return job


def _arguments(value: Json) -> dict[str, Json]:
    """Plain values only; what is longer or of another kind is left out, and the verb says that it lacks it."""
    if not isinstance(value, dict) or len(value) > ARGUMENTS_MOST:
        return {}
    return {
        name: argument
        for name, argument in value.items()
        if isinstance(argument, (bool, int, float)) or (isinstance(argument, str) and len(argument) <= TEXT_MOST_CHARS)
    }


def result_fields(job: Job, result: Result, now: int) -> Json:
    return {
        "version": VERSION,
        "job": job.id,
        "verb": job.verb,
        "outcome": result.outcome,
        "at": now,
        "messages": [{"level": level, "text": text} for level, text in result.messages],
        "questions": result.questions[:QUESTIONS_MOST],
        "changes": result.changes[:CHANGES_MOST],
        "counts": dict(result.counts),
    }
