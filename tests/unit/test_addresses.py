"""Which address is tried first, in which network this device is, and what proxy is used."""

from __future__ import annotations

import ctypes
import socket
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.core.addresses import LOCAL, REMOTE, order
from device.server import proxy, wifi
from device.server.address import is_loopback, is_same_server, is_unencrypted, parse
from device.server.errors import ProxyTrouble


@pytest.mark.parametrize(
    ("home", "network", "worked", "expected"),
    [
        ("Nest", "Nest", REMOTE, [(LOCAL, False), (REMOTE, False)]),
        ("Nest", "Café", LOCAL, [(REMOTE, False), (LOCAL, True)]),
        ("Nest", None, None, [(LOCAL, True), (REMOTE, False)]),
        ("Nest", None, REMOTE, [(REMOTE, False), (LOCAL, True)]),
        ("", None, LOCAL, [(LOCAL, True), (REMOTE, False)]),
        ("", "Café", REMOTE, [(REMOTE, False), (LOCAL, True)]),
    ],
)
def test_the_address_at_home_comes_first_at_home(
    home: str, network: str | None, worked: str | None, expected: list[tuple[str, bool]]
) -> None:
    assert order(home, network, worked) == expected


@given(st.text(max_size=5), st.none() | st.text(max_size=5), st.none() | st.text(max_size=5))
def test_both_addresses_are_always_tried_and_local_is_sure_only_in_the_home_network(
    home: str, network: str | None, worked: str | None
) -> None:
    found = order(home, network, worked)
    assert sorted(which for which, _ in found) == [LOCAL, REMOTE]
    assert dict(found)[LOCAL] != (home != "" and network == home)


def kernel(name: bytes, is_on: bool = True) -> wifi.Ioctl:
    """Does what the kernel does with SIOCGIWESSID."""

    def ioctl(handle: int, code: int, request: bytearray) -> int:
        assert (code, bytes(request[:16])) == (0x8B1B, b"wlan0".ljust(16, b"\0"))
        width = ctypes.sizeof(ctypes.c_void_p)
        room = int.from_bytes(request[16 : 16 + width], sys.byteorder)
        assert int.from_bytes(request[16 + width : 18 + width], sys.byteorder) == 32
        ctypes.memmove(room, name, len(name))
        request[16 + width : 20 + width] = len(name).to_bytes(2, sys.byteorder) + int(is_on).to_bytes(2, sys.byteorder)
        return 0

    return ioctl


@pytest.mark.parametrize("name", [b"Nest", "Café 5 GHz".encode(), b"x" * 32])
def test_the_kernel_writes_the_networks_name_where_it_was_told_to(name: bytes) -> None:
    assert wifi.essid("wlan0", kernel(name), 0) == name.decode()


def test_an_interface_that_is_in_no_network_has_no_name() -> None:
    assert wifi.essid("wlan0", kernel(b"", is_on=False), 0) is None


def test_this_machine_is_asked_without_harm() -> None:
    assert wifi.network() is None or isinstance(wifi.network(), str)


def test_interfaces_are_read_from_the_kernels_table() -> None:
    text = "Inter-| sta-|   Quality\n face | tus | link\n wlan0: 0000   54.  -56.  -256\n  eth0: 0000 0. 0. 0\n"
    assert wifi.interfaces_in(text) == ["wlan0", "eth0"]


@given(st.text(max_size=300))
def test_any_table_is_read(text: str) -> None:
    assert len(wifi.interfaces_in(text)) <= wifi.INTERFACES_MOST


