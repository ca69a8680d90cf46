"""From our own Python modules to one static executable.

Promises: a change in `device/` reruns the code generator, the compilation of its C and the link, nothing else; what is
linked is exactly the modules of modules.toml and the package given.
Never: strips anything but symbols; packs or encrypts the result.
Called by: __main__.py.
"""

import hashlib
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from builder import commands, nuitka_codegen
from builder.failures import BuildError
from builder.module_list import Module
from builder.pins import HERE, Source, Target
from builder.steps import sources
from builder.steps.toolchain import Compiler, compile_command
from builder.workshop import Bench, Workshop, tree_digest

C_FOLDER = HERE / "c"
NUITKA_CODEGEN = HERE / "nuitka_codegen.py"
LINK_MAP = "link.map"
GENERATED_FOLDER = "booklore_sync.build"
# For the C of our own modules and of Nuitka's run time, which relies on wrapping arithmetic as CPython does.
GENERATED_FLAGS = ["-std=c11", "-DNDEBUG", "-fwrapv", "-fno-strict-aliasing", "-fvisibility=hidden"]
LINK_FLAGS = ["-static", "-s", "-Wl,--gc-sections", "-Wl,--print-map"]
SYSTEM_LIBRARIES = ["-lm"]


@dataclass(frozen=True)
class Parts:
    """The entries that a program is linked from."""

    python: Path
    libraries: dict[str, Path]
    frozen: Path
    generated: Path
    nuitka_tree: Path


def generated_c(workshop: Workshop, source: Source, package: Path, host_python: Path) -> Path:
    """C and constants of all modules of `package`; the same for every target."""
    tree = sources.source_tree(workshop, source)
    # Read once: somebody may save a file while this works.
    modules = {
        str(path.relative_to(package)): path.read_bytes()
        for path in sorted(package.rglob("*.py"))
        if "launcher" not in path.relative_to(package).parts
    }

    def make(bench: Bench) -> None:
        stubs, program = bench.work / "stubs", bench.work / "program"
        for name, text in nuitka_codegen.STUBS.items():
            (stubs / name).parent.mkdir(parents=True, exist_ok=True)
            (stubs / name).write_text(text)
        for name, content in modules.items():
            copy = program / package.name / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)
        # As the main file it must lie beside the package, not in it.
        entry = program / "booklore_sync.py"
        (program / package.name / "__main__.py").rename(entry)
        output = bench.work / "output"
        output.mkdir()
        python = host_python / "bin" / "python3.11"
        command: list[str | Path] = [
            python,
            "-S",
            "-X",
            "frozen_modules=off",
            NUITKA_CODEGEN,
            tree,
            entry,
            package.name,
            output,
        ]
        environment = {"PYTHONPATH": str(stubs), "NUITKA_CACHE_DIR": str(bench.work / "nuitka")}
        bench.run("generate C", command, program, environment)
        generated = output / GENERATED_FOLDER
        for file in sorted(generated.glob("*.[ch]")):
            shutil.copy(file, bench.result)
        shutil.copy(generated / "blobs" / "__constant.bin", bench.result / "constants.bin")
        written = (output / nuitka_codegen.GENERATED_MODULES).read_text().split()
        others = [name for name in written if name != "__main__" and name.split(".")[0] != package.name]
        if others:
            raise BuildError(f"the code generator followed imports out of {package.name}: {', '.join(others)}")

    inputs = {name: hashlib.sha256(content).hexdigest() for name, content in modules.items()}
    code = [__file__, str(NUITKA_CODEGEN)]
    return workshop.entry("generated", package.name, code=code, inputs=inputs, needs=[tree, host_python], make=make)


