"""TLS: certificates verified against the embedded list and the reader's own authority.

Reading the list's 117 authorities costs three quarters of a sync's instructions. So a few are tried first: the one that
vouched for the server last time, the anchor, as long as it is still in a list; else the reader's own. The whole list is
read only where there are none, or when they fail.

Promises: nothing is sent to a server whose certificate or name is not right; the refusal says why.
Never: offers a way to switch verification off.
Called by: `http.py` and `device/selfcheck.py`.
It uses `_ssl` and `_socket`, the C modules below `ssl` and `socket`: those import `enum`, `re` and `selectors`, a third
of what a whole sync may cost (docs/adr/0006). `PROTOCOL_TLS_CLIENT` switches on certificate and name checks.
"""

from __future__ import annotations

from device.core.instants import EARLIEST_PLAUSIBLE_S
from device.server.errors import Untrusted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import Any, Protocol

    from device.server.address import Address

    class Channel(Protocol):
        """What HTTP needs of a connection, with or without TLS."""

        def send(self, data: memoryview) -> int: ...

        def receive(self, most_bytes: int) -> bytes: ...


TLS_1_2 = 0x0303
CERTIFICATE_NOT_YET_VALID, CERTIFICATE_EXPIRED = 9, 10  # X509_V_ERR_*, the same in every OpenSSL
HOST_MISMATCH, IP_MISMATCH = 62, 64
SELF_SIGNED, SELF_SIGNED_IN_CHAIN, ISSUER_UNKNOWN, LEAF_UNVERIFIED = 18, 19, 20, 21

REASONS = {
    CERTIFICATE_NOT_YET_VALID: "its certificate is not valid yet",
    CERTIFICATE_EXPIRED: "its certificate has expired",
    HOST_MISMATCH: "its certificate is for another name",
    IP_MISMATCH: "its certificate is for another address",
    SELF_SIGNED: "it signed its certificate itself",
    SELF_SIGNED_IN_CHAIN: "its certificate comes from an authority that is not in the list",
    ISSUER_UNKNOWN: "its certificate comes from an authority that is not in the list",
    LEAF_UNVERIFIED: "its certificate comes from an authority that is not in the list",
}
OWN_AUTHORITY = (SELF_SIGNED, SELF_SIGNED_IN_CHAIN, ISSUER_UNKNOWN, LEAF_UNVERIFIED)


class Trust:
    """Whom to believe: the embedded authorities and `extra_pem`, the reader's own. `now` is the device's clock.

    `anchor_pem` is the authority that vouched for the server last time, empty if not known; a handshake renews it.
    `ask_all` is set when the few did not vouch.
    """

    __slots__ = ("anchor_pem", "ask_all", "extra_pem", "now")

    def __init__(self, extra_pem: str, now: int, anchor_pem: str = "") -> None:
        self.extra_pem = extra_pem
        self.now = now
        self.anchor_pem = anchor_pem
        self.ask_all = False

    def few(self) -> str:
        """The authorities to try first, as PEM; empty if the whole list is to be asked."""
        return "" if self.ask_all else self.anchor_pem or self.extra_pem


class FewNotEnough(Exception):
    """The few authorities do not vouch for this server: connect again, and the whole list is asked."""


class _Plain:
    def __init__(self, socket: _socket.socket) -> None:
        self._socket = socket

    def send(self, data: memoryview) -> int:
        return self._socket.send(data)

    def receive(self, most_bytes: int) -> bytes:
        return self._socket.recv(most_bytes)


class _Encrypted:
    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, data: memoryview) -> int:
        return int(self._session.write(data))

    def receive(self, most_bytes: int) -> bytes:
        import _ssl

        try:
            return bytes(self._session.read(most_bytes))
        except (_ssl.SSLEOFError, _ssl.SSLZeroReturnError):
            return b""  # HTTP's own framing tells whether the answer was whole


def open_channel(socket: _socket.socket, address: Address, trust: Trust) -> Channel:
    """The channel over a connected socket; for https after a handshake with a verified certificate.

    Raises Untrusted, FewNotEnough, or OSError when the handshake fails for another reason.
    """
    if address.scheme == "http":
        return _Plain(socket)
    import _ssl

    context = make_context(trust)
    session = context._wrap_socket(socket, False, address.host)
    try:
        session.do_handshake()
    except _ssl.SSLCertVerificationError as problem:
        if trust.few():
            trust.ask_all = True
            raise FewNotEnough from problem
        raise Untrusted(refusal(str(address), problem.verify_code, problem.verify_message, trust.now)) from problem
    trust.anchor_pem = session.get_verified_chain()[-1].public_bytes(_ssl.ENCODING_PEM)
    return _Encrypted(session)


def make_context(trust: Trust) -> Any:
    """An OpenSSL context that believes the few of `trust`, if there are any, else all of it.

    Raises OSError (SSLError) if the extra certificates are no PEM.
    """
    import _ssl

    from device.server.ca_certificates import CA_CERTIFICATES_PEM

    if trust.anchor_pem not in CA_CERTIFICATES_PEM and trust.anchor_pem not in trust.extra_pem:
        trust.anchor_pem = ""  # withdrawn from the list since, or not written as OpenSSL writes it
    context: Any = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLS_1_2
    if trust.few():
        context.load_verify_locations(None, None, trust.few())
        return context
    context.load_verify_locations(None, None, CA_CERTIFICATES_PEM)
    if trust.extra_pem:
        context.load_verify_locations(None, None, trust.extra_pem)
    return context


def refusal(address: str, code: int, detail: str, now: int) -> str:
    """Why a server was refused, and what to do about it."""
    if now < EARLIEST_PLAUSIBLE_S:
        return f"{address} cannot be checked: this device's clock is not set. Set the date, then sync again."
    reason = REASONS.get(code, f"its certificate was refused ({detail})")
    if code in OWN_AUTHORITY:
        return f"{address} was refused: {reason}. If it is your own authority, name its file as ca_file in setup.txt."
    return f"{address} was refused: {reason}."
