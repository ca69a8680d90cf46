"""TLS: certificates verified against the embedded list and the reader's own authority, or against one fingerprint.

Reading the list's 117 authorities costs three quarters of a sync's instructions. So a few are tried first: the one that
vouched for the server last time, the anchor, as long as it is still in a list; else the reader's own. The whole list is
read only where there are none, or when they fail.

A server may be pinned: then its certificate is the one with that SHA-256 fingerprint and no other, whoever signed it,
for whatever name and time. It is compared after the handshake and before the first byte of a request.

Promises: nothing is sent to a server whose certificate or name is not right; the refusal says why, and whether the
device's own clock is to blame.
Never: offers a way to switch verification off.
Called by: `dialing.py` and `device/selfcheck.py`.
It uses `_ssl` and `_socket`, the C modules below `ssl` and `socket`: those import `enum`, `re` and `selectors`, a third
of what a whole sync may cost (docs/adr/0006). `PROTOCOL_TLS_CLIENT` switches on certificate and name checks.
"""

from __future__ import annotations

from device.core.instants import EARLIEST_PLAUSIBLE_S, LAST_INSTANT_S, to_iso
from device.server.errors import Untrusted
from device.version import RELEASED_S

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
DATES = (CERTIFICATE_NOT_YET_VALID, CERTIFICATE_EXPIRED)
OWN_AUTHORITY = (SELF_SIGNED, SELF_SIGNED_IN_CHAIN, ISSUER_UNKNOWN, LEAF_UNVERIFIED)


PIN_CHARS = 64  # SHA-256 in hexadecimal
EVERY_HOST = "*"  # a pin that holds for whatever address is used
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


class Presented:
    """A certificate that was refused: by whom it was shown, and its fingerprint. `has_expired`: nothing else is known
    to be wrong with it."""

    __slots__ = ("address", "fingerprint", "has_expired", "host")

    def __init__(self, host: str, address: str, fingerprint: str, has_expired: bool = False) -> None:
        self.host = host
        self.address = address
        self.fingerprint = fingerprint
        self.has_expired = has_expired


class Trust:
    """Whom to believe: the embedded authorities and `extra_pem`, the reader's own; or `pins`, fingerprints by host.

    `now` is the device's clock; `clock_is_wrong`: a server has contradicted it in this boot. `anchor_pem` is the
    authority that vouched for the server last time, empty if not known; a handshake renews it. `ask_all` is set when
    the few did not vouch. `presented` is the certificate that was refused, if the reader may be asked about it;
    `presented_in_doubt` one of an address that may be somebody else's in this network.
    """

    __slots__ = (
        "_code",
        "_look",
        "anchor_pem",
        "ask_all",
        "clock_is_wrong",
        "extra_pem",
        "now",
        "pins",
        "presented",
        "presented_in_doubt",
    )

    def __init__(
        self,
        extra_pem: str,
        now: int,
        anchor_pem: str = "",
        pins: dict[str, str] | None = None,
        clock_is_wrong: bool = False,
    ) -> None:
        self.extra_pem = extra_pem
        self.now = now
        self.anchor_pem = anchor_pem
        self.pins = pins or {}
        self.clock_is_wrong = clock_is_wrong
        self.ask_all = False
        self.presented: Presented | None = None
        self.presented_in_doubt: Presented | None = None
        self._code = 0
        self._look = False

    def few(self) -> str:
        """The authorities to try first, as PEM; empty if the whole list is to be asked."""
        return "" if self.ask_all else self.anchor_pem or self.extra_pem

    def pin(self, host: str) -> str:
        """The fingerprint of the one certificate that is believed there; empty without one."""
        return self.pins.get(host) or self.pins.get(EVERY_HOST) or ""

    def wants_a_look(self) -> bool:
        """Whether the last refusal is one that the reader may overrule, if she knows the certificate."""
        return self._look and self.presented is None

    def refuse(self, address: Address, code: int, detail: str) -> Untrusted:
        clock = _is_the_clocks_fault(code, self.now, self.clock_is_wrong)
        self._look = code in REASONS and code != CERTIFICATE_NOT_YET_VALID and not clock
        self._code = code
        return Untrusted(refusal(str(address), code, detail, self.now, self.clock_is_wrong))

    def note_presented(self, address: Address, fingerprint: str) -> None:
        has_expired = self._look and self._code == CERTIFICATE_EXPIRED
        self.presented = Presented(address.host, str(address), fingerprint, has_expired)


class FewNotEnough(Exception):
    """The few authorities do not vouch for this server: connect again, and the whole list is asked."""


