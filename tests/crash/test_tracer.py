"""The tracer misses nothing: every change with its bytes, in order, or a loud refusal."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.crash.changes import Change, Make, MakeFolder, Remove, Rename, Resize, Sync, SyncFolder, Write
from tests.crash.ptrace import Program, TracerError
from tests.crash.tracer import kill_at, record, run_on_full_disk

OPEN = "import os, mmap, posix, subprocess, threading; f = os.open('f', os.O_RDWR | os.O_CREAT); "


def python(text: str, folder: Path, limit_s: float = 30.0) -> Program:
    """A small program in `folder`, without what Python looks up at its start."""
    return Program((sys.executable, "-I", "-S", "-B", "-c", text), folder, limit_s=limit_s)


def changes(text: str, folder: Path) -> list[Change]:
    recording = record(python(text, folder), folder)
    assert recording.run.returncode == 0, recording.run.errors
    return [recorded.change for recorded in recording.changes]


def test_a_file_that_is_made_written_flushed_and_renamed_is_recorded_step_by_step(tmp_path: Path) -> None:
    text = OPEN + "os.write(f, b'one'); os.fsync(f); os.rename('f', 'g'); os.fdatasync(f); os.unlink('g')"
    assert changes(text, tmp_path) == [
        Make("f", "f#1"),
        Write("f#1", 0, b"one"),
        Sync("f#1"),
        Rename("f", "g"),
        Sync("f#1"),
        Remove("g"),
    ]


def test_every_kind_of_write_is_recorded_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    text = OPEN + (
        "os.write(f, b'ab'); os.lseek(f, 6, 0); os.writev(f, [b'c', b'', b'd']); os.pwrite(f, b'ef', 2);"
        "import ctypes; gh = ctypes.create_string_buffer(b'gh'); at = ctypes.addressof(gh);"
        "ctypes.CDLL(None).pwritev(f, (ctypes.c_size_t * 4)(at, 1, at + 1, 1), 2, ctypes.c_long(12));"
        "os.ftruncate(f, 13);"
        "a = os.open('f', os.O_WRONLY | os.O_APPEND); os.write(a, b'end')"
    )
    assert changes(text, tmp_path) == [
        Write("f", 0, b"ab"),
        Write("f", 6, b"cd"),
        Write("f", 2, b"ef"),
        Write("f", 12, b"gh"),
        Resize("f", 13),
        Write("f", 13, b"end"),
    ]
    assert (tmp_path / "f").read_bytes() == b"abef45cd89\0\0gend"


def test_a_write_of_a_megabyte_is_recorded_whole(tmp_path: Path) -> None:
    [_, written] = changes(OPEN + "os.write(f, bytes(range(256)) * 4096)", tmp_path)
    assert written == Write("f#1", 0, bytes(range(256)) * 4096)


def test_a_file_that_is_opened_to_be_emptied_loses_its_content(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert changes("import os; os.open('f', os.O_WRONLY | os.O_TRUNC)", tmp_path) == [Resize("f", 0)]


def test_folders_are_recorded_made_flushed_and_removed(tmp_path: Path) -> None:
    text = "import os; os.mkdir('a'); os.fsync(os.open('a', 0)); os.fsync(os.open('.', 0)); os.rmdir('a')"
    assert changes(text, tmp_path) == [MakeFolder("a"), SyncFolder("a"), SyncFolder(""), Remove("a")]


def test_a_copied_descriptor_and_a_path_beside_another_folder_lead_to_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    text = OPEN + (
        "os.write(os.dup(f), b'1'); here = os.open('a', 0); os.chdir('/'); os.mkdir('b', dir_fd=here);"
        "os.unlink('../f', dir_fd=here); os.write(f, b'2')"
    )
    assert changes(text, tmp_path) == [
        Make("f", "f#1"),
        Write("f#1", 0, b"1"),
        MakeFolder("a/b"),
        Remove("f"),
        Write("f#1", 1, b"2"),
    ]


def test_a_new_file_with_the_inode_of_a_removed_one_is_another_file(tmp_path: Path) -> None:
    text = OPEN + "os.close(f); os.unlink('f'); f = os.open('f', os.O_RDWR | os.O_CREAT); os.write(f, b'1')"
    assert changes(text, tmp_path) == [Make("f", "f#1"), Remove("f"), Make("f", "f#2"), Write("f#2", 0, b"1")]


def test_what_happens_in_other_folders_is_not_recorded(tmp_path: Path) -> None:
    inside, outside = tmp_path / "a", tmp_path / "ab"
    inside.mkdir()
    outside.mkdir()
    text = f"import os; os.chdir({str(outside)!r}); f = os.open('f', os.O_RDWR | os.O_CREAT); os.write(f, b'1')"
    assert changes(text, inside) == []


def test_what_fails_is_not_recorded(tmp_path: Path) -> None:
    text = (
        "import os\n"
        "for call in (lambda: os.mkdir('a/b'), lambda: os.unlink('a'), lambda: os.write(99, b'1'),"
        " lambda: os.rename('a', 'b'), lambda: os.open('a/b', os.O_CREAT | os.O_WRONLY)):\n"
        "    try: call()\n"
        "    except OSError: pass\n"
    )
    assert changes(text, tmp_path) == []


def test_each_change_carries_what_was_said_just_before_it(tmp_path: Path) -> None:
    numbers = iter(range(1, 10))
    recording = record(python(OPEN + "os.write(f, b'1')", tmp_path), tmp_path, lambda: next(numbers))
    assert [recorded.mark for recorded in recording.changes] == [1, 2]
    assert recording.last_mark == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("os.sendfile(f, os.open('/bin/sh', 0), 0, 10)", "sendfile"),
        ("os.copy_file_range(os.open('/bin/sh', 0), f, 10)", "copy_file_range"),
        ("r, w = os.pipe(); os.write(w, b'1'); os.splice(r, f, 1)", "splice"),
        ("os.posix_fallocate(f, 0, 10)", "fallocate"),
        ("os.pwritev(f, [b'1'], 0, os.RWF_SYNC)", "pwritev2"),
        ("os.ftruncate(f, 10); mmap.mmap(f, 10)", "mmap"),
        ("os.truncate('f', 10)", "truncate"),
        ("os.link('f', 'g')", "link"),
        ("os.symlink('f', 'g')", "symlink"),
        ("os.mkfifo('g')", "mknod"),
        ("os.open('.', os.O_TMPFILE | os.O_RDWR)", "without a name"),
        ("os.mkdir('a'); os.rename('f', 'a/f')", "into another folder"),
        ("os.rename('f', '/tmp/f')", "into another folder"),
        ("os.mkdir('a'); os.rename('a', 'b')", "renames the folder"),
        ("a = os.open('f', os.O_WRONLY | os.O_APPEND); os.pwrite(a, b'1', 0)", "O_APPEND"),
        ("os.sync()", "sync"),
        ("subprocess.run(['/bin/true'])", "another process"),
        ("threading.Thread(target=print).start()", "another process or thread"),
    ],
)
def test_what_would_be_missed_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(TracerError, match=words):
        record(python(OPEN + text, tmp_path), tmp_path)


def test_a_private_mapping_changes_no_file(tmp_path: Path) -> None:
    text = OPEN + "os.ftruncate(f, 10); mmap.mmap(f, 10, mmap.MAP_PRIVATE)[0] = 1"
    assert changes(text, tmp_path) == [Make("f", "f#1"), Resize("f#1", 10)]


def test_a_change_that_was_not_seen_fails_the_recording(tmp_path: Path) -> None:
    def meanwhile() -> int:
        (tmp_path / "g").write_bytes(b"by somebody else")
        return 0

    with pytest.raises(TracerError, match=r"different: \['g'\]"):
        record(python(OPEN, tmp_path), tmp_path, meanwhile)


def test_a_program_without_an_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(TracerError, match="still running"):
        record(python("while True: pass", tmp_path, limit_s=0.5), tmp_path)


def test_a_killed_program_has_made_the_calls_before_and_not_the_one_at_which_it_died(tmp_path: Path) -> None:
    """The program makes one file after the other: as many are there as calls were made."""
    text = "import os\nfor n in range(10): os.mkdir(str(n))\nos._exit(0)"
    calls = kill_at(python(text, tmp_path), 10**9).calls
    for made_before in range(10):
        for made in tmp_path.iterdir():
            made.rmdir()
        number = calls - 10 + made_before
        run = kill_at(python(text, tmp_path), number)
        assert (run.returncode, run.calls) == (-signal.SIGKILL, number)
        assert len(list(tmp_path.iterdir())) == made_before


def test_a_full_disk_takes_half_of_one_write_and_then_nothing(tmp_path: Path) -> None:
    text = (
        OPEN + "print(os.write(f, b'12'), os.write(f, b'345678'))\n"
        "for call in (lambda: os.write(f, b'9'), lambda: os.mkdir('a'), lambda: os.open('g', os.O_CREAT),"
        " lambda: os.ftruncate(f, 100)):\n"
        "    try: call()\n"
        "    except OSError as problem: print(problem.strerror)\n"
        "os.ftruncate(f, 4); os.fsync(f); os.unlink('f'); print(os.statvfs('.').f_bavail, os.statvfs('.').f_bsize > 0)"
    )
    run, needing_room, refused = run_on_full_disk(python(text, tmp_path), tmp_path, 3)
    assert run.output.splitlines() == ["2 3"] + ["No space left on device"] * 4 + ["0 True"]
    assert (run.returncode, needing_room, refused) == (0, 7, 5)
    assert list(tmp_path.iterdir()) == []
