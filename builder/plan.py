"""The graph of a build: which step feeds which.

    sources ──┬─ toolchain(target) ─┬─ zlib, sqlite, openssl (target) ─ interpreter(target) ──┐
              │                     │                                       │                │
              │        (this machine's own interpreter helps to make the others)             │
              │                                                             │                │
              └─ nuitka ──────────────────── device/ ─ generated C ─────────┤                │
                                   modules.toml ─ frozen modules ───────────┴─ program(target)

Promises: the same entries of the cache for the same inputs, whichever target is asked for first.
Called by: __main__.py.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from builder import commands, subset
from builder.failures import BuildError
from builder.module_list import load_modules
from builder.pins import Target, load_sources, load_targets
from builder.steps import frozen_modules, interpreter, libraries, program, sources, toolchain
from builder.workshop import REPOSITORY, Workshop

WORKER_PACKAGE = REPOSITORY / "device"


@dataclass(frozen=True)
class Runtime:
    """What a program needs of one target: compiler, interpreter and the libraries below it."""

    target: Target
    compiler: toolchain.Compiler
    python: Path
    libraries: dict[str, Path]


class Plan:
    """Makes entries on demand."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.sources = load_sources()
        self.targets = load_targets()
        self.modules = load_modules()
        self._runtimes: dict[str, Runtime] = {}

    def runtime(self, name: str) -> Runtime:
        """The static interpreter of a target."""
        if name not in self._runtimes:
            self._runtimes[name] = self._make_runtime(self.targets[name])
        return self._runtimes[name]

    def worker(self, name: str) -> Path:
        """The entry with the worker's executable for a target."""
        host = self._host_runtime()
        runtime = self.runtime(name)
        parts = program.Parts(
            python=runtime.python,
            libraries=runtime.libraries,
            frozen=frozen_modules.frozen_modules(self.workshop, self.modules, self.source_tree("cpython"), host.python),
            generated=self._generated_c,
            nuitka_tree=self.source_tree("nuitka"),
        )
        return program.executable(self.workshop, runtime.target, runtime.compiler, self.modules, parts)

    @cached_property
    def _generated_c(self) -> Path:
        """Read once for all targets: somebody may save a file of the worker between two of them."""
        refuse_strangers(WORKER_PACKAGE)
        nuitka, python = self.sources["nuitka"], self._host_runtime().python
        return program.generated_c(self.workshop, nuitka, WORKER_PACKAGE, python)

    def _host_runtime(self) -> Runtime:
        host = interpreter.host_architecture()
        if host not in self.targets:
            raise BuildError(f"this machine is {host}; the compiler and the code generator are pinned for x86_64")
        return self.runtime(host)

    def _make_runtime(self, target: Target) -> Runtime:
        workshop, native = self.workshop, interpreter.host_architecture()
        host_python = None if target.name == native else self._host_runtime().python
        commands.say(f"runtime for {target.name}")
        compiler = toolchain.compiler(workshop, self.sources["zig"], target)
        host_compiler = toolchain.compiler(workshop, self.sources["zig"], self.targets[native])
        amalgamation = libraries.sqlite_amalgamation(workshop, self.sources["sqlite"], host_compiler)
        built = {
            "zlib": libraries.zlib(workshop, self.sources["zlib"], target, compiler),
            "sqlite": libraries.sqlite(workshop, amalgamation, target, compiler),
            "openssl": libraries.openssl(workshop, self.sources["openssl"], target, compiler),
        }
        python = interpreter.interpreter(workshop, self.sources["cpython"], target, compiler, built, host_python)
        built["zstandard"] = interpreter.zstandard(workshop, self.sources["zstandard"], target, compiler, python)
        return Runtime(target, compiler, python, built)

    def source_tree(self, key: str) -> Path:
        """The unpacked and patched source of a part."""
        return sources.source_tree(self.workshop, self.sources[key])


def refuse_strangers(package: Path) -> None:
    """Stops the build if our own code imports a module that the image will not hold."""
    strangers = [str(breach) for breach in subset.check(package) if breach.rule == "module"]
    if strangers:
        raise BuildError("\n  ".join(["these imports would fail on the device:", *strangers]))
