"""Everything that knows Nuitka from the inside: the only module to change when Nuitka is upgraded.

Nuitka turns our Python modules into C for the Python it runs under, and compiles that C for the same machine. We want
its C for other machines, and none of its packaging. So this file does three things:

1. Run as a script by the static CPython 3.11 of this machine, it runs Nuitka's own main function up to the point where
   C and constants are complete, and stops there (`generate`).
2. It says how that C, and the C run time that goes with it, must be compiled (`DEFINES`, `SOURCES` and others).
3. It adapts one file of the run time, the main program, to an executable without any file beside it (`main_program`).

Promises: every name and every line of Nuitka that is overridden here is asserted to exist first, so that an upgrade
fails with its name, not at run time on a reader's device.
Never: edits Nuitka on disk. Imports of the builder are not possible here: as a script it runs in a bare Python.
Called by: steps/program.py. Source: Nuitka 4.3.3 as pinned in sources.toml.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

# Accelerated mode: only our own modules become C. The standard library is not Nuitka's business here; it is frozen
# into the interpreter by steps/frozen_modules.py.
FLAGS = (
    "--mode=accelerated",
    "--static-libpython=no",
    "--deployment",
    "--file-reference-choice=frozen",
    "--no-progressbar",
    "--assume-yes-for-downloads",
    "--python-flag=no_site,no_docstrings,no_asserts,dont_write_bytecode,no_annotations",
)

# What Nuitka wants of ctypes, which a static interpreter cannot have: structures for Windows icons, and sizes. The size
# of a C long decides which literals it writes, and is that of the smallest target, so that one set of C serves all.
CTYPES_STUB = '''
class Structure: pass
class Union: pass
class _Size:
    def __init__(self, size): self.size = size
c_long, c_longlong = _Size(4), _Size(8)
def sizeof(kind): return kind.size
class CDLL:
    def __init__(self, *arguments, **options): pass
    def __getattr__(self, name): raise AttributeError(name)
class _MetaclassOf:
    argtypes = restype = None
    def __call__(self, winner, bases):
        for base in bases:
            if not issubclass(winner, type(base)):
                winner = type(base)
        return winner
class pythonapi:
    _PyType_CalculateMetaclass = _MetaclassOf()
def __getattr__(name):
    if name.startswith("__"): raise AttributeError(name)
    return object
'''  # fmt: skip
STUBS = {
    "ctypes/__init__.py": CTYPES_STUB,
    "ctypes/util.py": "def find_library(name): return None\n",
    "_ctypes.py": "",
}

# The run time's C files; the second one includes all others.
SOURCES = ("MainProgram.c", "CompiledFunctionType.c")
RUNTIME_FOLDER = "nuitka/build/static_src"
INCLUDE_FOLDERS = (
    "nuitka/build/include",
    RUNTIME_FOLDER,
    "nuitka/build/inline_copy/libbacktrace",
    "nuitka/build/inline_copy/zlib",
)

# The run time looks at these at compile time.
DEFINES = (
    "_NUITKA_EXE_MODE",
    "_NUITKA_STATIC_LIBPYTHON",
    "_NUITKA_USE_UNEXPOSED_API",
    "_NUITKA_DEPLOYMENT_MODE",
    "_NUITKA_FLAG_ISOLATED",
    "_NUITKA_CONSTANTS_FROM_INCBIN",
    "__NUITKA_NO_ASSERT__",
    "__ZIG__",
    "Py_NO_ENABLE_SHARED",
)
BUILD_DEFINITIONS: dict[str, str | int] = {
    "NO_PYTHON_WARNINGS": 0,
    "SYSFLAG_BYTES_WARNING": 0,
    "SYSFLAG_NO_SITE": 1,
    "SYSFLAG_VERBOSE": 0,
    "SYSFLAG_UTF8": 0,
    "SYSFLAG_OPTIMIZE": 2,
    "SYSFLAG_DONTWRITEBYTECODE": 1,
    "SYSFLAG_NO_RANDOMIZATION": 0,
    "SYSFLAG_UNBUFFERED": 0,
    "SYSFLAG_SAFE_PATH": 0,
    "SYSFLAG_ISOLATED": 1,
    "_NUITKA_NO_ASSERTS": 1,
    "_NUITKA_NO_DOCSTRINGS": 1,
    "_NUITKA_NO_ANNOTATIONS": 1,
    "NUITKA_HAS_FROZEN_MODULES_BOOL": 0,
    "NUITKA_MAIN_IS_PACKAGE_BOOL": 0,
    "NUITKA_MAIN_MODULE_NAME": '"__main__"',
}
# Members of `sys` that differ between this machine and a target: looked up at run time, not folded into constants.
DIFFERENT_ON_THE_TARGET = ("maxsize", "version", "hexversion", "platform", "byteorder", "builtin_module_names")
PLACES_IN_SYS = ("executable", "prefix", "base_prefix", "exec_prefix", "base_exec_prefix")
CONSTANTS_SYMBOL = "constant_bin_data"
GENERATED_MODULES = "modules.txt"


def build_definitions() -> str:
    """The header `build_definitions.h` that the generated C includes."""
    return "".join(f"#define {name} {value}\n" for name, value in sorted(BUILD_DEFINITIONS.items()))


def constants_source(blob_name: str) -> str:
    """C that carries the constants of all modules inside the executable."""
    return (
        f'__asm__(".section .rodata\\n.global {CONSTANTS_SYMBOL}\\n.balign 16\\n{CONSTANTS_SYMBOL}:\\n'
        f'.incbin \\"{blob_name}\\"\\n.byte 0\\n.previous\\n");\n'
        f"extern const unsigned char {CONSTANTS_SYMBOL}[];\n"
        f"const unsigned char *getconstant_binData(void) {{ return {CONSTANTS_SYMBOL}; }}\n"
    )


# Each of these is replaced exactly once in MainProgram.c.
MAIN_PROGRAM_CHANGES = {
    # The interpreter's start-up modules come from CPython's frozen table, there is no folder to find them in.
    "        config.use_frozen_modules = 0;\n    }\n": "    }\n    config.use_frozen_modules = 1;\n",
    # Would import `inspect` and all it needs at every start, to teach it about compiled generators.
    "    patchInspectModule(tstate);\n": "",
}


def main_program(text: str) -> str:
    """Nuitka's main program, changed for an executable that stands alone."""
    for old, new in MAIN_PROGRAM_CHANGES.items():
        count = text.count(old)
        assert count == 1, f"MainProgram.c holds {old!r} {count} times, not once: look at the new Nuitka"
        text = text.replace(old, new)
    return text


