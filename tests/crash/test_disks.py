"""The disk port when power fails or the disk is full, in memory: whole files or nothing, at every operation.

The program as a whole, with SQLite, is cut in `test_every_cut.py`.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import configure, json_text
from device.core.outbox import Uptime
from device.core.preferences import Preferences
from device.disk import Disk
from device.folder import Folder
from device.ingest import ingest
from device.protocol import Result
from device.secrets import Keeper, Secrets
from device.store import database, reading_sessions
from tests.crash import changes as c
from tests.crash.disks import CrashingDisk, MemoryKernel, PowerCut, RecordingDisk
from tests.crash.power_cut import STRICT, WRITE_THROUGH, Effort, Medium
from tests.crash.ptrace import Program
from tests.crash.tracer import record
from tests.reader import ROOT, journal_text

MANY = Effort(tears=16, subsets=32)
MEDIA = pytest.mark.parametrize("medium", [STRICT, WRITE_THROUGH], ids=lambda medium: medium.name)
LIMIT_BYTES = 1_000_000
OLD, NEW, NEWEST = b"o" * 700, b"n" * 1_300, b"e" * 900
PATH = "/data/f"


def tree(**files: bytes) -> c.Tree:
    """`/data` with these files; `f_new` stands for `f.new`."""
    found = c.Tree({"data": c.FOLDER})
    for name, content in files.items():
        path = f"data/{name.replace('_new', '.new')}"
        found.names[path] = path
        found.contents[path] = content
    return found


def read(left: c.Tree, path: str = PATH) -> bytes | None:
    return RecordingDisk(left).read(path, LIMIT_BYTES)


def found_after_every_cut(before: c.Tree, do: Callable[[Disk], None], medium: Medium) -> set[bytes | None]:
    disk = RecordingDisk(before)
    do(disk)
    return {read(state.tree) for state in disk.states(MANY, medium)}


@MEDIA
def test_a_file_that_is_replaced_holds_the_old_or_the_new_content_at_every_cut(medium: Medium) -> None:
    assert found_after_every_cut(tree(f=OLD), lambda disk: disk.write(PATH, NEW), medium) == {OLD, NEW}


@MEDIA
@pytest.mark.parametrize("leftover", [b"", NEWEST, NEWEST * 2], ids=["empty", "shorter", "longer"])
def test_what_an_interrupted_write_left_does_not_get_into_the_next_one(medium: Medium, leftover: bytes) -> None:
    before = tree(f=OLD, f_new=leftover)
    assert found_after_every_cut(before, lambda disk: disk.write(PATH, NEW), medium) == {OLD, NEW}


@MEDIA
def test_the_only_copy_that_an_interrupted_rename_left_outlives_the_next_write(medium: Medium) -> None:
    assert found_after_every_cut(tree(f_new=OLD), lambda disk: disk.write(PATH, NEW), medium) == {OLD, NEW}


@MEDIA
def test_a_second_cut_during_the_next_write_halves_nothing_either(medium: Medium) -> None:
    first = RecordingDisk(tree(f=OLD))
    first.write(PATH, NEW)
    for state in first.states(Effort(2, 2), medium):
        assert found_after_every_cut(state.tree, lambda disk: disk.write(PATH, NEWEST), medium) <= {OLD, NEW, NEWEST}


@MEDIA
def test_a_removed_file_is_there_whole_or_not_at_all(medium: Medium) -> None:
    assert found_after_every_cut(tree(f=OLD, f_new=NEW[:600]), lambda disk: disk.remove(PATH), medium) == {OLD, None}


CONTENTS = st.lists(st.binary(min_size=1, max_size=1_500), min_size=1, max_size=4)


@given(CONTENTS)
def test_a_write_that_returned_is_not_lost_later(contents: list[bytes]) -> None:
    """Where folders can be flushed. A mark is how many writes had returned: the last of them is there, or the next."""
    done = 0
    disk = RecordingDisk(tree(f=OLD), lambda: done)
    for content in contents:
        disk.write(PATH, content)
        done += 1
    for state in disk.states(Effort(4, 4)):
        assert read(state.tree) in [OLD, *contents, contents[-1]][state.mark : state.mark + 2], state.how


@MEDIA
@pytest.mark.parametrize("good_changes", range(8))
def test_a_write_during_which_the_power_fails_leaves_the_old_or_the_new_content(
    medium: Medium, good_changes: int
) -> None:
    disk = CrashingDisk(tree(f=OLD), good_changes)
    try:
        disk.write(PATH, NEW)
    except PowerCut:
        assert len(disk.kernel.changes) == good_changes
    else:
        assert len(disk.kernel.changes) <= good_changes
    assert {read(left) for left in disk.left(MANY, medium)} <= {OLD, NEW}


class ForgetfulKernel(MemoryKernel):
    """Says that it has flushed, and has not."""

    def fsync(self, handle: int, /) -> None:
        return


class HastyDisk(RecordingDisk):
    """Renames before it has flushed."""

    __slots__ = ()

    def write(self, path: str, content: bytes, mode: int = 0o644) -> None:
        handle = self.kernel.open(path + ".new", 0o1101)
        self.kernel.write(handle, content)
        self.kernel.rename(path + ".new", path)
        self.kernel.fsync(handle)
        self.kernel.close(handle)
        self.sync_folder(path.rpartition("/")[0])


@MEDIA
def test_a_disk_that_does_not_flush_before_the_rename_is_found_out(medium: Medium) -> None:
    forgetful = RecordingDisk()
    forgetful.kernel = ForgetfulKernel(tree(f=OLD), lambda: 0)
    Disk.__init__(forgetful, forgetful.kernel)
    for disk in (forgetful, HastyDisk(tree(f=OLD))):
        disk.write(PATH, NEW)
        halves = {read(state.tree) for state in disk.states(MANY, medium)} - {OLD, NEW}
        assert halves


def test_the_disk_in_memory_records_what_the_real_one_does(tmp_path: Path) -> None:
    """So what is proven with the one holds for the other."""
    text = (
        "import sys; from device.disk import Disk; disk = Disk(); p = sys.argv[1] + '/data'\n"
        "disk.make_folder(p); disk.write(p + '/f', b'1' * 700); disk.write(p + '/f', b'2')\n"
        "disk.append(p + '/log', b'3'); disk.append(p + '/log', b'4'); disk.rename(p + '/log', p + '/old')\n"
        "disk.remove(p + '/f'); disk.sync_folder(p)\n"
        "disk.write(p + '/g', b''); disk.read(p + '/g', 10), disk.names(p), disk.size_bytes(p + '/g')"
    )
    program = Program((sys.executable, "-c", text, str(tmp_path)), ROOT)
    recording = record(program, tmp_path)
    assert recording.run.returncode == 0, recording.run.errors
    real = [recorded.change for recorded in recording.changes]
    disk = RecordingDisk()
    disk.make_folder("/data")
    disk.write("/data/f", b"1" * 700)
    disk.write("/data/f", b"2")
    disk.append("/data/log", b"3")
    disk.append("/data/log", b"4")
    disk.rename("/data/log", "/data/old")
    disk.remove("/data/f")
    disk.sync_folder("/data")
    disk.write("/data/g", b"")
    assert [without_file(change) for change in real] == [without_file(recorded.change) for recorded in disk.changes]
    assert recording.after().files() == disk.kernel.tree.files()


def without_file(change: c.Change) -> str:
    """Files are numbered differently in the two."""
    file = getattr(change, "file", None)
    return repr(change) if file is None else repr(change).replace(file, file.partition("#")[0])


# ---------------------------------------------------------------------------------------- what is written with it

ANNA = Secrets("https://one.example", "anna", "secret one", "-----BEGIN CERTIFICATE-----" + "a" * 2_000)
BERT = Secrets("https://two.example", "bert", "secret two")


def secrets_at_every_cut(before: c.Tree, account: Secrets, medium: Medium) -> set[tuple[str, str, str] | None]:
    disk = RecordingDisk(before)
    Keeper(disk, "/data/secrets.json").save(account)
    found = set()
    for state in disk.states(MANY, medium):
        loaded = Keeper(RecordingDisk(state.tree), "/data/secrets.json").load()
        found.add(None if loaded is None else (loaded.server, loaded.user, loaded.password))
    return found


def identity(account: Secrets) -> tuple[str, str, str]:
    return account.server, account.user, account.password


@MEDIA
def test_the_account_is_the_old_or_the_new_one_never_a_mixture_and_never_none(medium: Medium) -> None:
    disk = RecordingDisk(tree())
    Keeper(disk, "/data/secrets.json").save(ANNA)
    assert secrets_at_every_cut(disk.kernel.tree, BERT, medium) == {identity(ANNA), identity(BERT)}


@MEDIA
def test_a_first_account_is_there_whole_or_not_at_all(medium: Medium) -> None:
    assert secrets_at_every_cut(tree(), ANNA, medium) == {None, identity(ANNA)}


@MEDIA
def test_a_setup_file_is_gone_only_when_its_account_is_kept(medium: Medium, tmp_path: Path) -> None:
    setup_file = b"server = https://one.example\nuser = anna\npassword = secret one\n"
    disk = RecordingDisk(tree(**{"setup.txt": setup_file}))
    folder = Folder(disk, "/data")
    setup = configure.collect(folder, None)
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), 0)
    configure.store_account(folder, store, setup)
    store.close()
    seen = set()
    for state in disk.states(MANY, medium):
        left = RecordingDisk(state.tree)
        account = Keeper(left, folder.secrets).load()
        is_kept = account is not None and identity(account) == identity(ANNA)
        setup_is_there = left.read(folder.setup, LIMIT_BYTES) == setup_file
        assert is_kept or setup_is_there, state.how
        seen.add((is_kept, setup_is_there))
    assert seen == {(False, True), (True, True), (True, False)}


@MEDIA
@pytest.mark.parametrize("name", ["results/1795000000-00000a.json", "menu.json"])
def test_a_result_or_menu_is_whole_json_or_none(medium: Medium, name: str) -> None:
    content = json_text.encode({"version": 1, "messages": [{"level": "info", "text": "x" * 100}] * 20})
    before = tree()
    before.names["data/results"] = c.FOLDER
    disk = RecordingDisk(before)
    disk.write(f"/data/{name}", content)
    found = {left.files().get(f"data/{name}") for left in (state.tree for state in disk.states(MANY, medium))}
    assert found == {None, content}


JOURNAL = "data/journal/1795000000-00000a.jsonl"


def ingest_on(disk: Disk, store: database.Store) -> int:
    result = Result()
    ingest(Folder(disk, "/data"), store, Preferences({}), result, 1_795_100_000, Uptime("", 100))
    return result.counts["recorded"]


@pytest.mark.parametrize("good_changes", range(12))
def test_a_journal_is_there_until_it_is_in_the_store_and_is_taken_once(good_changes: int, tmp_path: Path) -> None:
    """The store's own files are cut in `test_every_cut.py`; here it is always as far as its last commit."""
    text = journal_text([(0, "open", {"page": 1, "pages": 9}), (100, "close", {"page": 1, "pages": 9})], "Emma", 0)
    before = tree()
    before.names |= {"data/journal": c.FOLDER, JOURNAL: JOURNAL}
    before.contents[JOURNAL] = text.encode()
    path = str(tmp_path / "state.sqlite")
    cut = CrashingDisk(before, good_changes)
    store = database.open_store(Disk(), path, 0)
    recorded = 0
    try:
        recorded = ingest_on(cut, store)
    except PowerCut:
        recorded = int(reading_sessions.journal_is_ingested(store, "1795000000-00000a"))
        assert recorded or JOURNAL in cut.kernel.tree.names
    for left in cut.left(MANY):
        assert recorded or JOURNAL in left.names
        assert ingest_on(RecordingDisk(left), store) == 1 - recorded
        recorded = 1
    store.close()


