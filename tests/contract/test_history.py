"""The import of KOReader's statistics: what is stored, and what was there before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core import outbox as rules_of_outbox
from device.core.journal import Book
from device.core.outbox import Uptime
from device.core.preferences import Preferences
from device.ingest import ingest
from device.protocol import Result
from device.store import books, outbox, reading_sessions
from device.store import history as stored
from device.ui.history import import_lines
from tests.contract.history_device import FINGERPRINT, MOBY_AND_EMMA, NOON, NOW, Device, two_books
from tests.fixtures.make_statistics import sitting, statistics
from tests.reader import journal_text


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


def test_doing_it_again_reads_and_stores_nothing(device: Device) -> None:
    two_books(device.statistics)
    assert device.imports().total.sessions == 3
    again = device.imports()
    assert (again.unchanged, again.total.sessions) == (True, 0)
    assert import_lines(again)[0] == "KOReader's statistics have not changed since they were last imported."
    assert device.sessions() == MOBY_AND_EMMA


def test_doing_it_again_without_the_mark_stores_nothing_either(device: Device) -> None:
    two_books(device.statistics)
    device.imports()
    with device.store.transaction():
        stored.keep_mark(device.store, "", "")
    again = device.imports()
    assert (again.unchanged, again.total.sessions) == (False, 0)
    assert again.total.left_out == {"recorded": (35, 2_100)}
    assert device.sessions() == MOBY_AND_EMMA


def test_a_store_that_lost_imported_sessions_gets_them_again(device: Device) -> None:
    two_books(device.statistics)
    device.imports()
    with device.store.transaction():
        device.store.execute("DELETE FROM outbox")
        device.store.execute("DELETE FROM reading_session WHERE started_at = ?", (NOON,))
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA


def test_records_that_arrive_late_are_imported_where_nothing_is(device: Device) -> None:
    two_books(device.statistics)
    device.imports()
    with statistics(device.statistics) as file:
        file.add(sitting(2, NOON + 3_600, 10, first_page=50))  # an hour in which nothing was known
        file.add(sitting(2, NOON + 600, 10, first_page=80))  # at the time of Moby Dick
    outcome = device.imports()
    assert outcome.total.sessions == 1
    assert device.sessions() == sorted(
        [*MOBY_AND_EMMA, ("Emma", NOON + 3_600, NOON + 4_200, 600, 10)], key=lambda row: row[1]
    )


@pytest.mark.parametrize("changed", ["history_gap_s", "min_duration_s"])
def test_another_preference_has_the_statistics_read_again(device: Device, changed: str) -> None:
    two_books(device.statistics)
    device.imports()
    assert not device.imports(preferences={changed: "77"}).unchanged


def test_what_was_recorded_live_is_not_imported(device: Device) -> None:
    two_books(device.statistics)
    device.adds_live(device.has_book(), NOON - 5, NOON + 1_210)
    outcome = device.imports()
    assert device.sessions() == MOBY_AND_EMMA[1:]
    assert outcome.total.left_out == {"recorded": (20, 1_200)}


def test_the_last_page_of_the_old_plugins_session_is_part_of_it(device: Device) -> None:
    # It ended its sessions where the last page began: at NOON + 1,140.
    two_books(device.statistics)
    device.adds_live(device.has_book(), NOON, NOON + 1_140, reading_sessions.PLUGIN, pauses_s=60)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA[1:]


def test_the_page_behind_an_old_plugins_session_that_was_extended_is_not_part_of_it(device: Device) -> None:
    two_books(device.statistics)
    device.adds_live(device.has_book(), NOON, NOON + 1_140, reading_sessions.PLUGIN)
    device.imports()
    assert device.sessions() == [("Moby Dick", NOON + 1_140, NOON + 1_200, 60, 1), *MOBY_AND_EMMA[1:]]


def test_time_that_a_journal_of_the_book_covers_is_not_imported(device: Device) -> None:
    two_books(device.statistics)
    moby = device.has_book()
    with device.store.transaction():
        stored.add_journal_stretch(device.store, moby, NOON, NOON + 10)
        stored.add_journal_stretch(device.store, moby, NOON, NOON + 1_200)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA[1:]


def test_what_was_read_of_one_book_while_a_journal_of_another_slept_is_imported(device: Device) -> None:
    """On another device: KOReader's own sync brings its records here."""
    two_books(device.statistics)
    other = device.has_book("Persuasion", None)
    with device.store.transaction():
        stored.add_journal_stretch(device.store, other, NOON - 10_000, NOON + 90_000)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA


