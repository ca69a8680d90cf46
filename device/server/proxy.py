"""KOReader's HTTP proxy: taken apart, and how it is spoken to.

An http:// address is asked for by its whole name, an https:// address through a tunnel (CONNECT), inside which the
certificate is the server's own: a proxy sees nothing of it. This device's own addresses are asked for without one.
Never: shows or logs the proxy's user and password.
Called by: `dialing.py`, `http.py`.
Source: RFC 9110 §9.3.6 and §11.7.
"""

from __future__ import annotations

import binascii

from device.server import address as addresses
from device.server.errors import ProxyTrouble

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.server.address import Address
    from device.server.framing import Stream

AUTHENTICATION_REQUIRED = 407


class Proxy:
    __slots__ = ("_credentials", "address")

    def __init__(self, address: Address, credentials: str) -> None:
        self.address = address
        self._credentials = credentials  # user:password, or empty

    def headers(self) -> list[str]:
        """Header lines that the proxy is to read."""
        if not self._credentials:
            return []
        encoded = binascii.b2a_base64(self._credentials.encode("utf-8"), newline=False).decode("ascii")
        return [f"Proxy-Authorization: Basic {encoded}"]

    def trouble(self, status: int, server: Address) -> ProxyTrouble:
        """What the proxy's own answer means."""
        if status == AUTHENTICATION_REQUIRED:
            return ProxyTrouble(
                f"the proxy {self} wants a user and a password (HTTP 407): check KOReader's network settings"
            )
        return ProxyTrouble(f"the proxy {self} does not let this device through to {server} (HTTP {status})")

    def __str__(self) -> str:
        return f"{self.address.host_header()}"


def parse(text: str) -> Proxy | None:
    """None without a proxy. Raises ProxyTrouble for one that cannot be used; the text is not repeated, as it may hold
    a password."""
    text = text.strip()
    if not text:
        return None
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    credentials, at, place = rest.rpartition("@")
    try:
        if scheme.lower() != "http":
            raise ValueError(f"{scheme[:20]!r} is no kind of proxy that can be used")
        return Proxy(addresses.parse(f"http://{place}"), _unescaped(credentials) if at else "")
    except ValueError as problem:
        raise ProxyTrouble(f"KOReader's proxy cannot be used: {problem}") from problem


def is_used_for(server: Address) -> bool:
    return not addresses.is_loopback(server.host)


def open_tunnel(stream: Stream, proxy: Proxy, server: Address) -> None:
    """Asks the proxy for a tunnel over a fresh connection.

    Raises ProxyTrouble, OSError, EOFError, ValueError, OutOfTime.
    """
    name = f"[{server.host}]" if ":" in server.host else server.host
    place = f"{name}:{server.port}"
    lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", *proxy.headers()]
    stream.send("\r\n".join(lines).encode("ascii") + b"\r\n\r\n")
    head = stream.head()
    if not 200 <= head.status < 300:
        raise proxy.trouble(head.status, server)
    if stream.has_more():
        raise ValueError("the proxy speaks before the server")


def _unescaped(text: str) -> str:
    """`%40` → `@`, as passwords stand in an URL."""
    parts = text.split("%")
    content = parts[0].encode("utf-8")
    for part in parts[1:]:
        try:
            content += binascii.a2b_hex(part[:2]) + part[2:].encode("utf-8")
        except ValueError:
            content += b"%" + part.encode("utf-8")
    return content.decode("utf-8", "replace")
