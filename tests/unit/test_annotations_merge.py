"""What becomes of a mark that one side, the other or both have changed."""

from __future__ import annotations

from device.core.annotations import book, merge, server_rows
from device.core.annotations.calls import CREATE, DELETE, EDIT
from device.core.annotations.destinations import Wishes
from device.core.annotations.hearing import BOTH_KEPT, EDIT_WON, LOOK_OURS
from device.core.annotations.holding import COPY, DELETED, LOST, MAIN, OLD, STAND_IN, TWIN, Holding
from device.core.annotations.marks import DeviceMark, ServerMark
from device.core.outbox import BOOK_NOTE, BOOKMARK, HIGHLIGHT, IN_BOOK_NOTE
from device.core.preferences import AS_NOTE, BOOKLORE, BOTH

CFI = "epubcfi(/6/4!/4/2,/1:0,/1:9)"
OTHER_CFI = "epubcfi(/6/4!/4/8,/1:0,/1:9)"
ALL = (HIGHLIGHT, IN_BOOK_NOTE, BOOK_NOTE, BOOKMARK)
NOW = "2026-02-01 12:00:00"


def mark(note: str = "", made_at: str = "2026-01-01 10:00:00", text: str = "Call me Ishmael.") -> DeviceMark:
    made = DeviceMark(HIGHLIGHT, made_at)
    made.pos0, made.pos1 = "/body/DocFragment[2]/body/p/text().0", "/body/DocFragment[2]/body/p/text().16"
    made.text, made.note, made.color, made.drawer = text, note, "yellow", "lighten"
    made.chapter, made.page = "Loomings", 13
    return made


def row(note: str = "", id: int = 7, cfi: str = CFI, kind: str = HIGHLIGHT) -> ServerMark:
    made = ServerMark(kind, id)
    made.cfi, made.text, made.note, made.color = cfi, "Call me Ishmael.", note, "#FFC107"
    made.style = "highlight" if kind == HIGHLIGHT else ""
    return made


def new(device: DeviceMark | None = None, key: int = 1, cfi: str = CFI) -> Holding:
    holding = Holding(key, HIGHLIGHT)
    holding.device = device or mark()
    holding.cfi, holding.place = cfi, cfi
    return holding


def agreed(note: str = "", key: int = 1) -> Holding:
    """Both sides have it."""
    holding = new(mark(note), key)
    merge.plan(holding, Wishes()).apply(NOW)
    made = merge.plan(holding, Wishes()).calls[0]
    merge.begun(holding, made)
    merge.answered(holding, made, row(note, 6 + key))
    return holding


def edited(holding: Holding, note: str, color: str = "yellow") -> Holding:
    assert holding.device is not None
    changed = holding.device.copy()
    changed.note, changed.color, changed.changed_at = note, color, "2026-01-02 10:00:00"
    holding.see(changed)
    return holding


def heard(holding: Holding, *rows: ServerMark, wishes: Wishes | None = None) -> merge.Plan:
    server_rows.pair_rows([holding], list(rows), ALL, wishes or Wishes())
    return merge.plan(holding, wishes or Wishes())


def what(plan: merge.Plan) -> list[tuple[str, str]]:
    return [(call.role, call.op) for call in plan.calls]


def test_a_new_highlight_is_created_without_looking() -> None:
    plan = merge.plan(new(mark("a note")), Wishes())
    assert what(plan) == [(MAIN, CREATE)]
    assert not plan.calls[0].needs_list
    assert plan.calls[0].fields["note"] == "a note"


def test_what_both_have_as_agreed_is_left_alone() -> None:
    plan = heard(agreed("n"), row("n"))
    assert (plan.calls, plan.removes_here) == ([], False)


def test_a_note_edited_here_is_told_to_the_server() -> None:
    plan = heard(edited(agreed("n"), "m"), row("n"))
    assert what(plan) == [(MAIN, EDIT)]
    assert plan.calls[0].fields == {"note": "m"}


def test_a_note_edited_there_is_offered_to_the_device() -> None:
    holding = agreed("n")
    plan = heard(holding, row("m"))
    plan.apply(NOW)
    assert plan.calls == []
    assert holding.offered is not None
    assert holding.offered.note == "m"


