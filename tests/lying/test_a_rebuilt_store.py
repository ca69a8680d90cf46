"""What a store that was lost may have sent is found on the server, also where counting again gave another second."""

from __future__ import annotations

import pytest

from device.core import outbox as rules
from device.core.instants import to_iso
from tests.lying.device_model import FIRST_SLOT, NO_LIES, SLOT_S, Device
from tests.lying.model_server import BOOKLORE, ModelServer
from tests.lying.world import World


@pytest.mark.parametrize("off_s", [-1, 0, 1])
def test_a_session_that_was_counted_again_is_found_a_second_off(off_s: int) -> None:
    server = ModelServer(BOOKLORE)
    server.add_book("Emma")
    device = Device(World(), server)
    thing = device.rebuilds("Emma")
    started_at = FIRST_SLOT + SLOT_S
    server.add_session("Emma", to_iso(started_at), to_iso(started_at + 101 + off_s), 101 + off_s)
    for _ in range(2):
        device.syncs(NO_LIES)
    assert len(server.sessions) == 1
    assert device.state(thing)[0] == rules.ACKNOWLEDGED
    device.close()
