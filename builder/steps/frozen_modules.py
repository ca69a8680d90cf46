"""Freezes the Python modules of the allowed list into C, after proving that they import nothing else.

Promises: a module that is not on the list cannot get into the image; when one on the list imports a stranger at its top
level, the build stops with the chain of imports.
Called by: the program step.
"""

import ast
import json
from pathlib import Path

from builder.failures import BuildError
from builder.module_list import SLIM_FOLDER, Module
from builder.pins import HERE
from builder.workshop import Bench, Workshop, file_digest

# Conditions as the standard library writes them: type checkers, scripts, other operating systems.
NEVER_TRUE = ("TYPE_CHECKING", "__name__ == '__main__'", "_MS_WINDOWS", "sys.platform == 'win32'")
FREEZE_SCRIPT = HERE / "freeze.py"


def frozen_modules(workshop: Workshop, modules: list[Module], cpython_tree: Path, host_python: Path) -> Path:
    """The entry with `code.c` and `table.c`."""
    files = {module.name: _source_file(module, cpython_tree) for module in modules if module.kind != "builtin"}
    check_closed(modules, files)

    def make(bench: Bench) -> None:
        listing = [
            {"name": module.name, "origin": module.origin, "package": module.package, "path": str(files[module.name])}
            for module in modules
            if module.kind != "builtin"
        ]
        (bench.work / "modules.json").write_text(json.dumps(listing))
        tools = cpython_tree / "Tools" / "scripts"
        command: list[str | Path] = [
            host_python / "bin" / "python3.11",
            "-S",
            "-B",
            FREEZE_SCRIPT,
            tools,
            "modules.json",
            bench.result,
        ]
        bench.run("freeze", command, bench.work)

    inputs = [
        [module.name, module.origin, module.package, file_digest(files[module.name])]
        for module in modules
        if module.name in files
    ]
    code = [__file__, str(FREEZE_SCRIPT)]
    needs = [cpython_tree, host_python]
    return workshop.entry("frozen", "any", code=code, inputs=inputs, needs=needs, make=make)


def check_closed(modules: list[Module], files: dict[str, Path]) -> None:
    """Raises `BuildError` with the chain if a frozen module imports, when it is loaded, what is not on the list."""
    allowed = {module.name for module in modules} | {module.origin for module in modules}
    for name, path in files.items():
        for imported, line in top_level_imports(ast.parse(path.read_bytes()), name, path.name == "__init__.py"):
            if imported not in allowed:
                raise BuildError(
                    f"the module {imported!r} is not on the list in builder/modules.toml\n"
                    f"  imported by: {path.name}, line {line} (module {name!r})\n"
                    f"  which is on the list because of: {_reason(modules, name)}"
                )


def top_level_imports(tree: ast.Module, name: str, is_package: bool) -> list[tuple[str, int]]:
    """The modules that running `tree` imports: outside functions and outside `try`, which has its own way out."""
    package = name if is_package else name.rpartition(".")[0]
    found: list[tuple[str, int]] = []
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        statement = waiting.pop(0)
        match statement:
            case ast.Import(names=names):
                found += [(alias.name, statement.lineno) for alias in names]
            case ast.ImportFrom(module=None, names=names):
                found += [(f"{package}.{alias.name}", statement.lineno) for alias in names]
            case ast.ImportFrom(module=module) if module is not None:
                found.append((module, statement.lineno))
            case ast.If(body=body, orelse=orelse):
                if not _never_true(statement.test):
                    waiting += body
                waiting += orelse
            case ast.ClassDef(body=body):
                waiting += body
    return found


def _never_true(test: ast.expr) -> bool:
    return ast.unparse(test) in NEVER_TRUE


def _source_file(module: Module, cpython_tree: Path) -> Path:
    path = (SLIM_FOLDER if module.kind == "slim" else cpython_tree / "Lib") / module.file
    if not path.exists():
        raise BuildError(f"builder/modules.toml: {module.name} has no file {module.file}")
    return path


def _reason(modules: list[Module], name: str) -> str:
    return next(module.reason for module in modules if module.name == name)
