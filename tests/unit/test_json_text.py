"""The worker's JSON, held against the standard library's."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device import json_text

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
)


@given(values)
def test_a_value_survives_being_written_and_read(value: Any) -> None:
    assert json_text.decode(json_text.encode(value)) == value


@given(values)
def test_the_standard_library_reads_what_we_write(value: Any) -> None:
    assert json.loads(json_text.encode(value)) == value


@given(values)
def test_we_read_what_the_standard_library_writes(value: Any) -> None:
    assert json_text.decode(json.dumps(value, indent=1)) == value


@given(st.binary(max_size=200) | st.text('[]{}",:0123456789eE+-.truefalsn\\u ', max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_a_value_error(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        json_text.decode(content)


@pytest.mark.parametrize("content", [b"", b"{", b'{"a":1', b"[1 2]", b'{"a" 1}', b"NaN", b"Infinity", b"{} x", b"tru"])
def test_what_is_no_json_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        json_text.decode(content)


def test_nesting_that_would_overflow_the_stack_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON"):
        json_text.decode(b"[" * 200_000)


def test_a_number_of_a_million_digits_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="40 digits"):
        json_text.decode(b"1" * 1_000_000)


def test_bytes_that_are_not_utf_8_cost_one_character_and_not_the_document() -> None:
    assert json_text.decode(b'{"title":"Caf\xe9"}') == {"title": "Caf\ufffd"}


def test_not_a_number_is_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text.encode(math.nan)


def test_a_process_without_the_json_package_refuses_bad_json_just_the_same() -> None:
    """The static image has no `json`; CPython 3.11's scanner then finds no exception class to raise."""
    program = (
        "from device import json_text\nimport sys\nassert 'json' not in sys.modules\n"
        "for text in ('{\"a\" 1}', '[1,', '\"x'):\n"
        "    try: json_text.decode(text)\n"
        "    except ValueError: continue\n"
        "    raise SystemExit(text)\n"
    )
    assert subprocess.run([sys.executable, "-S", "-c", program]).returncode == 0
