"""KOReader's list of the books that were opened, `history.lua`: the last read first.

Promises: reads only; a list that cannot be read is an empty one. Called by: `device/verbs/collecting.py`.
Law: KOReader's `readhistory.lua` of 2026-08.
"""

from __future__ import annotations

from device.koreader import lua_literals
from device.koreader.lua_scanner import LuaError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk

NAME = "history.lua"
CONTENT_MAX_BYTES = 4 * 1_048_576
FILES_MOST = 5_000  # KOReader keeps 500, and up to 1,000 if it is told to
PATH_MAX_CHARS = 4_096


def files(disk: Disk, koreader: str) -> list[str]:
    """Raises OSError."""
    content = disk.read(f"{koreader}/{NAME}", CONTENT_MAX_BYTES)
    if not content:
        return []
    try:
        entries = lua_literals.sequence(lua_literals.parse(content))
    except LuaError:
        return []
    found = (entry.get("file") for entry in entries[:FILES_MOST] if isinstance(entry, dict))
    paths = [file for file in found if isinstance(file, str) and file.startswith("/") and len(file) <= PATH_MAX_CHARS]
    return list(dict.fromkeys(paths))
