"""An older copy of KOReader's record, as a backup brings it back: nothing that was done since is lost by it."""

from __future__ import annotations

from device.core.annotations.holding import Holding, is_old_record
from device.core.annotations.identity import take_seen
from device.core.annotations.marks import DeviceMark
from device.core.outbox import HIGHLIGHT


def mark(note: str = "", changed_at: str = "", text: str = "Call me Ishmael") -> DeviceMark:
    made = DeviceMark(HIGHLIGHT, "2026-11-20 21:00:00")
    made.pos0, made.pos1 = "/body/DocFragment[1]/body/p[1]/text().0", f"/body/p[1]/text().{len(text)}"
    made.text, made.note, made.changed_at = text, note, changed_at
    made.color, made.drawer = "yellow", "lighten"
    return made


def known(device: DeviceMark) -> Holding:
    holding = Holding(1, HIGHLIGHT)
    holding.device = device
    return holding


def test_a_note_that_the_copy_does_not_have_yet_is_given_back() -> None:
    holding = known(mark("Long thoughts", "2026-11-21 09:00:00"))
    take_seen([holding], [mark()], True)
    assert (holding.device is not None and holding.device.note, holding.is_offered) == ("", True)
    assert holding.offered is not None and holding.offered.note == "Long thoughts"


def test_words_that_the_copy_does_not_have_yet_are_given_back() -> None:
    holding = known(mark("", "2026-11-21 09:00:00", "Call me Ishmael. Some years ago"))
    take_seen([holding], [mark()], True)
    assert holding.offered is not None and holding.offered.text == "Call me Ishmael. Some years ago"


def test_a_record_of_a_koreader_that_never_says_when_is_not_old_for_that() -> None:
    assert not is_old_record([(known(mark("One")), mark("Two"))])


def test_a_change_by_koreader_is_none_of_a_copy() -> None:
    holding = known(mark("One", "2026-11-21 09:00:00"))
    take_seen([holding], [mark("", "2026-11-22 09:00:00")], True)
    assert (holding.is_offered, holding.device is not None and holding.device.note) == (False, "")


def test_what_is_appended_to_a_note_of_the_copy_is_kept_whole_beside_the_newer_note() -> None:
    holding = known(mark("Later", "2026-11-21 09:00:00"))
    take_seen([holding], [mark("Early, and more", "2026-11-22 09:00:00")], True, is_old=True)
    assert holding.offered is not None and holding.offered.note == "Early, and more\n\nLater"
