"""Which mark is which: on the device then and now, and among the rows of the server."""

from __future__ import annotations

from device.core.annotations import identity, server_rows
from device.core.annotations.destinations import Wishes
from device.core.annotations.holding import DELETED, HERE, LOST, MAIN, TWIN, Holding, Link
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE

ALL = (HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK)
CFI = "epubcfi(/6/4!/4/2,/1:0,/1:9)"
MORNING, NOON = "2026-01-01 09:00:00", "2026-01-01 12:00:00"


def mark(made_at: str = MORNING, at: int = 0, text: str = "Call me Ishmael.", note: str = "") -> DeviceMark:
    made = DeviceMark(HIGHLIGHT, made_at)
    made.pos0, made.pos1 = f"/body/DocFragment[2]/body/p/text().{at}", f"/body/DocFragment[2]/body/p/text().{at + 16}"
    made.text, made.drawer, made.color, made.note = text, "lighten", "yellow", note
    return made


def known(device: DeviceMark, key: int = 1, gone: int = HERE) -> Holding:
    holding = Holding(key, device.kind)
    holding.device, holding.gone = device, gone
    holding.place = holding.cfi = CFI
    return holding


def linked(holding: Holding, remote_id: int = 7) -> Holding:
    link = Link(MAIN, HIGHLIGHT, remote_id)
    link.agreed_device, link.agreed_server = holding.device, row(remote_id)
    holding.links.append(link)
    return holding


def row(id: int = 7, kind: str = HIGHLIGHT, cfi: str = CFI, note: str = "") -> ServerMark:
    made = ServerMark(kind, id)
    made.cfi, made.text, made.note = cfi, "Call me Ishmael.", note
    return made


def bare(pointer: str) -> str:
    return pointer.replace("[1]", "")


def test_a_highlight_that_was_moved_is_the_same_by_its_date() -> None:
    moved = mark(at=40, text="Some years ago")
    assert identity.take_seen([known(mark())], [moved], True).new == []


def test_a_highlight_with_another_date_is_the_same_by_its_place() -> None:
    holding = known(mark())
    found = identity.take_seen([holding], [mark(NOON)], True)
    assert (found.new, holding.gone) == ([], HERE)


def test_a_whole_book_spelt_anew_is_the_same_marks() -> None:
    holdings = [known(mark(at=at), at) for at in (0, 100, 200)]
    respelt = [mark(at=at) for at in (0, 100, 200)]
    for one in respelt:
        one.pos0 = one.pos0.replace("/body", "/body[1]")
    found = identity.take_seen(holdings, respelt, True, spelt=bare)
    assert found.new == []
    assert all(holding.gone == HERE and not holding.is_offered for holding in holdings)


def test_a_mark_with_another_date_and_place_is_the_same_by_its_words_if_these_are_alone() -> None:
    assert identity.take_seen([known(mark())], [mark(NOON, 40)], True).new == []


def test_two_highlights_of_the_same_words_elsewhere_are_not_made_one() -> None:
    seen = [mark(NOON, 40), mark("2026-01-01 13:00:00", 80)]
    assert len(identity.take_seen([known(mark())], seen, True).new) == 2


def test_words_alone_say_nothing_while_not_the_whole_list_was_seen() -> None:
    assert len(identity.take_seen([known(mark())], [mark(NOON, 40)], False).new) == 1


def test_what_is_missing_in_a_record_that_goes_on_was_deleted() -> None:
    one, other = known(mark(), 1), known(mark(NOON, 40, "Some years ago"), 2)
    identity.take_seen([one, other], [mark()], True)
    assert other.gone == DELETED


def test_what_is_missing_in_an_old_copy_is_lost_and_not_deleted() -> None:
    one, other = known(mark(), 1), known(mark(NOON, 40, "Some years ago"), 2)
    identity.take_seen([one, other], [mark()], True, is_old=True)
    assert other.gone == LOST


def test_an_empty_record_deletes_nothing() -> None:
    holdings = [known(mark(at=at), at) for at in (0, 100)]
    identity.take_seen(holdings, [], True)
    assert [holding.gone for holding in holdings] == [LOST, LOST]


def test_a_deleted_mark_that_an_old_copy_brings_back_is_taken_out_again() -> None:
    holding = known(mark(), gone=DELETED)
    identity.take_seen([holding], [mark()], True)
    assert holding.is_offered
    assert holding.offered is None


def test_a_deleted_mark_that_was_edited_since_is_back() -> None:
    holding, edited = known(mark(), gone=DELETED), mark(note="new")
    edited.changed_at = NOON
    identity.take_seen([holding], [edited], True)
    assert (holding.gone, holding.is_offered) == (HERE, False)


def test_an_older_state_of_a_mark_is_no_edit() -> None:
    now, before = mark(note="new"), mark(note="old")
    now.changed_at, before.changed_at = NOON, MORNING
    holding = known(now)
    identity.take_seen([holding], [before], True)
    assert holding.offered is not None
    assert holding.offered.note == "new"


