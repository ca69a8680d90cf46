"""The import of KOReader's statistics, of many records, in pieces, killed, repeated; and of real ones."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device.importing import history
from device.koreader import snapshot as files
from device.store import history as stored
from device.store import reading_sessions
from device.ui.history import import_lines
from tests.contract.history_device import NOON, NOW, Device, sum_of_durations
from tests.fixtures.make_statistics import Record, make_large, settle, statistics
from tests.reader import CHECKOUT_WORKER, ROOT, Reader
from tests.soak import bounded

SAMPLES = ROOT.parent / "shared" / "data" / "koreader"


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


def test_an_import_whose_time_is_up_goes_on_where_it_stopped(device: Device) -> None:
    make_large(device.statistics, 10_000, NOW - 86_400)
    first = device.imports(in_s=0)
    assert not first.complete
    assert 0 < first.total.sessions < 400
    assert import_lines(first)[1].startswith("The time was up")
    second = device.imports()
    assert second.complete
    assert first.total.sessions + second.total.sessions == len(device.sessions()) == 400
    assert "recorded" not in second.total.left_out
    assert sum(row[3] for row in device.sessions()) == sum_of_durations(device.statistics)


def test_what_was_held_back_before_the_time_was_up_is_not_forgotten(device: Device) -> None:
    make_large(device.statistics, 10_000, NOW - 86_400)
    whole = device.previews().total
    journal = Path(device.folder.journal) / "1795000000-000001.open"
    journal.write_text(f'{{"t":{whole.first_at}}}\n')
    assert not device.imports(in_s=0).complete
    journal.unlink()
    device.imports()
    assert sum(row[3] for row in device.sessions()) == whole.duration_s


def test_progress_is_told_after_each_piece(device: Device) -> None:
    make_large(device.statistics, 5_000, NOW - 86_400)
    device.imports()
    assert device.reports == [(2_000, 5_000), (4_000, 5_000)]


def test_more_books_than_are_told_one_by_one_are_imported_all(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "BOOKS_MAX", 3)
    make_large(device.statistics, 25_000, NOW - 86_400)
    outcome = device.imports()
    assert len(outcome.books) == 3
    assert outcome.total.sessions == len(device.sessions()) == 1_000
    assert device.store.execute("SELECT COUNT(*) FROM book").fetchone() == (40,)


def test_a_run_that_is_killed_leaves_nothing_half_done_and_the_next_one_completes_it(tmp_path: Path) -> None:
    whole = Device(tmp_path / "whole")
    make_large(whole.statistics, 20_000, NOW - 86_400)
    whole.imports()
    killed = Reader(tmp_path / "killed" / "bookloresync")
    shutil.copytree(whole.statistics.parent, tmp_path / "killed" / "settings")
    settle(tmp_path / "killed" / "settings" / files.STATISTICS)
    killed.run("status")
    command = [*CHECKOUT_WORKER, "import-history", "--data", str(killed.data)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and count_sessions(killed.data) == 0:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
    assert killed.run("import-history").returncode == 0
    with contextlib.closing(sqlite3.connect(killed.data / "state.sqlite")) as store:
        found = store.execute(
            "SELECT b.title, s.started_at, s.ended_at, s.duration_s, s.pages_read FROM reading_session s"
            " JOIN book b ON b.id = s.book_id ORDER BY s.started_at"
        ).fetchall()
        assert store.execute("SELECT COUNT(*) FROM outbox").fetchone() == (len(found),)
    assert found == whole.sessions()
    whole.store.close()


def count_sessions(data: Path) -> int:
    with contextlib.closing(sqlite3.connect(data / "state.sqlite", timeout=5)) as store:
        return int(store.execute("SELECT COUNT(*) FROM reading_session").fetchone()[0])


instalment = st.lists(
    st.tuples(
        st.integers(1, 3),  # book
        st.integers(1, 5),  # page
        st.builds(lambda step, off: NOON + step * 60 + off, st.integers(0, 200), st.integers(-2, 2)),
        st.sampled_from([5, 30, 60, 62, 300, 2_000]),
        st.just(300),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=bounded(25, 1_500), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    instalments=st.lists(instalment, min_size=1, max_size=4),
    live=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 1_200)), max_size=2),
)
def test_instalments_on_real_files_double_nothing_and_overlap_nothing(
    tmp_path_factory: pytest.TempPathFactory, instalments: list[list[Record]], live: list[tuple[int, int]]
) -> None:
    device = Device(tmp_path_factory.mktemp("instalments") / "koreader")
    with statistics(device.statistics) as file:
        for number in range(3):
            file.add_book(f"Book {number}", "Somebody", f"{number:032x}")
    moby = device.has_book()
    for number, (minute, length) in enumerate(live):
        start = NOON + minute * 60 + number
        device.adds_live(moby, start, start + length)
    for records in instalments:
        with statistics(device.statistics) as file:
            file.add(records)
        device.imports()
        before = device.sessions()
        device.imports()
        with device.store.transaction():
            stored.keep_mark(device.store, "", "")
        device.imports()
        assert device.sessions() == before
    spans = device.store.execute("SELECT started_at, ended_at, source FROM reading_session ORDER BY 1").fetchall()
    for number, (start, end, source) in enumerate(spans):
        for other_start, other_end, other_source in spans[number + 1 :]:
            both_live = source == other_source == reading_sessions.JOURNAL
            assert both_live or end <= other_start or other_end <= start
    with contextlib.closing(sqlite3.connect(device.statistics)) as read:
        for title, start, end, duration, _ in device.sessions():
            (possible,) = read.execute(
                "SELECT SUM(duration) FROM page_stat_data p JOIN book b ON b.id = p.id_book"
                " WHERE title = ? AND start_time >= ? AND start_time + duration <= ?",
                (title, start, end),
            ).fetchone()
            assert duration <= possible
    device.store.close()


@pytest.mark.parametrize("name", ["reading-1", "reading-2"])
def test_the_samples_are_imported_to_the_second(device: Device, name: str) -> None:
    sample = SAMPLES / name / files.STATISTICS
    if not sample.exists():
        pytest.skip("the samples are not here")
    shutil.copy(sample, device.statistics)
    settle(device.statistics)
    outcome = device.imports(now=int(time.time()))
    with contextlib.closing(sqlite3.connect(f"file:{device.statistics}?mode=ro&immutable=1", uri=True)) as read:
        total = dict(read.execute("SELECT title, total_read_time FROM book").fetchall())
        impossible = dict(
            read.execute(
                "SELECT title, SUM(duration) FROM page_stat_data JOIN book ON id = id_book WHERE page < 0 GROUP BY 1"
            ).fetchall()
        )
    for book in outcome.books:
        left_out = sum(seconds for _, seconds in book.tally.left_out.values())
        assert book.tally.duration_s + left_out + impossible.get(book.title, 0) == total[book.title]
        assert book.tally.duration_s >= 0.99 * total[book.title]
    assert set(outcome.total.left_out) <= {"too short", "impossible"}
    rows = [(row[1], row[2], row[3]) for row in device.sessions()]
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(rows))
    assert all(duration <= end - start for start, end, duration in rows)
    with device.store.transaction():
        stored.keep_mark(device.store, "", "")
    assert device.imports(now=int(time.time())).total.sessions == 0
