"""Long lists read piece by piece: the same elements however the bytes are cut, and nothing else passes for a list."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.server import json_stream
from device.server.errors import NotBookLore
from device.server.json_stream import elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
LISTS = st.lists(VALUES.filter(lambda value: not isinstance(value, int) or isinstance(value, bool)), max_size=6)
BESIDE = st.dictionaries(st.text(max_size=6).filter(lambda name: name != "content"), VALUES, max_size=3)


def pieces(text: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


@given(LISTS, st.integers(1, 40), st.booleans())
def test_a_list_is_the_same_however_it_is_cut(values: list[object], size: int, is_ascii: bool) -> None:
    assert list(elements(pieces(json.dumps(values, ensure_ascii=is_ascii).encode(), size))) == values


@given(BESIDE, LISTS, BESIDE, st.integers(1, 40))
def test_a_list_within_an_object_is_found_among_its_other_members(
    before: dict[str, object], values: list[object], behind: dict[str, object], size: int
) -> None:
    behind = {name: value for name, value in behind.items() if name not in before}
    text = json.dumps({**before, "content": values, **behind}).encode()
    assert list(elements(pieces(text, size), "content")) == values


@given(LISTS.filter(bool), st.data())
def test_a_list_that_is_cut_off_is_an_error(values: list[object], data: st.DataObject) -> None:
    text = json.dumps({"content": values, "number": 0}).encode()
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(NotBookLore):
        list(elements(pieces(text[:cut], 7), "content"))


@pytest.mark.parametrize("text", ["{}", "[]", '{"contents":[1]}', '"content"', "<html>[", '{"a":{"content":[1]}}', ""])
def test_what_has_no_such_member_is_no_list(text: str) -> None:
    with pytest.raises(NotBookLore):
        list(elements(pieces(text.encode(), 3), "content"))


@pytest.mark.parametrize("text", ["[1] 2", '{"content":[]}', "[1,", "null", "[1]]"])
def test_a_bare_list_is_nothing_but_a_list(text: str) -> None:
    with pytest.raises(NotBookLore):
        list(elements(pieces(text.encode(), 2)))


def test_an_endless_beginning_is_given_up_soon() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1_000
            yield b'{"a":"' if read == 1_000 else b"[" * 1_000

    with pytest.raises(NotBookLore):
        list(elements(endless(), "content"))
    assert read < 2 * json_stream.BESIDE_MAX_CHARS + 1_000


def test_an_endless_end_is_given_up_soon() -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"content":[],"rest":"'
        while True:
            yield b"x" * 1_000

    with pytest.raises(NotBookLore):
        list(elements(endless(), "content"))
