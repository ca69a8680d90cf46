"""Who answered instead of BookLore, as far as an answer shows it, and what the reader can do about it.

Answers that are not BookLore's own come from a network's login page (a captive portal), from an authentication proxy in
front of the server, from a firewall, from the proxy behind which BookLore is down, or from BookLore's own web pages,
which it gives for whatever it does not know. Pure: an answer in, words out.
Called by: `client.py`, `account.py`, `device/selfcheck.py`.
"""

from __future__ import annotations

from device.server.answers import NETWORK_AUTHENTICATION_REQUIRED, is_own_error, message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.server.address import Address
    from device.server.http import Answer

# What nginx, Tomcat and Go say to http:// on a port for https://.
WANTS_TLS = (b"sent to HTTPS port", b"requires TLS", b"HTTP request to an HTTPS server")


def is_booklore(health: Json) -> bool:
    """Whether this is what BookLore answers when it is asked for its health: its own status, and a version."""
    data = health.get("data") if isinstance(health, dict) and health.get("status") == 200 else None
    version = data.get("version") if isinstance(data, dict) else None
    return isinstance(version, str) and bool(version)


def words(address: Address, answer: Answer) -> str:
    """What an answer that cannot be used means, in one sentence."""
    status = answer.status
    if is_own_error(answer):
        return f"{address} answered HTTP {status}: {message(answer)}"
    if status == NETWORK_AUTHENTICATION_REQUIRED:
        return "this network wants you to sign in first (HTTP 511): open its login page in a browser"
    if status == 203:
        return f"{address} does not answer itself (HTTP 203): something on the way changes it, or its sign-in is off"
    if status in (401, 407) or (status == 403 and "www-authenticate" in answer.headers):
        return f"a proxy in front of {address} wants a password of its own (HTTP {status}), which cannot be given to it"
    if status == 403:
        return f"something in front of {address}, such as a firewall, refuses this device (HTTP 403)"
    if status == 404:
        return f"there is no BookLore at {address} (HTTP 404): is a path missing behind the server's name?"
    if status == 400 and any(mark in answer.body for mark in WANTS_TLS):
        return f"this port wants https://, but the address is {address} (HTTP 400)"
    if status == 429:
        return f"{address} asks for a pause (HTTP 429)"
    if status in (502, 503, 504):
        return f"the proxy in front of {address} says that BookLore is not running (HTTP {status})"
    if status >= 500:
        return f"{address} failed (HTTP {status})"
    if _is_a_page(answer):
        return f"{address} answered with a web page (HTTP {status}): {_PAGE[address.scheme]}"
    return f"something other than BookLore answered at {address} (HTTP {status})"


_PAGE = {
    "http": "the login page of this network, or no BookLore at this address",
    "https": "the login page of an authentication proxy in front of it, or no BookLore at this address",
}


def _is_a_page(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").lower().startswith("text/html")
