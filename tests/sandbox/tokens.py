"""JSON Web Tokens as the servers make them.

Promises: real HS256 signatures; exactly the claims of the servers: `sub`, `userId`, `isDefaultPassword`, `iat`, `exp`
in whole seconds, with Grimmory `iss`. No `jti` and no type, so that two refresh tokens of one user made within one
second are one and the same text, and a refresh token passes for an access token. Both are traps of the real servers.
Called by: `authentication` and `dispatch`.
Law: the API map §3, RFC 7515, RFC 7519.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

from tests.sandbox.dialects import Dialect

REFRESH_TOKEN_LIFETIME_S = 30 * 24 * 3600
HEADER = {"alg": "HS256"}


def make_token(secret: bytes, dialect: Dialect, username: str, user_id: int, now_s: int, lifetime_s: int) -> str:
    claims: dict[str, object] = {
        "sub": username,
        "userId": user_id,
        "isDefaultPassword": False,
        "iat": now_s,
        "exp": now_s + lifetime_s,
    }
    if dialect.token_issuer is not None:
        claims["iss"] = dialect.token_issuer
    signed = f"{_encode(_compact(HEADER))}.{_encode(_compact(claims))}"
    return f"{signed}.{_encode(_sign(secret, signed))}"


def user_of_token(secret: bytes, token: str, now: float) -> int | None:
    """The user id of a token that is signed by us and has not expired."""
    signed, _, signature = token.rpartition(".")
    try:
        if not hmac.compare_digest(_decode(signature), _sign(secret, signed)):
            return None
        claims = json.loads(_decode(signed.partition(".")[2]))
        user_id, expires_at = claims["userId"], claims["exp"]
    except (ValueError, KeyError, TypeError, binascii.Error):
        return None
    if not isinstance(user_id, int) or not isinstance(expires_at, int) or expires_at <= now:
        return None
    return user_id


def _compact(value: dict[str, object] | dict[str, str]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _sign(secret: bytes, signed: str) -> bytes:
    return hmac.new(secret, signed.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
