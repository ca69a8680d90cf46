"""The disk port: whole files or nothing. What a power cut leaves is tested in `tests/crash/test_disks.py`."""

from __future__ import annotations

import errno
import posix
from collections.abc import Callable
from pathlib import Path

import pytest

from device.disk import Disk

disk = Disk()


def test_a_file_is_read_as_far_as_asked(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abcdef")
    assert disk.read(str(tmp_path / "f"), 4) == b"abcd"


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert disk.read(str(tmp_path / "f"), 4) is None
    assert disk.size_bytes(str(tmp_path / "f")) is None
    assert disk.names(str(tmp_path / "nowhere")) == []


def test_a_written_file_leaves_no_other_behind(tmp_path: Path) -> None:
    disk.write(str(tmp_path / "f"), b"one")
    disk.write(str(tmp_path / "f"), b"two", 0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_bytes() == b"two"


def test_a_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    disk.write(str(tmp_path / "f"), b"secret", 0o600)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_a_first_write_that_was_cut_off_before_its_rename_is_still_found(tmp_path: Path) -> None:
    (tmp_path / "f.new").write_bytes(b"content")
    assert disk.read(str(tmp_path / "f"), 100) == b"content"


def test_a_removed_file_does_not_come_back_through_what_an_interrupted_write_left(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"old")
    (tmp_path / "f.new").write_bytes(b"newer")
    disk.remove(str(tmp_path / "f"))
    assert disk.read(str(tmp_path / "f"), 100) is None


def test_a_failure_names_its_path(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        disk.write(str(tmp_path / "nowhere" / "f"), b"")


def test_what_an_interrupted_write_left_is_finished_by_the_next_one(tmp_path: Path) -> None:
    """Else the only whole copy would be overwritten in place."""
    (tmp_path / "f.new").write_bytes(b"the only copy")
    (tmp_path / "f.new").chmod(0o400)
    disk.write(str(tmp_path / "f"), b"next")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"next")]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(b"old")
    monkeypatch.setattr(posix, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match=r"f\.new"):
        disk.write(str(tmp_path / "f"), b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"old")]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_a_file_system_that_flushes_no_folders_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(posix, "fsync", failing(number))
    disk.sync_folder(str(tmp_path))


def test_a_folder_whose_flush_really_fails_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posix, "fsync", failing(errno.EIO))
    with pytest.raises(OSError, match=tmp_path.name):
        disk.sync_folder(str(tmp_path))


def failing(number: int) -> Callable[[int], None]:
    def fsync(handle: int) -> None:
        raise OSError(number, "as told")

    return fsync
