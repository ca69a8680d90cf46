"""How the device comes by the server's fingerprints and its readers' positions: with accounts of its own, if needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device.server import provisioning
from device.server.errors import ReplyLost
from device.server.koreader_progress import Position, koreader_position
from tests.contract.device_run import device_run
from tests.contract.plain_client import PlainClient
from tests.reader import Reader
from tests.sandbox import StandIn

HASH = "0123456789abcdef0123456789abcdef"
SIZE_BYTES = 123 * 1024 + 17  # of the file that the stand-in has by default
LIST = "GET /komga/api/v1/books"
ACCOUNTS = "POST /api/v2/opds-users"
KOREADER = "/api/v1/koreader-users/me"


@pytest.fixture(params=["booklore", "grimmory"])
def server(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """A server that does not find books by hash itself, with one book and Komga's list switched on."""
    with StandIn(dialect=request.param) as server:
        server.add_user("anna", "secret")
        server.add_book(title="Moby Dick", file_hash=HASH)
        server.set_komga(True)
        yield server


def fingerprints(folder: Path, server: StandIn, days: float = 0) -> dict[int, str]:
    with device_run(folder, server, days) as run:
        return dict(run.dialect.fingerprints())


def test_an_account_is_made_with_the_login_and_the_list_read(server: StandIn, tmp_path: Path) -> None:
    assert fingerprints(tmp_path, server) == {1: HASH}
    (account,) = server.opds_accounts()
    assert str(account["username"]).startswith("booklore-sync-")
    assert len(str(account["username"])) == len("booklore-sync-") + 8
    assert len(str(account["password"])) == 48
    assert server.asked.count(ACCOUNTS) == server.asked.count(LIST) == 1


