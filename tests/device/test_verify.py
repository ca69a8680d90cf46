"""What `python -m builder.verify` proves holds for the executables that were built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.device.executables import ARMV7, X86_64, built
from tests.reader import ROOT

pytestmark = pytest.mark.built


@pytest.mark.parametrize("program", [ARMV7, X86_64], ids=lambda path: path.name)
def test_the_executable_is_what_its_target_promises(program: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "builder.verify", str(built(program))], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
