"""One browser for all tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.make_books import make_odd_book
from tests.web.browser import Browser, is_there


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert is_there(), "Chromium or tests/web/node_modules is missing: make web"
    with Browser() as started:
        yield started


@pytest.fixture(scope="session")
def odd_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_odd_book(tmp_path_factory.mktemp("books") / "odd.epub")
