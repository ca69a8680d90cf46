"""A run, as every verb gets it. Called by: `device/worker.py`, which makes it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.folder import Folder
    from device.protocol import Job, Result
    from device.store.database import Store


class Run:
    """One run: where, with which store, what for, what came of it. `deadline` is on the monotonic clock."""

    __slots__ = ("deadline", "folder", "job", "result", "store")

    def __init__(self, folder: Folder, store: Store, job: Job, result: Result, deadline: float) -> None:
        self.folder = folder
        self.store = store
        self.job = job
        self.result = result
        self.deadline = deadline
