"""Two devices and the web, at random: a bounded number here, very many by `python -m tests.annotations`."""

from __future__ import annotations

import pytest

from device.core.outbox import HIGHLIGHT
from tests import soak
from tests.annotations.history import FLAVOURS, Broken, History, try_many, try_one

COUNT = soak.bounded(3_000, 100_000)  # 20 s beside other tests
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_two_devices_and_the_web_come_to_the_same_without_loss_resurrection_or_duplicate(part: int) -> None:
    size = COUNT // PARTS
    figures = try_many(part * size, size)
    assert figures["calls"] > size  # something was sent


def test_every_flavour_of_history_comes_up() -> None:
    assert {try_one(seed).flavour.name for seed in range(len(FLAVOURS))} == {flavour.name for flavour in FLAVOURS}


def with_a_backup_restored() -> History:
    """Device A has the note n1. from its backup again, long after it was given up for n2."""
    history = History(0)
    history.is_strict, history.was_asked = True, False
    reader = history.clients[0].reader
    reader.add(HIGHLIGHT, (0, 1), history.witness.token(), "yellow", "lighten")
    history.settle()
    reader.save_backup()
    note = reader.marks[0].note
    history.witness.gives_up(note)
    reader.marks[0].note = history.witness.token()
    reader.touch(reader.marks[0])
    history.settle()
    history.witness.begin()
    history.restore_backup(0)
    return history


def test_a_note_that_a_backup_brought_back_and_somebody_appends_to_is_written_again() -> None:
    history = with_a_backup_restored()
    reader = history.clients[0].reader
    history.takes_up(reader.marks[0], reader, is_appended=True)
    assert history.witness.written == {"n1."}
    assert history.witness.given_up == set()


def test_a_note_that_a_backup_brought_back_may_not_rise_by_itself() -> None:
    history = with_a_backup_restored()
    spans = history.spans()
    history.witness.gives_up("n2.")
    for client in history.clients:
        client.reader.marks[0].note = "n1."
    for row in history.server.rows.values():
        row.note = "n1."
    with pytest.raises(Broken, match="risen"):
        history.judge({"n2."}, spans)


def test_a_note_that_a_backup_brought_back_may_not_rise_with_a_colour_once_the_record_was_collected() -> None:
    history = with_a_backup_restored()
    reader = history.clients[0].reader
    history.collect_first(0)
    history.takes_up(reader.marks[0], reader)
    assert history.witness.written == set()


def test_what_a_backup_brought_back_under_a_date_that_is_not_known_any_more_is_as_if_made_anew() -> None:
    history = with_a_backup_restored()
    history.clients[0].forget_all()
    history.clients[0].reader.marks = []
    history.restore_backup(0)
    assert history.witness.written == {"n1."}
    assert history.witness.given_up == {"n1."}


def test_who_deletes_a_highlight_that_a_backup_brought_back_has_given_up_its_newer_note() -> None:
    history = with_a_backup_restored()
    client = history.clients[0]
    history.gives_up_newer(client.reader.marks[0], client)
    assert "n2." in history.witness.given_up


def test_who_deletes_it_once_the_record_was_collected_has_not() -> None:
    history = with_a_backup_restored()
    client = history.clients[0]
    history.collect_first(0)
    history.gives_up_newer(client.reader.marks[0], client)
    assert "n2." not in history.witness.given_up


FOUND_BEFORE = {
    516_014: "appended to a note of a backup that was restored twice",
    87_038: "a highlight deleted on the web, while the note that it had replaced was still there",
    521_789: "a highlight deleted in a record that a backup had brought back, which had a newer note",
    98_049: "a lost highlight given back where the reader had moved another one",
    66_190: "a highlight moved, then lost, to where another one was offered",
    57_846: "the only highlight of a lost record",
    543_695: "a highlight made on the web beside one that was deleted here and edited there",
    560_811: "the same, while a run was cut off",
    95_201: "a highlight and its note beside it moved to where there was another already",
    539_395: "a note beside a highlight, found by two devices whose notes go to the book's page",
    568_944: "the same, edited",
}


@pytest.mark.parametrize("seed", FOUND_BEFORE, ids=str)
def test_a_history_that_was_not_as_it_had_to_be_is_now(seed: int) -> None:
    try_one(seed)
