"""The model of a disk that loses power: it may lose what was not flushed, in pieces, and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.crash.changes import Change, Make, MakeFolder, Remove, Rename, Resize, Sync, SyncFolder, Tree, Write
from tests.crash.power_cut import STRICT, WRITE_THROUGH, CrashState, Effort, Medium, crash_states
from tests.crash.tracer import Recorded

MANY = Effort(tears=16, subsets=64)
OLD = Tree({"f": "f"}, {"f": b"old"})


def states(changes: list[Change], before: Tree = OLD, medium: Medium = STRICT) -> list[CrashState]:
    recorded = [Recorded(change, 0) for change in changes]
    return list(crash_states(before, recorded, 0, random.Random(1), MANY, medium))


def last_states(changes: list[Change], before: Tree = OLD, medium: Medium = STRICT) -> list[dict[str, bytes]]:
    """The files in each state after the last change."""
    return [
        state.tree.files() for state in states(changes, before, medium) if f"after change {len(changes)} " in state.how
    ]


def contents(changes: list[Change], before: Tree = OLD) -> set[bytes | None]:
    return {files.get("f") for files in last_states(changes, before)}


def test_a_write_that_was_not_flushed_may_be_there_or_not() -> None:
    assert contents([Write("f", 0, b"new")]) == {b"old", b"new"}


def test_a_write_that_was_flushed_is_there() -> None:
    assert contents([Write("f", 0, b"new"), Sync("f")]) == {b"new"}


def test_a_flush_of_one_file_flushes_no_other() -> None:
    before = Tree({"f": "f", "g": "g"}, {"f": b"old", "g": b"old"})
    changes: list[Change] = [Write("f", 0, b"new"), Write("g", 0, b"new"), Sync("g")]
    assert {files["g"] for files in last_states(changes, before)} == {b"new"}
    assert contents(changes, before) == {b"old", b"new"}


def test_of_several_writes_any_may_be_missing() -> None:
    before = Tree({"f": "f"}, {"f": b"---"})
    found = contents([Write("f", 0, b"1"), Write("f", 1, b"2"), Write("f", 2, b"3")], before)
    assert found == {b"---", b"1--", b"-2-", b"--3", b"12-", b"1-3", b"-23", b"123"}


def test_a_write_over_several_sectors_is_torn_between_them_only() -> None:
    before = Tree({"f": "f"}, {"f": b"-" * 2000})
    found = contents([Write("f", 500, b"x" * 1100)], before)
    for content in found:
        assert content is not None
        assert {len(set(content[start:end])) for start, end in ((500, 512), (512, 1024), (1024, 1536))} == {1}
        assert set(content[:500]) == set(content[1600:]) == {ord("-")}
    assert b"-" * 500 + b"x" * 12 + b"-" * 1488 in found
    assert len(found) > 4


def test_a_file_that_grew_may_hold_what_lay_there_before() -> None:
    found = contents([Write("f", 3, b"more")])
    assert {b"old", b"oldmore"} < found
    [stale] = found - {b"old", b"oldmore"}
    assert stale is not None
    assert (len(stale), stale[:3]) == (7, b"old")


def test_a_file_whose_cut_was_not_flushed_may_still_be_long() -> None:
    assert contents([Resize("f", 0)]) == {b"old", b""}


def test_a_new_name_may_be_missing_although_its_content_was_flushed() -> None:
    changes: list[Change] = [Make("g", "g#1"), Write("g#1", 0, b"new"), Sync("g#1")]
    assert {files.get("g") for files in last_states(changes)} == {None, b"new"}
    assert {files.get("g") for files in last_states([*changes, SyncFolder("")])} == {b"new"}


def test_a_flushed_rename_of_a_file_that_was_not_flushed_leaves_an_empty_one() -> None:
    changes: list[Change] = [Make("g", "g#1"), Write("g#1", 0, b"new"), Rename("g", "f"), SyncFolder("")]
    assert contents(changes) == {b"", b"new"}


def test_a_rename_may_leave_both_names_or_only_the_old_one() -> None:
    before = Tree({"f": "f", "g": "g"}, {"f": b"old", "g": b"new"})
    found = last_states([Rename("g", "f")], before)
    assert {"f": b"old", "g": b"new"} in found
    assert {"f": b"new", "g": b"new"} in found
    assert {"g": b"new"} in found
    assert {"f": b"new"} in found


def test_what_happens_in_one_folder_happens_in_order() -> None:
    before = Tree({"f": "f", "g": "g"}, {"f": b"", "g": b""})
    found = {frozenset(files) for files in last_states([Remove("f"), Remove("g")], before)}
    assert found == {frozenset("fg"), frozenset("g"), frozenset()}


def test_what_happens_in_two_folders_happens_in_any_order() -> None:
    before = Tree({"a": "/", "b": "/", "a/f": "f", "b/g": "g"}, {"f": b"", "g": b""})
    found = {frozenset(files) for files in last_states([Remove("a/f"), Remove("b/g")], before)}
    assert found == {frozenset({"a/f", "b/g"}), frozenset({"a/f"}), frozenset({"b/g"}), frozenset()}


def test_a_file_in_a_folder_whose_name_was_lost_is_lost() -> None:
    changes: list[Change] = [MakeFolder("a"), Make("a/f", "a/f#1"), Sync("a/f#1"), SyncFolder("a")]
    found = last_states(changes, Tree())
    assert {} in found
    assert {"a/f": b""} in found


def test_where_folders_cannot_be_flushed_a_files_flush_keeps_its_name() -> None:
    changes: list[Change] = [Make("g", "g#1"), Write("g#1", 0, b"new"), Sync("g#1"), Remove("f"), SyncFolder("")]
    found = last_states(changes, medium=WRITE_THROUGH)
    assert {files.get("g") for files in found} == {b"new"}
    assert {files.get("f") for files in found} == {b"old", None}


def test_the_world_outside_may_have_gone_on_between_two_changes() -> None:
    recorded = [Recorded(Write("f", 0, b"1"), 10), Recorded(Write("f", 0, b"2"), 20)]
    found = {
        (state.tree.files()["f"], state.mark)
        for state in crash_states(OLD, recorded, 30, random.Random(1), Effort(0, 0))
    }
    assert found == {
        *((b"old", mark) for mark in (10, 20, 30)),
        *((b"1ld", mark) for mark in (10, 20)),
        *((b"2ld", mark) for mark in (20, 30)),
    }


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """What a program may do with three files in one folder."""
    tree = OLD.copy()
    changes: list[Change] = []
    for number in range(draw(st.integers(0, 12))):
        names = sorted(tree.names)
        possible: list[st.SearchStrategy[Change]] = [st.just(SyncFolder(""))]
        for name in names:
            file = tree.names[name]
            possible.append(st.builds(Write, st.just(file), st.integers(0, 1500), st.binary(min_size=1, max_size=5)))
            possible.append(st.builds(Resize, st.just(file), st.integers(0, 1500)))
            possible.append(st.just(Sync(file)))
            possible.append(st.just(Remove(name)))
        free = [name for name in "fgh" if name not in names]
        possible.extend(st.just(Make(name, f"{name}#{number}")) for name in free)
        possible.extend(st.just(Rename(old, new)) for old in names for new in "fgh" if old != new)
        change = draw(st.one_of(possible))
        tree.apply(change)
        changes.append(change)
    return changes


@given(histories(), st.sampled_from([STRICT, WRITE_THROUGH]))
def test_the_whole_history_is_among_the_states_and_what_was_flushed_at_the_end_is_in_all_of_them(
    history: list[Change], medium: Medium
) -> None:
    after = OLD.copy()
    for change in history:
        after.apply(change)
    assert after.files() in last_states(history, medium=medium)
    flushed: list[Change] = [*history, *(Sync(file) for file in after.contents), SyncFolder("")]
    if medium is STRICT:
        assert all(files == after.files() for files in last_states(flushed))


@pytest.mark.parametrize("medium", [STRICT, WRITE_THROUGH], ids=lambda medium: medium.name)
def test_the_same_chance_gives_the_same_states(medium: Medium) -> None:
    changes: list[Change] = [Write("f", 0, bytes(3000)), Make("g", "g#1"), Write("g#1", 0, bytes(900))]
    assert [state.tree.digest() for state in states(changes, medium=medium)] == [
        state.tree.digest() for state in states(changes, medium=medium)
    ]
