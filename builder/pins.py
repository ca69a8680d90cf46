"""`sources.toml` and `targets.toml` as typed data.

Promises: what it returns is complete and immutable; a missing or misspelt field raises at once.
Called by: every step, the SBOM and the tests. It knows nothing about how anything is built.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class SourceFile:
    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Source:
    """One upstream part; the fields are explained at the head of sources.toml."""

    key: str
    version: str
    licence: str
    licence_files: tuple[str, ...]
    part_of: str
    origin: str
    package: str
    files: tuple[SourceFile, ...]
    patches: tuple[str, ...] = ()
    origin_version: str = ""

    @property
    def wanted_version(self) -> str:
        """The version as the place of origin spells it."""
        return self.origin_version or self.version


@dataclass(frozen=True)
class Target:
    """One machine to build for; the fields are explained at the head of targets.toml."""

    name: str
    zig_target: str
    zig_cpu: str
    gnu_triplet: str
    openssl: tuple[str, ...]
    optimise: str
    optimise_modules: tuple[str, ...]
    optimise_libraries: str
    long_bytes: int
    qemu: str
    elf_class: int
    elf_machine: str
    elf_flags: int
    max_bytes: dict[str, int] = field(hash=False)
    attributes: dict[str, str] = field(default_factory=dict, hash=False)


def load_sources() -> dict[str, Source]:
    table = tomllib.loads((HERE / "sources.toml").read_text())
    return {
        key: Source(
            key=key,
            files=tuple(SourceFile(**file) for file in entry.pop("files")),
            patches=tuple(entry.pop("patches", ())),
            licence_files=tuple(entry.pop("licence_files")),
            **entry,
        )
        for key, entry in table.items()
    }


def load_targets() -> dict[str, Target]:
    table = tomllib.loads((HERE / "targets.toml").read_text())
    targets = {}
    for name, entry in table.items():
        openssl, modules = tuple(entry.pop("openssl")), tuple(entry.pop("optimise_modules"))
        targets[name] = Target(name=name, openssl=openssl, optimise_modules=modules, **entry)
    return targets