@given(st.binary(max_size=200))
def test_any_status_is_read(status: bytes) -> None:
    assert wifi.ssid_in(status) is None or b"COMPLETED" in status


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (b"bssid=00:11\nfreq=2412\nssid=Nest\nid=0\nwpa_state=COMPLETED\n", "Nest"),
        (b"ssid=Nest\nwpa_state=SCANNING\n", None),
        (b"ssid=Caf\\xc3\\xa9\nwpa_state=COMPLETED\n", "Café"),
        (b"FAIL\n", None),
    ],
)
def test_wpa_supplicant_tells_the_network_it_is_connected_to(tmp_path: Path, status: bytes, name: str | None) -> None:
    path = str(tmp_path / "wlan0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supplicant:
        supplicant.bind(path)

        def answer() -> None:
            asked, sender = supplicant.recvfrom(100)
            assert asked == b"STATUS"
            supplicant.sendto(status, sender)

        thread = threading.Thread(target=answer)
        thread.start()
        assert wifi.status_at(path) == name
        thread.join()


def test_a_wpa_supplicant_that_is_silent_is_not_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "wlan0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supplicant:
        supplicant.bind(path)
        assert wifi.status_at(path) is None


@pytest.mark.parametrize(
    ("text", "place", "header"),
    [
        ("http://proxy.lan:3128", "proxy.lan:3128", []),
        ("proxy.lan:3128/", "proxy.lan:3128", []),
        ("http://anna:p%40ss@10.0.0.1:8080", "10.0.0.1:8080", ["Proxy-Authorization: Basic YW5uYTpwQHNz"]),
        ("http://anna:p@ss@10.0.0.1", "10.0.0.1", ["Proxy-Authorization: Basic YW5uYTpwQHNz"]),
    ],
)
def test_koreaders_proxy_is_taken_apart(text: str, place: str, header: list[str]) -> None:
    found = proxy.parse(text)
    assert found is not None
    assert (str(found), found.headers()) == (place, header)


def test_without_a_proxy_there_is_none() -> None:
    assert proxy.parse("  ") is None


@given(st.text(max_size=60))
def test_any_proxy_is_one_or_a_trouble_that_repeats_no_password(text: str) -> None:
    try:
        proxy.parse(f"socks5://anna:geheimnis{text}@10.0.0.1")
    except ProxyTrouble as trouble:
        assert "geheimnis" not in str(trouble)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_this_device_itself_is_no_network(host: str) -> None:
    assert is_loopback(host)
    assert not proxy.is_used_for(parse(f"http://{f'[{host}]' if ':' in host else host}:6060"))


@pytest.mark.parametrize("host", ["127.example.org", "192.168.1.5", "books.example.org", "::2"])
def test_everything_else_is(host: str) -> None:
    assert not is_loopback(host)


def test_only_http_over_a_network_is_unencrypted() -> None:
    texts = ("http://192.168.1.5:6060", "https://books.example.org", "http://127.0.0.1:6060", "nonsense")
    assert [is_unencrypted(text) for text in texts] == [True, False, False, False]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://books.example.org", "https://books.example.org", True),
        ("https://books.example.org:8443/booklore", "https://books.example.org", True),
        ("http://192.168.1.5:6060", "https://192.168.1.5", True),
        ("http://192.168.1.5:6060", "http://192.168.1.5:6060/booklore", True),
        ("http://192.168.1.5:6060", "http://192.168.1.5:6061", False),
        ("http://nas:6060", "http://nas:6061", False),
        ("https://books.example.org", "https://shelf.example.org", False),
        ("https://books.example.org", "nonsense", False),
    ],
)
def test_addresses_of_one_name_are_one_server(one: str, other: str, same: bool) -> None:
    assert is_same_server(one, other) is same
    assert is_same_server(other, one) is same


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        (rb"Nest", b"Nest"),
        (rb"Caf\xc3\xa9", "Café".encode()),
        (rb"\"quoted\"", b'"quoted"'),
        (rb"a\\b", rb"a\b"),
        (rb"a\\x41", rb"a\x41"),
        (rb"\e\n\r\t", b"\x1b\n\r\t"),
        (rb"\xzz\q", rb"\xzz\q"),
        (b"end\\", b"end\\"),
    ],
)
def test_a_networks_name_is_read_as_wpa_supplicant_prints_it(printed: bytes, name: bytes) -> None:
    assert wifi.unescaped(printed) == name


@given(st.binary(max_size=32))
def test_any_networks_name_comes_through_wpa_supplicants_print(name: bytes) -> None:
    special = {0x22: b'\\"', 0x5C: b"\\\\", 0x1B: b"\\e", 0x0A: b"\\n", 0x0D: b"\\r", 0x09: b"\\t"}
    printed = b"".join(
        special.get(byte) or (bytes((byte,)) if 32 <= byte < 127 else b"\\x%02x" % byte) for byte in name
    )
    assert wifi.unescaped(printed) == name


def test_a_wpa_supplicant_that_is_silent_is_asked_once_by_whichever_name_its_folder_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "wlan0").touch()
    (tmp_path / "var-run").symlink_to(tmp_path / "run")
    asked: list[str] = []
    monkeypatch.setattr(wifi, "CONTROL_FOLDERS", (str(tmp_path / "var-run"), str(tmp_path / "run")))
    monkeypatch.setattr(wifi, "status_at", asked.append)
    monkeypatch.setattr(wifi, "WIRELESS", str(tmp_path / "none"))
    assert wifi.network() is None
    assert len(asked) == 1


def test_an_interpreter_that_keeps_bytes_in_another_way_is_not_written_into(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wifi, "BYTES_HEADS", (1,))
    assert wifi.essid("wlan0", lambda *_: pytest.fail("it was asked"), 0) is None
