"""The disk port: whole files or nothing."""

from __future__ import annotations

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
