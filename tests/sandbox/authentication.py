"""Login, refresh, logout, and the public endpoints a client asks before it has a token.

Promises: a wrong password is a 400, never a 401; a refresh token is used once; two logins of one user within one
second end in a data conflict, because both make the same refresh token and the table takes it once.
Never: cleans up old refresh tokens.
Called by: `routes`.
Law: the API map §2 (detection) and §3.
"""

from __future__ import annotations

from tests.sandbox.accounts import reader_with_id
from tests.sandbox.bodies import TEXT, Field, convert, parse_json
from tests.sandbox.calls import Call, Reader
from tests.sandbox.login_limits import login_key
from tests.sandbox.messages import ApiError, Response, empty_response, error_response, json_response
from tests.sandbox.tokens import REFRESH_TOKEN_LIFETIME_S, make_token, user_of_token

LOGIN_FIELDS = (Field("username", TEXT, not_blank=True), Field("password", TEXT, not_blank=True))
REFRESH_FIELDS = (Field("refreshToken", TEXT, not_blank=True),)
LOGOUT_FIELDS = (Field("refreshToken", TEXT),)


def check_health(call: Call) -> Response:
    return json_response({"status": 200, "message": "Pong", "data": {"version": call.version}})


def show_public_settings(call: Call) -> Response:
    return json_response(
        {
            "oidcEnabled": call.settings.oidc_only,
            "remoteAuthEnabled": call.settings.remote_auth_enabled,
            "oidcProviderDetails": None,
            "oidcForceOnlyMode": call.settings.oidc_only,
        }
    )


def show_setup_status(call: Call) -> Response:
    return json_response({"status": 200, "message": "Setup status", "data": True})


def log_in(call: Call) -> Response:
    values = call.read(LOGIN_FIELDS)
    username = values.need_text("username")
    keys = [f"login from {call.request.client_address}", login_key(username)]
    call.limits.check(keys, call.now)
    row = call.database.execute("SELECT id, password FROM user WHERE username = ?", (username,)).fetchone()
    reader = None if row is None else reader_with_id(call.database, row["id"])
    if reader is None or row["password"] != values.need_text("password"):
        call.limits.fail(keys, call.now)
        raise _invalid_credentials()
    if call.settings.oidc_only and not reader.is_admin:
        raise call.denied()
    call.limits.succeed(keys)
    return json_response(_login_reply(call, reader))


def refresh(call: Call) -> Response:
    token = call.read(REFRESH_FIELDS).need_text("refreshToken")
    keys = [f"refresh from {call.request.client_address}"]
    call.limits.check(keys, call.now)
    reader = reader_with_id(call.database, user_of_token(call.secret, token, call.now))
    live = call.database.execute("SELECT id FROM refresh_token WHERE token = ? AND NOT revoked", (token,)).fetchone()
    if reader is None or live is None:
        call.limits.fail(keys, call.now)
        raise _invalid_credentials()
    call.limits.succeed(keys)
    call.database.execute("UPDATE refresh_token SET revoked = 1 WHERE id = ?", (live["id"],))
    return json_response(_issue_tokens(call, reader))


def log_out(call: Call) -> Response:
    if call.request.body:
        token = convert(parse_json(call.request.body), LOGOUT_FIELDS).text("refreshToken")
        call.database.execute("UPDATE refresh_token SET revoked = 1 WHERE token = ?", (token,))
    return empty_response(200)


def log_in_by_proxy(call: Call) -> Response:
    """Where this is switched off, the server says so with a status that looks like success."""
    if not call.settings.remote_auth_enabled:
        return error_response(ApiError(203, "Remote login is disabled"), call.local(call.now) or "")
    username = call.request.header("remote-user")
    row = call.database.execute("SELECT id FROM user WHERE username = ?", (username,)).fetchone()
    reader = None if row is None else reader_with_id(call.database, row["id"])
    if reader is None:
        raise call.denied()
    return json_response(_login_reply(call, reader))


def _login_reply(call: Call, reader: Reader) -> dict[str, object]:
    reply = _issue_tokens(call, reader)
    # Only the newer server writes a real boolean; the older one builds its reply as a map of texts.
    reply["isDefaultPassword"] = False if call.dialect.login_tells_expiry else "false"
    return reply


def _issue_tokens(call: Call, reader: Reader) -> dict[str, object]:
    access, refresh_token = (
        make_token(call.secret, call.dialect, reader.username, reader.id, call.now_s, lifetime_s)
        for lifetime_s in (call.dialect.access_token_lifetime_s, REFRESH_TOKEN_LIFETIME_S)
    )
    call.database.execute("INSERT INTO refresh_token (user_id, token) VALUES (?, ?)", (reader.id, refresh_token))
    reply: dict[str, object] = {"accessToken": access, "refreshToken": refresh_token}
    if call.dialect.login_tells_expiry:
        reply["expires"] = call.dialect.access_token_lifetime_s
    return reply


def _invalid_credentials() -> ApiError:
    return ApiError(400, "Invalid credentials")
