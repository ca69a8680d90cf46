"""The name of the Wi-Fi network that this device is in, asked of the kernel or of `wpa_supplicant`.

Promises: a name, or None, within `ANSWER_S` for each network interface; any trouble is None. Changes nothing.
Never: switches Wi-Fi on, scans, or tells the name to anybody.
Called by: `device/sending/connecting.py`, only where a home network is named in the setup file; `selfcheck.py`.
Source: Linux' `wireless.h` (SIOCGIWESSID, which drivers for cfg80211 answer too), and `wpa_ctrl`'s datagrams.

The ioctl takes a structure that holds a pointer to where the name is to go. `array`, which could tell such an address,
imports `collections.abc`, and that is not in the image; so the place is a fresh `bytes`, whose content CPython keeps at
the end of the object, `bytes.__basicsize__ - 1` behind its `id`. Nobody else has seen that object.
"""

from __future__ import annotations

import posix
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # What `fcntl.ioctl` does: the structure is changed in place.
    Ioctl = Callable[[int, int, bytearray], object]

SIOCGIWESSID = 0x8B1B
IFNAME_BYTES = 16
ESSID_MAX_BYTES = 32
ROOM_BYTES = 64  # for the name; more than any driver writes
INTERFACES_MOST = 8
WIRELESS = "/proc/net/wireless"
WIRELESS_MAX_BYTES = 4_096
CONTROL_FOLDERS = ("/var/run/wpa_supplicant", "/run/wpa_supplicant")
ANSWER_S = 0.5  # on the same machine
STATUS_MAX_BYTES = 4_096
ESCAPES = {b'"': b'"', b"e": b"\x1b", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
BYTES_HEADS = (17, 33)  # what lies before the content of a `bytes`, with its last zero: on 32 and 64 bits


def network() -> str | None:
    """None if this device is in no Wi-Fi, or does not say in which."""
    for interface in _interfaces():
        name = _asked_of_the_kernel(interface)
        if name:
            return name
    return _asked_of_wpa_supplicant()


def essid(interface: str, ioctl: Ioctl, handle: int) -> str | None:
    """The name that the kernel gives for an interface. `handle`: any socket. Raises OSError."""
    if bytes.__basicsize__ not in BYTES_HEADS:
        return None  # an interpreter that keeps its objects in another way: nothing is written into it
    room = posix.urandom(ROOM_BYTES)  # made at run time, so that it is shared with nothing
    content_at = id(room) + bytes.__basicsize__ - 1
    width = 8 if sys.maxsize > 2**32 else 4
    pointer = content_at.to_bytes(width, sys.byteorder)
    length = ESSID_MAX_BYTES.to_bytes(2, sys.byteorder)
    request = bytearray(interface.encode("ascii", "replace")[: IFNAME_BYTES - 1].ljust(IFNAME_BYTES, b"\0"))
    request += pointer + length + b"\0\0"
    request += b"\0" * (IFNAME_BYTES * 2 - len(request))
    ioctl(handle, SIOCGIWESSID, request)
    at = IFNAME_BYTES + width
    written = int.from_bytes(request[at : at + 2], sys.byteorder)
    is_on = int.from_bytes(request[at + 2 : at + 4], sys.byteorder) != 0
    if not is_on or not 0 < written <= ESSID_MAX_BYTES:
        return None
    return room[:written].rstrip(b"\0").decode("utf-8", "replace") or None


def interfaces_in(text: str) -> list[str]:
    """The names in /proc/net/wireless: two lines of heads, then `wlan0: …` each."""
    names = [line.partition(":")[0].strip() for line in text.splitlines()[2:] if ":" in line]
    return [name for name in names if name][:INTERFACES_MOST]


def ssid_in(status: bytes) -> str | None:
    """The network in wpa_supplicant's answer to STATUS, if it is connected."""
    fields: dict[bytes, bytes] = {}
    for line in status.split(b"\n"):
        key, separator, value = line.rstrip(b"\r").partition(b"=")
        if separator:
            fields.setdefault(key, value)
    if fields.get(b"wpa_state") != b"COMPLETED":
        return None
    return unescaped(fields.get(b"ssid", b"")).decode("utf-8", "replace") or None


def unescaped(text: bytes) -> bytes:
    r"""A name as wpa_supplicant prints it, with \xNN for what is not ASCII, and \" \\ \e \n \r \t."""
    first, *parts = text.split(b"\\")
    found = first
    at = 0
    while at < len(parts):
        part = parts[at]
        at += 1
        if part[:1] == b"x" and _is_hex(part[1:3]):
            found += bytes((int(part[1:3], 16),)) + part[3:]
        elif part[:1] in ESCAPES:
            found += ESCAPES[part[:1]] + part[1:]
        elif not part and at < len(parts):
            found += b"\\" + parts[at]  # a backslash that is escaped itself
            at += 1
        else:
            found += b"\\" + part
    return found


def _is_hex(digits: bytes) -> bool:
    return len(digits) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in digits)


def _interfaces() -> list[str]:
    try:
        handle = posix.open(WIRELESS, posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return []
    try:
        return interfaces_in(posix.read(handle, WIRELESS_MAX_BYTES).decode("ascii", "replace"))
    except OSError:
        return []
    finally:
        posix.close(handle)


def _asked_of_the_kernel(interface: str) -> str | None:
    import _socket
    import fcntl

    try:
        socket = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    except OSError:
        return None
    try:
        return essid(interface, fcntl.ioctl, socket.fileno())
    except (OSError, ValueError, OverflowError):
        return None
    finally:
        socket.close()


def _asked_of_wpa_supplicant() -> str | None:
    seen: list[tuple[int, int]] = []
    for folder in CONTROL_FOLDERS:
        try:
            there = posix.stat(folder)
            if (there.st_dev, there.st_ino) in seen:
                continue  # /var/run is /run mostly, and one that does not answer is not asked twice
            seen.append((there.st_dev, there.st_ino))
            names = [name for name in sorted(posix.listdir(folder)) if not name.startswith("p2p")]
        except OSError:
            continue
        for name in names[:INTERFACES_MOST]:
            found = status_at(f"{folder}/{name}")
            if found:
                return found
    return None


def status_at(path: str) -> str | None:
    """What the wpa_supplicant that listens at `path` is connected to."""
    import _socket

    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        socket.settimeout(ANSWER_S)
        socket.bind(b"")  # a name of the kernel's choice, so that an answer can come back
        socket.connect(path)
        socket.send(b"STATUS")
        return ssid_in(socket.recv(STATUS_MAX_BYTES))
    except OSError:
        return None
    finally:
        socket.close()
