"""What always ends in silence ends one run after the other, and keeps nothing else from going out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from device.core import outbox as rules
from device.core.outbox import SETTLE_S, TRIES_MOST
from device.server.http import IDLE_S
from tests.lying.device_model import NO_LIES, Device
from tests.lying.model_server import BOOKLORE, FAIL, HANG, ModelServer
from tests.lying.world import World


@pytest.fixture
def device() -> Iterator[Device]:
    server = ModelServer(BOOKLORE)
    server.add_book("Emma")
    server.add_book("Moby Dick")
    device = Device(World(), server)
    device.world.advance(1_000)
    yield device
    device.close()


def know(device: Device, *titles: str) -> None:
    for title in titles:
        device.reads(title)
    device.syncs(NO_LIES)


def lose_a_reply(device: Device, title: str) -> None:
    device.reads(title)
    device.syncs((["lost after"], []))
    device.world.advance(SETTLE_S)


def test_a_list_that_is_never_given_keeps_no_other_book_waiting_for_more_than_a_run(device: Device) -> None:
    know(device, "Emma", "Moby Dick")
    lose_a_reply(device, "Emma")
    device.server.silent_lists.add("Emma")
    other = device.reads("Moby Dick")
    for _ in range(2):
        device.syncs(NO_LIES)
    assert device.state(other)[0] == rules.ACKNOWLEDGED


def test_a_list_that_is_never_given_keeps_no_book_from_being_found(device: Device) -> None:
    know(device, "Emma")
    lose_a_reply(device, "Emma")
    device.server.silent_lists.add("Emma")
    other = device.reads("Moby Dick")
    for _ in range(3):
        device.syncs(NO_LIES)
    assert device.state(other)[0] == rules.ACKNOWLEDGED


def test_a_silent_library_and_a_silent_book_together_keep_no_known_book_from_going_out(device: Device) -> None:
    know(device, "Emma", "Moby Dick")
    lose_a_reply(device, "Emma")
    device.server.silent_lists.add("Emma")
    device.server.silent_library = True
    device.reads("Persuasion")
    other = device.reads("Moby Dick")
    for _ in range(4):
        device.syncs(NO_LIES)
    assert device.state(other)[0] == rules.ACKNOWLEDGED


@pytest.mark.parametrize("effect", [FAIL, HANG])
def test_poison_holds_its_book_back_for_as_many_runs_as_it_is_tried(device: Device, effect: str) -> None:
    know(device, "Emma")
    poison = device.reads("Emma")
    device.server.poison[poison.name] = effect
    behind = device.reads("Emma")
    runs = 0
    while device.state(behind)[0] != rules.ACKNOWLEDGED:
        device.syncs(NO_LIES, asked_for=False)
        device.world.advance(3_600)
        runs += 1
    assert runs <= TRIES_MOST + 1


def test_one_silence_costs_one_time_out_of_a_run(device: Device) -> None:
    know(device, "Emma", "Moby Dick")
    for title in ("Emma", "Moby Dick"):
        device.server.poison[device.reads(title).name] = HANG
    before_s = device.world.time_s
    device.syncs(NO_LIES)
    assert IDLE_S <= device.world.time_s - before_s < 2 * IDLE_S


def test_a_session_that_gave_way_is_sent_when_the_network_is_well_again(device: Device) -> None:
    """Replies that are lost prove nothing against a session: it is never given up for them."""
    know(device, "Emma")
    session = device.reads("Emma")
    for _ in range(3 * TRIES_MOST):
        device.syncs((["lost before"], []), asked_for=False)
        device.world.advance(3_600)
    assert device.state(session) == (rules.INTENT, 3 * TRIES_MOST)
    device.syncs(NO_LIES, asked_for=False)
    assert device.state(session)[0] == rules.ACKNOWLEDGED


def test_after_failures_unasked_runs_pause_and_the_pauses_grow(device: Device) -> None:
    know(device, "Emma")
    device.reads("Emma")
    tries = []
    for _ in range(120):
        device.syncs((["no connection"], []), asked_for=False)
        tries.append(device.requests)
        device.world.advance(60)
    assert 8 <= sum(tries) <= 14  # 1, 2, 4, 8 and then every 15 minutes of two hours
