"""Whose answer is it, and what does it say: BookLore's own, a proxy's, or a login page's.

Called by: `client.py`, `device/sending/judging.py`, `device/sending/batches.py`, `device/sending/sender.py`.
Source: BookLore's `ErrorResponse` and Spring's own error attributes, which both repeat the status in their JSON.
"""

from __future__ import annotations

from device import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json
    from device.server.http import Answer

NETWORK_AUTHENTICATION_REQUIRED = 511  # RFC 6585: a login page of the network, not the server


def is_own_error(answer: Answer) -> bool:
    """Whether an error is told in the server's own words: in its JSON, which repeats the status."""
    if not answer.is_json():
        return False
    reply = decoded(answer)
    return isinstance(reply, dict) and reply.get("status") == answer.status


def is_a_stranger(answer: Answer) -> bool:
    """Whether a network's login page or another service answered.

    BookLore answers in JSON or with an empty body. A proxy's own error page says that the server behind it failed.
    """
    if 300 <= answer.status < 400 or answer.status == NETWORK_AUTHENTICATION_REQUIRED:
        return True
    return bool(answer.body) and not answer.is_json() and answer.status < 500


def message(answer: Answer) -> str:
    """What an error says, for the reader."""
    reply = decoded(answer)
    text = reply.get("message") if isinstance(reply, dict) else None
    return text if isinstance(text, str) and text else "no reason given"


def decoded(answer: Answer) -> Json:
    """An answer's JSON; None if it is none."""
    if not answer.is_json():
        return None
    try:
        return json_text.decode(answer.body)
    except ValueError:
        return None
