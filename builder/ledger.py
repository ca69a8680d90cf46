"""What each part of an executable costs, in bytes, from the linker's map.

Promises: the parts add up to the size of the file; what no input file accounts for is a part of its own.
Called by: delivery.py.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

# The first rule whose pattern is found in the name of an input file decides. Nothing may be left over: see `unknown`.
PARTS = (
    ("CPython", re.compile(r"libpython3\.11\.a|^(inittab|path_config)\.o|/(inittab|path_config)\.o")),
    ("Python modules, frozen", re.compile(r"frozen_(code|table)\.o")),
    ("OpenSSL", re.compile(r"lib(ssl|crypto)\.a")),
    ("SQLite", re.compile(r"libsqlite3\.a")),
    ("expat", re.compile(r"libexpat\.a")),
    ("zlib", re.compile(r"libz\.a")),
    ("zstandard", re.compile(r"libzstandard_c\.a")),
    ("our own modules", re.compile(r"module\.[\w.]+\.o")),
    ("constants of our own modules, certificates", re.compile(r"(^|/)constants\.o")),
    ("Nuitka's run time", re.compile(r"(CompiledFunctionType|main_program|__\w+)\.o")),
    ("compiler-rt", re.compile(r"compiler_rt|libunwind")),
    ("musl", re.compile(r"libc\.a|crt[1in]\.o|libzigc|libm\.a")),
    ("constants merged by the linker", re.compile(r"<internal>")),
)
REST = "headers and alignment"
UNKNOWN = "unknown"
# Sections that take memory at run time but no place in the file.
EMPTY_SECTIONS = (".bss", ".tbss", "COMMON")
# An input section: address, address, size and alignment, then `file:(section)`; addresses are hexadecimal.
INPUT_LINE = re.compile(r"^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+\s{2,}(\S.*):\((\S+?)\)?$")
OUTPUT_LINE = re.compile(r"^\s*([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)\s+\d+ (\.\S+)$")


@dataclass(frozen=True)
class Ledger:
    """Bytes of each part, the largest first."""

    target: str
    total_bytes: int
    parts: dict[str, int]

    def as_json(self) -> str:
        return (
            json.dumps({"target": self.target, "total_bytes": self.total_bytes, "parts": self.parts}, indent=1) + "\n"
        )

    def as_text(self) -> str:
        lines = [f"{'part':<44}{'bytes':>12}{'share':>8}"]
        lines += [f"{name:<44}{size:>12,}{size / self.total_bytes:>8.1%}" for name, size in self.parts.items()]
        return "\n".join([*lines, f"{'total, ' + self.target:<44}{self.total_bytes:>12,}{1:>8.1%}"]) + "\n"


def ledger(target: str, executable: Path, link_map: Path) -> Ledger:
    """The ledger of a linked executable."""
    total = executable.stat().st_size
    parts = _sizes(link_map.read_text(errors="replace").splitlines())
    parts[REST] = total - sum(parts.values())
    return Ledger(target, total, dict(sorted(parts.items(), key=lambda item: -item[1])))


def _sizes(lines: list[str]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    counted = False
    for line in lines:
        if match := OUTPUT_LINE.match(line):
            # What is not loaded has no address: symbols, comments and the like, which the shipped file lacks.
            counted = int(match.group(1), 16) != 0 and not match.group(3).startswith(EMPTY_SECTIONS)
        elif counted and (match := INPUT_LINE.match(line)):
            part = _part(match.group(3))
            sizes[part] = sizes.get(part, 0) + int(match.group(2), 16)
    return sizes


def _part(file: str) -> str:
    return next((name for name, pattern in PARTS if pattern.search(file)), UNKNOWN)