def test_of_a_note_edited_on_both_sides_both_are_kept_and_it_is_said() -> None:
    plan = heard(edited(agreed("n"), "here"), row("there"))
    assert plan.wanted is not None
    assert set(plan.wanted.note.split("\n\n")) == {"here", "there"}
    assert plan.says == [BOTH_KEPT]
    assert what(plan) == [(MAIN, EDIT)]


def test_of_two_colours_the_devices_stands_and_it_is_said() -> None:
    there = row()
    there.color = "#4ADE80"
    plan = heard(edited(agreed(), "", "red"), there)
    assert plan.says == [LOOK_OURS]
    assert plan.calls[0].fields == {"color": "#DC143C"}


def test_a_colour_that_the_device_cannot_tell_from_its_own_is_no_change() -> None:
    there = row()
    there.color = "#FACC15"
    plan = heard(agreed(), there)
    plan.apply(NOW)
    assert not plan.holding.is_offered
    assert plan.calls == []


def test_what_was_deleted_there_is_removed_from_the_device() -> None:
    plan = heard(agreed())
    plan.apply(NOW)
    assert plan.removes_here
    assert plan.holding.is_offered
    assert plan.holding.offered is None


def test_what_was_deleted_there_and_edited_here_is_made_again_and_it_is_said() -> None:
    plan = heard(edited(agreed("n"), "m"))
    assert what(plan) == [(MAIN, CREATE)]
    assert plan.says == [EDIT_WON]


def test_what_was_deleted_here_is_deleted_there_after_its_list_was_heard() -> None:
    holding = agreed()
    holding.miss(False)
    plan = heard(holding, row())
    assert what(plan) == [(MAIN, DELETE)]
    assert plan.calls[0].needs_list


def test_what_was_deleted_here_and_edited_there_comes_back_and_it_is_said() -> None:
    holding = agreed("n")
    holding.miss(False)
    plan = heard(holding, row("m"))
    plan.apply(NOW)
    assert plan.says == [EDIT_WON]
    assert holding.offered is not None
    assert holding.offered.note == "m"


def test_a_deletion_is_not_forgotten_before_a_list_confirms_it() -> None:
    holding = agreed()
    holding.miss(False)
    plan = heard(holding, row())
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], None)
    assert [link.remote_id for link in holding.links] == [7]
    assert merge.plan(holding, Wishes()).calls == []  # nor told twice
    heard(holding).apply(NOW)
    assert holding.links == []


def test_a_row_that_is_to_be_deleted_is_never_taken_in_again() -> None:
    holding = agreed()
    holding.miss(False)
    assert server_rows.pair_rows([holding], [row()], ALL, Wishes()) == []


def test_what_koreader_has_lost_is_never_deleted_there() -> None:
    holding = agreed()
    holding.miss(True)
    plan = heard(holding, row())
    assert plan.calls == []
    assert plan.gives_back


def test_a_highlight_found_on_both_sides_is_one_with_both_notes() -> None:
    plan = heard(new(mark("here")), row("there"))
    assert what(plan) == [(MAIN, EDIT)]
    assert plan.says == [BOTH_KEPT]


def test_without_anything_agreed_nothing_is_deleted_there() -> None:
    holding = new()
    holding.miss(False)
    assert heard(holding, row()).calls == []


def test_a_creation_whose_answer_was_lost_is_known_by_its_place() -> None:
    holding = new(mark("n"))
    plan = merge.plan(holding, Wishes())
    plan.apply(NOW)
    merge.begun(holding, plan.calls[0])
    assert merge.plan(holding, Wishes()).calls == []  # the list tells first
    edited(holding, "m")
    plan = heard(holding, row("n"))
    assert what(plan) == [(MAIN, EDIT)]
    assert plan.says == []


def test_a_creation_that_did_not_arrive_is_sent_again() -> None:
    holding = new()
    plan = merge.plan(holding, Wishes())
    plan.apply(NOW)
    merge.begun(holding, plan.calls[0])
    assert what(heard(holding)) == [(MAIN, CREATE)]


