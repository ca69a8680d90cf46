"""The reader's own values of `device/core/preferences.py`, kept among the settings under names of their own."""

from __future__ import annotations

from device.core.preferences import Preferences

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.store.database import Store

PREFIX = "preference."


def load(store: Store) -> Preferences:
    rows = store.execute("SELECT key, value FROM setting WHERE key >= ? AND key < ?", (PREFIX, PREFIX[:-1] + "/"))
    return Preferences({str(key)[len(PREFIX) :]: str(value) for key, value in rows})


def save(store: Store, key: str, value: int | str) -> None:
    store.execute("INSERT OR REPLACE INTO setting (key, value) VALUES (?, ?)", (PREFIX + key, str(value)))


def is_set(store: Store, key: str) -> bool:
    """Whether the reader has a value of her own, so that an import leaves it alone."""
    return store.execute("SELECT 1 FROM setting WHERE key = ?", (PREFIX + key,)).fetchone() is not None
