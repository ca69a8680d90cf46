"""The converter on the device's own executable, under qemu."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.converter import Converter
from tests.conformance.test_the_run import RECORD, RIGHT
from tests.device.executables import ARMV7, built
from tests.fixtures.make_books import make_odd_book

pytestmark = pytest.mark.built

QUESTION = {name: RECORD[name] for name in ("pos0", "pos1", "text")}


def test_the_arm_executable_finds_the_position_of_a_highlight(tmp_path: Path) -> None:
    book = make_odd_book(tmp_path / "odd.epub")
    assert Converter(built(ARMV7)).convert(book, [QUESTION]) == Converter().convert(book, [QUESTION])


def test_and_the_way_back(tmp_path: Path) -> None:
    book = make_odd_book(tmp_path / "odd.epub")
    (found,) = Converter(built(ARMV7)).convert(book, [{"cfi": RIGHT, "text": "Whoever takes"}], reverse=True)
    assert (found["text"].split(), found["status"]) == (["Whoever", "takes"], "exact")