def test_an_edit_whose_answer_was_lost_is_not_taken_for_one_of_somebody_else() -> None:
    holding = edited(agreed("cat"), "dog")
    plan = heard(holding, row("cat"))
    plan.apply(NOW)
    merge.begun(holding, plan.calls[0])
    assert holding.device is not None
    again = holding.device.copy()
    again.note, again.changed_at = "bird", "2026-01-03 10:00:00"
    holding.see(again)
    plan = heard(holding, row("dog"))
    assert plan.wanted is not None
    assert plan.wanted.note == "bird"


def _moved() -> Holding:
    holding = agreed("n")
    assert holding.device is not None
    moved = holding.device.copy()
    moved.text, moved.pos1, moved.changed_at = "Some years ago", "/body/DocFragment[2]/body/p/text().99", NOW
    holding.see(moved)
    holding.cfi = holding.place = OTHER_CFI
    return holding


def test_a_highlight_with_other_words_is_created_before_the_old_one_is_deleted() -> None:
    holding = _moved()
    plan = heard(holding, row("n"))
    assert what(plan) == [(MAIN, CREATE)]
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], row("n", 8, OTHER_CFI))
    plan = merge.plan(holding, Wishes())
    assert [(call.op, call.remote_id) for call in plan.calls] == [(DELETE, 7)]


def test_a_cut_between_the_two_leaves_one_mark_with_a_leftover_that_is_known() -> None:
    holding = _moved()
    plan = heard(holding, row("n"))
    plan.apply(NOW)
    merge.begun(holding, plan.calls[0])
    assert server_rows.pair_rows([holding], [row("n"), row("n", 8, OTHER_CFI)], ALL, Wishes()) == []
    assert [(call.op, call.remote_id) for call in merge.plan(holding, Wishes()).calls] == [(DELETE, 7)]


def test_a_highlight_moved_back_before_that_takes_its_old_row() -> None:
    holding = _moved()
    heard(holding, row("n")).apply(NOW)
    holding.see(mark("n"))
    holding.cfi = holding.place = CFI
    plan = heard(holding, row("n"))
    plan.apply(NOW)
    assert [(link.role, link.remote_id) for link in holding.links] == [(MAIN, 7)]
    assert plan.calls == []


def test_positions_that_another_engine_spells_otherwise_change_nothing() -> None:
    holding = agreed()
    assert holding.device is not None
    respelt = holding.device.copy()
    respelt.pos0 = "/body[1]/DocFragment[2]/body[1]/p[1]/text()[1].0"
    holding.see(respelt)
    assert heard(holding, row()).calls == []


def test_a_text_put_right_at_the_same_place_is_deleted_and_created_again() -> None:
    holding = agreed()
    assert holding.device is not None
    right = holding.device.copy()
    right.text, right.changed_at = "Call me Ishmael!", NOW
    holding.see(right)
    plan = heard(holding, row())
    assert what(plan) == [(MAIN, DELETE)]
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], None)
    assert what(merge.plan(holding, Wishes())) == [(MAIN, CREATE)]


def test_a_mark_without_a_place_becomes_a_book_note() -> None:
    holding = new(mark("n"), cfi="")
    plan = heard(holding)
    assert [(call.role, call.kind) for call in plan.calls] == [(STAND_IN, BOOK_NOTE)]
    assert "Call me Ishmael." in str(plan.calls[0].fields["content"])


def test_a_mark_whose_place_was_not_looked_for_yet_waits() -> None:
    holding = new()
    holding.place, holding.cfi = None, ""
    assert merge.plan(holding, Wishes()).calls == []


def test_once_it_has_a_place_the_book_note_goes_when_the_highlight_is_there() -> None:
    holding = new(mark("n"), cfi="")
    plan = heard(holding)
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], row(str(plan.calls[0].fields["content"]), 3, "", BOOK_NOTE))
    holding.cfi = holding.place = CFI
    plan = merge.plan(holding, Wishes())
    assert what(plan) == [(MAIN, CREATE)]
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], row("n"))
    assert what(merge.plan(holding, Wishes())) == [(STAND_IN, DELETE)]


