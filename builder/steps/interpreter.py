"""CPython as a static archive for a target, and the runnable Python of this machine that helps to make it.

Promises: every C module is built in, none is loaded from a file; the interpreter for this machine's own architecture is
built first, and for foreign targets it does what CPython's build asks a Python for. So the host needs no Python 3.11.
Never: runs a program of a foreign target; installs anything.
Called by: the code generation step and the program step.
"""

import platform
import shutil
from pathlib import Path

from builder.pins import HERE, Source, Target
from builder.steps import sources
from builder.steps.toolchain import Compiler, compile_command
from builder.workshop import Bench, Workshop, file_digest

MODULES_SETUP = HERE / "extension_modules.setup"
ZSTANDARD_C = HERE / "c" / "zstandard_c.c"

CONFIGURE_OPTIONS = [
    "--prefix=/nonexistent",
    "--disable-shared",
    "--disable-test-modules",
    "--without-ensurepip",
    "--without-doc-strings",
    "--without-decimal-contextvar",
    "--with-computed-gotos",
    "--enable-big-digits=30",
    "--enable-ipv6",
    "--with-pkg-config=no",
    "--with-builtin-hashlib-hashes=md5,sha1,sha256,sha512,sha3,blake2",
]
# What configure would find out by running a program, which it cannot do for a foreign target; true for Linux with musl.
# With aligned_required=yes (the guess) string hashes would be FNV in place of SipHash.
CONFIGURE_ANSWERS = {
    "ac_cv_aligned_required": "no",
    "ac_cv_broken_nice": "no",
    "ac_cv_broken_poll": "no",
    "ac_cv_broken_sem_getvalue": "no",
    "ac_cv_buggy_getaddrinfo": "no",
    "ac_cv_file__dev_ptc": "no",
    "ac_cv_file__dev_ptmx": "no",
    "ac_cv_func_getrandom": "yes",
    "ac_cv_header_libintl_h": "no",
    "ac_cv_lib_intl_textdomain": "no",
    "ac_cv_posix_semaphores_enabled": "yes",
    "ac_cv_pthread_is_default": "yes",
    "ac_cv_pthread_system_supported": "yes",
    "ac_cv_wchar_t_signed": "yes",
    "ac_cv_working_tzset": "yes",
    # configure insists on a readelf for the target, and then uses it for nothing that is built here.
    "READELF": "true",
}
SECTION_FLAGS = "-ffunction-sections -fdata-sections"
# Parts of the standard library that no build step and no program of ours touches.
STDLIB_LEFT_OUT = ("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "__pycache__")


def host_architecture() -> str:
    """This machine's name in targets.toml."""
    return {"arm64": "aarch64"}.get(platform.machine(), platform.machine())


def interpreter(
    workshop: Workshop,
    source: Source,
    target: Target,
    compiler: Compiler,
    libraries: dict[str, Path],
    host_python: Path | None,
) -> Path:
    """`lib/libpython3.11.a` and what is needed to link it; with `bin/python3.11` when `target` is this machine.

    `host_python` is the entry of this function for this machine's own target, or None when that is what is asked for.
    """
    tree = sources.source_tree(workshop, source)
    native = host_python is None

    def make(bench: Bench) -> None:
        build = bench.work / "build"
        (build / "Modules").mkdir(parents=True)
        (bench.work / "src").symlink_to(tree)
        shutil.copy(MODULES_SETUP, build / "Modules" / "Setup.local")
        include = " ".join(f"-I{entry}/include" for entry in libraries.values())
        library_path = " ".join(f"-L{entry}/lib" for entry in libraries.values())
        environment = compiler.environment | CONFIGURE_ANSWERS | {
            "CC": "cc",
            "CXX": "c++",
            "CPP": "cc -E",
            "AR": "ar",
            "RANLIB": "ranlib",
            "OPT": f"-DNDEBUG -fwrapv -w {target.optimise}",
            "CFLAGS": SECTION_FLAGS,
            "CPPFLAGS": include,
            "LDFLAGS": f"-static -s -Wl,--gc-sections {library_path}",
        }  # fmt: skip
        platforms = [f"--host={target.gnu_triplet}", f"--build={target.gnu_triplet}"]
        if host_python is not None:
            build_triplet = f"{host_architecture()}-linux-gnu"
            platforms = [platforms[0], f"--build={build_triplet}", f"--with-build-python={host_python}/bin/python3.11"]
        bench.run("configure", ["../src/configure", *platforms, *CONFIGURE_OPTIONS], build, environment)
        goals = ["libpython3.11.a", "Programs/python.o", "Modules/expat/libexpat.a"]
        bench.run("make", ["make", f"-j{workshop.jobs}", *goals], build, environment)
        (bench.result / "lib").mkdir()
        shutil.copy(build / "libpython3.11.a", bench.result / "lib")
        shutil.copy(build / "Modules" / "expat" / "libexpat.a", bench.result / "lib")
        shutil.copy(build / "Modules" / "config.c", bench.result)
        shutil.copytree(tree / "Include", bench.result / "include")
        shutil.copy(build / "pyconfig.h", bench.result / "include")
        if native:
            _install_for_this_machine(bench, tree, build, environment)

    inputs = [target.gnu_triplet, target.optimise, CONFIGURE_OPTIONS, CONFIGURE_ANSWERS, file_digest(MODULES_SETUP)]
    needs = [tree, compiler.folder, *libraries.values(), *([host_python] if host_python else [])]
    return workshop.entry("interpreter", target.name, code=[__file__], inputs=inputs, needs=needs, make=make)


def zstandard(workshop: Workshop, source: Source, target: Target, compiler: Compiler, python: Path) -> Path:
    """python-zstandard's C part as an archive of its own: the updater links it, the worker does not."""
    tree = sources.source_tree(workshop, source)

    def make(bench: Bench) -> None:
        folders = [tree, tree / "c-ext", tree / "zstd", python / "include"]
        command = compile_command([target.optimise_libraries, *(f"-I{folder}" for folder in folders)])
        shutil.copy(ZSTANDARD_C, bench.work)
        bench.run("compile", [*command, ZSTANDARD_C.name], bench.work, compiler.environment)
        (bench.result / "lib").mkdir()
        archive = bench.result / "lib" / "libzstandard_c.a"
        bench.run("archive", ["ar", "rcsD", archive, "zstandard_c.o"], bench.work, compiler.environment)

    inputs = [target.optimise_libraries, file_digest(ZSTANDARD_C)]
    needs = [tree, compiler.folder, python]
    return workshop.entry("zstandard", target.name, code=[__file__], inputs=inputs, needs=needs, make=make)


def _install_for_this_machine(bench: Bench, tree: Path, build: Path, environment: dict[str, str]) -> None:
    """Adds the executable and the library of Python modules around it, so that it runs where it lies."""
    bench.run("link", ["make", "python", "pybuilddir.txt"], build, environment)
    (bench.result / "bin").mkdir()
    shutil.copy(build / "python", bench.result / "bin" / "python3.11")
    library = bench.result / "lib" / "python3.11"
    shutil.copytree(tree / "Lib", library, ignore=shutil.ignore_patterns(*STDLIB_LEFT_OUT))
    (library / "lib-dynload").mkdir(exist_ok=True)
    built = build / (build / "pybuilddir.txt").read_text().strip()
    for file in built.glob("_sysconfigdata*.py"):
        shutil.copy(file, library)
