"""Where a redirect leads, and whether a request may go there with its token and its body.

Rule 1: only to the same host (another port or path, http → https) or to another address that the reader has set up.
Rule 2: never from https to http.
Rule 3: only if it is the same request: what the new path has before the request's own path is where BookLore lies now;
        a page of another name (`/login`) is somebody else's.
Rule 4: to another port of the same host without encryption beginning there, nothing secret goes before what answers
        there has shown that it is BookLore.
Rule 5: a 303 says “done, look there”: of a request that may change something it is not followed.

A redirect that is not followed comes from a login page: of the network (a captive portal), or of an authentication
proxy in front of the server. Pure. Called by: `http.py`.
Source: RFC 9110 §15.4.
"""

from __future__ import annotations

from device.server import address as addresses
from device.server.errors import LoginPage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.server.address import Address

REDIRECTS = (301, 302, 303, 307, 308)
REDIRECTS_MOST = 5  # of one request; more is a circle
SEE_OTHER = 303
LOCATION_MAX_CHARS = 4_000


def target(status: int, location: str, method: str, path: str, here: Address, known: list[Address]) -> Address:
    """The address from which `path` is to be asked for after this redirect. Raises LoginPage with the reason."""
    if status == SEE_OTHER and method != "GET":
        raise LoginPage(f"{here} sends what was sent to it to another page (HTTP 303); {_WHO}", False)
    if not location or len(location) > LOCATION_MAX_CHARS or not location.isascii() or not location.isprintable():
        raise LoginPage(f"{here} redirects to nowhere (HTTP {status})", True)
    origin, new_path, new_query = _split(location, here)
    own_path, _, own_query = path.partition("?")
    there = _parsed(origin)
    if there is None:
        raise LoginPage(f"{here} redirects to something that is no web address; {_WHO}", True)
    if here.scheme == "https" and there.scheme == "http":
        raise LoginPage(f"{here} redirects to an address without encryption ({there}), which is not followed", True)
    is_known = any((one.scheme, one.host, one.port) == (there.scheme, there.host, there.port) for one in known)
    if there.host != here.host and not is_known:
        raise LoginPage(
            f"{here} redirects to {there.host}, another server; {_WHO}. If that is your BookLore, name it in setup.txt",
            True,
        )
    if not new_path.endswith(own_path) or new_query not in ("", own_query):
        raise LoginPage(f"{here} redirects to another page ({new_path[:60]}); {_WHO}", True)
    base = new_path[: len(new_path) - len(own_path)].rstrip("/")
    return addresses.Address(there.scheme, there.host, there.port, base)


def leads_to_another_program(here: Address, there: Address, known: list[Address]) -> bool:
    """Whether another port of the same host may be no BookLore: not where encryption begins, nor where the reader has
    set the address up. What is secret may go there only once BookLore has shown itself."""
    if (here.scheme, here.port) == (there.scheme, there.port) or (here.scheme, there.scheme) == ("http", "https"):
        return False
    return not any((one.host, one.port) == (there.host, there.port) for one in known)


_WHO = "this network or a proxy in front of the server may want you to sign in"


def _split(location: str, here: Address) -> tuple[str, str, str]:
    """Origin, path and query of a Location, which may leave out what stays the same."""
    location = location.partition("#")[0]
    rest, _, query = location.partition("?")
    scheme, separator, behind = rest.partition("://")
    if separator and "/" not in scheme:
        authority, slash, path = behind.partition("/")
        return f"{scheme}://{authority}", slash + path, query
    if rest.startswith("//"):
        authority, slash, path = rest[2:].partition("/")
        return f"{here.scheme}://{authority}", slash + path, query
    # A path that does not begin with a slash is relative to a page; BookLore's own is none.
    return f"{here.scheme}://{here.host_header()}", rest if rest.startswith("/") else f"/{rest}", query


def _parsed(origin: str) -> Address | None:
    try:
        return addresses.parse(origin)
    except ValueError:
        return None