def test_a_note_that_goes_to_the_books_page_only_is_one_book_note() -> None:
    plan = heard(new(mark("n")), wishes=Wishes(BOOKLORE))
    assert [(call.role, call.kind) for call in plan.calls] == [(COPY, BOOK_NOTE)]


def test_the_copy_of_a_note_waits_until_the_highlight_is_there() -> None:
    holding = new(mark("n"))
    plan = heard(holding, wishes=Wishes(BOTH))
    assert what(plan) == [(MAIN, CREATE)]
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], row("n"))
    assert what(merge.plan(holding, Wishes(BOTH))) == [(COPY, CREATE)]


def test_a_book_note_deleted_there_is_not_written_again_before_the_note_changes() -> None:
    holding = new(mark("n"))
    wishes = Wishes(BOOKLORE)
    plan = heard(holding, wishes=wishes)
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], row(str(plan.calls[0].fields["content"]), 3, "", BOOK_NOTE))
    plan = heard(holding, wishes=wishes)
    assert (plan.calls, plan.removes_here) == ([], False)
    plan.apply(NOW)
    assert what(heard(edited(holding, "m"), wishes=wishes)) == [(COPY, CREATE)]


def test_a_note_sent_once_is_not_sent_elsewhere_because_the_preference_changed() -> None:
    assert heard(agreed("n"), row("n"), wishes=Wishes(BOOKLORE)).calls == []


def test_a_highlight_that_gets_a_note_later_takes_it_along() -> None:
    plan = heard(edited(agreed(), "n"), row(), wishes=Wishes(notes_in_book=AS_NOTE))
    assert what(plan) == [(MAIN, EDIT)]


def test_an_in_book_note_without_its_note_becomes_a_highlight() -> None:
    holding = new(mark("n"))
    wishes = Wishes(notes_in_book=AS_NOTE)
    plan = merge.plan(holding, wishes)
    plan.apply(NOW)
    merge.answered(holding, plan.calls[0], row("n", 3, CFI, IN_BOOK_NOTE))
    plan = heard(edited(holding, ""), row("n", 3, CFI, IN_BOOK_NOTE), wishes=wishes)
    assert [(call.op, call.kind) for call in plan.calls] == [(CREATE, HIGHLIGHT)]


def test_of_two_highlights_of_the_same_words_only_the_first_goes_there() -> None:
    one, other = new(key=1), new(mark(made_at="2026-01-05 10:00:00"), key=2)
    planned = book.plan_all([other, one], Wishes())
    assert [made.holding.key for made in planned.plans if made.calls] == [1]


def test_what_a_long_note_has_beyond_what_the_server_holds_is_not_lost_by_an_edit_there() -> None:
    long = "a" * 5_000 + " and its end"
    holding = agreed(long)
    assert holding.links[0].agreed_server is not None
    there = row("b" + "a" * 4_998)
    server_rows.pair_rows([holding], [there], ALL, Wishes())
    holding.links[0].agreed_server.note = "a" * 5_000
    plan = merge.plan(holding, Wishes())
    assert plan.wanted is not None
    assert plan.wanted.note.endswith(" and its end")


def test_many_deletions_at_once_are_asked_about_and_none_is_told() -> None:
    many = [agreed(key=key) for key in range(1, 9)]
    for holding in many:
        holding.place = holding.cfi = CFI.replace("/4/2", f"/4/{holding.key * 2}")
    rows = [row(id=6 + key, cfi=many[key - 1].cfi) for key in range(1, 9)]
    for holding in many[:6]:
        holding.miss(False)
    server_rows.pair_rows(many, rows, ALL, Wishes())
    planned = book.plan_all(many, Wishes())
    assert planned.question is not None
    assert (planned.question.why, planned.question.count) == (book.GONE_HERE, 6)
    assert not any(made.calls for made in planned.plans)
    planned = book.plan_all(many, Wishes(), book.GONE_HERE, merge.GO_AHEAD)
    assert sum(len(made.calls) for made in planned.plans) == 6


