"""The world in which the worker is cut: a server that can be put back to any moment, and that is known to be quiet."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.crash.changes import Tree, write_tree
from tests.crash.recovery import Recovery
from tests.crash.scenarios import World
from tests.reader import MOBY, Reader
from tests.sandbox import StandIn

BODY = b'{"username":"anna","password":"secret"}'
LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"


def test_folder_and_server_are_put_back_as_they_were(tmp_path: Path, server: StandIn, recovery: Recovery) -> None:
    world = World(Reader(tmp_path / "data"), server, recovery)
    world.reader.configure(server.url)
    world.reader.reads(**MOBY)
    before = world.now()
    assert world.reader.run("sync").returncode == 0
    after = world.now()
    assert len(world.sessions()) == 1
    world.put_back(before)
    assert world.sessions() == []
    assert len(list((world.data / "journal").glob("*.jsonl"))) == 1
    world.put_back(after)
    assert len(world.sessions()) == 1
    world.put_back(before)
    assert world.now().tree.digest() == before.tree.digest()


def test_a_server_is_quiet_when_what_a_dead_client_sent_is_done(
    tmp_path: Path, server: StandIn, recovery: Recovery
) -> None:
    world = World(Reader(tmp_path / "data"), server, recovery)
    changes = server.changes()
    server.fault(lambda method, path, count: path.endswith("login"), "hang", seconds=0.3)
    with socket.create_connection(("127.0.0.1", server.port)) as dying:
        dying.sendall(LOGIN % (len(BODY), BODY))
    world.wait_until_the_server_is_quiet()
    assert server.http.is_quiet()
    assert server.changes() > changes


def test_a_folder_is_written_with_nothing_of_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "old").write_bytes(b"1")
    write_tree(Tree({"a": "/", "a/f": "f#1"}, {"f#1": b"new"}), tmp_path / "data")
    found = {path.relative_to(tmp_path).as_posix(): path.is_file() for path in tmp_path.rglob("*")}
    assert found == {"data": False, "data/a": False, "data/a/f": True}
