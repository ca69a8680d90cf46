"""Sessions of 1970, put where they were as soon as somebody knows what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device import evidence
from device.core import kept_journal
from device.core import outbox as rules
from device.core.outbox import Uptime
from device.core.reading_session import FLAG_CLOCK_CORRECTED, FLAG_CLOCK_UNSET, FLAG_MOVED
from device.disk import Disk
from device.folder import Folder
from device.placing import place_unset_sessions, waits_for_a_clock
from device.store import reading_sessions
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


def no_journal(id: str) -> None:
    raise AssertionError(f"there is no journal {id}")


def spans(device: Device) -> list[tuple[int, int, str]]:
    rows = device.store.execute("SELECT started_at, ended_at, flags FROM reading_session ORDER BY id")
    return [(int(start), int(end), str(flags)) for start, end, flags in rows]


def test_the_clock_of_the_boot_says_when_it_was(device: Device) -> None:
    device.reads("Emma", unset=True)  # 101 s, begun at an uptime of 5,000 s
    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000), no_journal)
    assert spans(device) == [(NOW - 1_000, NOW - 899, FLAG_CLOCK_CORRECTED)]


def test_what_is_from_an_earlier_boot_stays(device: Device) -> None:
    device.reads("Emma", unset=True)
    place_unset_sessions(device.store, NOW, Uptime("boot-1", 6_000), no_journal)
    [(started_at, _, flags)] = spans(device)
    assert (started_at < 100_000, flags) == (True, FLAG_CLOCK_UNSET)


def test_a_clock_of_1970_places_nothing(device: Device) -> None:
    device.reads("Emma", unset=True)
    place_unset_sessions(device.store, 5_000, Uptime("boot-0", 6_000), no_journal)
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


@pytest.mark.parametrize("state", [rules.INTENT, rules.ACKNOWLEDGED, rules.REJECTED])
def test_what_a_server_may_know_by_its_times_stays(device: Device, state: str) -> None:
    device.reads("Emma", unset=True)
    with device.store.transaction():
        device.store.execute("UPDATE outbox SET state = ?", (state,))
    assert not waits_for_a_clock(device.store, Uptime("boot-0", 6_000))
    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000), no_journal)
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


def test_no_session_comes_to_lie_on_another(device: Device) -> None:
    for _ in range(3):
        device.reads("Emma", unset=True)  # all begun in the same second, as the clock of the boot has it
    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000), no_journal)
    placed = sorted(spans(device))
    assert [start for start, _, _ in placed] == [NOW - 1_000, NOW - 1_000 + 101, NOW - 1_000 + 203]
    assert placed[1][2] == f"{FLAG_CLOCK_CORRECTED} {FLAG_MOVED}"


def with_a_journal(device: Device) -> None:
    with device.store.transaction():
        reading_sessions.add_journal(device.store, "1795000000-000001", NOW, 3)
        device.store.execute("UPDATE reading_session SET journal_id = '1795000000-000001'")


def test_the_journal_that_is_kept_of_it_is_renewed_while_the_move_can_still_be_undone(device: Device) -> None:
    device.reads("Emma", unset=True)
    with_a_journal(device)
    renewed = []

    def renew(id: str) -> None:
        assert device.store.connection.in_transaction
        renewed.append((id, [session.started_at for session in reading_sessions.of_journal(device.store, id)]))

    place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000), renew)
    assert renewed == [("1795000000-000001", [NOW - 1_000])]


def test_where_the_kept_journal_cannot_be_written_nothing_is_moved(device: Device) -> None:
    device.reads("Emma", unset=True)
    with_a_journal(device)

    def fail(id: str) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        place_unset_sessions(device.store, NOW, Uptime("boot-0", 6_000), fail)
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


def test_a_kept_journal_that_was_renewed_tells_of_the_session_where_it_is_now(device: Device, tmp_path: Path) -> None:
    folder = Folder(Disk(), str(tmp_path))
    folder.make()
    device.reads("Emma", unset=True)
    with_a_journal(device)
    evidence.keep(folder, device.store, "1795000000-000001", [b'{"v":1,"n":0,"ev":"open"}'])
    place_unset_sessions(
        device.store, NOW, Uptime("boot-0", 6_000), lambda id: evidence.renew(folder, device.store, id)
    )
    recorded = kept_journal.sessions(evidence.lines_of(folder, "1795000000-000001"))
    assert recorded is not None
    assert [(session.started_at, session.flags) for session in recorded] == [(NOW - 1_000, (FLAG_CLOCK_CORRECTED,))]


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
