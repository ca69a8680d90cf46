"""Runs the stand-in for the demo and for people: `python -m tests.sandbox --port 8765 --user anna:secret`.

Promises: prints one line with the address once it can be asked; ends with status 0 on SIGTERM or Ctrl-C; started again
with the same database it goes on where it was, and adds neither users nor books twice.
Never: meant for anything but the own machine or a test network; passwords are stored as they are.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from tests.sandbox.database import IN_MEMORY
from tests.sandbox.dialects import DIALECTS
from tests.sandbox.recorder import RecordedRequest
from tests.sandbox.stand_in import StandIn

LOOK_EVERY_S = 0.5  # for new requests, with --verbose


def main() -> int:
    options = _options().parse_args()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = StandIn(
        dialect=options.dialect,
        database=options.database,
        tls=_certificate(options.tls_dir) if options.tls_dir else None,
        host=options.host,
        port=options.port,
    )
    for username, password in options.user:
        if not server.has_user(username):
            user_id = server.add_user(username, password)
            server.add_koreader_account(user_id, username, password)
    for book in _books(options.books):
        if not server.has_file(str(book["file_name"])):
            server.add_book(**book)  # type: ignore[arg-type]  # a wrong field in the file is told by Python itself
    try:
        server.start()
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"listening on {server.url}/", flush=True)
    shown = 0
    while not stopped.wait(LOOK_EVERY_S if options.verbose else None):
        for record in server.requests[shown:]:
            print(_line(record), file=sys.stderr, flush=True)
            shown += 1
    server.stop()
    for defect in server.defects:
        print(defect, file=sys.stderr)
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description="A stand-in for a BookLore server.")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="booklore")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one")
    parser.add_argument("--database", default=IN_MEMORY, help="SQLite file; without it everything is forgotten")
    parser.add_argument("--user", action="append", default=[], type=_name_and_password, metavar="NAME:PASSWORD")
    parser.add_argument("--books", type=Path, help="JSON list of books with the arguments of StandIn.add_book")
    parser.add_argument("--tls-dir", type=Path, help="HTTPS with an authority and a certificate made in this folder")
    parser.add_argument("--verbose", action="store_true", help="one line on standard error for each request")
    return parser


def _name_and_password(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not name or not colon or not password:
        raise argparse.ArgumentTypeError("must be NAME:PASSWORD")
    return name, password


def _books(path: Path | None) -> list[dict[str, object]]:
    if path is None:
        return []
    books = json.loads(path.read_text(encoding="utf-8"))
    return [{"file_name": "book.epub", **book} for book in books]


def _certificate(folder: Path) -> tuple[Path, Path]:
    # Only here, so that without TLS the standard library is enough: the demo installs nothing for the stand-in.
    from tests.sandbox.certificates import make_authority, make_server_certificate

    folder.mkdir(parents=True, exist_ok=True)
    return make_server_certificate(folder, make_authority(folder))


def _line(record: RecordedRequest) -> str:
    outcome = record.status if record.status is not None else f"({record.fault or 'no answer'})"
    return f"{record.connection:4} {record.method:6} {record.path} {outcome} {record.bytes_in}/{record.bytes_out} bytes"


if __name__ == "__main__":
    sys.exit(main())
