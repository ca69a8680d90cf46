"""Journals that were taken, kept until the server has what was in them: the evidence from which a store that is lost
can be built anew.

    commit ──▶ copy to journal/taken/, flushed ──▶ journal/ file removed ──▶ … acknowledged ──▶ copy removed

Whatever is cut off is done again by the next run: a journal that is in the store is copied and removed, a copy whose
sessions are acknowledged is removed. The copy says which sessions were recorded (`device/core/kept_journal.py`).

Promises: never more than `KEPT_FILES_MOST` and `KEPT_BYTES_MOST`, the oldest go first; on a full disk a reading is
rather not kept than not taken, because the store has it already. Nothing goes that the store does not have.
Called by: `device/ingest.py`, `device/sending/sync.py`, `device/worker.py`, `device/recovery/soundness.py`,
`device/recovery/rebuild.py`.
"""

from __future__ import annotations

from device import protocol
from device.core import kept_journal
from device.recovery import storage
from device.store import reading_sessions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.folder import Folder
    from device.store.database import Store

SUFFIX = ".jsonl"
# A year of evenings with a book that the server does not have; on a card with clusters of 32 KiB, 16 MB.
KEPT_FILES_MOST = 500
KEPT_BYTES_MOST = 16 * 1_048_576  # a long evening is 20 KB; the largest journal that is read has 4 MiB
FILE_MAX_BYTES = 5 * 1_048_576  # such a journal, and the sessions behind it


def path_of(folder: Folder, id: str) -> str:
    return f"{folder.journal}/taken/{id}{SUFFIX}"


def ids(folder: Folder) -> list[str]:
    """Which journals are kept; ids begin with the time, so the oldest come first."""
    names = [name for name in folder.disk.names(f"{folder.journal}/taken") if name.endswith(SUFFIX)]
    return [id for id in (name.removesuffix(SUFFIX) for name in names) if protocol.is_id(id)]


def lines_of(folder: Folder, id: str) -> list[bytes]:
    """The whole lines of a journal that is kept."""
    return (folder.disk.read(path_of(folder, id), FILE_MAX_BYTES) or b"").split(b"\n")[:-1]


def keep(folder: Folder, store: Store, id: str, lines: list[bytes]) -> None:
    """Keeps a journal that the store has, with its good `lines`, if something of it has not been acknowledged.

    Raises OSError, except when the disk is full.
    """
    if id not in reading_sessions.unfinished_journals(store, id, id):
        return
    found = reading_sessions.of_journal(store, id)
    content = b"".join(line + b"\n" for line in [*lines, *kept_journal.lines(len(lines), found)])
    try:
        taken = f"{folder.journal}/taken"
        if folder.disk.size_bytes(taken) is None:
            folder.disk.make_folder(taken)
            folder.disk.sync_folder(folder.journal)
        folder.disk.write(path_of(folder, id), content)
    except OSError as problem:
        if not storage.is_full(problem):
            raise


def renew(folder: Folder, store: Store, id: str) -> None:
    """Sessions of a journal have been changed in the store: if it is kept, it says so too.

    Raises OSError; then the store must not keep the change either, because the two would contradict each other.
    """
    lines = lines_of(folder, id)
    if lines:
        lines += kept_journal.lines(len(lines), reading_sessions.of_journal(store, id))
        folder.disk.write(path_of(folder, id), b"".join(line.removesuffix(b"\n") + b"\n" for line in lines))


def let_go(folder: Folder, store: Store) -> None:
    """Removes what is kept of journals of which everything has been acknowledged, and what is too much."""
    kept = ids(folder)
    if not kept:
        return
    unfinished = reading_sessions.unfinished_journals(store, kept[0], kept[-1])
    waiting = []
    for id in kept:
        if id not in unfinished and reading_sessions.journal_is_ingested(store, id):
            folder.disk.remove(path_of(folder, id))
        else:
            waiting.append(id)
    _bound(folder, waiting)


def _bound(folder: Folder, waiting: list[str]) -> None:
    sizes = [folder.disk.size_bytes(path_of(folder, id)) or 0 for id in waiting]
    files, total = len(sizes), sum(sizes)
    for id, size in zip(waiting, sizes, strict=True):
        if files <= KEPT_FILES_MOST and total <= KEPT_BYTES_MOST:
            return
        folder.disk.remove(path_of(folder, id))
        files -= 1
        total -= size


def unknown(folder: Folder, store: Store) -> list[str]:
    """Kept journals that the store has never heard of: it was lost, or is older than they are."""
    kept = ids(folder)
    if not kept:
        return []
    taken = reading_sessions.journals_between(store, kept[0], kept[-1])
    return [id for id in kept if id not in taken]


def let_all_go(folder: Folder, store: Store) -> bool:
    """Removes everything that is kept and in the store; whether there was anything."""
    kept = set(ids(folder)) - set(unknown(folder, store))
    for id in kept:
        folder.disk.remove(path_of(folder, id))
    return bool(kept)
