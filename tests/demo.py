"""`make demo`: an evening's reading of a real book, from the page turn to the server, and a year of earlier readings.

The real launcher runs under LuaJIT in a small fake of KOReader, starts the real worker (from this checkout, without the
cross build), and that syncs with a stand-in for BookLore. Then KOReader's own statistics of the year before are shown
as they would be imported, imported, and sent. At the end the terminal shows what arrived, and a page in the browser
shows it too, until Enter or Ctrl-C. Where nobody can press a key it ends by itself. What she highlights on the way is
shown in the text of the book by the web reader's own library; `--screenshot FILE` takes a picture of that.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from device.koreader.snapshot import STATISTICS
from tests import demo_highlights
from tests.fixtures.make_books import describe, make_keepers_log, make_odd_book
from tests.fixtures.make_statistics import Record, make_year, statistics
from tests.reader import ROOT, Reader
from tests.sandbox import StandIn
from tests.sandbox.web_page import duration

PLAYER = "tests/launcher/play.lua"
PLAYER_LIMIT_S = 90
COLUMNS = (("book", 34), ("began (UTC)", 20), ("read", 9), ("pages", 9), ("progress", 16))
HISTORY_COLUMNS = (("book", 34), ("sessions", 9), ("read", 11), ("from", 11), ("to", 11))
SMALL_PRINT_PAGES = (420, 160)  # of the two books in the history: she used to read them in large print


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.demo")
    parser.add_argument("--screenshot", type=Path, metavar="FILE", help="a PNG of the highlights in the book")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="booklore-sync-demo-") as folder:
        return _demo(Path(folder), options.screenshot)


def _demo(folder: Path, picture: Path | None) -> int:
    log_book, odd_book = folder / "The Keeper's Log.epub", folder / "odd.epub"
    make_keepers_log(log_book)
    make_odd_book(odd_book)
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    described = [demo_highlights.with_places(describe(book)) for book in (log_book, odd_book)]
    for book in described:
        book_id = server.add_book(
            title=str(book["title"]),
            authors=_texts(book["authors"]),
            isbn13=next((text[5:] for text in _texts(book["identifiers"]) if text.startswith("ISBN:")), None),
            file_name=Path(str(book["file"])).name,
            size_kb=int(str(book["size_bytes"])) // 1024,
            language=str(book["language"]),
        )
        server.put_file(book_id, Path(str(book["file"])))
    with server:
        print(f"A stand-in for BookLore listens at {server.url}/")
        reader = Reader(folder / "bookloresync")
        reader.put_setup_file(server.url)
        programs = make_checkout_programs(folder / "bin")
        readings = (
            demo_highlights.with_highlights(described[0], evening(described[0]), demo_highlights.KEEPERS_LOG),
            demo_highlights.with_highlights(described[1], lunch_break(described[1]), demo_highlights.ODD_BOOK),
        )
        for book, events in zip(described, readings, strict=True):
            print(f"\nAnna reads “{book['title']}” ({book['pages']} pages) …")
            if not play(reader.data, programs, book, events):
                return 1
        live = len(server.sessions())
        make_history(folder / "settings" / STATISTICS, described, readings)
        if not import_history(reader):
            return 1
        return _show(server, live, picture)


def make_history(path: Path, described: list[dict[str, Any]], readings: tuple[dict[str, Any], ...]) -> None:
    """What KOReader's statistics say: a year of reading, and the two readings that have just been recorded live."""
    books = [
        (str(book["title"]), "\n".join(_texts(book["authors"])), str(book["fingerprint"]), pages)
        for book, pages in zip(described, SMALL_PRINT_PAGES, strict=True)
    ]
    make_year(path, [*books, ("Letters from the Mainland", "Nobody Yet", None, 300)], int(time.time()) - 3 * 86_400)
    with statistics(path) as file:
        for number, (book, reading) in enumerate(zip(described, readings, strict=True), 1):
            file.add(_as_koreader_records(number, int(str(book["pages"])), reading))


def _as_koreader_records(book: int, pages: int, reading: dict[str, Any]) -> list[Record]:
    turns = [event for event in reading["events"] if event["ev"] in ("open", "page")] + [reading["events"][-1]]
    return [
        (book, turn["page"], reading["start_at"] + turn["at"], min(later["at"] - turn["at"], 120), pages)
        for turn, later in pairwise(turns)
    ]


def import_history(reader: Reader) -> bool:
    """Shows the preview, imports, sends; whether all went well."""
    for explanation, command in (
        ("KOReader has kept statistics for a year. What an import would bring:", ("status", "--history")),
        ("She imports it …", ("import-history",)),
        ("… and syncs.", ("sync",)),
    ):
        print(f"\n{explanation}\n")
        run = reader.run(*command)
        for line in (run.stdout + run.stderr).splitlines():
            print(f"  {line}")
        if run.returncode:
            return False
    return True


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


def _show(server: StandIn, live: int, picture: Path | None) -> int:
    """`live`: how many sessions had arrived before the import."""
    sessions = server.sessions()
    latest = sorted(sessions, key=lambda session: str(session["startTime"]))[-live:]
    print("\nWhat arrived of today:")
    _print_row(COLUMNS, tuple(name for name, _ in COLUMNS))
    for session in latest:
        cells = (
            str(session["bookTitle"]),
            str(session["startTime"]).replace("T", " ").rstrip("Z"),
            str(session["durationFormatted"]),
            f"{session['startLocation']} to {session['endLocation']}",
            f"{session['startProgress']} to {session['endProgress']} %",
        )
        _print_row(COLUMNS, cells)
    print("\nAnd of the year before:")
    _print_row(HISTORY_COLUMNS, tuple(name for name, _ in HISTORY_COLUMNS))
    earlier = [session for session in sessions if session not in latest]
    for title in sorted({str(session["bookTitle"]) for session in earlier}):
        of_book = [session for session in earlier if session["bookTitle"] == title]
        days = sorted(str(session["startTime"])[:10] for session in of_book)
        read_s = sum(int(str(session["durationSeconds"])) for session in of_book)
        _print_row(HISTORY_COLUMNS, (title, str(len(of_book)), duration(read_s), days[0], days[-1]))
    if live != 2 or not earlier:
        print(f"Expected 2 reading sessions and a history, {len(sessions)} arrived.", file=sys.stderr)
        return 1
    if not demo_highlights.show(server, picture):
        print("Not every highlight arrived.", file=sys.stderr)
        return 1
    print(f"\nThe same as a page: {server.url}/")
    if sys.stdin.isatty():
        print("Press Enter to end.")
        try:
            sys.stdin.readline()
        except KeyboardInterrupt:
            print()
    return 0


def _print_row(columns: tuple[tuple[str, int], ...], cells: tuple[str, ...]) -> None:
    line = "  ".join(cell[:width].ljust(width) for cell, (_, width) in zip(cells, columns, strict=True))
    print("  " + line.rstrip())


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
