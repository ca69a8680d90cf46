"""TLS from the checkout's worker: who is believed and who is not."""

from __future__ import annotations

from pathlib import Path

from tests.reader import Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import make_authority, make_future_certificate, make_server_certificate


def server(certificate: tuple[Path, Path]) -> StandIn:
    started = StandIn(dialect="booklore", tls=certificate)
    started.add_user("anna", "secret")
    started.add_book(title="Moby Dick", authors=["Herman Melville"])
    return started


def test_the_readers_own_authority_is_believed(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with server(make_server_certificate(tmp_path, authority)) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        assert reader.run("sync").returncode == 0
        assert len(https.sessions()) == 1
        assert https.connections == 1


def test_another_authority_is_not(tmp_path: Path) -> None:
    ours, theirs = make_authority(tmp_path), make_authority(tmp_path, "other-authority")
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with server(make_server_certificate(tmp_path, theirs)) as https:
        reader.configure(https.url, ca_file=ours.certificate)
        run = reader.run("sync")
        assert run.returncode == 1
        assert "an authority that is not in the list" in run.stderr
        assert list(https.requests) == []


def test_a_certificate_that_is_not_valid_yet_is_refused_as_such(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with server(make_future_certificate(tmp_path, authority)) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        assert "its certificate is not valid yet" in reader.run("sync").stderr


def test_a_server_that_speaks_no_tls_is_not_reached(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with StandIn(dialect="booklore") as plain:
        reader.configure(plain.url.replace("http://", "https://"))
        run = reader.run("sync")
        assert run.returncode == 4
        assert "cannot be reached" in run.stdout


def test_the_selfcheck_names_every_part_it_tried(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    reader = Reader(tmp_path / "data")
    with server(make_server_certificate(tmp_path, authority)) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        run = reader.run("selfcheck")
    assert (run.returncode, run.stderr) == (0, "")
    assert [line.partition(",")[0] for line in run.stdout.splitlines()] == [
        "program: good",
        "store: good",
        "clock: good",
        "certificates: good",
        "server: good",
    ]


def test_the_selfcheck_says_what_is_wrong_with_the_server(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    reader.configure("http://127.0.0.1:9")
    run = reader.run("selfcheck")
    assert run.returncode == 1
    assert run.stderr.startswith("server: bad, http://127.0.0.1:9 cannot be reached")


def test_the_selfcheck_without_an_account_says_so(tmp_path: Path) -> None:
    run = Reader(tmp_path / "data").run("selfcheck")
    assert run.stderr == "server: bad, no account is set up yet\n"
