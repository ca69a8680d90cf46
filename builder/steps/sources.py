"""Fetches, verifies and unpacks the sources that `sources.toml` pins.

Promises: no byte of a source is used before its size and SHA-256 agree; a file is looked for in the folder that
BOOKLORESYNC_SOURCES names, then among those fetched earlier, and only then fetched, by apt from the mirrors that this
machine is set up for, or by pip. When a pinned version is no longer there, the message names the file to supply.
Never: changes the machine's apt configuration, needs root, or knows the address of any server.
Called by: the other steps, through `source_tree`.
"""

import fnmatch
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from builder import commands
from builder.failures import BuildError
from builder.pins import Source, SourceFile
from builder.workshop import Bench, Workshop, file_digest

APT_SOURCE_TYPES = ("deb", "deb-src")


def source_tree(workshop: Workshop, source: Source) -> Path:
    """The unpacked and patched source, as an entry of the cache."""

    def make(bench: Bench) -> None:
        archive, *rest = [fetched(workshop, source, file) for file in source.files]
        _unpack(archive, bench.work / "tree")
        tree = _only_folder(bench.work / "tree")
        if rest:
            _unpack(rest[0], bench.work / "packaging")
            _patch(bench, source, tree, bench.work / "packaging" / "debian" / "patches")
        for item in sorted(tree.iterdir()):
            shutil.move(item, bench.result / item.name)

    inputs = [source.version, source.patches, [file.sha256 for file in source.files]]
    return workshop.entry("source", source.key, code=[__file__], inputs=inputs, needs=[], make=make)


def fetched(workshop: Workshop, source: Source, file: SourceFile) -> Path:
    """The verified file, on disk."""
    kept = workshop.root / "downloads" / file.name
    supplied = Path(os.environ.get("BOOKLORESYNC_SOURCES") or workshop.root / "downloads") / file.name
    for path in (supplied, kept):
        if path.exists():
            _verify(path, file)
            return path
    kept.parent.mkdir(exist_ok=True)
    arrivals = workshop.root / "unfinished" / f"download-{source.key}"
    shutil.rmtree(arrivals, ignore_errors=True)
    arrivals.mkdir(parents=True)
    commands.say(f"  fetching {file.name} ({file.size / 1e6:.1f} MB)")
    log = workshop.root / "logs" / f"download-{source.key}.log"
    log.unlink(missing_ok=True)
    try:
        if source.origin == "debian":
            _apt_source(workshop, source, arrivals, log)
        else:
            _pip_download(source, file, arrivals, log)
        _verify(arrivals / file.name, file)
    except (BuildError, FileNotFoundError) as error:
        raise BuildError(
            f"could not get {source.package} {source.wanted_version}: {error}\n"
            f"  wanted: {file.name}, {file.size} bytes, sha256 {file.sha256}\n"
            "  Perhaps this version has left the mirrors. Put the file into a folder and name that in\n"
            "  BOOKLORESYNC_SOURCES, or pin a newer version in builder/sources.toml."
        ) from error
    for sibling in source.files:
        if (arrivals / sibling.name).exists():
            _verify(arrivals / sibling.name, sibling)
            (arrivals / sibling.name).rename(kept.parent / sibling.name)
    shutil.rmtree(arrivals)
    return kept


def _verify(path: Path, file: SourceFile) -> None:
    size = path.stat().st_size
    if size != file.size:
        raise BuildError(f"{path} has {size} bytes, not {file.size}")
    digest = file_digest(path)
    if digest != file.sha256:
        raise BuildError(f"{path} has sha256 {digest}, not {file.sha256}")


def _apt_source(workshop: Workshop, source: Source, arrivals: Path, log: Path) -> None:
    state = workshop.root / "apt"
    options = [
        option
        for name, value in {
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": str(state / "sources"),
            "Dir::State::lists": str(state / "lists"),
            "Dir::Cache": str(state / "cache"),
            "APT::Sandbox::User": "root",
        }.items()
        for option in ("-o", f"{name}={value}")
    ]
    for folder in ("sources", "lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    _write_source_entries(state / "sources")
    label = f"apt source {source.package}"
    commands.run(f"{label}: list of packages", ["apt-get", *options, "update"], directory=arrivals, log=log)
    wanted = f"{source.package}={source.wanted_version}"
    commands.run(label, ["apt-get", *options, "source", "--download-only", wanted], directory=arrivals, log=log)


def _write_source_entries(folder: Path) -> None:
    """Copies the machine's apt entries with `deb-src` in place of `deb`; both spellings of apt's files."""
    etc = Path("/etc/apt")
    one_line: list[str] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        lines = path.read_text().splitlines() if path.exists() else []
        one_line += [
            " ".join(["deb-src", *line.split()[1:]])
            for line in lines
            if line.split()[:1] and line.split()[0] in APT_SOURCE_TYPES
        ]
    if one_line:
        (folder / "machine.list").write_text("\n".join(dict.fromkeys(one_line)) + "\n")
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        lines = path.read_text().splitlines()
        text = "\n".join("Types: deb-src" if line.lower().startswith("types:") else line for line in lines)
        (folder / path.name).write_text(text + "\n")


def _pip_download(source: Source, file: SourceFile, arrivals: Path, log: Path) -> None:
    requirement = arrivals / "requirement.txt"
    requirement.write_text(f"{source.package}=={source.version} --hash=sha256:{file.sha256}\n")
    kind = "--only-binary=:all:" if file.name.endswith(".whl") else f"--no-binary={source.package}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", kind, "-d", str(arrivals)]
    commands.run(f"pip download {source.package}", [*command, "-r", str(requirement)], directory=arrivals, log=log)


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as bundle:
            for item in bundle.infolist():
                path = Path(bundle.extract(item, folder / "wheel"))
                # zipfile does not restore permissions; a wheel keeps them in the upper half of this field.
                if item.external_attr >> 16 & 0o111:
                    path.chmod(0o755)
        return
    with tarfile.open(archive) as bundle:
        # Debian 12's Python 3.11.2 has no filters yet; what is unpacked here is pinned by its hash either way.
        if hasattr(tarfile, "data_filter"):
            bundle.extraction_filter = tarfile.data_filter
        bundle.extractall(folder)


def _only_folder(folder: Path) -> Path:
    (only,) = folder.iterdir()
    return only


def _patch(bench: Bench, source: Source, tree: Path, patches: Path) -> None:
    series = [
        line.split()[0] for line in (patches / "series").read_text().splitlines() if line.strip() and line[0] != "#"
    ]
    for pattern in source.patches:
        if not fnmatch.filter(series, pattern):
            raise BuildError(f"no patch of {source.package} {source.wanted_version} is called {pattern!r} any more")
    for name in series:
        if any(fnmatch.fnmatch(name, pattern) for pattern in source.patches):
            bench.run(
                f"patch {name}", ["patch", "-p1", "--batch", "--no-backup-if-mismatch", "-i", patches / name], tree
            )
