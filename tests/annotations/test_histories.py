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
    history.collect_first(0)
    reader.restore_backup()
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


def test_what_was_appended_to_a_note_of_a_backup_that_was_restored_twice_comes_to_both_devices() -> None:
    try_one(516_014)
