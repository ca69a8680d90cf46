"""What a run leaves for the next one, and for the reader who asks when it was sent last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from device.core import outbox as rules
from device.core.instants import to_iso
from device.core.outbox import SETTLE_S
from device.sending import sender as sending
from device.store import settings
from tests.lying.device_model import FIRST_SLOT, NO_LIES, SLOT_S, Device
from tests.lying.model_server import BOOKLORE, ModelServer
from tests.lying.world import World


@pytest.fixture
def device() -> Iterator[Device]:
    server = ModelServer(BOOKLORE)
    server.add_book("Emma")
    device = Device(World(), server)
    device.world.advance(1_000)
    yield device
    device.close()


def test_a_run_that_asked_the_server_nothing_is_no_sync(device: Device) -> None:
    """A session waits for a book that the server does not have, and the library was read a moment ago."""
    device.reads("Persuasion")
    device.syncs(NO_LIES)
    heard_at = settings.get(device.store, settings.LAST_SYNC_AT)
    settings.put(device.store, settings.LAST_PROBLEM, "cannot be reached")
    settings.put(device.store, settings.FAILURES, "3")
    device.world.advance(60)
    device.syncs(NO_LIES, asked_for=False)
    assert device.requests == 0
    assert settings.get(device.store, settings.LAST_SYNC_AT) == heard_at
    assert settings.get(device.store, settings.LAST_PROBLEM) == "cannot be reached"
    assert settings.get_int(device.store, settings.FAILURES) == 3


def test_a_run_that_was_only_told_that_a_book_is_gone_is_a_sync(device: Device) -> None:
    device.reads("Emma")
    device.syncs(NO_LIES)
    device.reads("Emma")
    device.syncs((["lost before"], []), deadline_s=10)
    device.server.hide_book("Emma")
    device.world.advance(SETTLE_S)
    device.syncs(NO_LIES)
    assert settings.get(device.store, settings.LAST_PROBLEM) is None


def test_more_unclear_sessions_than_fit_into_memory_are_looked_up_in_parts(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    device.reads("Emma")
    device.syncs(NO_LIES)
    things = [device.rebuilds("Emma") for _ in range(5)]
    device.syncs(NO_LIES)
    assert {device.state(thing)[0] for thing in things} == {rules.ACKNOWLEDGED}
    assert len(device.server.sessions) == 6


def test_a_list_that_cannot_be_had_is_asked_for_once_in_a_run_however_much_is_unclear(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    device.reads("Emma")
    device.syncs(NO_LIES)
    for _ in range(5):
        device.rebuilds("Emma")
    device.syncs(([], ["error before"] * 9))
    assert device.requests == 1


def test_what_is_still_fresh_hides_nothing_behind_it(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "AT_ONCE", 1)
    device.reads("Emma")
    device.syncs(NO_LIES)
    device.reads("Emma")
    device.syncs((["lost before"], []), deadline_s=10)
    behind = device.rebuilds("Emma")
    started_at = FIRST_SLOT + 3 * SLOT_S
    device.server.add_session("Emma", to_iso(started_at), to_iso(started_at + 103), 103)
    device.syncs(NO_LIES, deadline_s=10)
    assert device.state(behind)[0] == rules.ACKNOWLEDGED
