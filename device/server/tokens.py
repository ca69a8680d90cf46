"""What a JSON Web Token says of itself. Its signature is the server's business.

Called by: `dialects.py`. Source: RFC 7519.
"""

from __future__ import annotations

import binascii

from device import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.json_text import Json


def claims(token: str) -> dict[str, Json]:
    """The claims of a token; none if it is no such token."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    payload = parts[1].replace("-", "+").replace("_", "/")
    try:
        value = json_text.decode(binascii.a2b_base64(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
