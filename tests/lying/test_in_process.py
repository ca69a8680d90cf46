"""The real store, rules and sender against a lying server, in schedules that hypothesis makes up.

A schedule: readings, imports, a rebuilt store, marks, ratings, deletions; books that come, go and come back; a second
account, to which the reader changes and from which she comes back; wrong clocks, reboots and waits; and runs in which
each request may meet a lie (`lies.py`) and which may be killed between any two commits or on either side of any
request.

What holds: at no time is anything on a server twice. And when the lies stop, everything is there exactly once, except
what the server itself will not take, which is rejected (or, if it swallows the request without an answer, given up
after five tries) and has kept nothing else from arriving. What a proxy has delivered twice of what the server inserts
each time is nobody's to undo (`lies.py` says what is left out, and why).
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device.core import outbox as rules
from device.core.instants import to_iso
from device.sending import reading_back
from device.server import deliveries
from device.store import reading_sessions
from tests.lying.counts import COUNTS
from tests.lying.device_model import FIRST_SLOT, NO_LIES, OWNER, SLOT_S, Device, Lies, Thing
from tests.lying.lies import LIES, TRUTH
from tests.lying.model_server import DIALECTS, FAIL, HANG, MARK_PATHS, REFUSE, ModelServer
from tests.lying.world import World
from tests.soak import bounded

TITLES = ("Emma", "Moby Dick", "Persuasion")
RUNS_TO_THE_END = 20
OTHER_OWNER = "anna at http://other"
OTHERS_S = 1_000_000  # another program's sessions are told from ours by a length that none of ours has
LIE = st.one_of(st.just(TRUTH), st.sampled_from(sorted(LIES)))
LIES_OF_A_RUN = st.tuples(st.lists(LIE, max_size=6), st.lists(LIE, max_size=6))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a handful of sessions is more than a page, and more than a batch."""
    monkeypatch.setattr(reading_back, "PAGE_SIZES", (3, 2, 4))
    monkeypatch.setattr(deliveries, "BATCH_MOST", 3)


