"""The armv7 executable under qemu, in a root folder with nothing else in it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from device.version import VERSION
from tests.device.executables import EmptyRoot, arm_worker
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import (
    CertificateFiles,
    make_authority,
    make_expired_certificate,
    make_self_signed_certificate,
    make_server_certificate,
    make_wrong_host_certificate,
)

pytestmark = pytest.mark.built


@pytest.fixture
def root(tmp_path: Path) -> EmptyRoot:
    return EmptyRoot(tmp_path / "root")


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    """A folder for certificates."""
    folder = tmp_path / "tls"
    folder.mkdir()
    return folder


def server_with(certificate: CertificateFiles) -> StandIn:
    server = StandIn(dialect="grimmory", tls=certificate)
    server.add_user("anna", "secret")
    server.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    return server


@pytest.fixture
def trusted(tls: Path, root: EmptyRoot) -> Iterator[StandIn]:
    """A server whose certificate comes from the reader's own authority, which she named in setup.txt."""
    authority = make_authority(tls)
    with server_with(make_server_certificate(tls, authority)) as server:
        (root.data / "my-ca.pem").write_bytes(authority.certificate.read_bytes())
        yield server


def put_setup_and_journal(root: EmptyRoot, server: StandIn, ca_file: str | None) -> None:
    reader = Reader(root.data)
    reader.put_setup_file(server.url, ca_file=None if ca_file is None else Path(ca_file))
    reader.reads(**MOBY)


def test_it_says_its_version() -> None:
    run = subprocess.run([*arm_worker(), "version"], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (0, f"booklore-sync {VERSION}\n")


def test_a_session_travels_over_https_from_a_root_with_nothing_in_it(root: EmptyRoot, trusted: StandIn) -> None:
    put_setup_and_journal(root, trusted, "my-ca.pem")
    run = root.run("sync")
    assert (run.returncode, run.stderr) == (0, "")
    assert "1 reading session sent." in run.stdout
    [session] = trusted.sessions()
    assert (session["bookTitle"], session["durationSeconds"]) == ("Moby Dick", 200)


def test_a_certificate_of_an_unknown_authority_is_refused_and_nothing_is_sent(
    root: EmptyRoot, trusted: StandIn
) -> None:
    put_setup_and_journal(root, trusted, None)
    run = root.run("sync")
    assert run.returncode == 1
    assert "its certificate comes from an authority that is not in the list" in run.stderr
    assert "ca_file in setup.txt" in run.stderr
    assert list(trusted.requests) == []
    assert "1 reading session of “Moby Dick”" in root.run("status").stdout


@pytest.mark.parametrize(
    ("make_certificate", "words"),
    [
        (make_wrong_host_certificate, "its certificate is for another"),
        (make_expired_certificate, "its certificate has expired"),
        (lambda folder, authority: make_self_signed_certificate(folder), "it signed its certificate itself"),
    ],
    ids=["wrong host", "expired", "self-signed"],
)
def test_a_wrong_certificate_is_refused_and_nothing_is_sent(
    root: EmptyRoot, tls: Path, make_certificate: Callable[[Path, CertificateFiles], CertificateFiles], words: str
) -> None:
    authority = make_authority(tls)
    with server_with(make_certificate(tls, authority)) as server:
        (root.data / "my-ca.pem").write_bytes(authority.certificate.read_bytes())
        put_setup_and_journal(root, server, "my-ca.pem")
        run = root.run("sync")
        assert run.returncode == 1
        assert words in run.stderr
        assert list(server.requests) == []


def test_it_finds_nothing_wrong_with_itself(root: EmptyRoot, trusted: StandIn) -> None:
    put_setup_and_journal(root, trusted, "my-ca.pem")
    assert root.run("sync").returncode == 0
    run = root.run("selfcheck")
    assert (run.returncode, run.stderr) == (0, "")
    for line in (
        "program: good",
        "32 bit",
        "store: good",
        "clock: good",
        "certificates: good",
        "chapters: good",
        "server: good",
    ):
        assert line in run.stdout
