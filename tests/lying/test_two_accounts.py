"""A reader who changes the account, and goes back: what one account has, the other does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from device.core import outbox as rules
from device.core.outbox import SETTLE_S
from device.store import reading_sessions
from tests.lying.device_model import NO_LIES, OWNER, Device, Thing
from tests.lying.model_server import BOOKLORE, GRIMMORY, REFUSE, ModelServer
from tests.lying.world import World

OTHERS = "anna at http://other"
STEPS = 40  # more than such a run has


class Two:
    def __init__(self) -> None:
        self.home, self.other = ModelServer(BOOKLORE, 1), ModelServer(GRIMMORY, 2)
        for server in (self.home, self.other):
            server.add_book("Emma")
        self.device = Device(World(), self.home)
        self.device.world.advance(1_000)

    def at_home(self) -> None:
        self.device.moves_to(self.home, OWNER)

    def at_the_other(self) -> None:
        self.device.moves_to(self.other, OTHERS)

    def settles(self) -> None:
        self.device.world.advance(SETTLE_S)

    def syncs_to_the_end(self) -> None:
        for _ in range(4):
            self.settles()
            self.device.syncs(NO_LIES)


@pytest.fixture
def two() -> Iterator[Two]:
    two = Two()
    two.device.reads("Emma")
    two.device.syncs(NO_LIES)
    yield two
    two.device.close()


def session(two: Two) -> Thing:
    return two.device.reads("Emma")


def note(two: Two) -> Thing:
    return two.device.marks(rules.BOOK_NOTE, "Emma")


@pytest.mark.parametrize("steps", range(STEPS))
@pytest.mark.parametrize("record", [session, note])
def test_what_the_first_account_has_is_not_sent_again_after_a_visit_to_another(
    two: Two, record: Callable[[Two], Thing], steps: int
) -> None:
    """It was missing there, and the run was cut off before, while or after it was sent."""
    thing = record(two)
    two.device.syncs((["lost after"], []), deadline_s=10)
    assert two.home.stored().count(thing.name) == 1
    two.at_the_other()
    two.settles()
    two.device.syncs(NO_LIES, steps_to_live=steps)
    two.at_home()
    two.syncs_to_the_end()
    assert two.home.stored().count(thing.name) == 1
    assert two.device.state(thing)[0] == rules.ACKNOWLEDGED


def test_what_the_other_account_refused_is_looked_for_at_the_first(two: Two) -> None:
    thing = session(two)
    two.device.syncs((["lost after"], []), deadline_s=10)
    two.other.poison[thing.name] = REFUSE
    two.at_the_other()
    two.syncs_to_the_end()
    assert two.device.state(thing)[0] == rules.REJECTED
    two.at_home()
    two.syncs_to_the_end()
    assert two.home.stored().count(thing.name) == 1
    assert two.device.state(thing)[0] == rules.ACKNOWLEDGED


def test_what_failed_at_one_account_has_all_its_tries_at_the_other(two: Two) -> None:
    thing = session(two)
    for _ in range(rules.TRIES_MOST):
        two.device.syncs((["error before"], []), deadline_s=10)
        two.settles()
    two.at_the_other()
    two.device.syncs((["error before"], []), deadline_s=10)
    assert two.device.state(thing)[1] == 1


def test_the_first_account_of_a_device_is_asked_for_nothing_before_it_is_sent(two: Two) -> None:
    fresh = Two()
    fresh.device.reads("Emma")
    fresh.device.syncs(NO_LIES)
    assert fresh.device.requests == 3  # the time, the library, the session
    fresh.device.close()


def test_ids_of_one_account_are_not_believed_at_the_other(two: Two) -> None:
    """A mark that was sent to the one is deleted while the device is at the other, where its number means another."""
    mark = two.device.marks(rules.HIGHLIGHT, "Emma")
    two.device.syncs(NO_LIES)
    [row] = two.home.marks["highlight"]
    bystander = {"id": row["id"], "bookId": 1, "cfi": "elsewhere", "text": "hers", "title of book": "Emma"}
    two.other.marks["highlight"].append(bystander)
    two.at_the_other()
    two.device.reads("Emma", reading_sessions.JOURNAL)
    two.device.syncs(NO_LIES)
    two.device.deletes(mark, by_id=True)
    two.syncs_to_the_end()
    assert two.other.marks["highlight"] == [bystander]
