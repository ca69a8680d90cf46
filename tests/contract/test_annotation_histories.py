"""Random histories of one book's highlights on one or two devices and the web: in the end all have the same, once each.

The worker is the real one with a real store, the book is a real EPUB, the server is the stand-in over a real socket;
only the processes are spared. The rules alone are tried with far more histories in `tests/annotations`.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from device import process, worker
from tests.annotated_book import CHAPTERS, TABLES, Device, Web, highlight
from tests.reader import Reader
from tests.sandbox import StandIn
from tests.sandbox.messages import ApiError

DIALECTS = ("booklore", "grimmory", "worldteacher")
HISTORIES = 1_000 if os.environ.get("BOOKLORESYNC_SOAK") else 6
ROUNDS = 4  # of each device, until nothing more is to be exchanged
STEPS = ("make", "make", "note", "colour", "delete", "web make", "web note", "web delete", "sync", "sync", "trouble")
FAULTS = ("lose_reply", "error_after_commit", "error_before", "drop_request")
WORDS = [
    (chapter, paragraph, word)
    for chapter, (_, paragraphs) in enumerate(CHAPTERS, 1)
    for paragraph, text in enumerate(paragraphs, 1)
    for word in text.partition("<i>")[0].split()[:4]
    if len(word) > 3 and text.count(word) == 1 and word.isascii()
]


@pytest.fixture
def without_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker runs in the test's own process, which must not be niced, locked or ended."""
    monkeypatch.setattr(process, "become_the_only_one", lambda path: True)
    monkeypatch.setattr(process, "end_after", lambda seconds: None)
    monkeypatch.setattr(process, "behave", lambda: None)

    def run_job(reader: Reader, verb: str, reason: str = "close", **fields: Any) -> dict[str, Any]:
        job = reader.data / "jobs" / "1795000000-000000.json"
        job.parent.mkdir(exist_ok=True)
        job.write_text(json.dumps({"version": 1, "job": job.stem, "verb": verb, "reason": reason, **fields}))
        worker.main([verb, "--data", str(reader.data), "--job", str(job)])
        result = reader.data / "results" / job.name
        answer: dict[str, Any] = json.loads(result.read_text())
        result.unlink()
        return answer

    monkeypatch.setattr(Reader, "run_job", run_job)


class History:
    """What happens to one book."""

    def __init__(self, server: StandIn, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.server = server
        self.minutes = 0
        self.done: list[str] = []
        server.add_user("anna", "secret")
        book_id = server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        self.web = Web(server, book_id)
        self.devices = [Device(folder / str(number), server) for number in range(self.random.choice((1, 2)))]

    def stamp(self) -> str:
        self.minutes += 1
        return f"2026-11-25 {self.minutes // 60:02}:{self.minutes % 60:02}:00"

    def step(self) -> None:
        device, what = self.random.choice(self.devices), self.random.choice(STEPS)
        self.done.append(what)
        rows = self.web.rows()
        if what == "make":
            chapter, paragraph, words = self.random.choice(WORDS)
            mark = highlight(words, chapter, paragraph, note=f"note {self.minutes}", datetime=self.stamp())
            if all(mark["pos0"] != known["pos0"] for known in device.marks):
                device.marks.append(mark)
                device.closes()
        elif what in ("note", "colour", "delete") and device.marks:
            mark = self.random.choice(device.marks)
            if what == "delete":
                device.marks.remove(mark)
            elif what == "note":
                mark.update({"note": f"device {self.minutes}", "datetime_updated": self.stamp()})
            else:
                mark.update({"color": self.random.choice(("red", "green")), "datetime_updated": self.stamp()})
            device.closes()
        elif what == "web make":
            self._make_on_web()
        elif what == "web note" and rows:
            self.web.changes(self.random.choice(rows)["id"], note=f"web {self.stamp()}")
        elif what == "web delete" and rows:
            self.web.deletes(self.random.choice(rows)["id"])
        elif what == "sync":
            self.sync(device, self.random.choice(("tap", "close", "open")), self.random.random() < 0.7)
        elif what == "trouble":
            self._sync_in_trouble(device)

    def _make_on_web(self) -> None:
        chapter, paragraph, words = self.random.choice(WORDS)
        start = CHAPTERS[chapter - 1][1][paragraph - 1].index(words)
        cfi = f"epubcfi(/6/{2 * chapter}!/4/{2 * paragraph + 2},/1:{start},/1:{start + len(words)})"
        try:
            self.web.makes(cfi=cfi, text=words, note=f"web {self.stamp()}")
        except ApiError:
            self.done.append("there already")

    def _sync_in_trouble(self, device: Device) -> None:
        method, do = self.random.choice(("GET", "POST", "PUT", "DELETE")), self.random.choice(FAULTS)
        self.done.append(f"{method} {do}")
        self.server.fault(when=lambda m, path, count: m == method and path.startswith(TABLES["annotation"]), do=do)
        self.sync(device, "tap", self.random.random() < 0.7, deadline_s=10)
        self.server.forget_faults()
        device.reader.let_intents_settle()

    def sync(self, device: Device, reason: str, launcher_reports: bool, **fields: Any) -> None:
        device.let_hours_pass()
        book = str(device.file) if reason == "open" else ""
        result = device.sync(reason, book=book, **fields)
        for question in result["questions"]:
            if question["id"].startswith("marks"):
                answer = question["answers"][0]
                result = device.reader.run_job(answer["verb"], reason="tap", arguments=answer["arguments"])
        if launcher_reports:
            device.applies(result)

    def comes_to_rest(self) -> None:
        for _ in range(ROUNDS):
            for device in self.devices:
                device.reader.let_intents_settle()
                self.sync(device, "tap", True)
                self.sync(device, "open", True)
                device.closes()
                self.sync(device, "tap", True)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_in_the_end_all_sides_have_the_same_once_each(without_processes: None, tmp_path: Path, seed: int) -> None:
    with StandIn(dialect=DIALECTS[seed % len(DIALECTS)]) as server:
        history = History(server, tmp_path, seed)
        for _ in range(history.random.randrange(5, 16)):
            history.step()
        history.comes_to_rest()
        there = sorted((str(row["text"]), str(row["note"] or "")) for row in history.web.rows())
        for device in history.devices:
            here = sorted((mark["text"], mark.get("note", "")) for mark in device.marks)
            assert here == there, history.done
            counts = device.sync("tap")["counts"]
            assert (counts["waiting"], counts["rejected"]) == (0, 0), history.done
        assert history.web.rows("book_note") == []
