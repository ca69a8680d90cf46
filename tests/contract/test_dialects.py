"""Which server it is: found out with few requests, remembered, asked anew in time, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.server import dialects
from device.server.errors import ReplyLost
from tests.contract.device_run import device_run
from tests.sandbox import StandIn

DIALECTS = ["booklore", "grimmory", "worldteacher"]
PROBE = "GET /api/v1/books/by-hash/" + "0" * 32
HEALTH = "GET /api/v1/healthcheck"
LOGIN = "POST /api/v1/auth/login"


def server_of(dialect: str) -> StandIn:
    server = StandIn(dialect=dialect)
    server.add_user("anna", "secret")
    return server


@pytest.fixture(params=DIALECTS)
def server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with server_of(request.param) as server:
        yield server


def test_each_server_is_known_for_what_it_is(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server) as run:
        assert run.dialect.name() == server.dialect.name


@pytest.mark.parametrize(
    ("dialect", "by_hash", "batches", "pages", "page_bookmarks"),
    [
        ("booklore", False, False, False, False),
        ("grimmory", False, False, True, True),
        ("worldteacher", True, True, False, False),
    ],
)
def test_what_each_server_can_do(
    dialect: str, by_hash: bool, batches: bool, pages: bool, page_bookmarks: bool, tmp_path: Path
) -> None:
    with server_of(dialect) as server, device_run(tmp_path, server) as run:
        assert run.dialect.finds_by_hash() is by_hash
        assert run.dialect.takes_batches() is batches
        assert run.dialect.has_pages() is pages
        assert run.dialect.has_page_bookmarks() is page_bookmarks


def test_all_questions_together_cost_one_request_beside_the_login(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server) as run:
        run.dialect.has_pages()
        run.dialect.finds_by_hash()
        run.dialect.takes_batches()
        run.dialect.has_page_bookmarks()
    assert server.asked == [LOGIN, PROBE]


def test_whether_there_are_pages_costs_nothing_but_a_token(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server) as run:
        run.dialect.has_pages()
    assert server.asked == [LOGIN]


def test_nothing_is_asked_before_somebody_wants_to_know(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server):
        pass
    assert server.asked == []


def test_the_answer_is_remembered_for_the_next_run_of_the_day(server: StandIn, tmp_path: Path) -> None:
    for _ in range(3):
        with device_run(tmp_path, server) as run:
            run.dialect.takes_batches()
    assert server.asked.count(PROBE) == 1
    assert HEALTH not in server.asked


def test_the_version_is_asked_for_once_a_day_at_most(server: StandIn, tmp_path: Path) -> None:
    for days in (0, 1.1, 1.2, 1.3, 2.2):
        with device_run(tmp_path, server, days) as run:
            run.dialect.takes_batches()
    assert server.asked.count(HEALTH) == 2


def test_an_unchanged_version_spares_the_probe_until_a_week_is_over(server: StandIn, tmp_path: Path) -> None:
    for days in (0, 1.1, 2.2, 3.3, 4.4, 5.5):
        with device_run(tmp_path, server, days) as run:
            assert run.dialect.takes_batches() is (server.dialect.name == "worldteacher")
    assert server.asked.count(PROBE) == 2  # the first, and when the version was heard for the first time
    with device_run(tmp_path, server, 14) as run:
        run.dialect.takes_batches()
    assert server.asked.count(PROBE) == 3


def test_another_version_is_probed_anew(server: StandIn, tmp_path: Path) -> None:
    for days in (0, 1.1):
        with device_run(tmp_path, server, days) as run:
            run.dialect.takes_batches()
    probes = server.asked.count(PROBE)
    server.set_version("v9.9.9")
    with device_run(tmp_path, server, 2.2) as run:
        run.dialect.takes_batches()
    assert server.asked.count(PROBE) == probes + 1


def test_a_health_check_that_fails_changes_nothing(server: StandIn, tmp_path: Path) -> None:
    for days in (0, 1.1):
        with device_run(tmp_path, server, days) as run:
            run.dialect.takes_batches()
    probes = server.asked.count(PROBE)
    server.fault(when=lambda method, path, count: path.endswith("healthcheck"), do="error_before", times=None)
    with device_run(tmp_path, server, 2.2) as run:
        assert run.dialect.name() == server.dialect.name
    assert server.asked.count(PROBE) == probes


@pytest.mark.parametrize("fault", ["error_before", "proxy_error_before"])
def test_a_probe_that_fails_is_taken_for_booklore_and_made_again_after_an_hour(fault: str, tmp_path: Path) -> None:
    with server_of("worldteacher") as server:
        server.fault(when=lambda method, path, count: "by-hash" in path, do=fault)
        with device_run(tmp_path, server) as run:
            assert not run.dialect.takes_batches()
        with device_run(tmp_path, server, 0.5 / 24) as run:
            assert not run.dialect.takes_batches()
        with device_run(tmp_path, server, 1.1 / 24) as run:
            assert run.dialect.takes_batches()
    assert server.asked.count(PROBE) == 2


def test_a_probe_whose_answer_is_lost_ends_the_run_but_not_the_next_ones(server: StandIn, tmp_path: Path) -> None:
    server.fault(when=lambda method, path, count: "by-hash" in path, do="drop_request", times=None)
    with device_run(tmp_path, server) as run, pytest.raises(ReplyLost):
        run.dialect.takes_batches()
    with device_run(tmp_path, server) as run:
        assert not run.dialect.takes_batches()


def test_a_disappointment_is_believed_at_once_and_asked_about_in_the_next_run(tmp_path: Path) -> None:
    with server_of("worldteacher") as server:
        with device_run(tmp_path, server) as run:
            assert run.dialect.takes_batches()
            run.dialect.disappointed()
            assert not run.dialect.takes_batches()
        with device_run(tmp_path, server) as run:
            assert run.dialect.takes_batches()
    assert server.asked.count(PROBE) == 2


def test_a_clock_that_falls_back_does_not_make_an_answer_last_for_ever(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server, 400) as run:
        run.dialect.takes_batches()
    with device_run(tmp_path, server) as run:
        run.dialect.takes_batches()
    assert server.asked.count(PROBE) == 2


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 50, "..", "e30.e30.e30", "a.WzFd.c"])
def test_a_token_that_says_nothing_is_no_grimmorys(token: str) -> None:
    assert dialects.named(False, token) == dialects.BOOKLORE
    assert dialects.named(True, token) == dialects.WORLDTEACHER


@pytest.mark.parametrize("health", [None, 3, [], {}, {"data": 1}, {"data": {"version": None}}, {"data": {}}])
def test_a_health_check_may_tell_no_version(health: object) -> None:
    assert dialects.version_in(health) == ""  # type: ignore[arg-type]


def test_an_unknown_name_in_the_store_is_taken_for_booklore() -> None:
    assert not dialects.of("calibre").takes_batches
    assert not dialects.of(None).finds_by_hash