# ----------------------------------------------------------------------------------------------------- full disks


@pytest.mark.parametrize("good_changes", range(3))
def test_on_a_full_disk_the_old_content_stays_and_no_half_is_left(good_changes: int) -> None:
    disk = CrashingDisk(tree(f=OLD), good_changes, errno.ENOSPC)
    if good_changes < 2:
        with pytest.raises(OSError, match=r"No space left on device: '/data/f\.new'"):
            disk.write(PATH, NEW)
        assert disk.kernel.tree.files() == {"data/f": OLD}
    else:
        disk.write(PATH, NEW)
        assert disk.kernel.tree.files() == {"data/f": NEW}


@pytest.mark.parametrize("good_changes", range(4))
def test_on_a_full_disk_the_account_stays_and_the_setup_file_too(good_changes: int, tmp_path: Path) -> None:
    before = tree(**{"setup.txt": b"server = https://two.example\nuser = bert\npassword = secret two\n"})
    with_anna = RecordingDisk(before)
    Keeper(with_anna, "/data/secrets.json").save(ANNA)
    disk = CrashingDisk(with_anna.kernel.tree, good_changes, errno.ENOSPC)
    folder = Folder(disk, "/data")
    setup = configure.collect(folder, None)
    store = database.open_store(Disk(), str(tmp_path / "state.sqlite"), 0)
    try:
        configure.store_account(folder, store, setup)
    except OSError as problem:
        assert problem.errno == errno.ENOSPC
        expected, is_there = ANNA, True
    else:
        expected, is_there = BERT, False
    finally:
        store.close()
    account = Keeper(disk, folder.secrets).load()
    assert account is not None
    assert identity(account) == identity(expected)
    assert (disk.size_bytes(folder.setup) is not None) == is_there


def test_a_log_that_cannot_be_written_fails_nothing() -> None:
    before = tree()
    before.names["data/log"] = c.FOLDER
    disk = CrashingDisk(before, 0, errno.ENOSPC)
    Folder(disk, "/data").log("nobody reads this")
    assert disk.kernel.tree.files() == {}
