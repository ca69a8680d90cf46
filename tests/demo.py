"""`make demo`: an evening's reading of a real book, from the page turn to the server.

The real launcher runs under LuaJIT in a small fake of KOReader, starts the real worker (from this checkout, without the
cross build), and that syncs with a stand-in for BookLore. At the end the terminal shows what arrived, and a page in the
browser shows it too, until Enter or Ctrl-C. Where nobody can press a key it ends by itself.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.fixtures.make_books import describe, make_keepers_log, make_odd_book
from tests.reader import ROOT, Reader
from tests.sandbox import StandIn

PLAYER = "tests/launcher/play.lua"
PLAYER_LIMIT_S = 90
COLUMNS = (("book", 34), ("began (UTC)", 20), ("read", 9), ("pages", 9), ("progress", 16))


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="booklore-sync-demo-") as folder:
        return _demo(Path(folder))


def _demo(folder: Path) -> int:
    log_book, odd_book = folder / "The Keeper's Log.epub", folder / "odd.epub"
    make_keepers_log(log_book)
    make_odd_book(odd_book)
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    described = [describe(book) for book in (log_book, odd_book)]
    for book in described:
        server.add_book(
            title=str(book["title"]),
            authors=_texts(book["authors"]),
            isbn13=next((text[5:] for text in _texts(book["identifiers"]) if text.startswith("ISBN:")), None),
            file_name=Path(str(book["file"])).name,
            size_kb=int(str(book["size_bytes"])) // 1024,
        )
    with server:
        print(f"A stand-in for BookLore listens at {server.url}/")
        reader = Reader(folder / "bookloresync")
        reader.put_setup_file(server.url)
        programs = make_checkout_programs(folder / "bin")
        for book, events in zip(described, (evening(described[0]), lunch_break(described[1])), strict=True):
            print(f"\nAnna reads “{book['title']}” ({book['pages']} pages) …")
            if not play(reader.data, programs, book, events):
                return 1
        print()
        return _show(server)


def evening(book: dict[str, Any]) -> dict[str, Any]:
    """Some chapters, a short sleep of the device in between, the book closed at the end; it ended ten minutes ago."""
    events: list[dict[str, Any]] = [{"at": 0, "ev": "open", "page": 1}]
    at = 0
    last = min(int(book["pages"]), 24)
    for page in range(2, last + 1):
        at += 38 + page * 7 % 23
        events.append({"at": at, "ev": "page", "page": page})
        if page == last // 2:
            events.append({"at": at + 20, "ev": "suspend"})
            events.append({"at": at + 140, "ev": "resume"})
            at += 140
    events.append({"at": at + 45, "ev": "close"})
    return {"start_at": int(time.time()) - at - 45 - 600, "events": events}


def lunch_break(book: dict[str, Any]) -> dict[str, Any]:
    pages = min(int(book["pages"]), 4)
    events: list[dict[str, Any]] = [{"at": 0, "ev": "open", "page": 1}]
    events += [{"at": 50 * page, "ev": "page", "page": page + 1} for page in range(1, pages)]
    events.append({"at": 50 * pages, "ev": "close"})
    return {"start_at": int(time.time()) - 300, "events": events}


def make_checkout_programs(folder: Path) -> Path:
    """A folder with `booklore-sync-<arch>` for this machine that runs the checkout: what BOOKLORESYNC_BIN_DIR names."""
    folder.mkdir()
    for arch in ("x86_64", "aarch64", "armv7"):
        program = folder / f"booklore-sync-{arch}"
        python = shlex.quote(sys.executable)
        program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {python} -m device "$@"\n')
        program.chmod(0o755)
    return folder


def play(data: Path, programs: Path, book: dict[str, Any], events: dict[str, Any]) -> bool:
    """Plays one reading through the launcher; whether it came to a result."""
    book_file, reading_file = data.parent / "book.json", data.parent / "reading.json"
    book_file.write_text(json.dumps(book))
    reading_file.write_text(json.dumps(events))
    run = subprocess.run(
        ["luajit", PLAYER, "--data", data, "--bin", programs, "--book", book_file, "--reading", reading_file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PLAYER_LIMIT_S,
    )
    for line in (run.stdout + run.stderr).splitlines():
        print(f"  {line}")
    return run.returncode == 0


def _show(server: StandIn) -> int:
    sessions = server.sessions()
    print("What arrived:")
    print("  " + "  ".join(name.ljust(width) for name, width in COLUMNS).rstrip())
    for session in sessions:
        cells = (
            str(session["bookTitle"]),
            str(session["startTime"]).replace("T", " ").rstrip("Z"),
            str(session["durationFormatted"]),
            f"{session['startLocation']} to {session['endLocation']}",
            f"{session['startProgress']} to {session['endProgress']} %",
        )
        line = "  ".join(cell[:width].ljust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
        print("  " + line.rstrip())
    if len(sessions) != 2:
        print(f"Expected 2 reading sessions, {len(sessions)} arrived.", file=sys.stderr)
        return 1
    print(f"\nThe same as a page: {server.url}/")
    if sys.stdin.isatty():
        print("Press Enter to end.")
        try:
            sys.stdin.readline()
        except KeyboardInterrupt:
            print()
    return 0


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


if __name__ == "__main__":
    sys.exit(main())