def test_a_library_that_was_emptied_takes_nothing_from_the_device_unasked() -> None:
    many = [agreed(key=key) for key in range(1, 9)]
    for holding in many:
        holding.place = holding.cfi = CFI.replace("/4/2", f"/4/{holding.key * 2}")
    server_rows.pair_rows(many, [], ALL, Wishes())
    planned = book.plan_all(many, Wishes())
    assert planned.question is not None
    assert planned.question.why == book.GONE_THERE
    planned = book.plan_all(many, Wishes(), book.GONE_THERE, merge.RESTORE)
    assert [call.op for made in planned.plans for call in made.calls] == [CREATE] * 8


def test_a_lost_record_is_asked_about_before_anything_is_given_back() -> None:
    holding = agreed()
    holding.miss(True)
    assert holding.gone == LOST
    server_rows.pair_rows([holding], [row()], ALL, Wishes())
    planned = book.plan_all([holding], Wishes())
    assert planned.question is not None
    assert planned.question.why == book.RECORD_LOST
    planned = book.plan_all([holding], Wishes(), book.RECORD_LOST, merge.GO_AHEAD)
    assert [call.op for made in planned.plans for call in made.calls] == [DELETE]
    assert holding.gone == DELETED


def test_what_is_made_where_an_old_record_brought_back_a_deleted_highlight_does_not_get_its_note() -> None:
    holding = new(mark("long given up"))
    holding.miss(False)
    holding.see(mark("long given up"), True)
    theirs = row("", 8)
    theirs.color, theirs.style = "#4ADE80", "underline"
    plan = heard(holding, theirs)
    assert plan.wanted is not None
    assert (plan.wanted.note, plan.wanted.color, plan.wanted.drawer) == ("", "green", "underscore")
    assert plan.calls == []


def test_what_was_lost_is_not_given_back_where_the_reader_has_moved_another_highlight() -> None:
    lost, moved = agreed("", 2), _moved()
    lost.miss(True)
    lost.cfi = lost.place = OTHER_CFI
    server_rows.pair_rows([lost, moved], [row("n"), row("", 8, OTHER_CFI)], ALL, Wishes())
    assert lost.wanted() is None
    main = moved.link(MAIN)
    assert main is not None
    assert main.row is not None
    assert main.row.id == 8


def test_what_was_lost_with_a_note_is_given_back_even_there() -> None:
    lost, moved = agreed("mine", 2), _moved()
    lost.miss(True)
    lost.cfi = lost.place = OTHER_CFI
    server_rows.pair_rows([lost, moved], [row("n"), row("mine", 8, OTHER_CFI)], ALL, Wishes())
    assert lost.wanted() is not None


def test_a_highlight_made_there_beside_one_deleted_here_is_not_another_one_while_that_may_come_back() -> None:
    holding = agreed("n")
    holding.miss(False)
    heard(holding, row("n"), row("", 5)).apply(NOW)
    assert server_rows.pair_rows([holding], [row("n m"), row("", 5)], ALL, Wishes()) == []


def test_with_a_highlight_that_was_moved_both_rows_at_its_former_place_are_replaced() -> None:
    holding = agreed("n")
    heard(holding, row("n"), row("m", 3, kind=IN_BOOK_NOTE)).apply(NOW)
    assert holding.device is not None
    moved = holding.device.copy()
    moved.text, moved.pos1, moved.changed_at = "Some years ago", "/body/DocFragment[2]/body/p/text().99", "2026-02-02"
    holding.see(moved)
    holding.cfi = holding.place = OTHER_CFI
    server_rows.pair_rows([holding], [row("n"), row("m", 3, kind=IN_BOOK_NOTE), row("", 9, OTHER_CFI)], ALL, Wishes())
    assert [link.remote_id for link in holding.links if link.role.startswith(OLD)] == [7, 3]
    assert holding.link(TWIN) is None


def test_a_note_that_stands_beside_the_highlight_there_is_not_written_on_the_books_page_too() -> None:
    holding, wishes = agreed(), Wishes(BOOKLORE)
    plan = heard(holding, row(), row("theirs", 3, kind=IN_BOOK_NOTE), wishes=wishes)
    plan.apply(NOW)
    plan = heard(holding, row(), row("theirs", 3, kind=IN_BOOK_NOTE), wishes=wishes)
    assert plan.wanted is not None
    assert plan.wanted.note == "theirs"
    assert plan.calls == []
