"""Runs the launcher's own tests, which are Lua, and believes only their last line.

Called by pytest. Never skips: a launcher that was not tested counts as a failure, with the packages to install.
"""

import re
import shutil
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Some tests wait for real processes, each at most 10 s; the whole takes about 8 s, on a busy machine many times that.
LIMIT_S = 600


def test_the_launcher_passes_its_own_tests() -> None:
    luajit = shutil.which("luajit")
    assert luajit, "luajit is missing: apt-get install luajit lua-filesystem lua-cjson"
    run = subprocess.run(
        [luajit, "tests/launcher/run.lua"], cwd=REPOSITORY, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    last_line = run.stdout.strip().rpartition("\n")[2]
    counted = re.fullmatch(r"(\d+) passed, (\d+) failed", last_line)
    assert counted, f"no result line:\n{run.stdout}\n{run.stderr}"
    passed, failed = int(counted[1]), int(counted[2])
    assert (passed > 0, failed, run.returncode) == (True, 0, 0), run.stdout
