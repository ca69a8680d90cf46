"""Whatever a client sends, the stand-in answers as a server would, and never fails itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.plain_client import NOON, PASSWORD, USER, PlainClient
from tests.sandbox import StandIn
from tests.sandbox.routes import BASIC, ROUTES, Route

GOOD_BODY: dict[str, object] = {
    "bookId": 1, "bookType": "EPUB", "startTime": "2026-02-22T14:00:00Z", "endTime": "2026-02-22T14:20:00Z",
    "durationSeconds": 1200, "startProgress": 1.5, "endLocation": "31", "ids": [1], "rating": 9, "bookIds": [1],
    "status": "READ", "fileProgress": {"positionData": "12", "progressPercent": 50}, "cfi": "epubcfi(/6/4)",
    "epubProgress": {"percentage": 50}, "pdfProgress": {"page": 3}, "dateFinished": "2026-02-22T14:20:00Z",
    "text": "Call me Ishmael.", "color": "#4ADE80", "style": "underline", "note": "", "noteContent": "who?",
    "content": "wet", "title": "whale", "positionMs": 1, "pageNumber": 3, "priority": 1, "name": "Kobo", "icon": "x",
    "publicShelf": True, "shelvesToAssign": [1], "shelvesToUnassign": [], "username": USER, "password": PASSWORD,
    "document": "a" * 32, "percentage": 0.5, "progress": "/body", "device": "Kobo",
    "sessions": [{"startTime": "2026-02-22T14:00:00Z", "endTime": "2026-02-22T14:20:00Z", "durationSeconds": 1200}],
}  # fmt: skip
FIELDS = (*GOOD_BODY, "id", "iconType", "refreshToken", "page", "positionData", "progressPercent")
LIKELY = st.sampled_from([1, 2, 100, 0.5, "EPUB", "READ", "2026-02-22T14:00:00Z", "1", "x" * 600, [1], [], {}, True])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=8,
)
SPOILED = st.dictionaries(st.sampled_from(FIELDS), LIKELY | ANYTHING, max_size=4).map(lambda spoilt: GOOD_BODY | spoilt)
BODIES = SPOILED | ANYTHING
SEGMENTS = st.sampled_from(["1", "2", "-1", str(2**63), "moby", ""]) | st.text(max_size=5)
QUERIES = st.dictionaries(
    st.sampled_from(["page", "size", "ids", "sort", "dir", "search", "title", "isbn", "enabled"]),
    st.sampled_from(["0", "1", "50", "-1", str(2**40), "true", "title,desc", "1,2", ""]) | st.text(max_size=5),
    max_size=3,
)


@pytest.fixture(scope="module", params=["booklore", "grimmory", "worldteacher"])
def asked(request: pytest.FixtureRequest) -> Iterator[tuple[StandIn, PlainClient]]:
    """A server and a client that sends all kinds of credentials that a header has room for."""
    server = StandIn(request.param)
    server.may_call_home = True
    server.set_komga(True)
    server.set_opds(True)
    server.clock.stop(NOON)
    user = server.add_user(USER, PASSWORD, permissions=["admin"])
    server.add_koreader_account(user, USER, PASSWORD)
    server.add_opds_account(user, USER, PASSWORD)
    server.add_book(title="Moby Dick", file_hash="a" * 32)
    server.add_book(title="Manual", book_type="PDF", file_name="manual.pdf")
    with server, closing(PlainClient(server)) as client:
        client.sign_in()
        token = client.headers
        client.use_koreader_key()
        client.headers |= token
        yield server, client


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(route=st.sampled_from(ROUTES), segment=SEGMENTS, query=QUERIES, body=BODIES)
def test_no_request_makes_the_stand_in_itself_fail(
    asked: tuple[StandIn, PlainClient], route: Route, segment: str, query: dict[str, str], body: object
) -> None:
    server, client = asked
    path = re.sub(r"\{\w+\}", quote(segment, safe="", errors="replace"), route.path)
    address = f"{path}?{urlencode(query, errors='replace')}"
    signed_in = client.headers
    if route.credentials is BASIC:
        client.use_basic()
    reply = client.ask(route.method, address, None if route.method == "GET" else body)
    client.headers = signed_in
    assert server.defects == []
    assert reply.status in range(200, 600)
