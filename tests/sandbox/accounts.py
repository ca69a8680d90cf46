"""Users, their permissions, and the separate accounts for KOReader's own sync.

Promises: finds the reader behind a token or behind KOReader's headers; makes accounts for tests; answers `users/me`
and the endpoints with which a reader manages her KOReader account.
Never: checks a login; that is `authentication`.
Called by: `routes`, `dispatch`, `StandIn`.
Law: the API map §3 and §3.1.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection

from tests.sandbox.bodies import TEXT, Field
from tests.sandbox.calls import Call, KoreaderAccount, Reader
from tests.sandbox.messages import ApiError, Response, empty_response, json_response, unexpected

PERMISSIONS = (
    "admin",
    "canAccessOpds",
    "canAccessUserStats",
    "canBulkResetBookReadStatus",
    "canDeleteBook",
    "canDownload",
    "canSyncKoReader",
    "canSyncKobo",
    "canUpload",
)
ORDINARY_PERMISSIONS = frozenset({"canAccessOpds", "canDownload", "canSyncKoReader"})

KOREADER_ACCOUNT_FIELDS = (Field("username", TEXT), Field("password", TEXT))


def create_user(
    database: sqlite3.Connection, username: str, password: str, permissions: Collection[str], libraries: Collection[int]
) -> int:
    _demand_known(permissions)
    user_id = database.execute(
        "INSERT INTO user (username, password) VALUES (?, ?) RETURNING id", (username, password)
    ).fetchone()["id"]
    database.executemany("INSERT INTO user_permission VALUES (?, ?)", [(user_id, name) for name in permissions])
    database.executemany("INSERT INTO user_library VALUES (?, ?)", [(user_id, library) for library in libraries])
    return int(user_id)


def set_permissions(database: sqlite3.Connection, username: str, permissions: Collection[str]) -> None:
    _demand_known(permissions)
    user_id = _user_id(database, username)
    database.execute("DELETE FROM user_permission WHERE user_id = ?", (user_id,))
    database.executemany("INSERT INTO user_permission VALUES (?, ?)", [(user_id, name) for name in permissions])


def set_libraries(database: sqlite3.Connection, username: str, libraries: Collection[int]) -> None:
    user_id = _user_id(database, username)
    database.execute("DELETE FROM user_library WHERE user_id = ?", (user_id,))
    database.executemany("INSERT INTO user_library VALUES (?, ?)", [(user_id, library) for library in libraries])


def _user_id(database: sqlite3.Connection, username: str) -> int:
    return int(database.execute("SELECT id FROM user WHERE username = ?", (username,)).fetchone()["id"])


def _demand_known(permissions: Collection[str]) -> None:
    unknown = set(permissions) - set(PERMISSIONS)
    if unknown:
        raise ValueError(f"no such permission: {', '.join(sorted(unknown))}")


def create_koreader_account(
    database: sqlite3.Connection, user_id: int | None, username: str, password: str, sync_enabled: bool
) -> None:
    database.execute(
        "INSERT INTO koreader_user (user_id, username, password, sync_enabled) VALUES (?, ?, ?, ?)",
        (user_id, username, password, sync_enabled),
    )


def reader_with_id(database: sqlite3.Connection, user_id: int | None) -> Reader | None:
    row = database.execute("SELECT id, username FROM user WHERE id = ?", (user_id,)).fetchone()
    if row is None:
        return None
    granted = database.execute("SELECT name FROM user_permission WHERE user_id = ?", (row["id"],))
    return Reader(row["id"], row["username"], frozenset(permission["name"] for permission in granted))


def koreader_account(database: sqlite3.Connection, username: str, key: str) -> KoreaderAccount | None:
    """The account if `key` is the MD5 of its password in hexadecimal, in either case."""
    row = database.execute("SELECT * FROM koreader_user WHERE username = ?", (username,)).fetchone()
    if row is None or _md5(row["password"]) != key.lower():
        return None
    reader = reader_with_id(database, row["user_id"])
    return KoreaderAccount(row["username"], reader, bool(row["sync_enabled"]), bool(row["sync_with_web_reader"]))


def koreader_account_of(database: sqlite3.Connection, reader: Reader) -> KoreaderAccount:
    """The reader's account for KOReader's own sync; without one it is as if everything in it were off."""
    row = database.execute("SELECT * FROM koreader_user WHERE user_id = ?", (reader.id,)).fetchone()
    if row is None:
        return KoreaderAccount("", reader, sync_enabled=False, sync_with_web_reader=False)
    return KoreaderAccount(row["username"], reader, bool(row["sync_enabled"]), bool(row["sync_with_web_reader"]))


def _md5(password: str) -> str:
    return hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()


# Endpoints


def show_me(call: Call) -> Response:
    reader = call.reader
    libraries = call.database.execute(
        "SELECT library.id, library.name FROM library JOIN user_library ON library_id = library.id"
        " WHERE user_id = ? OR ? GROUP BY library.id ORDER BY library.id",
        (reader.id, reader.is_admin),
    )
    return json_response(
        {
            "id": reader.id,
            "username": reader.username,
            "permissions": {name: name in reader.permissions for name in PERMISSIONS},
            "assignedLibraries": [{"id": row["id"], "name": row["name"]} for row in libraries],
            "userSettings": {},
        }
    )


def show_koreader_account(call: Call) -> Response:
    call.demand("canSyncKoReader")
    row = call.database.execute("SELECT * FROM koreader_user WHERE user_id = ?", (call.reader.id,)).fetchone()
    if row is None:
        raise call.missing("Koreader user not found")
    return json_response(_koreader_record(call, row))


def put_koreader_account(call: Call) -> Response:
    call.demand("canSyncKoReader")
    values = call.read(KOREADER_ACCOUNT_FIELDS)
    username, password = values.text("username"), values.text("password")
    if password is None:
        raise unexpected()
    taken = call.database.execute(
        "SELECT 1 FROM koreader_user WHERE username = ? AND user_id IS NOT ?", (username, call.reader.id)
    ).fetchone()
    if taken is not None:
        raise ApiError(400, "Username already exists")
    call.database.execute(
        "INSERT INTO koreader_user (user_id, username, password) VALUES (?, ?, ?)"
        " ON CONFLICT (user_id) DO UPDATE SET username = excluded.username, password = excluded.password",
        (call.reader.id, username, password),
    )
    return show_koreader_account(call)


def switch_koreader_sync(call: Call) -> Response:
    return _switch(call, "sync_enabled")


def switch_koreader_web_reader(call: Call) -> Response:
    return _switch(call, "sync_with_web_reader")


def _switch(call: Call, column: str) -> Response:
    call.demand("canSyncKoReader")
    enabled = call.request.query.get("enabled")
    if enabled not in ("true", "false"):
        raise unexpected()
    changed = call.database.execute(
        f"UPDATE koreader_user SET {column} = ? WHERE user_id = ?", (enabled == "true", call.reader.id)
    )
    if changed.rowcount == 0:
        raise call.missing("Koreader user not found")
    return empty_response(204)


def _koreader_record(call: Call, row: sqlite3.Row) -> dict[str, object]:
    return {
        "id": row["id"],
        "username": row["username"],
        "password": row["password"],
        "passwordMD5": _md5(row["password"]),
        "syncEnabled": bool(row["sync_enabled"]),
        call.dialect.koreader_web_field: bool(row["sync_with_web_reader"]),
    }
