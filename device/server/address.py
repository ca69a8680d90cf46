"""Server addresses: `https://books.example.org:8443/booklore` taken apart and checked.

Called by: `device/configure.py` (before an address is stored) and `http.py`.
"""

from __future__ import annotations

ADDRESS_MAX_CHARS = 1_000
DEFAULT_PORTS = {"http": 80, "https": 443}


class Address:
    """`base` is the path below which BookLore lies, without a slash at its end; empty at the root."""

    __slots__ = ("base", "host", "port", "scheme")

    def __init__(self, scheme: str, host: str, port: int, base: str) -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.base = base

    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header()}{self.base}"


def is_loopback(host: str) -> bool:
    """Whether a host is this device itself: nobody listens in between."""
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def is_unencrypted(text: str) -> bool:
    """Whether what goes to this address can be read by others on the way."""
    try:
        place = parse(text)
    except ValueError:
        return False
    return place.scheme == "http" and not is_loopback(place.host)


def is_same_server(one: str, other: str) -> bool:
    """Whether two addresses are of one server, as far as they show it: those of one name are, by whatever scheme, port
    and path. A machine of the reader's own network, which has a number or a short name, may have several servers on
    several ports."""
    try:
        first, second = parse(one), parse(other)
    except ValueError:
        return False
    if first.host != second.host:
        return False
    return "." in first.host.strip("0123456789.") or first.scheme != second.scheme or first.port == second.port


def parse(text: str) -> Address:
    """Raises ValueError with a text for the reader."""
    text = text.strip()
    if "@" in text:
        # Not quoted: what stands before the @ is most likely a password.
        raise ValueError("give the server's address only; user and password have lines of their own")
    if len(text) > ADDRESS_MAX_CHARS or not text.isascii() or not text.isprintable() or " " in text:
        # Names beyond ASCII must come in their xn-- form: the codec that makes it is not in the image.
        raise ValueError(f"{text[:60]!r} is not a server address: use letters, digits and punctuation only")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS:
        raise ValueError(f"{text!r} is not a server address: it must begin with https:// or http://")
    authority, _, path = rest.partition("/")
    if "?" in rest or "#" in rest:
        raise ValueError(f"{text!r}: give the address only, without anything behind ? or #")
    host, port = _host_and_port(authority, DEFAULT_PORTS[scheme])
    if not host:
        raise ValueError(f"{text!r} names no server")
    return Address(scheme, host, port, "/" + path.strip("/") if path.strip("/") else "")


def _host_and_port(authority: str, default: int) -> tuple[str, int]:
    if authority.startswith("["):
        host, _, rest = authority[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = authority.partition(":")
    if not port:
        return host.lower(), default
    if not port.isdigit() or len(port) > 5 or not 0 < int(port) < 65_536:
        raise ValueError(f"{port!r} is not a port number")
    return host.lower(), int(port)
