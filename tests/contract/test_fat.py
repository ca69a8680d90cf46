"""Ingest and sync on the file system that e-readers have: FAT, through the kernel and through FUSE.

Neither can be taken for granted on a machine that builds: what is missing is said, and its test skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.own_mounts import NotAllowed, in_own_mounts
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

DISK_BYTES = 40 * 1_048_576  # the smallest that mkfs.vfat makes FAT32 without a warning
PAGE_BYTES = 4_096
START = 1_795_000_000
EVENING_S = 86_400
Command = tuple[str, ...]

PATH = "/usr/sbin:/sbin:/usr/bin:/bin"  # mkfs and mount are not in everybody's


# A file system: whether this machine has it, what makes it, what checks it, and what mounts a block device.
KERNEL = (
    lambda: "\tvfat" in Path("/proc/filesystems").read_text(),
    ("mkfs.vfat", "-F", "32"),
    ("fsck.vfat", "-n"),
    # As on a Kobo.
    ("mount", "-t", "vfat", "-o", "rw,noatime,nodiratime,fmask=0022,dmask=0022,shortname=mixed,utf8"),
)
# As on a Kindle, whose readers see their FAT through FUSE; exFAT, because FUSE's FAT32 driver breaks its own files.
FUSE = (lambda: Path("/dev/fuse").exists(), ("mkfs.exfat",), ("fsck.exfat", "-n"), ("mount.exfat-fuse",))


@pytest.mark.parametrize(("is_there", "mkfs", "fsck", "mount"), [KERNEL, FUSE], ids=["vfat", "exFAT through FUSE"])
def test_a_reading_is_taken_and_sent_and_a_damaged_store_built_anew(
    is_there: Callable[[], bool], mkfs: Command, fsck: Command, mount: Command, tmp_path: Path
) -> None:
    if not is_there():
        pytest.skip("this kernel does not have it")
    for program in (mkfs[0], fsck[0], mount[0], "losetup", "umount"):
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program} is not on this machine")
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    run(*mkfs, str(image))
    in_own_mounts(lambda: use(image, disk, mount), tmp_path / "output")
    run(*fsck, str(image))


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"PATH": PATH})
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.strip()


def use(image: Path, disk: Path, mount: Command) -> None:
    try:
        device = run("losetup", "--find", "--show", str(image))
    except AssertionError as problem:
        raise NotAllowed(str(problem)) from problem
    try:
        run(*mount, device, str(disk))
    finally:
        run("losetup", "--detach", device)  # at once, or when it is not mounted any more
    try:
        take_and_send(disk)
    finally:
        run("umount", str(disk))


def take_and_send(disk: Path) -> None:
    server = StandIn(dialect="booklore")
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    with server:
        reader = Reader(disk / "bookloresync")
        reader.configure(server.url)
        for number in range(4):
            reader.reads(start=START + number * EVENING_S, **MOBY)
        assert reader.run("ingest").stdout == "4 recorded, 4 to be sent\n"
        assert len(list((reader.data / "journal" / "taken").iterdir())) == 4
        assert reader.run("sync").stdout == "4 reading sessions sent.\n"
        assert len(server.sessions()) == 4
        assert list((reader.data / "journal" / "taken").iterdir()) == []
        damage(reader.data / "state.sqlite")
        reader.reads(start=START + 4 * EVENING_S, **MOBY)
        run = reader.run("ingest")
        assert "The store was damaged and has been built anew" in run.stderr
        assert reader.run("sync").returncode == 0
        assert len(server.sessions()) == 5
        names = {path.name.partition(".damaged")[0] for path in reader.data.iterdir() if path.is_file()}
        assert names == {"menu.json", "secrets.json", "state.sqlite", "state.sqlite-journal", "worker.lock"}


def damage(store: Path) -> None:
    with store.open("r+b") as file:
        file.seek(PAGE_BYTES)
        file.write(bytes(PAGE_BYTES))
