"""The command line: which verb, with which options and words.

Called by: `device/worker.py`. Law: docs/protocol.md, “Command”.
"""

from __future__ import annotations

from device import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json

USAGE = """\
usage: booklore-sync VERB --data FOLDER [--job FILE]

  configure [--setup FILE]       set the server account from FILE, from FOLDER/setup.txt, or by asking
  ingest                         take finished readings from the journal into the store
  sync                           ingest, then send what waits to the server
  status                         say what waits, for which book, since when and why
         --history               ... say what an import of KOReader's reading statistics would bring
  import-history                 take over from KOReader's statistics what was read before and is not recorded
         [--statistics FILE]     ... from FILE, not from settings/statistics.sqlite3 beside FOLDER; also for status
  import-plugin [--from FOLDER]  take over what the old Lua plugin left, in KOReader's own folder or in FOLDER
         [--decline]             ... take nothing, and do not offer it again
  collect-marks                  take the highlights and bookmarks of all books that KOReader has opened
  trust FINGERPRINT|none         believe the server's certificate with this SHA-256 fingerprint, and no other
  sign-out                       remove account, password and tokens from this device; what was recorded stays
  selfcheck                      try store, clock, certificates and server
  set [KEY VALUE]                change a preference; without KEY and VALUE, list them
  rate --book FILE 1..10|none    what the reader thinks of a book
  mark --book FILE STATUS        its read status: read, reading, paused, abandoned or unread
  marks --book FILE delete|restore
                                 what is to become of many highlights that are gone on one side
  track --book FILE on|off       whether the reading of a book is recorded and sent
  match --book FILE [NUMBER|TITLE|none|again]
                                 which book on the server a file is: say it, set it, look for a title, undo it
  hardcover --book FILE [NUMBER|TITLE|none]
                                 which book at Hardcover a file is: say it, set it, search for it, or none
  sessions [TRACE]               print the reading sessions in a trace, one JSON object a line; needs no FOLDER
           [--koreader-cap S]    ... counted as KOReader's statistics do, at most S seconds a page (there: 120)
  positions BOOK                 highlights of an EPUB, one JSON object a line on standard input, as the web reader
                                 finds them; needs no FOLDER
           [--reverse]           ... from the web reader's CFIs to KOReader's xpointers
           [--dom N]             ... for KOReader's DOM version N, as the book's sidecar has it
  version                        print the version
"""

TRACE, KOREADER_CAP = "trace", "koreader_cap"
FINGERPRINT = "fingerprint"  # of `trust`
KEY, VALUE, ON = "key", "value", "on"  # arguments of `set` and `track`, as in a job
RATING, STATUS, ANSWER = "rating", "status", "answer"  # of `rate`, `mark` and `marks`
HISTORY, STATISTICS = "history", "statistics"  # of `status` and `import-history`
FROM, DECLINE = "from", "decline"  # of `import-plugin`
BOOK_FILE, DOM, REVERSE = "book_file", "dom", "reverse"  # of `positions`

# Options with a value, and what each verb takes besides: its words, in order.
OPTIONS = {
    "--data": "data",
    "--job": "job",
    "--setup": "setup",
    "--book": "book",
    "--koreader-cap": KOREADER_CAP,
    "--statistics": STATISTICS,
    "--from": FROM,
    "--dom": DOM,
}
FLAGS = {"--history": HISTORY, "--decline": DECLINE, "--reverse": REVERSE}
WORDS: dict[str, tuple[str, ...]] = {
    protocol.SET: (KEY, VALUE),
    protocol.TRACK: (ON,),
    protocol.TRUST: (FINGERPRINT,),
    protocol.HARDCOVER: (VALUE,),
    protocol.MATCH: (VALUE,),
    protocol.RATE: (RATING,),
    protocol.MARK: (STATUS,),
    protocol.MARKS: (ANSWER,),
    protocol.SESSIONS: (TRACE,),
    protocol.POSITIONS: (BOOK_FILE,),
}
WITHOUT_DATA = (protocol.SESSIONS, protocol.POSITIONS)
VALUE_MAX_CHARS = 4_000  # a path


class Usage(Exception):
    """The command line is wrong; the text says how."""


class CommandLine:
    """`options` by name, `arguments` as a job would carry them."""

    __slots__ = ("arguments", "options", "verb")

    def __init__(self, verb: str) -> None:
        self.verb = verb
        self.options: dict[str, str] = {}
        self.arguments: dict[str, Json] = {}


def parse(arguments: list[str]) -> CommandLine:
    """Raises Usage."""
    line = CommandLine(arguments[0])
    if line.verb not in protocol.VERBS:
        raise Usage(f"there is no verb {line.verb!r}")
    words = list(WORDS.get(line.verb, ()))
    rest = list(arguments[1:])
    while rest:
        text = rest.pop(0)
        if len(text) > VALUE_MAX_CHARS:
            raise Usage("a path is too long")
        if text in FLAGS:
            line.arguments[FLAGS[text]] = True
        elif text in OPTIONS and rest:
            line.options[OPTIONS[text]] = rest.pop(0)
        elif words and not text.startswith("--"):
            line.arguments[words.pop(0)] = text
        else:
            raise Usage(f"{text!r} is unknown or lacks its value")
    for value in line.options.values():
        if len(value) > VALUE_MAX_CHARS:
            raise Usage("a path is too long")
    if not line.options.get("data") and line.verb not in WITHOUT_DATA:
        raise Usage("--data FOLDER is missing")
    return line
