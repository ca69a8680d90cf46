"""A reader with a device: writes journals as the launcher does, and starts the worker as the launcher does.

Used by the tests of the worker's verbs. The worker is always a process of its own: the checkout's by default, the
static executable where a test names it.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from device.core.journal import Book
from device.core.outbox import NEW, SETTLE_S, WAITING
from device.disk import Disk
from device.store import books, database, outbox

ROOT = Path(__file__).parent.parent
CHECKOUT_WORKER = (sys.executable, "-m", "device")
RUN_LIMIT_S = 120

# Two books that the stand-in's library is given as well: one is known by its ISBN, one by title and author.
MOBY: dict[str, Any] = {"authors": ["Herman Melville"], "identifiers": ["ISBN:9780142437247"]}
EMMA: dict[str, Any] = {"title": "Emma", "authors": ["Jane Austen"]}

Moment = tuple[int, str, dict[str, Any]]  # seconds since the start, event, further fields


class Reader:
    """One data folder and the worker that serves it."""

    def __init__(self, data: Path, worker: tuple[str, ...] = CHECKOUT_WORKER) -> None:
        self.data = data
        self.worker = worker
        self.journals = 0
        self.enqueued = 0
        (data / "journal").mkdir(parents=True, exist_ok=True)

    def configure(self, server: str, user: str = "anna", password: str = "secret", ca_file: Path | None = None) -> None:
        """Sets the account up with a setup file and `booklore-sync configure`."""
        self.put_setup_file(server, user, password, ca_file)
        run = self.run("configure")
        assert run.returncode == 0, run.stderr

    def put_setup_file(
        self, server: str, user: str = "anna", password: str = "secret", ca_file: Path | None = None
    ) -> None:
        """Puts a setup file where the reader would copy it; the next sync takes it."""
        lines = [f"server = {server}", f"user = {user}", f"password = {password}"]
        if ca_file is not None:
            lines.append(f"ca_file = {ca_file}")
        (self.data / "setup.txt").write_text("\n".join(lines) + "\n")

    def reads(
        self,
        title: str = "Moby Dick",
        start: int = 1_795_000_000,
        pages: int = 5,
        seconds_per_page: int = 40,
        first_page: int = 1,
        of_pages: int = 200,
        **book: Any,
    ) -> Path:
        """A journal of an evening: `pages` pages at an even pace, then the book is closed."""
        moments: list[Moment] = [(0, "open", {"page": first_page, "pages": of_pages})]
        for turn in range(1, pages):
            moments.append((turn * seconds_per_page, "page", {"page": first_page + turn, "pages": of_pages}))
        last = first_page + pages - 1
        moments.append((pages * seconds_per_page, "close", {"reason": "close", "page": last, "pages": of_pages}))
        return self.journal(moments, title=title, start=start, **book)

    def journal(self, moments: list[Moment], title: str = "Moby Dick", start: int = 1_795_000_000, **book: Any) -> Path:
        """Writes moments as a finished journal."""
        self.journals += 1
        path = self.data / "journal" / f"{start}-{self.journals:06x}.jsonl"
        path.write_text(journal_text(moments, title, start, **book))
        return path

    def run(self, verb: str, *options: str, worker: tuple[str, ...] | None = None) -> subprocess.CompletedProcess[str]:
        """One run for a person at a terminal."""
        return subprocess.run(
            [*(worker or self.worker), verb, "--data", str(self.data), *options],
            capture_output=True,
            text=True,
            timeout=RUN_LIMIT_S,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
        )

    def run_job(self, verb: str, reason: str = "close", **fields: Any) -> dict[str, Any]:
        """One run for the launcher: job file in, result file out."""
        name = f"1795000000-{len(list((self.data).glob('jobs/*'))):06x}"
        job = self.data / "jobs" / f"{name}.json"
        job.parent.mkdir(exist_ok=True)
        job.write_text(json.dumps({"version": 1, "job": name, "verb": verb, "reason": reason, **fields}))
        self.run(verb, "--job", str(job))
        result = self.data / "results" / f"{name}.json"
        answer: dict[str, Any] = json.loads(result.read_text())
        result.unlink()
        return answer

    def enqueue(self, kind: str, payload: object, title: str, authors: list[str], state: str = NEW) -> None:
        """Puts something into the outbox, as what records it would; `payload` may be text that is no JSON."""
        self.enqueued += 1
        store = database.open_store(Disk(), str(self.data / "state.sqlite"), 0)
        with store.transaction():
            file = f"/mnt/onboard/{title}.epub"
            found = Book(file, "epub", title, authors, [], None, None)
            found.language = "en"
            book = books.remember(store, found)
            text = payload if isinstance(payload, str) else json.dumps(payload)
            key = f"{kind} {self.enqueued}"
            assert outbox.add(store, kind, key, book, text, state, state == WAITING, int(time.time()))
        store.close()

    def let_intents_settle(self) -> None:
        """What half a minute of waiting would do: the store's intents become that much older."""
        with contextlib.closing(sqlite3.connect(self.data / "state.sqlite")) as store, store:
            store.execute("UPDATE outbox SET begun_uptime_s = begun_uptime_s - ? WHERE state = 'intent'", (SETTLE_S,))

    def let_hours_pass(self, hours: int) -> None:
        """It is time to ask the server for changes again, and what it said is that much older."""
        self.change_store("DELETE FROM setting WHERE key = 'pulled_at'")
        self.change_store(f"UPDATE shared_value SET server_at = server_at - {hours * 3600}")

    def change_store(self, statement: str) -> None:
        with contextlib.closing(sqlite3.connect(self.data / "state.sqlite")) as store, store:
            store.execute(statement)

    def let_the_library_age(self) -> None:
        """It is time to read the server's library again."""
        with contextlib.closing(sqlite3.connect(self.data / "state.sqlite")) as store, store:
            store.execute("DELETE FROM setting WHERE key = 'library_read_at'")

    def status(self) -> str:
        return self.run("status").stdout


def journal_text(moments: list[Moment], title: str, start: int, boot: str | None = None, **book: Any) -> str:
    """Lines of a journal. A moment's own fields come last, so that its clocks can be other than they should be."""
    lines = []
    for number, (at, event, fields) in enumerate(moments):
        line = {"v": 1, "n": number, "ev": event, "t": start + at, "m": 50_000 + at * 1000, **fields}
        if event == "open" and boot is not None:
            line["boot"] = boot
        if event == "open":
            known = {"file": f"/mnt/onboard/{title}.epub", "format": "epub", "title": title, "language": "en"}
            line["book"] = known | book
        lines.append(json.dumps(line) + "\n")
    return "".join(lines)
