"""Sessions of 1970, put where they were as soon as somebody knows what time it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from device.core import outbox as rules
from device.core.outbox import Uptime
from device.core.reading_session import FLAG_CLOCK_CORRECTED, FLAG_CLOCK_UNSET, FLAG_MOVED
from device.placing import place_unset_sessions, waits_for_a_clock
from tests.lying.device_model import Device
from tests.lying.model_server import BOOKLORE, ModelServer
from tests.lying.world import BEGAN_AT, World

NOW = 1_795_000_000


@pytest.fixture
def device() -> Iterator[Device]:
    server = ModelServer(BOOKLORE)
    server.add_book("Emma")
    device = Device(World(), server)
    device.world.advance(5_000)
    yield device
    device.close()


def spans(device: Device) -> list[tuple[int, int, str]]:
    rows = device.store.execute("SELECT started_at, ended_at, flags FROM reading_session ORDER BY id")
    return [(int(start), int(end), str(flags)) for start, end, flags in rows]


def test_the_clock_of_the_boot_says_when_it_was(device: Device) -> None:
    device.reads("Emma", unset=True)  # 101 s, begun at an uptime of 5,000 s
    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000))
    assert spans(device) == [(NOW - 1_000, NOW - 899, FLAG_CLOCK_CORRECTED)]


def test_what_is_from_an_earlier_boot_stays(device: Device) -> None:
    device.reads("Emma", unset=True)
    place_unset_sessions(device.store, NOW, Uptime("boot-1", 6_000))
    [(started_at, _, flags)] = spans(device)
    assert (started_at < 100_000, flags) == (True, FLAG_CLOCK_UNSET)


def test_a_clock_of_1970_places_nothing(device: Device) -> None:
    device.reads("Emma", unset=True)
    place_unset_sessions(device.store, 5_000, Uptime("boot-0", 6_000))
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


@pytest.mark.parametrize("state", [rules.INTENT, rules.ACKNOWLEDGED, rules.REJECTED])
def test_what_a_server_may_know_by_its_times_stays(device: Device, state: str) -> None:
    device.reads("Emma", unset=True)
    with device.store.transaction():
        device.store.execute("UPDATE outbox SET state = ?", (state,))
    assert not waits_for_a_clock(device.store, Uptime("boot-0", 6_000))
    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000))
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


def test_no_session_comes_to_lie_on_another(device: Device) -> None:
    for _ in range(3):
        device.reads("Emma", unset=True)  # all begun in the same second, as the clock of the boot has it
    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000))
    placed = sorted(spans(device))
    assert [start for start, _, _ in placed] == [NOW - 1_000, NOW - 1_000 + 101, NOW - 1_000 + 203]
    assert placed[1][2] == f"{FLAG_CLOCK_CORRECTED} {FLAG_MOVED}"


def test_a_run_with_a_clock_of_1970_asks_the_server_for_the_time(device: Device) -> None:
    device.world.wall_offset_s = -BEGAN_AT
    device.reads("Emma", unset=True)
    device.world.advance(1_000)
    device.syncs(([], []))
    [session] = device.server.sessions
    assert str(session["startTime"]) == "2026-11-18T12:30:00Z"  # the server's time at the beginning, 5,000 s


def test_a_run_with_a_right_clock_asks_nobody(device: Device) -> None:
    device.reads("Emma", unset=True)
    device.syncs(([], []))
    assert device.requests == 2  # the list of books, and the session
    assert str(device.server.sessions[0]["startTime"]) == "2026-11-18T12:30:00Z"
