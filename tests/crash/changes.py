"""What a program did to a folder, change by change, and the folder that comes of it.

Promises: a `Tree` is the whole folder in memory: names, folders and contents; applying a change to it is what the
kernel did. Paths are relative to the folder, with `/`; the folder itself is the empty path. Files have names of their
own that survive renames: the path of a file that was there from the beginning, `path#number` of one made later.
Never: touches a disk but in `read_tree` and `write_tree`.
Called by: `tracer` and `kernel` (which record), `power_cut` (which takes changes back).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = "/"  # in the place of a file's name: this name is a folder's


@dataclass(frozen=True, slots=True)
class Make:
    """A new name for a new, empty file."""

    path: str
    file: str


@dataclass(frozen=True, slots=True)
class MakeFolder:
    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    """In one folder; a file that had the new name loses it."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Remove:
    path: str


@dataclass(frozen=True, slots=True)
class Write:
    file: str
    offset: int
    data: bytes

    def __repr__(self) -> str:
        return f"Write(file={self.file!r}, offset={self.offset}, {len(self.data)} bytes)"


@dataclass(frozen=True, slots=True)
class Resize:
    file: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Sync:
    """Everything written to the file so far has reached the medium."""

    file: str


@dataclass(frozen=True, slots=True)
class SyncFolder:
    """Every name made, moved or removed in the folder so far has reached the medium."""

    path: str


NameChange = Make | MakeFolder | Rename | Remove
DataChange = Write | Resize
Change = NameChange | DataChange | Sync | SyncFolder


@dataclass(slots=True)
class Tree:
    """`names`: path → file, or FOLDER; `contents`: file → bytes."""

    names: dict[str, str] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)

    def copy(self) -> Tree:
        return Tree(dict(self.names), dict(self.contents))

    def settled(self) -> Tree:
        """The same folder as a program that starts now finds it: every file is named by its path."""
        names = {path: file if file == FOLDER else path for path, file in self.names.items()}
        return Tree(names, {path: self.contents[file] for path, file in self.names.items() if file != FOLDER})

    def apply(self, change: Change) -> None:
        if isinstance(change, (Make, MakeFolder, Rename, Remove)):
            change_names(self.names, change)
            if isinstance(change, Make):
                self.contents[change.file] = b""
        elif isinstance(change, (Write, Resize)):
            self.contents[change.file] = changed(self.contents[change.file], change)

    def files(self) -> dict[str, bytes]:
        """Path → content of every file that can be reached by its name."""
        return {path: self.contents[file] for path, file in self.names.items() if file != FOLDER and self._is_in(path)}

    def folders(self) -> list[str]:
        """Parents before children."""
        return sorted(path for path, file in self.names.items() if file == FOLDER and self._is_in(path))

    def _is_in(self, path: str) -> bool:
        parent = parent_of(path)
        while parent:
            if self.names.get(parent) != FOLDER:
                return False
            parent = parent_of(parent)
        return True

    def digest(self, without: Iterable[str] = ()) -> bytes:
        """Two trees of one digest are the same to a program; paths that begin with one of `without` do not count."""
        left_out = tuple(without)
        found = hashlib.blake2b(digest_size=16)
        for path in self.folders():
            found.update(b"folder %d:%s" % (len(path), path.encode()))
        for path, content in sorted(self.files().items()):
            if not path.startswith(left_out):
                found.update(b"file %d:%s %d:" % (len(path), path.encode(), len(content)))
                found.update(content)
        return found.digest()


def parent_of(path: str) -> str:
    return path.rpartition("/")[0]


def change_names(names: dict[str, str], change: NameChange) -> None:
    if isinstance(change, Make):
        names[change.path] = change.file
    elif isinstance(change, MakeFolder):
        names[change.path] = FOLDER
    elif isinstance(change, Rename):
        names[change.new] = names.pop(change.old)
    else:
        del names[change.path]


def changed(content: bytes, change: DataChange) -> bytes:
    if isinstance(change, Resize):
        return content[: change.size_bytes].ljust(change.size_bytes, b"\0")
    end = change.offset + len(change.data)
    return content[: change.offset].ljust(change.offset, b"\0") + change.data + content[end:]


def read_tree(folder: Path) -> Tree:
    """Raises ValueError for anything but files and folders."""
    tree = Tree()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise ValueError(f"{path} is neither a file nor a folder")
        tree.names[name] = FOLDER if path.is_dir() else name
        if path.is_file():
            tree.contents[name] = path.read_bytes()
    return tree


def write_tree(tree: Tree, folder: Path) -> None:
    """Makes `folder` hold exactly `tree`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in tree.folders():
        (folder / path).mkdir()
    for path, content in tree.files().items():
        (folder / path).write_bytes(content)
