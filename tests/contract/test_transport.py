"""The way to the server: redirects, KOReader's proxy, certificates that the reader trusts, clocks that are wrong."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device.server import address, http
from device.server.errors import Untrusted
from device.server.tls import Trust
from tests.contract.forward_proxy import ForwardProxy
from tests.contract.one_answer_server import OneAnswerServer
from tests.contract.redirecting_server import RedirectingServer
from tests.reader import EMMA, MOBY, Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import (
    CertificateFiles,
    make_authority,
    make_expired_certificate,
    make_future_certificate,
    make_self_signed_certificate,
    make_server_certificate,
    make_wrong_host_certificate,
)

SHORT_S = 10
NOW = 1_795_348_800  # 22 November 2026


def library(tls: tuple[Path, Path] | None = None, dialect: str = "booklore", port: int = 0) -> StandIn:
    server = StandIn(dialect=dialect, tls=tls, port=port)
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    server.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
    return server


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "bookloresync")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with library() as started:
        yield started


def texts(result: dict[str, Any]) -> str:
    return " ".join(message["text"] for message in result["messages"])


def fingerprint(files: CertificateFiles) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(files.certificate.read_text())).hexdigest()


# Redirects


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_on_the_same_host_costs_one_request_a_run(server: StandIn, reader: Reader, status: int) -> None:
    with RedirectingServer(to=server.url, status=status) as front:
        reader.configure(front.url)
        reader.reads(**MOBY)
        reader.reads(start=1_795_100_000, **EMMA)
        assert reader.run("sync").stdout == "2 reading sessions sent.\n"
        assert front.lines() == ["POST /api/v1/auth/login HTTP/1.1"]
    assert len(server.sessions()) == 2


def test_a_redirect_to_https_is_followed_and_checked(reader: Reader, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with library(make_server_certificate(tmp_path, authority)) as https, RedirectingServer(to=https.url) as front:
        reader.configure(front.url, ca_file=authority.certificate)
        reader.reads(**MOBY)
        run = reader.run("sync")
        assert run.returncode == 0
        assert f"{front.url} leads to {https.url}. Write that into setup.txt" in run.stderr
        assert len(https.sessions()) == 1


def test_a_redirect_to_another_host_is_no_error_of_the_entry_and_sends_nothing_there(
    server: StandIn, reader: Reader
) -> None:
    with RedirectingServer(page="http://portal.invalid/welcome?from=booklore") as portal:
        reader.configure(portal.url)
        reader.reads(**MOBY)
        result = reader.run_job("sync", reason="tap")
        assert result["outcome"] == "offline"
        assert "redirects to portal.invalid, another server" in texts(result)
        assert len(portal.requests) == 1


def test_a_login_page_that_a_redirect_leads_to_in_mid_run_leaves_what_was_to_be_sent_as_new(
    server: StandIn, reader: Reader
) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    server.fault(when=lambda method, path, count: method == "POST" and "sessions" in path, do="redirect", times=1)
    assert reader.run_job("sync", reason="tap", deadline_s=SHORT_S)["outcome"] == "offline"
    assert "will be sent with the next sync" in reader.status()
    assert reader.run("sync").stdout == "1 reading session sent.\n"
    assert len(server.sessions()) == 1


def test_redirects_in_a_circle_end(reader: Reader) -> None:
    with RedirectingServer() as circle:
        reader.configure(circle.url)
        reader.reads(**MOBY)
        assert "in a circle" in texts(reader.run_job("sync", reason="tap"))
        assert len(circle.requests) == 6


def test_a_password_does_not_follow_a_redirect_to_another_program_of_the_same_host(reader: Reader) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    with OneAnswerServer(always=answer) as other, RedirectingServer(to=other.url, status=307) as front:
        reader.configure(front.url)
        reader.reads(**MOBY)
        assert f"What answers at {other.url} is not BookLore" in texts(reader.run_job("sync", reason="tap"))
        assert not any(b"secret" in request for request in other.requests)


def test_the_name_of_a_host_is_written_as_the_reader_wrote_it(reader: Reader) -> None:
    reader.configure("http://no-such-server.invalid")
    reader.reads(**MOBY)
    assert "The server no-such-server.invalid is not known" in texts(reader.run_job("sync", reason="tap"))


# KOReader's proxy


def test_an_http_server_is_asked_through_the_proxy_by_its_whole_name(server: StandIn, reader: Reader) -> None:
    with ForwardProxy(server.port) as proxy:
        reader.configure("http://books.test/")
        reader.reads(**MOBY)
        assert reader.run_job("sync", reason="tap", proxy=proxy.url)["counts"]["sent"] == 1
        assert proxy.lines[0] == "POST http://books.test/api/v1/auth/login HTTP/1.1"


def test_an_https_server_is_reached_through_a_tunnel_that_shows_the_proxy_nothing(
    reader: Reader, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path)
    with library(make_server_certificate(tmp_path, authority, hosts=("books.test",))) as https:
        with ForwardProxy(https.port, credentials="anna:p@ss") as proxy:
            reader.configure("https://books.test", ca_file=authority.certificate)
            reader.reads(**MOBY)
            url = proxy.url.replace("http://", "http://anna:p%40ss@")
            assert reader.run_job("sync", reason="tap", proxy=url)["counts"]["sent"] == 1
            assert proxy.lines == ["CONNECT books.test:443 HTTP/1.1"]
        assert len(https.sessions()) == 1


@pytest.mark.parametrize("address", ["http://books.test", "https://books.test"])
def test_a_proxy_that_wants_a_password_is_named_as_such(server: StandIn, reader: Reader, address: str) -> None:
    with ForwardProxy(server.port, credentials="anna:other") as proxy:
        reader.configure(address)
        reader.reads(**MOBY)
        result = reader.run_job("sync", reason="tap", proxy=proxy.url.replace("http://", "http://anna:geheim@"))
        assert result["outcome"] == "offline"
        assert f"The proxy 127.0.0.1:{proxy.port} wants a user and a password (HTTP 407)" in texts(result)
    log = (reader.data / "log" / "worker.log").read_text()
    assert "geheim" not in log + json.dumps(result)


def test_a_proxy_that_does_not_reach_the_server_is_named_as_such(server: StandIn, reader: Reader) -> None:
    with ForwardProxy(server.port, refuses=502) as proxy:
        reader.configure("https://books.test")
        reader.reads(**MOBY)
        assert "does not let this device through to https://books.test (HTTP 502)" in texts(
            reader.run_job("sync", reason="tap", proxy=proxy.url)
        )


def test_a_proxy_that_is_down_is_named_as_such(reader: Reader) -> None:
    reader.configure("https://books.test")
    reader.reads(**MOBY)
    result = reader.run_job("sync", reason="tap", proxy="http://127.0.0.1:9")
    assert "The proxy 127.0.0.1:9 cannot be reached" in texts(result)
    assert reader.run_job("sync", reason="close", proxy="http://127.0.0.1:9")["messages"] == []


def test_a_proxy_that_cannot_be_one_is_said_and_repeats_no_password(reader: Reader) -> None:
    reader.configure("https://books.test")
    reader.reads(**MOBY)
    result = reader.run_job("sync", reason="tap", proxy="socks5://anna:geheim@10.0.0.1:1080")
    assert (result["outcome"], result["counts"]["waiting"]) == ("offline", 1)
    assert "KOReader's proxy cannot be used" in texts(result)
    assert "geheim" not in json.dumps(result)


def test_this_devices_own_addresses_need_no_proxy(server: StandIn, reader: Reader) -> None:
    reader.configure(server.url)
    reader.reads(**MOBY)
    assert reader.run_job("sync", reason="tap", proxy="http://127.0.0.1:9")["counts"]["sent"] == 1


# Certificates


def test_a_certificate_that_nobody_vouches_for_is_shown_to_the_reader_and_believed_when_she_says_so(
    reader: Reader, tmp_path: Path
) -> None:
    own = make_self_signed_certificate(tmp_path)
    with library(own) as https:
        reader.configure(https.url)
        reader.reads(**MOBY)
        result = reader.run_job("sync", reason="tap")
        assert result["outcome"] == "failed"
        [question] = result["questions"]
        trust, refuse = question["answers"]
        assert (trust["verb"], trust["arguments"]["fingerprint"]) == ("trust", fingerprint(own))
        assert "verb" not in refuse
        assert list(https.requests) == []
        reader.run_job("trust", reason="tap", arguments=trust["arguments"])
        assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1
        assert len(https.sessions()) == 1


@pytest.mark.parametrize("make", [make_wrong_host_certificate, make_expired_certificate])
def test_a_wrong_name_and_a_past_date_can_be_trusted_too(reader: Reader, tmp_path: Path, make: Any) -> None:
    authority = make_authority(tmp_path)
    with library(make(tmp_path, authority)) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        reader.reads(**MOBY)
        [question] = reader.run_job("sync", reason="tap")["questions"]
        reader.run_job("trust", reason="tap", arguments=question["answers"][0]["arguments"])
        assert reader.run_job("sync", reason="tap")["counts"]["sent"] == 1


def test_a_run_that_nobody_asked_for_shows_each_certificate_once(reader: Reader, tmp_path: Path) -> None:
    with library(make_self_signed_certificate(tmp_path)) as https:
        reader.configure(https.url)
        reader.reads(**MOBY)
        asked = [len(reader.run_job("sync", reason=reason)["questions"]) for reason in ("close", "network", "network")]
        assert asked == [1, 0, 0]
        assert len(reader.run_job("sync", reason="tap")["questions"]) == 1


def test_when_a_certificate_is_pinned_no_other_is_believed_whoever_signed_it(reader: Reader, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    good = make_server_certificate(tmp_path, authority)
    other = make_server_certificate(tmp_path, authority, name="other")
    reader.reads(**MOBY)
    with library(other) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        assert reader.run("trust", fingerprint(good)).returncode == 0
        run = reader.run("sync")
        assert run.returncode == 1
        assert "another certificate than the one that you have trusted" in run.stderr
        assert f"booklore-sync trust {fingerprint(other)}" in run.stdout
        assert list(https.requests) == []
        reader.run("trust", "none")
        assert reader.run("sync").returncode == 0


def test_a_certificate_can_be_named_in_the_setup_file_as_openssl_writes_it(reader: Reader, tmp_path: Path) -> None:
    own = make_self_signed_certificate(tmp_path)
    pairs = fingerprint(own).upper()
    written = "sha256 Fingerprint=" + ":".join(pairs[at : at + 2] for at in range(0, 64, 2))
    with library(own) as https:
        reader.put_setup_file(https.url)
        setup = reader.data / "setup.txt"
        setup.write_text(setup.read_text() + f"certificate = {written}\n")
        reader.reads(**MOBY)
        assert reader.run("sync").returncode == 0


def test_trusting_one_host_leaves_the_others_with_the_certificate_that_was_for_all(reader: Reader) -> None:
    first, second, third = "ab" * 32, "cd" * 32, "ef" * 32
    lines = ("server = https://a.test", "local_server = https://b.test", "user = anna", "password = secret")
    (reader.data / "setup.txt").write_text("\n".join((*lines, f"certificate = {first}\n")))
    assert reader.run("configure").returncode == 0
    reader.run_job("trust", reason="tap", arguments={"fingerprint": second, "host": "b.test"})
    assert pins(reader) == {"a.test": first, "b.test": second}
    result = reader.run_job("trust", reason="tap", arguments={"fingerprint": third, "host": "evil.test"})
    assert "not of one of your server's addresses" in texts(result)
    assert pins(reader) == {"a.test": first, "b.test": second}


def pins(reader: Reader) -> Any:
    return json.loads((reader.data / "secrets.json").read_text())["pins"]


def test_an_authority_that_is_no_certificate_is_refused_where_it_is_set_up(reader: Reader, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nMIIBgarbage\n-----END CERTIFICATE-----\n")
    reader.put_setup_file("https://books.test", ca_file=broken)
    run = reader.run("configure")
    assert run.returncode == 1
    assert "is no whole certificate" in run.stderr
    assert not (reader.data / "secrets.json").exists()


def test_an_expired_certificate_is_asked_about_only_when_the_reader_taps(reader: Reader, tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    with library(make_expired_certificate(tmp_path, authority)) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        reader.reads(**MOBY)
        assert reader.run_job("sync", reason="close")["questions"] == []
        assert len(reader.run_job("sync", reason="tap")["questions"]) == 1


@pytest.mark.parametrize("word", ["", "abc", "zz" * 32, "ab" * 33])
def test_what_is_no_fingerprint_is_not_trusted(reader: Reader, word: str) -> None:
    reader.configure("https://books.test")
    assert reader.run("trust", word).returncode == 1
    assert json.loads((reader.data / "secrets.json").read_text())["pins"] == {}


def test_the_selfcheck_tells_the_fingerprint_of_a_refused_certificate(reader: Reader, tmp_path: Path) -> None:
    own = make_self_signed_certificate(tmp_path)
    with library(own) as https:
        reader.configure(https.url)
        assert fingerprint(own)[:8].upper() in reader.run("selfcheck").stderr.replace(":", "")


# Clocks


def refused_at(now: int, files: CertificateFiles, ca: Path | None = None, clock_is_wrong: bool = False) -> Trust:
    trust = Trust("" if ca is None else ca.read_text(), now, clock_is_wrong=clock_is_wrong)
    with library(files) as https:
        connection = http.Connection(address.parse(https.url), trust, time.monotonic() + SHORT_S)
        with pytest.raises(Untrusted) as refused:
            connection.request("GET", "/", {})
        trust.anchor_pem = str(refused.value)
    return trust


def test_a_clock_of_1970_is_blamed_and_no_certificate_is_offered(tmp_path: Path) -> None:
    trust = refused_at(0, make_self_signed_certificate(tmp_path))
    assert "this device thinks it is 1 January 1970. Set its clock" in trust.anchor_pem
    assert trust.presented is None


def test_a_clock_from_before_this_program_was_made_is_blamed_for_a_date(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    trust = refused_at(1_700_000_000, make_expired_certificate(tmp_path, authority), authority.certificate)
    assert "this device thinks it is 14 November 2023. Set its clock" in trust.anchor_pem
    assert trust.presented is None


def test_a_clock_that_a_server_has_contradicted_is_blamed_for_a_date(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    files = make_expired_certificate(tmp_path, authority)
    trust = refused_at(NOW, files, authority.certificate, clock_is_wrong=True)
    assert "Set its clock" in trust.anchor_pem
    assert trust.presented is None


def test_a_clock_that_may_be_right_is_told_beside_the_date(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    trust = refused_at(NOW, make_expired_certificate(tmp_path, authority), authority.certificate)
    assert "its certificate has expired. This device thinks it is 22 November 2026" in trust.anchor_pem
    assert trust.presented is not None


def test_of_a_certificate_that_is_not_valid_yet_the_clock_is_blamed_and_none_is_offered(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    trust = refused_at(NOW, make_future_certificate(tmp_path, authority), authority.certificate)
    assert "mostly the device's clock: it says 22 November 2026" in trust.anchor_pem
    assert trust.presented is None


# What answers in place of BookLore


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("HTTP/1.1 203 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", "HTTP 203"),
        ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>", "login page of this network"),
        ("HTTP/1.1 511 Login\r\nContent-Length: 0\r\n\r\n", "This network wants you to sign in"),
        ("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "such as a firewall, refuses this device"),
        ("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", "a password of its own"),
        ("HTTP/1.1 404 No\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>", "There is no BookLore at"),
        (
            "HTTP/1.1 502 No\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>",
            "BookLore is not running",
        ),
        (
            "HTTP/1.1 400 No\r\nContent-Type: text/html\r\nContent-Length: 50\r\n\r\n"
            "The plain HTTP request was sent to HTTPS port <hr>",
            "This port wants https://",
        ),
        ("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n", "takes no logins for a quarter of an hour"),
    ],
)
def test_who_answered_instead_of_booklore_is_said_in_words(reader: Reader, answer: str, words: str) -> None:
    with OneAnswerServer(always=answer.encode()) as stranger:
        reader.configure(stranger.url)
        reader.reads(**MOBY)
        result = reader.run_job("sync", reason="tap")
        assert (result["outcome"], result["counts"]["waiting"]) == ("offline", 1)
        assert words in texts(result)
        assert len(stranger.requests) == 1