def generate(entry: Path, package: str, output: Path) -> None:
    """Writes C and constants for `entry` and all modules of `package` into `output`. Ends the process."""
    sys.argv = ["nuitka", *FLAGS, f"--include-package={package}", f"--follow-import-to={package}"]
    sys.argv += [f"--output-dir={output}", str(entry)]

    # Wants performance counters through ctypes.
    profiling = ModuleType("nuitka.utils.Profiling")
    profiling.__dict__.update(PerfCounters=None, hasPerfProfilingSupport=lambda: False)
    sys.modules["nuitka.utils.Profiling"] = profiling

    from nuitka import PythonVersions  # type: ignore[import-not-found, unused-ignore]
    from nuitka.__main__ import main  # type: ignore[import-not-found, unused-ignore]
    from nuitka.plugins import Plugins  # type: ignore[import-not-found, unused-ignore]

    assert PythonVersions.sizeof_clong == 4, "the ctypes stub is not in use"
    activate_plugins = _existing(Plugins, "activatePlugins")

    def activate_and_override() -> None:
        activate_plugins()
        _override(output)

    # The first moment at which the options are parsed, before which most of Nuitka cannot be imported.
    Plugins.activatePlugins = activate_and_override
    main()
    raise SystemExit("Nuitka ended without asking for a compilation")


def _override(output: Path) -> None:
    from nuitka import HardImportRegistry, MainControl, ModuleRegistry  # type: ignore[import-not-found, unused-ignore]
    from nuitka.code_generation import ConstantCodes  # type: ignore[import-not-found, unused-ignore]

    # The interpreter's own place would become a constant of the program.
    placeless_sys = ModuleType("sys")
    placeless_sys.__dict__.update(_existing(ConstantCodes, "sys").__dict__)
    placeless_sys.__dict__.update(dict.fromkeys(PLACES_IN_SYS, ""))
    ConstantCodes.sys = placeless_sys

    trust = _existing(HardImportRegistry, "module_sys_trust")
    for name in DIFFERENT_ON_THE_TARGET:
        assert name in trust, f"HardImportRegistry.module_sys_trust has no {name!r} any more"
        trust[name] = _existing(HardImportRegistry, "trust_exist")
    done_modules = _existing(ModuleRegistry, "getDoneModules")

    def stop_before_compiling() -> None:
        modules = sorted(module.getFullName().asString() for module in done_modules())
        (output / GENERATED_MODULES).write_text("\n".join(modules) + "\n")
        sys.stdout.flush()
        os._exit(0)

    _existing(MainControl, "runSconsBackend")
    MainControl.runSconsBackend = stop_before_compiling


def _existing(module: Any, name: str) -> Any:
    assert hasattr(module, name), f"{module.__name__} has no {name!r} any more"
    return getattr(module, name)


if __name__ == "__main__":
    nuitka_tree, entry_file, package_name, output_folder = sys.argv[1:]
    sys.path.insert(0, nuitka_tree)
    generate(Path(entry_file), package_name, Path(output_folder))
