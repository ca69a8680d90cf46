"""TLS from the checkout's worker: who is believed and who is not."""

from __future__ import annotations

import json
from pathlib import Path

from tests.contract.one_answer_server import OneAnswerServer
from tests.reader import Reader
from tests.sandbox import StandIn
from tests.sandbox.certificates import make_authority, make_future_certificate, make_server_certificate


def server(certificate: tuple[Path, Path]) -> StandIn:
    started = StandIn(dialect="booklore", tls=certificate)
    started.add_user("anna", "secret")
    started.add_book(title="Moby Dick", authors=["Herman Melville"])
    return started


def edit_account(reader: Reader, **fields: str) -> None:
    path = reader.data / "secrets.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


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


def test_a_server_that_changes_to_another_trusted_authority_is_still_believed(tmp_path: Path) -> None:
    first, second = make_authority(tmp_path), make_authority(tmp_path, "second-authority")
    both = tmp_path / "both.pem"
    both.write_bytes(first.certificate.read_bytes() + second.certificate.read_bytes())
    reader = Reader(tmp_path / "data")
    for number, authority in enumerate((first, second)):
        reader.reads(authors=["Herman Melville"], start=1_795_000_000 + number * 1000)
        with server(make_server_certificate(tmp_path, authority, name=f"server-{number}")) as https:
            if number == 0:
                reader.configure(https.url, ca_file=both)
            else:
                edit_account(reader, server=https.url)
            assert reader.run("sync").returncode == 0
            assert len(https.sessions()) == 1


def test_the_authority_that_vouched_last_time_is_asked_first(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with server(make_server_certificate(tmp_path, authority)) as https:
        reader.configure(https.url, ca_file=authority.certificate)
        reader.run("sync")
    account = json.loads((reader.data / "secrets.json").read_text())
    assert account["anchor_pem"] == authority.certificate.read_text()


def test_an_authority_that_is_in_no_list_is_not_believed_because_it_was_once(tmp_path: Path) -> None:
    theirs = make_authority(tmp_path, "other-authority")
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with server(make_server_certificate(tmp_path, theirs)) as https:
        reader.configure(https.url)
        edit_account(reader, anchor_pem=theirs.certificate.read_text())
        assert reader.run("sync").returncode == 1
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


def test_a_port_that_answers_without_encryption_is_said_to_want_http(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "data")
    reader.reads(authors=["Herman Melville"])
    with OneAnswerServer(always=b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as plain:
        reader.configure(plain.url.replace("http://", "https://"))
        assert "that port does not speak TLS. Does it want http://?" in reader.run("sync").stdout


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
        "chapters: good",
        "server: good",
        "account: good",
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
