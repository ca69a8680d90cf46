"""Puts what was built into dist/."""

import shutil
from pathlib import Path

from builder import commands
from builder.plan import Plan
from builder.workshop import REPOSITORY, file_digest

DIST = REPOSITORY / "dist"


def deliver_worker(plan: Plan, target: str) -> Path:
    entry = plan.worker(target)
    (DIST / "bin").mkdir(parents=True, exist_ok=True)
    path = DIST / "bin" / f"booklore-sync-{target}"
    partial = path.with_suffix(".partial")
    shutil.copy(entry / "program", partial)
    partial.chmod(0o755)
    partial.replace(path)
    commands.say(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size:,} bytes, sha256 {file_digest(path)}")
    return path


def deliver_all(plan: Plan) -> None:
    for target in sorted(plan.targets):
        deliver_worker(plan, target)
