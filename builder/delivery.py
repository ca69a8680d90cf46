"""Puts what was built into dist/: executables, size ledgers, SBOMs and the plugin package.

Promises: a file in dist/ is complete or not there; nothing that `verify` refuses is packed.
Called by: __main__.py.
"""

import subprocess
import sys
from pathlib import Path

from builder import commands, plugin_package
from builder.failures import BuildError
from builder.ledger import ledger
from builder.plan import Plan
from builder.sbom import as_json, sbom
from builder.steps.program import LINK_MAP
from builder.workshop import REPOSITORY, file_digest
from device.version import VERSION

DIST = REPOSITORY / "dist"


def deliver_worker(plan: Plan, target: str) -> Path:
    """Builds the worker for a target and writes executable, ledger and SBOM."""
    entry = plan.worker(target)
    path = DIST / "bin" / f"booklore-sync-{target}"
    write(path, (entry / "program").read_bytes(), executable=True)
    costs = ledger(target, path, entry / LINK_MAP)
    write(DIST / f"ledger-{target}.json", costs.as_json().encode())
    write(DIST / f"ledger-{target}.txt", costs.as_text().encode())
    document = sbom(path, VERSION, costs, plan.sources, plan.modules)
    write(DIST / f"sbom-{target}.json", as_json(document).encode())
    commands.say(costs.as_text().rstrip())
    commands.say(f"{path.relative_to(REPOSITORY)}: sha256 {file_digest(path)}")
    return path


def deliver_all(plan: Plan) -> None:
    """All targets, verified, and the package that readers install."""
    executables = [deliver_worker(plan, target) for target in sorted(plan.targets)]
    # A program of its own, run as people run it: it must not share the builder's idea of what is right.
    verify = [sys.executable, "-m", "builder.verify", "--forbid", str(plan.workshop.root)]
    if subprocess.run([*verify, *map(str, executables)], cwd=REPOSITORY, check=False).returncode != 0:
        raise BuildError("verification failed; the lines marked BAD say why")
    notices = plugin_package.notices(plan.sources, plan.source_tree)
    package = DIST / plugin_package.FILE_NAME
    write(package, plugin_package.package(REPOSITORY, executables, notices))
    commands.say(f"{package.relative_to(REPOSITORY)}: {package.stat().st_size:,} bytes, sha256 {file_digest(package)}")


def write(path: Path, content: bytes, *, executable: bool = False) -> None:
    """Writes a file under another name first; the executable may be running."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.chmod(0o755 if executable else 0o644)
    partial.replace(path)
