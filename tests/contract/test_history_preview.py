"""What `status --history` and `import-history` say."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.core.history import REASONS
from device.koreader import snapshot as files
from device.store import books
from device.ui.history import preview_lines
from tests.contract.history_device import FINGERPRINT, NOON, Device, two_books
from tests.fixtures.make_statistics import make_large, statistics
from tests.reader import Reader


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


def test_a_preview_says_what_the_import_then_does_and_stores_nothing(device: Device) -> None:
    two_books(device.statistics)
    before = list(device.store.connection.iterdump())
    preview = device.previews()
    assert list(device.store.connection.iterdump()) == before
    done = device.imports()
    assert (preview.total.sessions, preview.total.duration_s) == (done.total.sessions, done.total.duration_s)
    assert preview_lines(preview) == [
        "To be imported: 3 reading sessions, 35 min, 35 pages, 2026-10-19 to 2026-10-20, of 2 books.",
        f"KOReader's statistics at {device.statistics}: 35 pages.",
        "“Moby Dick” by Herman Melville: 2 reading sessions, 25 min, 25 pages, 2026-10-19 to 2026-10-20;"
        " is looked for with the next sync",
        "“Emma” by Jane Austen, Somebody Else: 1 reading session, 10 min, 10 pages, 2026-10-19;"
        " is looked for with the next sync",
        "Not matched with a book on the server yet:",
        "  “Moby Dick” by Herman Melville: is looked for with the next sync",
        "  “Emma” by Jane Austen, Somebody Else: is looked for with the next sync",
        "Nothing of this has been stored or sent yet.",
    ]


def test_a_preview_after_the_import_says_what_is_left_out_and_why(device: Device) -> None:
    two_books(device.statistics)
    with statistics(device.statistics) as file:
        file.add([(1, -1, NOON + 2_000, 60, 600), (2, 9, NOON + 40_000, 20, 300)])
    moby = device.has_book()
    with device.store.transaction():
        books.match(device.store, moby, 42, "ISBN")
    assert "its book on the server is known" in preview_lines(device.previews())[2]
    device.imports()
    assert preview_lines(device.previews()) == [
        "KOReader's statistics hold nothing that is not recorded already.",
        f"KOReader's statistics at {device.statistics}: 37 pages.",
        "“Moby Dick” by Herman Melville: 0 reading sessions",
        "  left out: 25 pages recorded already (25 min); 1 page with impossible numbers",
        "“Emma” by Jane Austen, Somebody Else: 0 reading sessions",
        "  left out: 10 pages recorded already (10 min); 1 page too short for a session (20 s)",
        "In all left out: 35 pages recorded already (35 min); 1 page too short for a session (20 s);"
        " 1 page with impossible numbers",
        "Nothing of this has been stored or sent yet.",
    ]


def test_a_book_that_was_not_found_on_the_server_says_why(device: Device) -> None:
    two_books(device.statistics)
    moby = device.has_book()
    with device.store.transaction():
        books.unmatch(device.store, moby, "several books could be this one")
    assert "  “Moby Dick” by Herman Melville: several books could be this one" in preview_lines(device.previews())


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    made = Reader(tmp_path / "koreader" / "bookloresync")
    two_books(tmp_path / "koreader" / "settings" / files.STATISTICS)
    return made


def test_the_verbs_preview_and_import(reader: Reader) -> None:
    preview = reader.run("status", "--history")
    assert preview.stdout.startswith("To be imported: 3 reading sessions, 35 min")
    assert "Nothing waits" in reader.status()
    run = reader.run("import-history")
    assert run.stdout == "3 reading sessions (35 min) of 2 books imported. They go out with the next sync.\n"
    assert "2 reading sessions of “Moby Dick”" in reader.status()


def test_jobs_preview_and_import(reader: Reader) -> None:
    preview = reader.run_job("status", reason="tap", arguments={"history": True})
    assert preview["messages"][0]["text"].startswith("To be imported: 3 reading sessions, 35 min")
    assert preview["counts"]["waiting"] == 0
    done = reader.run_job("import-history", reason="tap")
    assert done["messages"][0]["text"].startswith("3 reading sessions (35 min) of 2 books imported.")
    assert (done["counts"]["recorded"], done["counts"]["waiting"]) == (3, 3)


def test_the_file_may_be_named(reader: Reader, tmp_path: Path) -> None:
    elsewhere = tmp_path / "backup.sqlite3"
    shutil.move(tmp_path / "koreader" / "settings" / files.STATISTICS, elsewhere)
    missing = reader.run("import-history")
    assert missing.returncode == 1
    assert "KOReader has no statistics at" in missing.stderr
    assert "3 reading sessions" in reader.run("import-history", "--statistics", str(elsewhere)).stdout


def test_what_is_in_the_journal_is_taken_before_koreaders_word_for_it(reader: Reader) -> None:
    moby: dict[str, Any] = {"authors": ["Herman Melville"], "fingerprint": FINGERPRINT}
    reader.reads(start=NOON, pages=20, seconds_per_page=60, **moby)
    run = reader.run("import-history")
    assert run.stdout.splitlines() == [
        "2 reading sessions (15 min) of 2 books imported. They go out with the next sync.",
        "  left out: 20 pages recorded already (20 min)",
    ]


def test_the_log_tells_how_long_work_comes_along(reader: Reader, tmp_path: Path) -> None:
    make_large(tmp_path / "large.sqlite3", 8_000, int(time.time()) - 86_400)
    reader.run("import-history", "--statistics", str(tmp_path / "large.sqlite3"))
    log = (reader.data / "log" / "worker.log").read_text()
    assert "KOReader's statistics: 4,000 of 8,000 pages read" in log


def test_every_reason_has_its_words() -> None:
    from device.ui import texts

    assert set(texts.HISTORY_LEFT_OUT) == set(REASONS)