class Plain:
    """A channel without TLS."""

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
        return Plain(socket)
    import _ssl

    pin = trust.pin(address.host)
    if pin:
        return _Encrypted(_pinned_session(socket, address, trust, pin))
    context = make_context(trust)
    session = context._wrap_socket(socket, False, address.host)
    try:
        session.do_handshake()
    except _ssl.SSLCertVerificationError as problem:
        if trust.few():
            trust.ask_all = True
            raise FewNotEnough from problem
        raise trust.refuse(address, problem.verify_code, problem.verify_message) from problem
    trust.anchor_pem = session.get_verified_chain()[-1].public_bytes(_ssl.ENCODING_PEM)
    return _Encrypted(session)


def _pinned_session(socket: _socket.socket, address: Address, trust: Trust, pin: str) -> Any:
    session = _unverified_session(socket, address)
    found = _fingerprint(session)
    if found != pin:
        trust.note_presented(address, found)
        raise Untrusted(
            f"{address} was refused: it shows another certificate than the one that you have trusted. If it has a new"
            " one, trust that; if you know of none, somebody may be in between"
        )
    return session


def presented_fingerprint(socket: _socket.socket, address: Address) -> str:
    """The SHA-256 fingerprint of the certificate that a server shows; nothing is sent to it. Raises OSError."""
    return _fingerprint(_unverified_session(socket, address))


def _unverified_session(socket: _socket.socket, address: Address) -> Any:
    """A handshake with whomever it is: only to look at the certificate, before anything else is done."""
    import _ssl

    context: Any = _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLS_1_2
    context.check_hostname = False
    context.verify_mode = _ssl.CERT_NONE
    session = context._wrap_socket(socket, False, address.host)
    session.do_handshake()
    return session


def _fingerprint(session: Any) -> str:
    import _hashlib

    der = session.getpeercert(True)
    if not der:
        raise OSError("the server shows no certificate")
    return _hashlib.openssl_sha256(der).hexdigest()


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


def refusal(address: str, code: int, detail: str, now: int, clock_is_wrong: bool = False) -> str:
    """Why a server was refused, and what to do about it."""
    if _is_the_clocks_fault(code, now, clock_is_wrong):
        return f"{address} cannot be checked: this device thinks it is {day(now)}. Set its clock, then sync again."
    reason = REASONS.get(code, f"its certificate was refused ({detail})")
    if code in OWN_AUTHORITY:
        return f"{address} was refused: {reason}. If it is your own authority, name its file as ca_file in setup.txt."
    if code == CERTIFICATE_NOT_YET_VALID:
        return (
            f"{address} was refused: {reason}. That is mostly the device's clock: it says {day(now)}. If that is wrong,"
            " set it and sync again; else the server's certificate has to be made anew"
        )
    if code in DATES:
        return f"{address} was refused: {reason}. This device thinks it is {day(now)}; if it is not, set its clock."
    return f"{address} was refused: {reason}."


def is_no_tls(problem: Exception) -> bool:
    """Whether a handshake failed because the other side speaks something else, such as HTTP without encryption."""
    return getattr(problem, "reason", None) in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")


def check_pem(text: str) -> None:
    """Raises ValueError for what OpenSSL does not take as certificates."""
    import _ssl

    try:
        _ssl._SSLContext(_ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(None, None, text)
    except OSError as problem:
        raise ValueError(str(problem.strerror or problem)) from problem


def _is_the_clocks_fault(code: int, now: int, clock_is_wrong: bool) -> bool:
    """A clock that is before this program was made, or that a server has contradicted, cannot judge a date."""
    return now < EARLIEST_PLAUSIBLE_S or (code in DATES and (now < RELEASED_S or clock_is_wrong))


def day(now: int) -> str:
    """`0` → `1 January 1970`."""
    text = to_iso(min(max(now, 0), LAST_INSTANT_S))
    return f"{int(text[8:10])} {MONTHS[int(text[5:7]) - 1]} {text[:4]}"


def fingerprint_in(text: str) -> str:
    """A SHA-256 fingerprint as people and `openssl x509 -fingerprint` write it, in the form that is compared.

    Raises ValueError.
    """
    found = text.rpartition("=")[2].strip().lower().removeprefix("sha256").replace(":", "").replace(" ", "")
    if len(found) != PIN_CHARS or not all(character in "0123456789abcdef" for character in found):
        raise ValueError(f"{text[:80]!r} is no SHA-256 fingerprint: 64 hexadecimal digits, with or without colons")
    return found


def fingerprint_for_eyes(fingerprint: str) -> str:
    """In pairs with colons, as openssl and browsers show it."""
    pairs = [fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)]
    return ":".join(pairs).upper()
