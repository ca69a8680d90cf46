"""A device on which the old Lua plugin was used: its database, its settings files, and our data folder beside them.

Used by the tests of the import.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from device.disk import Disk
from device.folder import Folder
from device.importing import plugin_import
from device.protocol import Result
from device.secrets import Keeper, Secrets
from device.store import database
from tests.fixtures.make_plugin_database import NAME, NEWEST_KNOWN, PluginDatabase, write_settings

NOW = 1_795_000_000
SERVER = "https://books.example.org"
HASH, OTHER_HASH = "a" * 32, "b" * 32


class Device:
    """A KOReader folder with the old plugin's files, and our data folder in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "bookloresync").mkdir(parents=True)
        self.folder = Folder(Disk(), str(root / "bookloresync"))
        self.folder.make()
        self.source = root / "settings" / NAME
        self.store = database.open_store(self.folder.disk, self.folder.store, NOW)
        self.keeper = Keeper(self.folder.disk, self.folder.secrets)

    def old(self, version: int = NEWEST_KNOWN, **options: Any) -> PluginDatabase:
        return PluginDatabase(self.source, version, **options)

    def take_over(self, root: str | None = None, seconds: float = 60) -> list[str]:
        """Imports; what the reader is told."""
        result = Result()
        plugin_import.import_plugin(self.folder, self.store, root, result, NOW, time.monotonic() + seconds)
        self.outcome = result.outcome
        return [text for _, text in result.messages]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.store.execute(statement).fetchall()

    def entries(self) -> list[tuple[Any, ...]]:
        """(kind, state, unproven, start) of the outbox, in order."""
        return self.rows(
            "SELECT o.kind, o.state, o.unproven, s.started_at FROM outbox o"
            " LEFT JOIN reading_session s ON s.id = o.session_id ORDER BY o.kind, s.started_at, o.id"
        )

    def states(self) -> list[str]:
        return [state for kind, state, _, _ in self.entries() if kind == "reading_session"]

    def configure(self, server: str = SERVER, user: str = "anna@home") -> None:
        self.keeper.save(Secrets(server, user, "own password"))

    def stay_at_its_server(self) -> None:
        """Our account is on the server that the old plugin was set up for, as its older settings file says."""
        self.configure()
        write_settings(self.root / "settings" / "booklore.lua", {"server_url": SERVER})

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        names = [name for (name,) in self.rows("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: self.rows(f"SELECT * FROM {name}") for name in names}


def at(minute: int) -> str:
    """An instant of the evening of 2026-03-01, as the old plugin writes it."""
    return f"2026-03-01T{18 + minute // 60:02d}:{minute % 60:02d}:00Z"


def at_s(minute: int) -> int:
    return 1_772_388_000 + minute * 60


def fill(old: PluginDatabase) -> None:
    """One of everything."""
    old.set(
        server_url=SERVER, booklore_username="anna@home", booklore_password="geheim-0123", username="anna-ko",
        password="koreader-pass", hardcover_token="hardcover.jwt", is_enabled="true", min_duration="60",
        notes_destination="both", booklore_shelf_name="2024", log_to_file="false",
    )  # fmt: skip
    moby = old.add_book(
        "/books/moby.epub", HASH, 7, title="Moby Dick", author="Herman Melville", isbn13="9780142437247"
    )
    emma = old.add_book("/books/emma.epub", OTHER_HASH, None, title="Emma", author="Jane Austen")
    old.add_history(HASH, at(0), at(10), 600, book_id=7)
    old.add_pending_session(HASH, at(20), at(30), 600, book_id=7)
    old.add_pending_session(OTHER_HASH, at(40), at(50), 600)
    old.add_history(HASH, at(60), at(70), 640, synced=0, koreader_book_id=2, book_id=7)
    old.add_history(OTHER_HASH, at(80), at(90), 600, matched=0, synced=0, koreader_book_id=3)
    old.add("book_metadata", book_cache_id=moby, rating=8, rating_synced=1)
    old.add("book_metadata", book_cache_id=emma, rating=6, rating_synced=0)
    old.add("pending_ratings", book_cache_id=emma, rating=6)
    old.add_synced_annotation(moby, "2026-03-01 18:00:00", "highlight", 11)
    old.add_synced_annotation(moby, "2026-03-01 18:01:00", "in_book_note", None)
    old.add("synced_bookmarks", book_cache_id=moby, datetime="2026-03-01 18:02:00", server_id=0)
    old.add_pending_annotation(
        moby, "2026-03-01 18:03:00", "highlight", text="Call me Ishmael", pos0="/body/p/text().0",
        pos1="/body/p/text().15", cfi="epubcfi(/6/2!/4/2,/1:0,/1:15)", chapter="Loomings", color="#FFC107",
        style="highlight",
    )  # fmt: skip
    old.add_pending_annotation(moby, "2026-03-01 18:04:00", "booklore_note", note="A whale.", chapter="Loomings")
    old.add_pending_annotation(moby, "2026-03-01 18:05:00", "both_note", text="Ishmael", note="Who?", pos0="/body/p")
    old.add_pending_bookmark(moby, "2026-03-01 18:06:00", pos0="/body/p", page=12, chapter="Loomings")
    old.add("pending_deletions", file_hash="c" * 32, stem="gone", book_id=9)
    old.add("bearer_tokens", username="anna", token="geheim-0123", expires_at=1)


def older_files(device: Device) -> None:
    write_settings(
        device.root / "settings" / "booklore.lua",
        {"server_url": SERVER, "booklore_username": "anna", "booklore_password": "geheim-0123", "min_duration": 45,
         "is_enabled": True, "manual_sync_only": True, "initial_scan_done": True},
    )  # fmt: skip
    write_settings(
        device.root / "settings" / "booklore_db.lua",
        {
            "book_cache": {"file_hashes": {"/books/moby.epub": HASH}, "book_ids": {HASH: 7}},
            "pending_sessions": [
                {"bookHash": HASH, "startTime": at(0), "endTime": at(10), "durationSeconds": 600, "bookType": "EPUB",
                 "startProgress": 1.5, "endProgress": 3, "startLocation": "3", "endLocation": "6", "bookId": 7},
                {"bookHash": HASH, "startTime": "?"},
            ],
        },
    )  # fmt: skip
