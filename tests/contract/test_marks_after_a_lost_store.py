"""A store that is lost, or built anew: what the server has of highlights, notes and bookmarks is not doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.store.database import SET_ASIDE
from tests.annotated_book import TABLES, Device, Web, bookmark, highlight
from tests.fixtures import make_sidecars as make
from tests.sandbox import StandIn

AT = 1_795_000_000


class Desk:
    def __init__(self, server: StandIn, folder: Path, settings: dict[str, str]) -> None:
        server.add_user("anna", "secret")
        self.settings = settings
        self.moby = server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
        self.device = Device(folder, server)
        self.web = Web(server, self.moby)
        self.choose()

    def choose(self) -> None:
        for key, value in self.settings.items():
            assert self.device.reader.run("set", key, value).returncode == 0

    def marks_and_syncs(self) -> None:
        items = [
            highlight("Call me Ishmael"),
            highlight("Circumambulate", 1, 3, 1, note="A walk, then"),
            bookmark(2, 3),
        ]
        content = make.record(items, str(self.device.file), partial_md5_checksum=self.device.book["fingerprint"])
        make.write(make.beside(self.device.file), content, AT)
        self.device.syncs(*items)

    def there(self) -> dict[str, int]:
        return {table: len(self.web.rows(table)) for table in TABLES}


SETTINGS = [
    {"notes_to": "in-book"},
    {"notes_to": "booklore"},
    {"notes_to": "both"},
    {"notes_in_book": "note"},
]


@pytest.fixture(params=SETTINGS, ids=lambda settings: " ".join(settings.values()))
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with StandIn(dialect="booklore") as server:
        yield Desk(server, tmp_path, request.param)


def test_after_a_lost_store_nothing_is_there_twice(desk: Desk) -> None:
    desk.marks_and_syncs()
    before = desk.there()
    assert sum(before.values()) >= 3
    (desk.device.reader.data / "state.sqlite").unlink()
    desk.choose()
    desk.device.closes()
    for _ in range(3):
        desk.device.sync()
        desk.device.let_hours_pass()
    assert desk.there() == before
    assert desk.web.requests("DELETE") == 0
    assert "Nothing waits" in desk.device.reader.status()


def test_after_a_store_that_was_built_anew_nothing_is_there_twice(desk: Desk) -> None:
    desk.marks_and_syncs()
    before = desk.there()
    store = desk.device.reader.data / "state.sqlite"
    content = bytearray(store.read_bytes())
    content[-3 * 4096 :] = b"\xa5" * (3 * 4096)
    store.write_bytes(content)
    desk.device.sync()
    assert list(store.parent.glob(f"state.sqlite{SET_ASIDE}*"))
    for _ in range(2):
        desk.device.let_hours_pass()
        desk.device.sync()
    assert desk.there() == before
    assert desk.web.requests("DELETE") == 0
