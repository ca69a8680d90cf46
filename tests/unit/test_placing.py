"""Sessions of a wrong clock, put where they were as soon as somebody knows what time it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core import kept_journal
from device.core import outbox as rules
from device.core.outbox import Uptime
from device.core.reading_session import FLAG_CLOCK_CORRECTED, FLAG_CLOCK_DOUBTFUL, FLAG_CLOCK_UNSET, FLAG_MOVED
from device.core.server_clock import WRONG_S, Measured, Now
from device.disk import Disk
from device.folder import Folder
from device.recovery import evidence
from device.sending.placing import place
from device.store import reading_sessions, settings
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


def by_its_own_clock(wall_s: int, boot: str = "boot-0") -> Now:
    return Now(wall_s, None, Uptime(boot, 6_000))


def spans(device: Device) -> list[tuple[int, int, str]]:
    rows = device.store.execute("SELECT started_at, ended_at, flags FROM reading_session ORDER BY id")
    return [(int(start), int(end), str(flags)) for start, end, flags in rows]


def test_the_clock_of_the_boot_says_when_it_was(device: Device) -> None:
    device.reads("Emma", unset=True)  # 101 s, begun at an uptime of 5,000 s
    place(device.store, None, by_its_own_clock(NOW), no_journal)
    assert spans(device) == [(NOW - 1_000, NOW - 899, FLAG_CLOCK_CORRECTED)]


def test_what_is_from_an_earlier_boot_stays(device: Device) -> None:
    device.reads("Emma", unset=True)
    place(device.store, None, by_its_own_clock(NOW, "boot-1"), no_journal)
    [(started_at, _, flags)] = spans(device)
    assert (started_at < 100_000, flags) == (True, FLAG_CLOCK_UNSET)


def test_a_clock_of_1970_places_nothing(device: Device) -> None:
    device.reads("Emma", unset=True)
    place(device.store, None, by_its_own_clock(5_000), no_journal)
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


@pytest.mark.parametrize("state", [rules.INTENT, rules.ACKNOWLEDGED, rules.REJECTED])
def test_what_a_server_may_know_by_its_times_stays(device: Device, state: str) -> None:
    device.reads("Emma", unset=True)
    with device.store.transaction():
        device.store.execute("UPDATE outbox SET state = ?", (state,))
    assert not reading_sessions.has_unsent(device.store)
    place(device.store, None, by_its_own_clock(NOW), no_journal)
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


def test_no_session_comes_to_lie_on_another(device: Device) -> None:
    for _ in range(3):
        device.reads("Emma", unset=True)  # all begun in the same second, as the clock of the boot has it
    place(device.store, None, by_its_own_clock(NOW), no_journal)
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

    place(device.store, None, by_its_own_clock(NOW), renew)
    assert renewed == [("1795000000-000001", [NOW - 1_000])]


def test_where_the_kept_journal_cannot_be_written_nothing_is_moved(device: Device) -> None:
    device.reads("Emma", unset=True)
    with_a_journal(device)

    def fail(id: str) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        place(device.store, None, by_its_own_clock(NOW), fail)
    assert spans(device)[0][2] == FLAG_CLOCK_UNSET


def test_a_kept_journal_that_was_renewed_tells_of_the_session_where_it_is_now(device: Device, tmp_path: Path) -> None:
    folder = Folder(Disk(), str(tmp_path))
    folder.make()
    device.reads("Emma", unset=True)
    with_a_journal(device)
    evidence.keep(folder, device.store, "1795000000-000001", [b'{"v":1,"n":0,"ev":"open"}'])
    place(device.store, None, by_its_own_clock(NOW), lambda id: evidence.renew(folder, device.store, id))
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


def test_a_run_whose_clock_the_server_has_vouched_for_asks_nobody(device: Device) -> None:
    device.reads("Emma")
    device.syncs(([], []))
    device.world.advance(600)
    device.reads("Emma", unset=True)
    device.syncs(([], []))
    assert device.requests == 1  # the session
    assert str(device.server.sessions[1]["startTime"]) == "2026-11-18T12:40:00Z"


YEARS_S = 5 * 365 * 86_400


def reads_now(device: Device, length_s: int = 101) -> None:
    """A session that begins now, by the device's clock, whatever that says."""
    device.reads("Emma")
    uptime = device.clock.uptime()
    device.store.execute(
        "UPDATE reading_session SET started_at = ?1, ended_at = ?1 + ?2, duration_s = ?2, boot_id = ?3, boot_ms = ?4"
        " WHERE id = (SELECT MAX(id) FROM reading_session)",
        (device.clock.wall_s(), length_s, uptime.boot_id, uptime.seconds * 1000),
    )


