"""Rows of the Lua plugin's database that hold anything: nothing that cannot be true or stored comes of them."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from device.core import plugin_rows, plugin_settings
from device.core.plugin_rows import SENT, OldBook, OldSession
from tests.soak import bounded

# Properties

CELLS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=40) | st.binary(max_size=40)
INSTANTS = st.integers(0, 2**32).map(lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(s))) | CELLS


@given(st.tuples(*[CELLS] * 5, INSTANTS, INSTANTS, *[CELLS] * 7))
@examples(max_examples=bounded(500, 20_000), deadline=None)
def test_no_row_gives_a_session_that_cannot_be_true(cells: tuple[Any, ...]) -> None:
    found = plugin_rows.history_session(cells)
    if isinstance(found, OldSession):
        session = found.session
        assert 0 <= session.started_at <= session.ended_at
        assert 0 <= session.duration_s <= session.ended_at - session.started_at + plugin_rows.HISTORY_TOLERANCE_S
        assert session.duration_s > 0 or found.state == SENT
        assert session.start_fraction is None or 0 <= session.start_fraction <= 1


@given(st.tuples(*[CELLS] * 9))
@examples(max_examples=bounded(300, 10_000), deadline=None)
def test_no_row_gives_a_book_that_cannot_be_stored(cells: tuple[Any, ...]) -> None:
    found = plugin_rows.book(cells)
    if isinstance(found, OldBook):
        assert found.file or found.fingerprint
        for words in (found.file, found.title, *found.authors, *found.identifiers):
            assert len(words.encode("utf-8")) < 5_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["pos0", "pos1", "page", "text", "note", "chapter", "color", "cfi", "other"])


@given(CELLS, st.sampled_from([*plugin_rows.KINDS, "", "x"]), st.dictionaries(FIELDS, JSON).map(json.dumps) | CELLS)
@examples(max_examples=bounded(500, 20_000), deadline=None)
def test_no_payload_gives_a_mark_that_cannot_be_stored(made: Any, kind: str, payload: Any) -> None:
    found = plugin_rows.mark(made, kind, payload)
    if isinstance(found, plugin_rows.OldMark):
        for _, text in found.at_position:
            assert isinstance(json.loads(text), dict)
        if found.book_note is not None:
            assert json.loads(found.book_note)["content"].strip()


KEYS = st.sampled_from(["server_url", "password", "username", "min_pages", "odd_key"]) | st.text(max_size=10)


@given(st.dictionaries(KEYS, st.text(max_size=30)))
@examples(max_examples=bounded(300, 10_000), deadline=None)
def test_no_secret_is_among_what_is_kept(values: dict[str, str]) -> None:
    meaning = plugin_settings.read(values)
    assert not {"server_url", "password", "username"} & set(meaning.kept)
    assert meaning.koreader.password == values.get("password", "")
