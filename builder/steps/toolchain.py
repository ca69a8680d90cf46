"""The cross compiler for a target: small commands `cc`, `ar`, `ranlib` around the zig of `sources.toml`.

Promises: the commands are found through PATH, so no path of this machine enters what a source tree records about how
it was compiled; the flags that make output independent of the place of the build are always on.
Never: uses a compiler of the host.
Called by: the library, interpreter and program steps.
"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.failures import BuildError
from builder.pins import Source, Target
from builder.steps import sources
from builder.workshop import Bench, Workshop

# -g0: with optimisation this compiler writes debug information unless it is told not to (libcrypto.a: 25 MB, not 8).
# -fno-sanitize: zig traps undefined behaviour by default; the C we compile relies on -fwrapv and the like.
# Without unwind tables: nothing here unwinds C, and they are a tenth of a 64-bit executable.
COMPILER_FLAGS = (
    "-g0",
    "-fno-sanitize=undefined",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
)


@dataclass(frozen=True)
class Compiler:
    """The commands of one target; `folder` goes first in PATH."""

    folder: Path
    environment: dict[str, str]


def zig_program(workshop: Workshop, zig: Source) -> Path:
    """The zig executable, unpacked from its wheel."""
    return sources.source_tree(workshop, zig) / "ziglang" / "zig"


def compiler(workshop: Workshop, zig: Source, target: Target) -> Compiler:
    """The wrapped compiler for `target`; `environment` is what its callers must pass to the commands they run."""
    program = zig_program(workshop, zig)

    def make(bench: Bench) -> None:
        flags = ["-target", target.zig_target, f"-mcpu={target.zig_cpu}", *COMPILER_FLAGS]
        for name, words in {"cc": ["cc", *flags], "c++": ["c++", *flags], "ar": ["ar"], "ranlib": ["ranlib"]}.items():
            script = bench.result / name
            script.write_text(_wrapper(words))
            script.chmod(0o755)

    inputs = [target.zig_target, target.zig_cpu]
    folder = workshop.entry(
        "toolchain", target.name, code=[__file__], inputs=inputs, needs=[_zig_entry(program)], make=make
    )
    zig_cache = workshop.root / "zig"
    environment = {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "BOOKLORESYNC_ZIG": str(program),
        "BOOKLORESYNC_PREFIX": str(workshop.root),
        "ZIG_GLOBAL_CACHE_DIR": str(zig_cache),
        "ZIG_LOCAL_CACHE_DIR": str(zig_cache),
    }
    return Compiler(folder, environment)


def compile_command(flags: Sequence[str]) -> list[str]:
    """How every C file of ours is compiled: sections of its own for each function, so that the linker can drop it."""
    return ["cc", "-c", "-w", "-ffunction-sections", "-fdata-sections", *flags]


def _zig_entry(program: Path) -> Path:
    entry = program.parent.parent
    if not entry.name.startswith("source-zig-"):
        raise BuildError(f"{program} does not lie in the cache where it should")
    return entry


def _wrapper(words: Sequence[str]) -> str:
    """A shell script that adds the target's flags.

    `--print-multiarch` is GCC's; CPython's configure asks for it and stops at an answer it does not expect.
    """
    command = shlex.join(words)
    prefix_map = ' "-ffile-prefix-map=$BOOKLORESYNC_PREFIX=."' if words[0] in ("cc", "c++") else ""
    return (
        "#!/bin/sh\n"
        'case "$1" in --print-multiarch) exit 0 ;; esac\n'
        f'exec "$BOOKLORESYNC_ZIG" {command}{prefix_map} "$@"\n'
    )
