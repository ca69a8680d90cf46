"""What the tests of this folder share: which worker they record, where they put it; and what they counted is shown."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.counts import COUNTS
from tests.crash.recovery import Recovery
from tests.device.executables import X86_64
from tests.reader import CHECKOUT_WORKER, ROOT
from tests.sandbox import StandIn

MEMORY = Path("/dev/shm")


@pytest.fixture
def worker(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """The static executable, unless it is older than its sources or the tests run without what is built."""
    built_is_asked_for = "not built" not in str(pytestconfig.getoption("-m"))
    return (str(X86_64),) if built_is_asked_for and is_up_to_date(X86_64) else CHECKOUT_WORKER


def is_up_to_date(program: Path) -> bool:
    sources = (path.stat().st_mtime for path in (ROOT / "device").rglob("*.py"))
    return program.exists() and program.stat().st_mtime >= max(sources)


@pytest.fixture
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: what is proven does not depend on the medium, and thousands of states are
    written."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="booklore-crash-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def recovery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recovery]:
    with Recovery(tmp_path_factory.mktemp("recovery")) as running:
        yield running


@pytest.fixture
def server() -> Iterator[StandIn]:
    stand_in = StandIn(dialect="booklore")
    stand_in.add_user("anna", "secret")
    stand_in.add_user("bert", "other secret")
    stand_in.add_book(title="Moby Dick", authors=["Herman Melville"], isbn13="9780142437247")
    stand_in.add_book(title="Emma", authors=["Jane Austen"], isbn13="9780141439587")
    with stand_in:
        yield stand_in


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not COUNTS:
        return
    terminalreporter.section("power cuts and kills")
    for what, count in COUNTS.items():
        terminalreporter.write_line(f"{count:6} {what}")
    states = [count for what, count in COUNTS.items() if what.startswith("crash states")]
    if states:
        terminalreporter.write_line(f"{sum(states):6} crash states over {len(states)} workloads in all")
