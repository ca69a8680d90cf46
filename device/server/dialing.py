"""A connected channel to a server: name, socket, proxy, TLS.

Promises: what it raises means that not one byte of a request has left. A dead host costs `connect_s` for each of its
addresses. Of a certificate that was refused, the fingerprint is looked up over a second connection on which nothing is
sent, so that the reader can be asked about it.
Called by: `http.py`. Host names are passed to the resolver as bytes, so no IDNA codec is needed in the image.
"""

from __future__ import annotations

import _socket

from device.server import tls
from device.server.errors import NotReached, ProxyTrouble, Untrusted
from device.server.framing import Stream, time_left, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from device.server.address import Address
    from device.server.proxy import Proxy
    from device.server.tls import Trust

    _Place = tuple[int, int, int, Any]  # family, kind, protocol, socket address


class _Socket(_socket.socket):
    """`_ssl` keeps a weak reference to the socket below it, which the C type alone does not allow."""

    __slots__ = ("__weakref__",)


class _ProxyDown(OSError):
    """The proxy itself does not answer."""


def dial(address: Address, trust: Trust, proxy: Proxy | None, connect_s: float, deadline: float) -> Stream:
    """Raises NotReached, ProxyTrouble, Untrusted, OutOfTime."""
    try:
        try:
            return _dial(address, trust, proxy, connect_s, deadline)
        except tls.FewNotEnough:
            return _dial(address, trust, proxy, connect_s, deadline)
    except Untrusted:
        if trust.wants_a_look():
            _look_at_certificate(address, trust, proxy, connect_s, deadline)
        raise


def _dial(address: Address, trust: Trust, proxy: Proxy | None, connect_s: float, deadline: float) -> Stream:
    problem_found: Exception | None = None
    for place in _places(address, proxy):
        try:
            socket = _connected(place, address, proxy, connect_s, deadline)
        except (OSError, EOFError, ValueError) as problem:
            problem_found = problem
            continue
        try:
            return Stream(socket, tls.open_channel(socket, address, trust), deadline)
        except OSError as problem:
            socket.close()
            problem_found = problem
        except BaseException:
            socket.close()
            raise
    raise _unreachable(address, proxy, problem_found) from problem_found


def _look_at_certificate(
    address: Address, trust: Trust, proxy: Proxy | None, connect_s: float, deadline: float
) -> None:
    for place in _places(address, proxy):
        try:
            socket = _connected(place, address, proxy, connect_s, deadline)
        except (OSError, EOFError, ValueError):
            continue
        try:
            trust.note_presented(address, tls.presented_fingerprint(socket, address))
            return
        except OSError:
            continue  # then the reader is told of the refusal, and not asked
        finally:
            socket.close()


def _places(address: Address, proxy: Proxy | None) -> list[_Place]:
    target = address if proxy is None else proxy.address
    try:
        found = _socket.getaddrinfo(target.host.encode("ascii"), target.port, 0, _socket.SOCK_STREAM)
    except OSError as problem:
        if proxy is not None:
            raise ProxyTrouble(f"the proxy {proxy} is not known in this network ({words(problem)})") from problem
        raise NotReached(f"{address.host} is not known in this network ({words(problem)})") from problem
    return [(family, kind, protocol, place) for family, kind, protocol, _name, place in found]


def _connected(place: _Place, address: Address, proxy: Proxy | None, connect_s: float, deadline: float) -> _Socket:
    family, kind, protocol, where = place
    socket = _Socket(family, kind | _socket.SOCK_CLOEXEC, protocol)
    try:
        socket.settimeout(time_left(deadline, connect_s))
        try:
            socket.connect(where)
        except OSError as problem:
            if proxy is None:
                raise
            raise _ProxyDown(words(problem)) from problem
        socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        if proxy is not None and address.scheme == "https":
            from device.server.proxy import open_tunnel

            open_tunnel(Stream(socket, tls.Plain(socket), deadline), proxy, address)
            socket.settimeout(time_left(deadline, connect_s))
    except BaseException:
        socket.close()
        raise
    return socket


def _unreachable(address: Address, proxy: Proxy | None, problem: Exception | None) -> NotReached:
    if isinstance(problem, _ProxyDown):
        return ProxyTrouble(f"the proxy {proxy} cannot be reached ({problem}): check KOReader's network settings")
    if proxy is not None:
        return ProxyTrouble(f"{address} cannot be reached through the proxy {proxy} ({words(problem)})")
    return NotReached(f"{address} cannot be reached ({words(problem)})")
