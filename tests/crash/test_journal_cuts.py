"""The launcher's power fails at any moment of an evening: every line that it flushed can be read afterwards.

The launcher is the real one, under LuaJIT in the fake KOReader; its journals are read by the worker's own reader.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core import journal
from device.ingest import whole_lines
from tests import soak
from tests.crash.changes import FOLDER, Rename, Sync, SyncFolder, Tree
from tests.crash.counts import COUNTS
from tests.crash.power_cut import STRICT, WRITE_THROUGH, CrashState, Effort, Medium, crash_states
from tests.crash.ptrace import Program
from tests.crash.tracer import Recorded, Recording, record
from tests.reader import ROOT, Reader

EFFORT = Effort(soak.bounded(1, 8), soak.bounded(2, 16))
SEED = 20261122


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    luajit = shutil.which("luajit")
    assert luajit, "luajit is missing: apt-get install luajit lua-filesystem lua-cjson"
    folder = tmp_path_factory.mktemp("evening")
    for room in ("bin", "bookloresync/journal"):
        (folder / room).mkdir(parents=True)
    (folder / "bookloresync" / "menu.json").write_text('{"version":1,"items":[]}')
    recording = record(Program((luajit, "tests/crash/evening.lua", str(folder)), ROOT), folder / "bookloresync")
    assert recording.run.returncode == 0, recording.run.errors
    return recording


def journals(tree: Tree) -> dict[str, bytes]:
    """File of the model → content, of every journal."""
    return {
        file: tree.contents[file] for path, file in tree.names.items() if path.startswith("journal/") and file != FOLDER
    }


def flushed_after_each_change(recording: Recording, medium: Medium) -> list[dict[str, bytes]]:
    """What must be there after so many changes: the content at the last flush, of files whose name was flushed too."""
    tree = recording.before.copy()
    contents: dict[str, bytes] = {}
    named: set[str] = set()
    must: list[dict[str, bytes]] = [{}]
    for recorded in recording.changes:
        tree.apply(recorded.change)
        if isinstance(recorded.change, Sync) and recorded.change.file in journals(tree):
            contents[recorded.change.file] = tree.contents[recorded.change.file]
            if medium.file_flush_keeps_name:
                named.add(recorded.change.file)
        elif isinstance(recorded.change, SyncFolder) and recorded.change.path == "journal":
            named.update(journals(tree))
        must.append({file: content for file, content in contents.items() if file in named})
    return must


def states_of_each_change(recording: Recording, medium: Medium) -> Iterator[tuple[int, CrashState]]:
    """The mark of a recorded change is put to use as the number of changes before it."""
    numbered = [Recorded(recorded.change, number) for number, recorded in enumerate(recording.changes)]
    chance = random.Random(SEED)
    for number in range(len(numbered) + 1):
        for state in crash_states(recording.before, numbered[:number], number, chance, EFFORT, medium, first=number):
            if state.mark == number:
                yield number, state


@pytest.mark.parametrize("medium", [STRICT, WRITE_THROUGH], ids=lambda medium: medium.name)
def test_every_line_that_was_flushed_can_be_read_after_a_cut_at_any_moment(evening: Recording, medium: Medium) -> None:
    whole = journals(evening.after())
    must = flushed_after_each_change(evening, medium)
    tried = 0
    for number, state in states_of_each_change(evening, medium):
        tried += 1
        there = journals(state.tree)
        for file, content in must[number].items():
            assert file in there, state.how
            reading = journal.read(whole_lines(there[file]))
            assert reading is not None, state.how
            assert reading.lines >= content.count(b"\n"), state.how
            assert there[file].startswith(content), state.how
        for file, content in there.items():
            reading = journal.read(whole_lines(content))
            lines = 0 if reading is None else reading.lines
            is_cut_short = whole[file].startswith(content) and not whole_lines(content)
            assert reading is not None or is_cut_short or "stale" in state.how, state.how
            assert content.split(b"\n")[:lines] == whole[file].split(b"\n")[:lines], state.how
    COUNTS[f"cuts of the launcher's journals, {medium.name}"] = tried
    assert tried > 200


@pytest.mark.parametrize("content", ["", '{"v":1,"n":0,"ev":"open","t":179500'], ids=["empty", "half a line"])
def test_what_a_cut_while_the_book_was_being_opened_leaves_is_removed_without_a_word(
    tmp_path: Path, content: str
) -> None:
    reader = Reader(tmp_path / "bookloresync")
    (reader.data / "journal" / "1795000000-00000f.jsonl").write_text(content)
    run = reader.run("ingest")
    assert (run.returncode, run.stdout, run.stderr) == (0, "0 recorded, 0 to be sent\n", "")
    assert not any(path.is_file() for path in (reader.data / "journal").rglob("*"))


def test_the_evening_writes_flushes_and_finishes_as_a_launcher_does(evening: Recording) -> None:
    """Else the proof above would prove nothing."""
    names = [path for path in evening.after().files() if path.startswith("journal/")]
    assert sorted(path.rpartition(".")[2] for path in names) == ["jsonl", "open"]
    assert any(isinstance(recorded.change, Rename) for recorded in evening.changes)
    must = flushed_after_each_change(evening, STRICT)[-1]
    whole = journals(evening.after())
    [closed, died] = sorted(whole, key=lambda file: whole[file].count(b'"snapshot"'), reverse=True)
    assert must[closed] == whole[closed]
    assert b'"ev":"suspend"' in whole[closed]
    assert 0 < len(must[died]) < len(whole[died])
    assert len(whole[died]) > 2_000
