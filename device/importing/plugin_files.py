"""Where the Lua plugin's files lie, and whether the reader was asked about them. Light, because every run looks.

    <KOReader>/settings/booklore-sync.sqlite     everything, since its first database
    <KOReader>/settings/booklore.lua             settings, before its tenth migration and in its fork
    <KOReader>/settings/booklore_db.lua          books and waiting sessions, before it had a database
    <KOReader>/plugins/…/hardcover.token         a token, if the reader has put one there

Called by: `device/verbs/`, `device/importing/plugin_import.py`, `device/importing/plugin_sources.py`.
"""

from __future__ import annotations

from device.store import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk
    from device.folder import Folder
    from device.store.database import Store

DATABASE = "booklore-sync.sqlite"
SETTINGS = "booklore.lua"
CACHE = "booklore_db.lua"


class Found:
    """Which sources there are, by their paths."""

    __slots__ = ("cache", "database", "root", "settings")

    def __init__(self, root: str, database: str | None, settings: str | None, cache: str | None) -> None:
        self.root = root
        self.database = database
        self.settings = settings
        self.cache = cache

    def names(self) -> list[str]:
        return [path for path in (self.database, self.settings, self.cache) if path is not None]


def find(disk: Disk, root: str) -> Found | None:
    """What lies in KOReader's folder `root`, or in `root` itself, as in a copy somebody has put aside."""
    for folder in (root + "/settings", root):
        paths = [_there(disk, f"{folder}/{name}") for name in (DATABASE, SETTINGS, CACHE)]
        if any(paths):
            return Found(root, *paths)
    return None


def _there(disk: Disk, path: str) -> str | None:
    """The path, if there is anything; of a Lua file the older copy is enough."""
    candidates = (path,) if path.endswith(DATABASE) else (path, path + ".old")
    return path if any(disk.size_bytes(candidate) for candidate in candidates) else None


def koreader_folder(folder: Folder) -> str:
    return folder.path.rpartition("/")[0]


def offer(folder: Folder, store: Store) -> list[str] | None:
    """The files of an old plugin that the reader has neither imported nor declined; None if there are none."""
    if settings.get(store, settings.PLUGIN_IMPORT) is not None:
        return None
    try:
        found = find(folder.disk, koreader_folder(folder))
    except OSError:
        return None
    return None if found is None else found.names()
