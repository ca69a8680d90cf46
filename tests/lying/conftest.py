"""Shows at the end what the tests of this folder have counted."""

from __future__ import annotations

import pytest

from tests.lying.counts import COUNTS


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if COUNTS:
        terminalreporter.section("a lying server")
        for what, count in COUNTS.items():
            terminalreporter.write_line(f"{count:8} {what}")