def test_no_two_devices_have_the_same_account(server: StandIn, tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        fingerprints(tmp_path / name, server)
    first, second = server.opds_accounts()
    assert first["username"] != second["username"]
    assert first["password"] != second["password"]


def test_the_account_is_used_again(server: StandIn, tmp_path: Path) -> None:
    for _ in range(3):
        assert fingerprints(tmp_path, server) == {1: HASH}
    assert len(server.opds_accounts()) == 1
    assert server.asked.count(LIST) == 3


def test_the_readers_own_account_comes_first(server: StandIn, tmp_path: Path) -> None:
    server.add_opds_account(1, "annas", "annas password")
    with device_run(tmp_path, server) as run:
        run.secrets.opds_user, run.secrets.opds_password = "annas", "annas password"
        assert dict(run.dialect.fingerprints()) == {1: HASH}
    assert ACCOUNTS not in server.asked


def test_the_readers_own_account_is_never_replaced(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server) as run:
        run.secrets.opds_user, run.secrets.opds_password = "annas", "wrong"
        run.keeper.save(run.secrets)
        assert dict(run.dialect.fingerprints()) == {}
        assert run.secrets.opds_user == "annas"
    assert ACCOUNTS not in server.asked
    assert fingerprints(tmp_path, server) == {}
    assert server.asked.count(LIST) == 1


def test_an_account_that_somebody_deleted_is_made_anew_once(server: StandIn, tmp_path: Path) -> None:
    fingerprints(tmp_path, server)
    with server._database.transaction() as database:
        database.execute("DELETE FROM opds_user")
    assert fingerprints(tmp_path, server) == {1: HASH}
    assert server.asked.count(ACCOUNTS) == 2
    assert len(server.opds_accounts()) == 1


def test_a_list_that_is_off_is_not_asked_for_in_a_week_and_its_account_is_kept(server: StandIn, tmp_path: Path) -> None:
    server.set_komga(False)
    for days in (0, 1, 3, 6.9):
        assert fingerprints(tmp_path, server, days) == {}
    assert server.asked.count(LIST) == 1
    server.set_komga(True)
    assert fingerprints(tmp_path, server, 7.1) == {1: HASH}
    assert server.asked.count(ACCOUNTS) == 1


def test_an_account_that_may_not_use_opds_gets_none_and_is_asked_again_tomorrow(
    server: StandIn, tmp_path: Path
) -> None:
    server.set_permissions("anna", [])
    for days in (0, 0.5, 0.9):
        assert fingerprints(tmp_path, server, days) == {}
    assert (server.asked.count(ACCOUNTS), server.asked.count(LIST)) == (1, 0)
    server.set_permissions("anna", ["canAccessOpds"])
    assert fingerprints(tmp_path, server, 1.1) == {1: HASH}


@pytest.mark.parametrize("fault", ["lose_reply", "reset_after_commit"])
def test_an_account_whose_answer_was_lost_is_not_made_twice(server: StandIn, tmp_path: Path, fault: str) -> None:
    server.fault(when=lambda method, path, count: path.endswith("opds-users"), do=fault)
    with pytest.raises(ReplyLost):
        fingerprints(tmp_path, server)
    assert fingerprints(tmp_path, server, 0.1) == {1: HASH}
    assert len(server.opds_accounts()) == 1


def test_an_account_that_never_reached_the_server_is_made_later(server: StandIn, tmp_path: Path) -> None:
    server.fault(when=lambda method, path, count: path.endswith("opds-users"), do="drop_request")
    with pytest.raises(ReplyLost):
        fingerprints(tmp_path, server)
    assert fingerprints(tmp_path, server, 0.1) == {1: HASH}
    assert len(server.opds_accounts()) == 1


@pytest.mark.parametrize("fault", ["error_before", "html", "proxy_error_before"])
def test_a_server_that_cannot_make_an_account_is_left_alone_for_a_while(
    server: StandIn, tmp_path: Path, fault: str
) -> None:
    server.fault(when=lambda method, path, count: path.endswith("opds-users"), do=fault, times=None)
    for _ in range(3):
        assert fingerprints(tmp_path, server) == {}
    assert server.asked.count(ACCOUNTS) == 1


def test_a_token_that_ran_out_is_renewed_on_the_way(server: StandIn, tmp_path: Path) -> None:
    with device_run(tmp_path, server) as run:
        run.dialect.finds_by_hash()
        server.revoke_tokens()
        assert dict(run.dialect.fingerprints()) == {1: HASH}


def test_the_image_that_finds_by_hash_gets_no_account(tmp_path: Path) -> None:
    with StandIn(dialect="worldteacher") as server:
        server.add_user("anna", "secret")
        server.set_komga(True)
        assert fingerprints(tmp_path, server) == {}
        assert not server.opds_accounts()


# In a whole run of the worker


def test_a_book_with_another_title_is_recognised_by_its_file(server: StandIn, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    reader.reads(title="The Whale", fingerprint=HASH, size_bytes=SIZE_BYTES)
    assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1
    assert server.sessions()[0]["bookId"] == 1


def test_a_first_sync_that_needs_everything_asks_six_times_besides_its_sessions(
    server: StandIn, tmp_path: Path
) -> None:
    """Login, library, is it the image, an account, Komga's list, and whose sessions."""
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    for number in range(20):
        reader.reads(title="The Whale", fingerprint=HASH, size_bytes=SIZE_BYTES, start=1_795_000_000 + number * 1000)
    assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 20
    others = [asked for asked in server.asked if asked != "POST /api/v1/reading-sessions"]
    assert len(others) <= 6, others


def test_a_book_of_a_library_that_is_not_hers_is_not_matched_by_its_file(server: StandIn, tmp_path: Path) -> None:
    server.add_book(title="Diary", file_hash="d" * 32, library_id=server.add_library("Private"))
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    reader.reads(title="My diary", fingerprint="d" * 32, size_bytes=SIZE_BYTES)
    assert reader.run_job("sync", reason="tap")["counts"]["waiting"] == 1


def test_no_password_of_ours_is_in_the_log(server: StandIn, tmp_path: Path) -> None:
    reader = Reader(tmp_path / "bookloresync")
    reader.configure(server.url)
    reader.reads(title="The Whale", fingerprint=HASH, size_bytes=SIZE_BYTES)
    reader.run_job("sync", reason="tap")
    (account,) = server.opds_accounts()
    assert (tmp_path / "bookloresync" / "secrets.json").stat().st_mode & 0o777 == 0o600
    for path in (tmp_path / "bookloresync" / "log").iterdir():
        assert str(account["password"]) not in path.read_text()


# The account of KOReader's own sync


def key_of(password: str) -> str:
    return hashlib.md5(password.encode()).hexdigest()


def koreader_account(folder: Path, server: StandIn) -> tuple[str, str] | None:
    with device_run(folder, server) as run:
        return provisioning.koreader_account(run.client)


def test_a_koreader_account_is_made_and_switched_on(server: StandIn, tmp_path: Path) -> None:
    account = koreader_account(tmp_path, server)
    (there,) = server.koreader_accounts()
    assert account == (there["username"], key_of(str(there["password"])))
    assert (there["sync_enabled"], there["sync_with_web_reader"]) == (1, 0)


def test_a_koreader_account_that_is_there_is_used_as_it_is(server: StandIn, tmp_path: Path) -> None:
    server.add_koreader_account(1, "annas", "annas password")
    before = server.koreader_accounts()
    assert koreader_account(tmp_path, server) == ("annas", key_of("annas password"))
    assert server.koreader_accounts() == before
    assert not [asked for asked in server.asked if asked.startswith(("PUT", "PATCH"))]


def test_a_koreader_account_whose_sync_is_off_stays_off(server: StandIn, tmp_path: Path) -> None:
    server.add_koreader_account(1, "annas", "annas password", sync_enabled=False)
    before = server.koreader_accounts()
    assert koreader_account(tmp_path, server) is None
    assert server.koreader_accounts() == before


def test_a_koreader_account_of_ours_that_was_left_half_made_is_finished(server: StandIn, tmp_path: Path) -> None:
    server.fault(when=lambda method, path, count: method == "PATCH", do="drop_request")
    with pytest.raises(ReplyLost):
        koreader_account(tmp_path, server)
    account = koreader_account(tmp_path, server)
    (there,) = server.koreader_accounts()
    assert account == (there["username"], key_of(str(there["password"])))
    assert there["sync_enabled"] == 1


def test_a_reader_who_may_not_sync_koreader_is_told_apart(server: StandIn, tmp_path: Path) -> None:
    server.set_permissions("anna", [])
    with pytest.raises(provisioning.NotAllowed):
        koreader_account(tmp_path, server)
    assert not server.koreader_accounts()


@pytest.mark.parametrize("name", ["zoë", "two\nlines", ""])
def test_a_name_that_no_header_can_carry_is_not_used(server: StandIn, tmp_path: Path, name: str) -> None:
    server.add_koreader_account(1, name, "annas password")
    assert koreader_account(tmp_path, server) is None


# Where another KOReader is


def position(folder: Path, server: StandIn, fingerprint: str = HASH) -> Position | None:
    with device_run(folder, server) as run:
        account = provisioning.koreader_account(run.client)
        assert account is not None
        return koreader_position(run.connection, *account, fingerprint)


def test_another_koreaders_position_is_read_and_nothing_changed(server: StandIn, tmp_path: Path) -> None:
    server.add_koreader_account(1, "annas", "annas password")
    with closing(PlainClient(server)) as other:
        other.use_koreader_key("annas", "annas password")
        other.put(
            "/api/koreader/syncs/progress",
            {"document": HASH, "percentage": 0.25, "progress": "/body/DocFragment[4]/body/p[1]/text().0"},
        )
    before = server.state(1)
    found = position(tmp_path, server)
    assert found is not None
    assert (found.fraction, found.progress) == (0.25, "/body/DocFragment[4]/body/p[1]/text().0")
    assert found.at == before["koreader_synced_at"]
    assert server.state(1) == before


@pytest.mark.parametrize("fingerprint", [HASH, "f" * 32])
def test_a_book_that_no_koreader_has_read_has_no_position(server: StandIn, tmp_path: Path, fingerprint: str) -> None:
    assert position(tmp_path, server, fingerprint) is None


def test_progress_without_a_position_is_none(server: StandIn, tmp_path: Path) -> None:
    server.rate_on_web("anna", 1, 7)  # the row is there, and empty
    assert position(tmp_path, server) is None