def test_what_was_made_and_deleted_at_the_place_of_another_deletes_that_one_not() -> None:
    holding = known(mark())
    assert identity.take_gone([holding], [mark(NOON)]) == []
    assert holding.gone == HERE


def test_what_was_given_back_without_our_hearing_of_it_and_then_deleted_is_deleted() -> None:
    holding = known(mark(), gone=LOST)
    holding.offer(mark())
    assert identity.take_gone([holding], [mark()]) == [holding]
    assert (holding.gone, holding.wanted()) == (DELETED, None)


def test_what_is_offered_is_not_deleted_with_what_was_made_and_deleted_at_its_place() -> None:
    holding = known(mark(), gone=LOST)
    holding.offer(mark())
    assert identity.take_gone([holding], [mark(NOON)]) == []
    assert (holding.gone, holding.is_offered) == (LOST, True)


def test_an_edit_that_the_device_had_not_taken_survives_its_deletion() -> None:
    holding = known(mark(note="old"))
    offered = mark(note="new")
    offered.changed_at = NOON
    holding.offer(offered)
    identity.take_gone([holding], [mark(note="old")])
    wanted = holding.wanted()
    assert wanted is not None
    assert wanted.note == "new"


def test_an_edit_that_the_device_had_taken_is_deleted_with_the_mark() -> None:
    holding = known(mark(note="old"))
    offered = mark(note="new")
    offered.changed_at = NOON
    holding.offer(offered)
    identity.take_gone([holding], [offered])
    assert holding.wanted() is None


def test_a_row_of_a_linked_mark_is_found_by_its_number_wherever_it_stands() -> None:
    holding = linked(known(mark()))
    assert server_rows.pair_rows([holding], [row(7, cfi="epubcfi(/6/8!/4/2/1:0)")], ALL, Wishes()) == []
    assert holding.links[0].row is not None


def test_a_row_at_the_place_of_a_mark_without_a_link_is_that_mark() -> None:
    holding = known(mark())
    assert server_rows.pair_rows([holding], [row()], ALL, Wishes()) == []
    assert [link.role for link in holding.links] == [MAIN]


def test_places_are_compared_as_the_server_does_without_regard_to_case() -> None:
    holding = known(mark())
    assert server_rows.pair_rows([holding], [row(cfi=CFI.upper())], ALL, Wishes()) == []


def test_a_row_at_another_range_is_another_mark() -> None:
    unknown = server_rows.pair_rows([known(mark())], [row(cfi="epubcfi(/6/4!/4/2,/1:0,/1:5)")], ALL, Wishes())
    assert [found.id for found in unknown] == [7]


def test_an_in_book_note_beside_a_highlight_is_the_same_mark() -> None:
    holding = linked(known(mark()))
    assert server_rows.pair_rows([holding], [row(), row(3, IN_BOOK_NOTE, note="n")], ALL, Wishes()) == []
    assert sorted(link.role for link in holding.links) == [MAIN, TWIN]


def test_nothing_is_taken_in_while_the_place_of_a_mark_here_is_not_known() -> None:
    holding = known(mark())
    holding.place = None
    assert server_rows.pair_rows([holding], [row(cfi="epubcfi(/6/8!/4/2/1:0)")], ALL, Wishes()) == []


def test_a_book_note_is_never_taken_in() -> None:
    assert server_rows.pair_rows([], [row(3, BOOK_NOTE, "")], ALL, Wishes()) == []


def test_what_is_taken_in_has_a_date_of_its_own() -> None:
    first = row()
    first.created_at = "2026-01-01T09:00:00"
    holding = server_rows.take_in(first, 2, "/body/p.0", "/body/p.5", [known(mark())])
    assert holding.offered is not None
    assert holding.offered.made_at == "2026-01-01 09:00:01"


def test_a_row_with_a_date_that_is_none_can_be_taken_in() -> None:
    strange = row()
    strange.created_at = "yesterday"
    assert server_rows.take_in(strange, 2, "/body/p.0", "", []).offered is not None


def test_a_record_that_ends_before_several_marks_were_made_is_an_older_copy_and_loses_them() -> None:
    holdings = [known(mark(f"2026-01-0{day} 09:00:00", day * 100), day) for day in (1, 2, 3)]
    identity.take_seen(holdings, [mark("2026-01-01 09:00:00", 100)], True)
    assert [holding.gone for holding in holdings] == [HERE, LOST, LOST]


def test_the_newest_mark_alone_is_deleted_by_a_record_without_it() -> None:
    holdings = [known(mark(f"2026-01-0{day} 09:00:00", day * 100), day) for day in (1, 2)]
    identity.take_seen(holdings, [mark("2026-01-01 09:00:00", 100)], True)
    assert [holding.gone for holding in holdings] == [HERE, DELETED]


def test_of_several_missing_marks_one_older_than_the_record_means_that_all_were_deleted() -> None:
    holdings = [known(mark(f"2026-01-0{day} 09:00:00", day * 100), day) for day in (1, 2, 3)]
    identity.take_seen(holdings, [mark("2026-01-02 09:00:00", 200)], True)
    assert [holding.gone for holding in holdings] == [DELETED, HERE, DELETED]