class LyingServer(RuleBasedStateMachine):
    @initialize(
        dialects=st.tuples(st.sampled_from(DIALECTS), st.sampled_from(DIALECTS)),
        seed=st.integers(0, 2**16),
        known=st.integers(1, len(TITLES)),
    )
    def begin(self, dialects: tuple[str, str], seed: int, known: int) -> None:
        COUNTS["schedules"] += 1
        self.world = World()
        self.servers = [ModelServer(dialect, seed) for dialect in dialects]
        for server in self.servers:
            for title in TITLES[:known]:
                server.add_book(title)
        self.server = self.servers[0]
        self.changes_of_account = 0
        self.device = Device(self.world, self.server)
        self.removed: set[str] = set()

    # The reader

    @rule(title=st.sampled_from(TITLES), count=st.integers(1, 4))
    def reads(self, title: str, count: int) -> None:
        for _ in range(count):
            self.device.reads(title)

    @rule(title=st.sampled_from(TITLES))
    def reads_with_a_clock_of_1970(self, title: str) -> None:
        self.device.reads(title, unset=True)

    @rule(title=st.sampled_from(TITLES), wrong_by_s=st.sampled_from((0, -(5 * 365 * 86_400), -43_200, 43_200)))
    def reads_by_the_devices_clock(self, title: str, wrong_by_s: int) -> None:
        self.world.wall_offset_s = wrong_by_s
        self.device.reads_now(title)

    @rule(title=st.sampled_from(TITLES), effect=st.sampled_from((REFUSE, FAIL, HANG)))
    def reads_what_the_server_will_not_take(self, title: str, effect: str) -> None:
        self._poison(self.device.reads(title), effect)

    @rule(title=st.sampled_from(TITLES), there=st.sampled_from(("no", "exactly", "roughly")))
    def imports_a_session(self, title: str, there: str) -> None:
        """Another program recorded it, and may have sent it, with times of its own."""
        thing = self.device.reads(title, reading_sessions.STATISTICS)
        if there != "no" and self._is_known(title):
            slack = 0 if there == "exactly" else 20
            self._put_on_the_server(thing, slack)
            thing.roughly = there == "roughly"
            thing.times = 0 if thing.roughly else 1

    @rule(title=st.sampled_from(TITLES), there=st.sampled_from(("no", "exactly", "a second off")))
    def has_a_session_in_a_rebuilt_store(self, title: str, there: str) -> None:
        """Where its page turns had to be counted again, it may differ from what was sent."""
        thing = self.device.rebuilds(title)
        if there != "no" and self._is_known(title):
            self._put_on_the_server(thing, int(there == "a second off"))
            thing.roughly = there == "a second off"
            thing.times = 0 if thing.roughly else 1

    @rule(title=st.sampled_from(TITLES), kind=st.sampled_from(deliveries.MARKS))
    def marks(self, title: str, kind: str) -> None:
        self.device.marks(kind, title)

    @rule(title=st.sampled_from(TITLES), kind=st.sampled_from(deliveries.MARKS), effect=st.sampled_from((REFUSE, FAIL)))
    def marks_what_the_server_will_not_take(self, title: str, kind: str, effect: str) -> None:
        self._poison(self.device.marks(kind, title), effect)

    @rule(title=st.sampled_from(TITLES), kind=st.sampled_from((rules.RATING, rules.STATUS, rules.PROGRESS)))
    def sets(self, title: str, kind: str) -> None:
        self.device.sets(kind, title)

    @rule(choice=st.integers(0, 20), by_id=st.booleans())
    def deletes_a_mark_that_was_sent(self, choice: int, by_id: bool) -> None:
        sent = [
            thing
            for thing in self.device.things
            if thing.kind in MARK_PATHS.values() and thing.times and self._is_done(thing)
        ]
        if sent:
            self.device.deletes(sent[choice % len(sent)], by_id)

    # The world

    @rule(seconds=st.sampled_from((1, 20, 34, 36, 600, 5000)))
    def waits(self, seconds: int) -> None:
        self.world.advance(seconds)

    @rule()
    def restarts_the_device(self) -> None:
        self.world.reboot()

    @rule(seconds=st.sampled_from((-(50 * 365 * 86_400), -43_200, 43_200)))
    def sets_the_clock_wrong(self, seconds: int) -> None:
        self.world.wall_offset_s = seconds

    @rule()
    def sets_the_clock_right(self) -> None:
        self.world.wall_offset_s = 0

    @rule()
    def changes_the_account(self) -> None:
        self.server = self.servers[self.server is self.servers[0]]
        self.device.moves_to(self.server, OWNER if self.server is self.servers[0] else OTHER_OWNER)
        self.changes_of_account += 1
        COUNTS["changes of the account"] += 1

    @rule(title=st.sampled_from(TITLES))
    def adds_a_book_to_the_server(self, title: str) -> None:
        if not self._is_known(title) and title not in self.server.hidden.values():
            self.server.add_book(title)

    @rule(title=st.sampled_from(TITLES))
    def hides_a_book_of_the_server(self, title: str) -> None:
        if self._is_known(title):
            self.server.hide_book(title)

    @rule()
    def shows_what_was_hidden(self) -> None:
        self.server.show_books()

    @precondition(lambda self: len(self.server.books) > 1)
    @rule(title=st.sampled_from(TITLES))
    def removes_a_book_from_the_server(self, title: str) -> None:
        """With everything of it: what was acknowledged is not sent again."""
        if self._is_known(title):
            self.server.remove_book(title)
            self.removed.add(title)
            for thing in self.device.things:
                if thing.title == title:
                    is_gone = thing.roughly and not self.changes_of_account  # of two servers the other may have it
                    thing.times = 0 if self._is_done(thing) else 1 if is_gone else thing.times

    # The runs

    @rule(asked_for=st.booleans())
    def syncs(self, asked_for: bool) -> None:
        self._sync(NO_LIES, asked_for)

    @rule(lies=LIES_OF_A_RUN, asked_for=st.booleans(), deadline_s=st.sampled_from((10, 60, 120)))
    def syncs_among_lies(self, lies: Lies, asked_for: bool, deadline_s: int) -> None:
        self._sync(lies, asked_for, deadline_s)

    @rule(lies=LIES_OF_A_RUN, asked_for=st.booleans(), steps_to_live=st.integers(0, 60))
    def is_killed_while_it_syncs(self, lies: Lies, asked_for: bool, steps_to_live: int) -> None:
        self._sync(lies, asked_for, steps_to_live=steps_to_live)

    @rule(title=st.sampled_from(TITLES), count=st.integers(1, 6), lies=LIES_OF_A_RUN)
    def reads_and_syncs_among_lies(self, title: str, count: int, lies: Lies) -> None:
        self.reads(title, count)
        self._sync(lies)

    @rule(things=st.lists(st.sampled_from(deliveries.MARKS), min_size=1, max_size=4), lies=LIES_OF_A_RUN)
    def marks_and_syncs_among_lies(self, things: list[str], lies: Lies) -> None:
        for kind in things:
            self.marks(TITLES[0], kind)
        self._sync(lies)

    @rule(kind=st.sampled_from((rules.RATING, rules.STATUS, rules.PROGRESS)), lies=LIES_OF_A_RUN)
    def changes_her_mind_among_lies(self, kind: str, lies: Lies) -> None:
        for _ in range(2):
            self.sets(TITLES[0], kind)
        self._sync(lies)

    def _sync(
        self, lies: Lies, asked_for: bool = True, deadline_s: int = 120, steps_to_live: int | None = None
    ) -> None:
        COUNTS["runs"] += 1
        self.device.syncs(lies, asked_for, deadline_s, steps_to_live)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        COUNTS["steps"] += 1
        if hasattr(self, "servers"):
            for server in self.servers:
                assert not {name: count for name, count in Counter(server.stored()).items() if count > 1}

    def teardown(self) -> None:
        if not hasattr(self, "device"):
            return
        COUNTS["kills"] += self.world.kills
        self._stop_the_lies()
        self._check()
        self.device.close()

    # In the end

    def _stop_the_lies(self) -> None:
        self.world.wall_offset_s = 0
        for server in self.servers:
            server.shuffles = False
        self.server.show_books()
        for title in TITLES:
            self.adds_a_book_to_the_server(title)
        poisonous = sum(thing.poison is not None for thing in self.device.things)
        for _ in range(RUNS_TO_THE_END + poisonous * (rules.TRIES_MOST + 1)):
            self.world.advance(600)
            self.device.syncs(NO_LIES)
            if all(self._is_settled(thing) for thing in self.device.things):
                break
        self.nothing_is_there_twice()

    def _check(self) -> None:
        stored = [Counter(server.stored()) for server in self.servers]
        for thing in self.device.things:
            state, attempts = self.device.state(thing)
            said = f"{thing} is {state} after {attempts} unclear answers"
            times = [count[thing.name] for count in stored]
            if thing.poison is not None:
                assert sum(times) == 0, said
                assert state == rules.REJECTED or self._gave_way(thing), said
            else:
                assert state == rules.ACKNOWLEDGED, said
                assert self._is_as_often_there(thing, times), said
        self._check_values()
        self._check_that_no_session_lies_on_another()
        COUNTS["things that were recorded"] += len(self.device.things)

    def _check_that_no_session_lies_on_another(self) -> None:
        [overlaps] = self.device.store.execute(
            "SELECT COUNT(*) FROM reading_session a JOIN reading_session b ON a.id < b.id"
            " AND a.started_at < b.ended_at AND b.started_at < a.ended_at"
        ).fetchone()
        assert overlaps == 0

    def _is_as_often_there(self, thing: Thing, times: list[int]) -> bool:
        """With two accounts both may have it: one took it and its answer was lost, so the other got it too. What was
        deleted, or roughly there, at one need not be so at the other."""
        if not self.changes_of_account:
            return times == [thing.times, 0]
        return sum(times) >= thing.times

    def _check_values(self) -> None:
        for what in (rules.RATING, rules.STATUS, rules.PROGRESS):
            for title in TITLES:
                last = [thing for thing in self.device.things if (thing.kind, thing.title) == (what, title)][-1:]
                if last and title not in self.removed:
                    assert last[0].value in [server.values.get((title, what)) for server in self.servers]

    def _is_settled(self, thing: Thing) -> bool:
        """A session that was given up, because the server failed among lies, is tried again when the reader asks."""
        if self._is_done(thing) or thing.poison is None:
            return self._is_done(thing)
        return self.device.state(thing)[0] == rules.REJECTED or self._gave_way(thing)

    def _gave_way(self, thing: Thing) -> bool:
        """A session at which the server has failed again and again: it is tried last, and each time the reader asks."""
        is_tried_in_vain = thing.kind == rules.READING_SESSION and thing.poison in (FAIL, HANG)
        return is_tried_in_vain and self.device.state(thing)[1] >= rules.TRIES_MOST

    def _is_done(self, thing: Thing) -> bool:
        return self.device.state(thing)[0] == rules.ACKNOWLEDGED

    def _is_known(self, title: str) -> bool:
        return title in self.server.books.values()

    def _poison(self, thing: Thing, effect: str) -> None:
        thing.poison = effect
        for server in self.servers:
            server.poison[thing.name] = effect

    def _put_on_the_server(self, thing: Thing, slack_s: int) -> None:
        length_s = int(thing.name.split()[2])
        started_at = FIRST_SLOT + (length_s - 100) * SLOT_S
        duration_s = length_s + OTHERS_S if slack_s else length_s
        self.server.add_session(
            thing.title, to_iso(started_at + slack_s), to_iso(started_at + length_s - slack_s), duration_s
        )


def test_everything_arrives_exactly_once(small_pages: None) -> None:
    LyingServer.TestCase.settings = settings(
        max_examples=bounded(500, 10_000),
        stateful_step_count=bounded(30, 40),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    LyingServer.TestCase("runTest").runTest()