def executable(workshop: Workshop, target: Target, compiler: Compiler, modules: list[Module], parts: Parts) -> Path:
    """The entry with the stripped executable `program` and the linker's map of it."""
    builtins = [module.name for module in modules if module.kind == "builtin"]

    def make(bench: Bench) -> None:
        runtime = parts.nuitka_tree / nuitka_codegen.RUNTIME_FOLDER
        main_program = nuitka_codegen.main_program((runtime / "MainProgram.c").read_text())
        (bench.work / "MainProgram.c").write_text(main_program)
        (bench.work / "build_definitions.h").write_text(nuitka_codegen.build_definitions())
        (bench.work / "constants.c").write_text(nuitka_codegen.constants_source("constants.bin"))
        shutil.copy(parts.generated / "constants.bin", bench.work)
        (bench.work / "inittab.c").write_text(inittab((parts.python / "config.c").read_text(), builtins))
        include = parts.python / "include"
        core = compile_command(
            [target.optimise, "-DNDEBUG", "-DPy_BUILD_CORE", f"-I{include}", f"-I{include}/internal"]
        )
        folders = [bench.work, parts.generated, *(parts.nuitka_tree / name for name in nuitka_codegen.INCLUDE_FOLDERS)]
        flags = [
            *GENERATED_FLAGS,
            *(f"-D{name}" for name in nuitka_codegen.DEFINES),
            *(f"-I{folder}" for folder in folders),
        ]
        ours = compile_command([target.optimise, *flags, f"-I{include}"])
        our_modules = compile_command([*target.optimise_modules, *flags, f"-I{include}"])
        work: dict[str, list[str | Path]] = {
            "inittab": [*core, bench.work / "inittab.c"],
            "frozen_table": [*core, parts.frozen / "table.c"],
            "frozen_code": [*core, parts.frozen / "code.c"],
            "path_config": [*core, C_FOLDER / "path_config.c"],
            "main_program": [*ours, bench.work / "MainProgram.c"],
            "constants": [*ours, bench.work / "constants.c"],
        }
        work |= {Path(name).stem: [*ours, runtime / name] for name in nuitka_codegen.SOURCES if name != "MainProgram.c"}
        work |= {file.stem: [*our_modules, file] for file in sorted(parts.generated.glob("*.c"))}
        with ThreadPoolExecutor(workshop.jobs) as pool:
            jobs = [
                pool.submit(
                    bench.run, f"compile {name}", [*command, "-o", f"{name}.o"], bench.work, compiler.environment
                )
                for name, command in work.items()
            ]
            for job in jobs:
                job.result()
        archives = [parts.python / "lib" / name for name in ("libpython3.11.a", "libexpat.a")]
        archives += [
            parts.libraries[name] / "lib" / f"lib{file}.a" for name, file in (("sqlite", "sqlite3"), ("openssl", "ssl"))
        ]
        archives += [parts.libraries["openssl"] / "lib" / "libcrypto.a", parts.libraries["zlib"] / "lib" / "libz.a"]
        link: list[str | Path] = [
            "cc",
            *LINK_FLAGS,
            target.optimise,
            *(f"{name}.o" for name in work),
            *archives,
            *SYSTEM_LIBRARIES,
        ]
        # The linker's map, which the size ledger is made of, goes to its standard output.
        commands.run(
            f"{bench.label} link",
            [str(word) for word in (*link, "-o", bench.result / "program")],
            directory=bench.work,
            log=bench.result / LINK_MAP,
            environment=compiler.environment,
        )

    needs = [compiler.folder, parts.python, *parts.libraries.values(), parts.frozen, parts.generated, parts.nuitka_tree]
    inputs = [builtins, target.optimise, target.optimise_modules, GENERATED_FLAGS, LINK_FLAGS, tree_digest(C_FOLDER)]
    code = [__file__, str(NUITKA_CODEGEN)]
    return workshop.entry("program", target.name, code=code, inputs=inputs, needs=needs, make=make)


def inittab(config: str, builtins: list[str]) -> str:
    """CPython's table of built-in modules with only the wanted ones: the linker then never pulls in the others."""
    entry = re.compile(r'^\s*\{"(\w+)",\s*\w+\},\s*$', re.MULTILINE)
    present = entry.findall(config)
    missing = sorted(set(builtins) - set(present))
    if missing:
        raise BuildError(f"builder/modules.toml: no built-in module is called {', '.join(missing)}")
    return entry.sub(lambda match: match.group() if match.group(1) in builtins else "", config)