def test_what_was_recorded_live_while_the_clock_was_set_is_not_imported_where_the_clock_had_put_it(
    device: Device,
) -> None:
    """The device thought it was noon of another day until a network told it better; KOReader believed it."""
    two_books(device.statistics)
    jump_s = 9 * 86_400
    moments: list[tuple[int, str, dict[str, object]]] = [(0, "open", {"page": 1, "pages": 200, "b": 0})]
    for page in range(2, 22):
        at = (page - 1) * 60
        moments.append((at, "page", {"page": page, "pages": 200, "b": at * 1000}))
    moments.append((1_260, "close", {"page": 21, "pages": 200, "b": 1_260_000, "t": NOON + jump_s + 1_260}))
    journal = Path(device.folder.journal) / "1795000000-0000aa.jsonl"
    journal.write_text(journal_text(moments, "Moby Dick", NOON, fingerprint=FINGERPRINT))
    ingest(device.folder, device.store, Preferences({}), Result(), NOW, Uptime("", 0))
    [live] = device.store.execute("SELECT started_at FROM reading_session").fetchall()
    assert live == (NOON + jump_s,)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA[1:]


def test_a_page_that_koreader_moved_behind_the_sleep_it_was_read_before_is_not_imported(device: Device) -> None:
    """It moves the beginning of a page by the length of the sleep, so that the record lies where the device slept."""
    with statistics(device.statistics) as file:
        moby = file.add_book("Moby Dick", "Herman Melville", FINGERPRINT, 200)
        file.add([(moby, 2, NOON + 60 + 9_000, 120, 200)])
    live: list[tuple[int, str, dict[str, object]]] = [
        (0, "open", {"page": 1, "pages": 200}),
        (60, "page", {"page": 2, "pages": 200}),
        (400, "suspend", {}),
        (9_400, "resume", {}),
        (9_410, "page", {"page": 3, "pages": 200}),
        (9_430, "close", {"page": 3, "pages": 200}),
    ]
    journal = Path(device.folder.journal) / "1795000000-0000aa.jsonl"
    journal.write_text(journal_text(live, "Moby Dick", NOON, fingerprint=FINGERPRINT))
    ingest(device.folder, device.store, Preferences({}), Result(), NOW, Uptime("", 0))
    assert device.imports().total.left_out == {"recorded": (1, 120)}


def test_nor_is_one_that_was_moved_behind_a_sleep_between_two_journals(device: Device) -> None:
    """After a long sleep the launcher begins another journal."""
    with statistics(device.statistics) as file:
        moby = file.add_book("Moby Dick", "Herman Melville", FINGERPRINT, 200)
        file.add([(moby, 2, NOON + 60 + 9_000, 120, 200)])
    before: list[tuple[int, str, dict[str, object]]] = [
        (0, "open", {"page": 1, "pages": 200}),
        (60, "page", {"page": 2, "pages": 200}),
        (400, "suspend", {}),
    ]
    after: list[tuple[int, str, dict[str, object]]] = [
        (9_400, "open", {"page": 2, "pages": 200, "on_screen_ms": 340_000}),
        (9_410, "page", {"page": 3, "pages": 200}),
        (9_430, "close", {"page": 3, "pages": 200}),
    ]
    for number, moments in enumerate((before, after)):
        journal = Path(device.folder.journal) / f"1795000000-0000a{number}.jsonl"
        journal.write_text(journal_text(moments, "Moby Dick", NOON, fingerprint=FINGERPRINT))
    ingest(device.folder, device.store, Preferences({}), Result(), NOW, Uptime("", 0))
    assert device.imports().total.left_out == {"recorded": (1, 120)}


def test_more_sessions_than_are_looked_up_at_once_are_all_respected(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "SPANS_AT_ONCE", 2)
    two_books(device.statistics)
    moby = device.has_book()
    for number in range(5):
        device.adds_live(moby, NOON + number * 240, NOON + number * 240 + 240)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA[1:]


@pytest.mark.parametrize("suffix", ["open", "jsonl"])
def test_nothing_newer_than_a_reading_in_the_journal_is_imported(device: Device, suffix: str) -> None:
    two_books(device.statistics)
    journal = Path(device.folder.journal) / f"1795000000-000001.{suffix}"
    journal.write_text(f'{{"v":1,"n":0,"ev":"open","t":{NOON + 86_400}}}\n')
    outcome = device.imports()
    assert device.sessions() == MOBY_AND_EMMA[:2]
    assert outcome.total.left_out == {"unfinished": (5, 300)}
    journal.unlink()
    assert not device.imports().unchanged
    assert device.sessions() == MOBY_AND_EMMA


def test_a_journal_that_was_taken_already_holds_nothing_back(device: Device) -> None:
    two_books(device.statistics)
    (Path(device.folder.journal) / "1795000000-000001.jsonl").write_text(f'{{"t":{NOON}}}\n')
    with device.store.transaction():
        reading_sessions.add_journal(device.store, "1795000000-000001", NOW, 5)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA


def test_what_may_still_grow_is_left_for_the_next_time(device: Device) -> None:
    two_books(device.statistics)
    soon = NOON + 86_700 + 1_800
    assert device.imports(now=soon).total.left_out == {"unfinished": (5, 300)}
    assert device.sessions() == MOBY_AND_EMMA[:2]
    device.imports(now=soon + 1)
    assert device.sessions() == MOBY_AND_EMMA


def test_a_book_that_is_switched_off_is_left_out_until_it_is_switched_on(device: Device) -> None:
    two_books(device.statistics)
    moby = device.has_book()
    with device.store.transaction():
        books.track(device.store, moby, False)
    assert device.imports().total.left_out == {"untracked": (25, 1_500)}
    assert [row[0] for row in device.sessions()] == ["Emma"]
    with device.store.transaction():
        books.track(device.store, moby, True)
    device.imports()
    assert device.sessions() == MOBY_AND_EMMA


@pytest.mark.parametrize(
    ("title", "fingerprint", "is_it"),
    [
        ("Something else", FINGERPRINT, True),  # the same file under another title
        ("Moby Dick", None, True),
        ("Moby Dick", "f" * 32, False),  # another file: perhaps another volume of that name
        ("Moby Dick II", "f" * 32, False),
        ("Moby Dick II", None, False),
    ],
)
def test_a_book_is_known_by_its_fingerprint_else_by_title_and_authors(
    device: Device, title: str, fingerprint: str | None, is_it: bool
) -> None:
    two_books(device.statistics)
    known = device.has_book(title, fingerprint)
    device.imports()
    assert (known in {row[0] for row in device.store.execute("SELECT book_id FROM reading_session")}) == is_it


@pytest.mark.parametrize(("fingerprint", "is_it"), [(None, True), ("f" * 32, False)])
def test_a_title_without_authors_decides_only_where_a_fingerprint_is_missing(
    device: Device, fingerprint: str | None, is_it: bool
) -> None:
    with statistics(device.statistics) as file:
        file.add(sitting(file.add_book("Scans", "N/A", FINGERPRINT), NOON, 5))
    with device.store.transaction():
        known = books.remember(device.store, Book("/b/s.pdf", "pdf", "Scans", [], [], fingerprint, 1))
    device.imports()
    assert (known in {row[0] for row in device.store.execute("SELECT book_id FROM reading_session")}) == is_it


@pytest.mark.parametrize(("fingerprints", "books_there"), [(("a" * 32, None), 1), (("a" * 32, "b" * 32), 2)])
def test_what_koreader_has_under_two_numbers_is_one_book_unless_it_is_two_files(
    device: Device, fingerprints: tuple[str | None, str | None], books_there: int
) -> None:
    with statistics(device.statistics) as file:
        for number, fingerprint in enumerate(fingerprints):
            file.add(sitting(file.add_book("One Piece", "Oda", fingerprint), NOON + number * 9_000, 5))
    device.imports()
    assert device.store.execute("SELECT COUNT(*) FROM book").fetchone() == (books_there,)


def test_a_book_from_the_history_is_the_same_when_it_is_opened(device: Device) -> None:
    two_books(device.statistics)
    device.imports()
    (imported,) = device.store.execute("SELECT id FROM book WHERE title = 'Moby Dick'").fetchone()
    assert device.has_book() == imported


def test_imported_sessions_are_looked_up_before_they_are_sent(device: Device) -> None:
    two_books(device.statistics)
    moby = device.has_book()
    with device.store.transaction():
        books.match(device.store, moby, 42, "ISBN")
    device.imports()
    found = device.store.execute(
        "SELECT b.title, o.state, o.unproven FROM outbox o JOIN book b ON b.id = o.book_id GROUP BY 1, 2, 3 ORDER BY 1"
    ).fetchall()
    assert found == [("Emma", rules_of_outbox.WAITING, 1), ("Moby Dick", rules_of_outbox.INTENT, 1)]


def test_the_books_to_be_matched_carry_what_matching_needs(device: Device) -> None:
    two_books(device.statistics)
    device.imports()
    assert [(book.title, book.authors, book.looked_for) for book in books.unmatched(device.store)] == [
        ("Moby Dick", ["Herman Melville"], False),
        ("Emma", ["Jane Austen", "Somebody Else"], False),
    ]


def test_the_outbox_holds_each_imported_session_once(device: Device) -> None:
    two_books(device.statistics)
    device.imports()
    device.imports()
    assert sum(outbox.counts(device.store).values()) == 3
