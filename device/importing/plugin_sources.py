"""What the Lua plugin left behind (`plugin_files.py`), and how it is read.

Promises: nothing there is created, changed or removed. A database that is not complete without the journal beside it is
copied into our own folder, and the copy is removed again. Whatever a file holds, it costs bounded memory, and what is
wrong with it is said with its name.
Called by: `device/importing/plugin_import.py`.
"""

from __future__ import annotations

from device.koreader import lua_literals
from device.koreader.lua_scanner import LuaError
from device.koreader.snapshot import IN_USE, Snapshot, Unavailable, snapshot
from device.store.plugin_database import Damaged, PluginDatabase, open_plugin_database
from device.ui import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk
    from device.koreader.lua_literals import Table

COPY = "/plugin-copy.sqlite"  # in the data folder, while it is needed
LUA_MAX_BYTES = 4 * 1_048_576  # 20,000 books
TOKEN_FILE = "hardcover.token"
TOKEN_MAX_BYTES = 16_384
BACKUPS_MAX = 20  # the old plugin kept three


class Unreadable(Exception):
    """A source that cannot be used. `file`, `cause`; `again`: whether another try may help."""

    def __init__(self, file: str, cause: str, again: bool = False) -> None:
        super().__init__(f"{file}: {cause}")
        self.file = file
        self.cause = cause
        self.again = again


class OpenDatabase:
    """The database while it is read, and the state of its file that is being read."""

    __slots__ = ("_snapshot", "database", "path", "stamp")

    def __init__(self, path: str, snapshot: Snapshot, database: PluginDatabase, stamp: str) -> None:
        self.path = path
        self.database = database
        self.stamp = stamp  # changes when the file does
        self._snapshot = snapshot

    def check(self) -> None:
        """Raises Unreadable if the file was changed since it was opened: then nothing read from it can be believed."""
        if not self._snapshot.is_unchanged():
            raise Unreadable(self.path, texts.PLUGIN_UNAVAILABLE[IN_USE], again=True)

    def close(self) -> None:
        self.database.close()
        self._snapshot.close()


def open_database(disk: Disk, path: str, data_folder: str) -> OpenDatabase:
    """Raises Unreadable, or OSError when a copy is needed and cannot be made."""
    copy = data_folder + COPY
    try:
        state = snapshot(disk, path, copy)
    except Unavailable as problem:
        raise Unreadable(path, texts.PLUGIN_UNAVAILABLE[problem.why], again=problem.why == IN_USE) from problem
    try:
        database = open_plugin_database(state.address, state.copy is None)
        if not database.is_the_plugins():
            database.close()
            raise Unreadable(path, texts.PLUGIN_FOREIGN)
    except Damaged as problem:
        state.close()
        raise Unreadable(path, texts.plugin_damaged(str(problem))) from problem
    except BaseException:
        state.close()
        raise
    return OpenDatabase(path, state, database, str(disk.stamp(path)))


def read_lua(disk: Disk, path: str) -> Table:
    """A Lua file's table; where KOReader was interrupted while it wrote, that of the older copy. Raises Unreadable."""
    cause = ""
    for candidate in (path, path + ".old"):
        content = disk.read(candidate, LUA_MAX_BYTES + 1)
        if not content:
            continue
        if len(content) > LUA_MAX_BYTES:
            cause = texts.plugin_too_long(LUA_MAX_BYTES)
            continue
        try:
            return lua_literals.parse(content)
        except LuaError as problem:
            cause = cause or str(problem)
    raise Unreadable(path, cause or texts.PLUGIN_FILE_MISSING)


def read_token(disk: Disk, root: str) -> str:
    """The first line of the token file in the old plugin's folder, wherever that was moved; '' if there is none."""
    plugins, backups = root + "/plugins/bookloresync.koplugin", root + "/booklore-backups"
    try:
        saved = [f"{backups}/{name}" for name in reversed(disk.names(backups)[-BACKUPS_MAX:])]
        for folder in (plugins, plugins + ".old", *saved):
            content = disk.read(f"{folder}/{TOKEN_FILE}", TOKEN_MAX_BYTES) or b""
            line = content.decode("utf-8", "replace").partition("\n")[0].strip()
            if line:
                return line
    except OSError:
        return ""  # a token that cannot be read is typed again; it is no reason to leave the rest
    return ""
