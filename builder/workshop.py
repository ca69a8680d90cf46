"""The cache in which every step of a build keeps what it made.

Promises: an entry's name is `<step>-<target>-<key>`, and the key is the SHA-256 of everything that went in: the step's
own code, its settings, the files it was given, the names of the entries it builds on. An entry is made in a temporary
directory and renamed when it is complete, so an interrupted build leaves no half entry. One build at a time.
Never: trusts a time stamp, or changes the content of an entry after it was made.
Called by: every step. The cache is `.cache/` in the repository, or the folder that BOOKLORESYNC_CACHE names.
"""

import ast
import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from builder import commands

BUILDER = Path(__file__).resolve().parent
REPOSITORY = BUILDER.parent
# 64 bits: a chance collision among the few thousand entries of a long life is about one in 10^12.
KEY_HEX_DIGITS = 16
ENTRY_NAME = re.compile(rf"[a-z-]+-[a-z0-9_]+-[0-9a-f]{{{KEY_HEX_DIGITS}}}")
UNUSED_MAX_S = 30 * 86_400


def cache_directory() -> Path:
    return Path(os.environ.get("BOOKLORESYNC_CACHE") or REPOSITORY / ".cache").resolve()


@dataclass(frozen=True)
class Bench:
    """The temporary places of one step at work: `work` is thrown away, `result` becomes the entry."""

    label: str
    work: Path
    result: Path
    log: Path

    def run(
        self, what: str, command: Sequence[str | Path], directory: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Runs one command of the step; see `commands.run`."""
        commands.run(
            f"{self.label} {what}",
            [str(word) for word in command],
            directory=directory,
            log=self.log,
            environment=environment,
        )


class Workshop:
    """The cache of one build, with its lock held; made by `open_workshop`."""

    def __init__(self, root: Path, jobs: int, code_digests: Mapping[str, str]) -> None:
        self.root = root
        self._code_digests = code_digests
        self.jobs = jobs
        self.made_s: dict[str, float] = {}
        """Seconds spent on each entry that this build had to make, for the summary at its end."""

    def entry(
        self,
        step: str,
        target: str,
        *,
        code: Sequence[str],
        inputs: object,
        needs: Sequence[Path],
        make: Callable[[Bench], None],
    ) -> Path:
        """The finished directory of a step; made now if it is not there.

        `code` names the source files of the step, `inputs` is any JSON value that holds its settings, `needs` are the
        entries that it reads.
        """
        key = _digest(
            [self._code_digests[str(Path(file).resolve())] for file in code], inputs, [need.name for need in needs]
        )
        entry = self.root / f"{step}-{target}-{key[:KEY_HEX_DIGITS]}"
        if not entry.exists():
            self._make(f"{step} {target}", entry, make)
        os.utime(entry)
        return entry

    def forget_unused(self) -> None:
        """Removes entries that no build has asked for in a long time; a cache grows by a gigabyte a week otherwise."""
        for entry in self.root.iterdir():
            if ENTRY_NAME.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > UNUSED_MAX_S:
                shutil.rmtree(entry)

    def _make(self, label: str, entry: Path, make: Callable[[Bench], None]) -> None:
        temporary = self.root / "unfinished" / entry.name
        log = self.root / "logs" / f"{entry.name}.log"
        shutil.rmtree(temporary, ignore_errors=True)
        log.unlink(missing_ok=True)
        bench = Bench(label, temporary / "work", temporary / "result", log)
        bench.work.mkdir(parents=True)
        bench.result.mkdir()
        commands.say(f"  {label} ...")
        started_s = time.monotonic()
        make(bench)
        bench.result.rename(entry)
        shutil.rmtree(temporary)
        self.made_s[label] = time.monotonic() - started_s
        commands.say(f"  {label}: made in {self.made_s[label]:.0f} s")


@contextmanager
def open_workshop(jobs: int) -> Iterator[Workshop]:
    """Takes the build lock of the cache, waiting for another build if there is one, and frees it at the end."""
    # Now, not when a step is reached: somebody may edit the builder while it waits or works.
    code_digests = {str(path): _code_digest(path) for path in sorted(BUILDER.rglob("*.py"))}
    root = cache_directory()
    root.mkdir(parents=True, exist_ok=True)
    with (root / "build.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            commands.say(f"waiting for another build in {root} (process {lock.read().strip() or 'unknown'})")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield Workshop(root, jobs, code_digests)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_digest(root: Path) -> str:
    """One SHA-256 for the names and contents of all files under `root`."""
    return _digest(
        [(str(path.relative_to(root)), file_digest(path)) for path in sorted(root.rglob("*")) if path.is_file()]
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _code_digest(path: Path) -> str:
    """The digest of what the code does: a reworded comment or docstring must not rebuild OpenSSL."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
