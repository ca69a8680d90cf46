"""The data folder: where each file of docs/protocol.md lies, and the log.

Called by: the worker's verbs.
"""

from __future__ import annotations

import time

from device.core.instants import to_iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.disk import Disk

LOG_MAX_BYTES = 65_536
LOG_FILES = 3
LOG_LINE_MAX_CHARS = 500


class Folder:
    def __init__(self, disk: Disk, path: str) -> None:
        self.disk = disk
        self.path = path
        self.journal = path + "/journal"
        self.results = path + "/results"
        self.log_folder = path + "/log"
        self.store = path + "/state.sqlite"
        self.secrets = path + "/secrets.json"
        self.setup = path + "/setup.txt"
        self.menu = path + "/menu.json"
        self.untracked = path + "/untracked.txt"
        self.lock = path + "/worker.lock"

    def make(self) -> None:
        """Makes the folders. Raises OSError when the data folder's own parent is missing or nothing can be written."""
        for path in (self.path, self.journal, self.results, self.log_folder):
            self.disk.make_folder(path)

    def log(self, text: str) -> None:
        """Adds a line to the log; a log that cannot be written is no reason to fail. Callers pass no secrets."""
        now = int(time.time())
        stamp = to_iso(now) if now >= 0 else "before 1970"
        line = f"{stamp} {' '.join(text.split())[:LOG_LINE_MAX_CHARS]}\n"
        path = self.log_folder + "/worker.log"
        try:
            if (self.disk.size_bytes(path) or 0) > LOG_MAX_BYTES:
                self._rotate(path)
            self.disk.append(path, line.encode("utf-8", "replace"))
        except OSError:
            return

    def _rotate(self, path: str) -> None:
        for number in range(LOG_FILES - 1, 0, -1):
            older = f"{path}.{number}"
            newer = path if number == 1 else f"{path}.{number - 1}"
            if self.disk.size_bytes(newer) is not None:
                self.disk.remove(older)
                self.disk.rename(newer, older)