@pytest.mark.parametrize("off_s", [-YEARS_S, YEARS_S, -43_200, 43_200])
def test_a_session_of_a_clock_that_only_a_server_can_tell_to_be_wrong_is_sent_with_the_right_time(
    device: Device, off_s: int
) -> None:
    device.world.wall_offset_s = off_s
    for _ in range(2):
        reads_now(device)
        device.world.advance(3_600)
    device.syncs(([], []))
    assert [str(session["startTime"]) for session in device.server.sessions] == [
        "2026-11-18T12:30:00Z",
        "2026-11-18T13:30:00Z",
    ]
    assert {flags for _, _, flags in spans(device)} == {FLAG_CLOCK_CORRECTED}


def test_a_session_that_was_recorded_before_the_clock_jumped_stays_where_it_was(device: Device) -> None:
    reads_now(device)
    device.world.advance(3_600)
    device.world.wall_offset_s = -43_200
    device.syncs(([], []))
    assert str(device.server.sessions[0]["startTime"]) == "2026-11-18T12:30:00Z"
    assert spans(device)[0][2] == ""


def test_a_clock_that_is_off_by_less_than_an_hour_is_the_readers_own_affair(device: Device) -> None:
    device.world.wall_offset_s = 3_000
    reads_now(device)
    device.syncs(([], []))
    assert str(device.server.sessions[0]["startTime"]) == "2026-11-18T13:20:00Z"


def test_two_long_sessions_that_move_by_less_than_their_length_are_not_in_each_others_way(device: Device) -> None:
    device.world.wall_offset_s = -7_200
    for _ in range(2):
        reads_now(device, 10_000)
        device.world.advance(10_000)
    device.syncs(([], []))
    assert [flags for _, _, flags in spans(device)] == [FLAG_CLOCK_CORRECTED] * 2


def test_what_was_ever_begun_is_not_moved(device: Device) -> None:
    """Not even when the server was asked and does not have it: another account may."""
    reads_now(device)
    device.syncs((["lost before"], []), deadline_s=10)
    device.world.advance(1_000)
    steps = 0
    while device.state(device.things[0])[0] != rules.NEW:
        device.syncs(([], []), steps_to_live=steps)
        steps += 1
    before = spans(device)
    uptime = device.clock.uptime()
    place(device.store, None, Now(NOW, NOW + YEARS_S, uptime), no_journal)
    assert spans(device) == before
    device.store.execute("UPDATE outbox SET begun_uptime_s = NULL")
    place(device.store, None, Now(NOW, NOW + YEARS_S, uptime), no_journal)
    assert spans(device) != before


def test_a_session_of_an_earlier_boot_that_lies_in_the_servers_future_is_flagged(device: Device) -> None:
    device.world.wall_offset_s = YEARS_S
    reads_now(device)
    device.world.reboot()
    device.world.wall_offset_s = 0
    device.syncs(([], []))
    assert [flags for _, _, flags in spans(device)] == [FLAG_CLOCK_DOUBTFUL]
    assert len(device.server.sessions) == 1


def test_a_session_of_an_earlier_boot_that_was_taken_while_the_clock_was_known_to_be_wrong_is_flagged(
    device: Device,
) -> None:
    for _ in range(2):
        device.reads("Emma")
    with_a_journal(device)
    renewed: list[str] = []
    now = Now(NOW, NOW, Uptime("boot-1", 100))
    for measured_at in (NOW + 1, NOW, NOW - 1):
        place(device.store, Measured(WRONG_S + 1, measured_at, Uptime("boot-0", 50)), now, renewed.append)
    assert [flags for _, _, flags in spans(device)] == [FLAG_CLOCK_DOUBTFUL] * 2
    assert renewed == ["1795000000-000001"]


def test_a_login_pages_clock_is_nobodys(device: Device) -> None:
    device.world.wall_offset_s = -YEARS_S
    reads_now(device)
    device.syncs(([], ["login page"] * 9))
    assert spans(device)[0][2] == ""
    assert settings.get(device.store, settings.CLOCK_OFFSET_S) is None
