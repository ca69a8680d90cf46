"""Proves from a finished executable what the reader's device depends on: `python -m builder.verify FILE ...`

Promises: prints one line for each fact of each file, and exits 1 when one of them is not so. A file's target is
taken from its name (`booklore-sync-<target>`) or `--target`.
Never: uses a tool of the machine or a step of the builder; what it expects is in targets.toml, what it finds is in the
file.
Called by: people, `make dist`, CI.

The facts: static; no lowest kernel asked for; no executable stack; the architecture, word size, float ABI and CPU
features; no path of the machine it was built on; size within the budget.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.elf import PF_X, PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, Elf, ElfError, read_elf

TARGETS_FILE = Path(__file__).resolve().parent / "targets.toml"
OWN_CHECKOUT = f"{TARGETS_FILE.parent.parent}/"
# Where people and CI machines keep checkouts and temporary files. `/tmp` alone and `/var/tmp` are legitimate: they are
# where SQLite looks for a place; `/root` alone occurs in nothing we link.
BUILD_PATH = re.compile(
    rb"(?:/home/|/root/|/Users/|/build/|/builds/|/github/|/workspace|/tmp/[A-Za-z0-9_]|/var/tmp/[A-Za-z0-9_]|/mnt/)"
    rb"[\x21-\x7e]{0,80}"
)
# The cache's own layout, whatever folder it lies in: entries end in sixteen digits.
CACHE_PATH = re.compile(rb"[\x21-\x7e]{0,60}/(?:unfinished/|[a-z]+-[a-z0-9_]+-[0-9a-f]{16})[\x21-\x7e]{0,60}")
MAX_LISTED_PATHS = 3


@dataclass(frozen=True)
class Fact:
    """One statement about a file, and whether it holds."""

    holds: bool
    text: str


def facts(data: bytes, expected: dict[str, object], forbidden: list[bytes]) -> Iterator[Fact]:
    """All facts about an executable; `expected` is its table in targets.toml."""
    try:
        elf = read_elf(data)
    except ElfError as error:
        yield Fact(False, str(error))
        return
    yield from _linkage(elf)
    yield from _architecture(elf, expected)
    yield from _paths(data, forbidden)
    yield from _size(len(data), expected["max_bytes"])


def _linkage(elf: Elf) -> Iterator[Fact]:
    yield _fact(elf.type == "EXEC", "fixed address", f"file type is {elf.type}, not EXEC")
    yield _fact(not elf.of_kind(PT_INTERP), "no interpreter", "asks for a dynamic loader (PT_INTERP)")
    yield _fact(not elf.of_kind(PT_DYNAMIC), "no dynamic section", "has a dynamic section (PT_DYNAMIC)")
    yield _fact(not elf.has_kernel_floor(), "no kernel floor", "a note asks for a lowest kernel (NT_GNU_ABI_TAG)")
    stacks = elf.of_kind(PT_GNU_STACK)
    yield _fact(
        bool(stacks), "stack permissions are stated", "no PT_GNU_STACK: old kernels then make the stack executable"
    )
    yield _fact(not any(stack.flags & PF_X for stack in stacks), "stack not executable", "the stack is executable")


def _architecture(elf: Elf, expected: dict[str, object]) -> Iterator[Fact]:
    found = {"machine": elf.machine, "bits": elf.bits, "flags": f"{elf.flags:#x}"}
    wanted = {"machine": expected["elf_machine"], "bits": expected["elf_class"], "flags": f"{expected['elf_flags']:#x}"}
    for name, value in found.items():
        yield _fact(value == wanted[name], f"{name} {value}", f"{name} is {value}, not {wanted[name]}")
    attributes = expected.get("attributes", {})
    assert isinstance(attributes, dict)
    for name, value in attributes.items():
        actual = elf.arm_attributes.get(name, "missing")
        yield _fact(actual == value, f"{name} {value}", f"{name} is {actual}, not {value}")


def _paths(data: bytes, forbidden: list[bytes]) -> Iterator[Fact]:
    for pattern, what in ((BUILD_PATH, "path of a build machine"), (CACHE_PATH, "path of the cache")):
        hits = sorted({match.group().decode("ascii", "replace") for match in pattern.finditer(data)})
        listed = ", ".join(hits[:MAX_LISTED_PATHS]) + (
            f" and {len(hits) - MAX_LISTED_PATHS} more" if len(hits) > MAX_LISTED_PATHS else ""
        )
        yield _fact(not hits, f"no {what}", f"holds a {what}: {listed}")
    for text in forbidden:
        yield _fact(text not in data, f"no {text.decode()!r}", f"holds {text.decode()!r}")


def _size(size: int, budget: object) -> Iterator[Fact]:
    assert isinstance(budget, dict)
    must, reach = int(budget["must"]), int(budget["reach"])
    reached = "reach" if size <= reach else f"above the {reach:,} we reach for"
    yield _fact(size <= must, f"{size:,} bytes of {must:,} allowed ({reached})", f"{size:,} bytes, {must:,} allowed")


def _fact(holds: bool, good: str, bad: str) -> Fact:
    return Fact(holds, good if holds else bad)


def main(arguments: list[str]) -> int:
    """Judges the files; the exit code."""
    targets = tomllib.loads(TARGETS_FILE.read_text())
    parser = argparse.ArgumentParser(
        prog="python -m builder.verify", description="Proves facts about finished executables."
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--target", choices=sorted(targets), help="default: the end of the file's name")
    parser.add_argument(
        "--forbid", action="append", default=[], metavar="TEXT", help="must not occur in the file either"
    )
    options = parser.parse_args(arguments)
    good = True
    for file in options.files:
        target = options.target or next((name for name in targets if file.name.endswith(f"-{name}")), None)
        if target is None:
            parser.error(f"{file}: its name ends in no target; give --target")
        for fact in facts(
            file.read_bytes(), targets[target], [text.encode() for text in [OWN_CHECKOUT, *options.forbid]]
        ):
            print(f"{file.name}: {'ok ' if fact.holds else 'BAD'} {fact.text}")
            good &= fact.holds
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
