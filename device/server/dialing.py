"""A connected channel to a server: name, socket, proxy, TLS.

Promises: what it raises means that not one byte of a request has left. A dead host costs `connect_s` once for each of
its addresses. Of a certificate that was refused, the fingerprint is looked up over a second connection on which nothing
is sent, so that the reader can be asked about it.
Where a name leads is asked once, and remembered by the caller in `Places`.
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


class Places:
    """Where each name has led in this run: the one that answered first, and without those that did not answer."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], list[_Place]] = {}

    def of(self, address: Address, proxy: Proxy | None) -> list[_Place]:
        """Those to try; a copy. Raises NotReached, ProxyTrouble."""
        target = address if proxy is None else proxy.address
        key = target.host, target.port
        if key not in self._found:
            self._found[key] = _resolved(address, proxy)
        return list(self._found[key])

    def note_answer(self, place: _Place) -> None:
        for places in self._found.values():
            if place in places:
                places.remove(place)
                places.insert(0, place)

    def note_problem(self, place: _Place, proxy: Proxy | None, problem: Exception) -> None:
        """What refuses a connection costs nothing, and what is silent behind a proxy is not the proxy."""
        silent = problem if proxy is None else problem.__cause__ if isinstance(problem, _ProxyDown) else None
        for places in self._found.values():
            if place in places and isinstance(silent, TimeoutError):
                places.remove(place)


def dial(
    address: Address, trust: Trust, proxy: Proxy | None, connect_s: float, deadline: float, places: Places
) -> Stream:
    """Raises NotReached, ProxyTrouble, Untrusted, OutOfTime."""
    try:
        try:
            return _dial(address, trust, proxy, connect_s, deadline, places)
        except tls.FewNotEnough:
            return _dial(address, trust, proxy, connect_s, deadline, places)
    except Untrusted:
        if trust.wants_a_look():
            _look_at_certificate(address, trust, proxy, connect_s, deadline, places)
        raise


def _dial(
    address: Address, trust: Trust, proxy: Proxy | None, connect_s: float, deadline: float, places: Places
) -> Stream:
    problem_found: Exception = TimeoutError()  # of those that were left out, as they did not answer before
    for place in places.of(address, proxy):
        try:
            socket = _connected(place, address, proxy, connect_s, deadline)
        except (OSError, EOFError, ValueError) as problem:
            places.note_problem(place, proxy, problem)
            problem_found = problem
            continue
        places.note_answer(place)
        try:
            return Stream(socket, tls.open_channel(socket, address, trust), deadline)
        except OSError as problem:
            places.note_problem(place, proxy, problem)
            socket.close()
            problem_found = problem
        except BaseException:
            socket.close()
            raise
    raise _unreachable(address, proxy, problem_found) from problem_found


def _look_at_certificate(
    address: Address, trust: Trust, proxy: Proxy | None, connect_s: float, deadline: float, places: Places
) -> None:
    for place in places.of(address, proxy):
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


def _resolved(address: Address, proxy: Proxy | None) -> list[_Place]:
    target = address if proxy is None else proxy.address
    try:
        found = _socket.getaddrinfo(target.host.encode("ascii"), target.port, 0, _socket.SOCK_STREAM)
    except OSError as problem:
        if proxy is not None:
            raise ProxyTrouble(f"the proxy {proxy} is not known in this network ({words(problem)})") from problem
        raise NotReached(f"the server {address.host} is not known in this network ({words(problem)})") from problem
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


def _unreachable(address: Address, proxy: Proxy | None, problem: Exception) -> NotReached:
    if isinstance(problem, _ProxyDown):
        return ProxyTrouble(f"the proxy {proxy} cannot be reached ({problem}): check KOReader's network settings")
    if proxy is not None:
        return ProxyTrouble(f"{address} cannot be reached through the proxy {proxy} ({words(problem)})")
    if tls.is_no_tls(problem):
        return NotReached(f"{address} cannot be reached: that port does not speak TLS. Does it want http://?")
    return NotReached(f"{address} cannot be reached ({words(problem)})")
