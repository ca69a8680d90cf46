"""Checks that the worker keeps to the restricted subset: `python -m builder.subset device`

Promises: prints `file:line: rule: reason` for each breach and exits 1; reads source text only, runs nothing.
Never: judges style; that is ruff's work. `device/launcher` is Lua and not looked at.
Called by: `make check`.

The rules are data: RULES says what each forbids and why, ROOMS which room may import which, modules.toml which modules
of the standard library exist on the device at all. Two checks look at more than one statement: recursion at the calls
between the functions of a module, and the start path at the imports between modules.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from builder.module_list import load_modules
from builder.subset_calls import recursive_functions

RULES = {
    "module": "not on the list of modules that the executable holds (builder/modules.toml)",
    "room": "this room may not import that one (ROOMS in builder/subset.py)",
    "start": "network modules cost 9 million instructions: import them in the function that needs them",
    "future": "needs `from __future__ import annotations`, because it imports names for type checking only",
    "dynamic": "the compiler cannot see through it",
    "patch": "changes another module behind its back",
    "metaclass": "metaclasses are slow and compile badly",
    "kwargs": "**keywords hide what is passed and build a dictionary for each call",
    "recursion": "input decides how deep it goes, and the stack is small: use a loop",
    "async": "compiled coroutines need a part of Nuitka's run time that is left out",
    "encoding": "the executable holds UTF-8, ASCII and Latin-1 only; others fail at run time",
}

# First match wins. A module may import its own room, and what is named here; `device.x` stands for a module or a room.
# Everything else (`worker`, `sync`, ...) is the thin loop around the rooms and may import all of them.
ROOMS: dict[str, tuple[str, ...]] = {
    "device.core": ("device.json_text",),  # text in, values out: no input or output of its own
    "device.store": ("device.core", "device.disk", "device.version"),
    "device.koreader": ("device.core", "device.disk", "device.json_text"),
    "device.epub": (),
    "device.server": ("device.core", "device.json_text", "device.version", "device.secrets", "device.store.outbox"),
    "device.ui": ("device.core", "device.json_text", "device.store.outbox"),
}
# What a room must not import although it is on the list of modules.
ROOMS_WITHOUT: dict[str, tuple[str, ...]] = {
    "device.core": (
        "posix",
        "time",
        "_socket",
        "_ssl",
        "_sqlite3",
        "_random",
        "_signal",
        "select",
        "fcntl",
        "termios",
        "sys",
    ),
    "device.store": ("_socket", "_ssl", "select"),
    "device.koreader": ("_socket", "_ssl", "_sqlite3", "select"),  # its statistics are read through the store's room
    "device.epub": ("_socket", "_ssl", "_sqlite3", "select"),
    "device.ui": ("posix", "_socket", "_ssl", "_sqlite3", "select"),
}
NETWORK_MODULES = ("_socket", "_ssl")
DYNAMIC_NAMES = (
    "eval",
    "exec",
    "compile",
    "__import__",
    "globals",
    "locals",
    "vars",
    "breakpoint",
    "setattr",
    "delattr",
)
DYNAMIC_ATTRIBUTES = {"sys": ("modules", "meta_path", "path_hooks", "settrace", "setprofile", "path")}
ENCODINGS = ("utf-8", "ascii", "latin-1")


@dataclass(frozen=True, order=True)
class Breach:
    """One place where a rule is broken."""

    file: str
    line: int
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.detail}: {RULES[self.rule]}"


@dataclass(frozen=True)
class Import:
    """One imported module: `at_top` if loading the importing module loads it, `checked` if only mypy ever does."""

    module: str
    line: int
    at_top: bool
    checked: bool


class Source:
    """One module of the package, parsed."""

    def __init__(self, path: Path, name: str, package_names: frozenset[str]) -> None:
        self.path = path
        self.name = name
        self.tree = ast.parse(path.read_bytes(), str(path))
        self.imports = list(_imports(self.tree.body, package_names, at_top=True, checked=False))

    def breach(self, line: int, rule: str, detail: str) -> Breach:
        return Breach(str(self.path), line, rule, detail)


def check(package: Path) -> list[Breach]:
    """All breaches in the package, in the order of files and lines."""
    paths = [path for path in sorted(package.rglob("*.py")) if "launcher" not in path.relative_to(package).parts]
    names = {path: _module_name(path, package) for path in paths}
    known = frozenset(names.values())
    modules = {name: Source(path, name, known) for path, name in names.items()}
    breaches = [breach for source in modules.values() for breach in _check_module(source)]
    return sorted([*breaches, *_check_start_path(modules)])


def _check_module(source: Source) -> Iterator[Breach]:
    yield from _check_imports(source)
    for node in ast.walk(source.tree):
        yield from _check_node(source, node)
    for line, chain in recursive_functions(source.tree):
        yield source.breach(line, "recursion", " -> ".join(chain))


def _check_imports(source: Source) -> Iterator[Breach]:
    allowed = {module.name for module in load_modules() if module.device}
    room = ".".join(source.name.split(".")[:2])
    for found in source.imports:
        if found.checked:
            continue
        own = found.module.split(".")[0] == source.name.split(".")[0]
        if not own and found.module not in allowed:
            yield source.breach(found.line, "module", found.module)
        if not own and found.module in ROOMS_WITHOUT.get(room, ()):
            yield source.breach(found.line, "room", f"{room} imports {found.module}")
        if own and room in ROOMS and not _within(found.module, (room, source.name.split(".")[0], *ROOMS[room]), room):
            yield source.breach(found.line, "room", f"{room} imports {found.module}")
    future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in source.tree.body)
    checked = [found.line for found in source.imports if found.checked]
    if checked and not future:
        yield source.breach(checked[0], "future", source.name)


def _within(module: str, allowed: tuple[str, ...], room: str) -> bool:
    """Whether `module` is one of `allowed` or below it; the bare package (`device`) allows only itself."""
    package = room.split(".")[0]
    return any(module == name or (name != package and module.startswith(f"{name}.")) for name in allowed)


def _check_node(source: Source, node: ast.AST) -> Iterator[Breach]:
    match node:
        case ast.Name(id=name) if name in DYNAMIC_NAMES:
            yield source.breach(node.lineno, "dynamic", name)
        case ast.Attribute(value=ast.Name(id=module), attr=name) if name in DYNAMIC_ATTRIBUTES.get(module, ()):
            yield source.breach(node.lineno, "dynamic", f"{module}.{name}")
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _check_patch(source, target)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield from _check_patch(source, target)
        case ast.ClassDef(keywords=keywords, bases=bases):
            if any(keyword.arg == "metaclass" for keyword in keywords) or any(
                ast.unparse(base) == "type" for base in bases
            ):
                yield source.breach(node.lineno, "metaclass", node.name)
        case ast.FunctionDef(args=arguments) | ast.Lambda(args=arguments) if arguments.kwarg is not None:
            yield source.breach(node.lineno, "kwargs", f"**{arguments.kwarg.arg}")
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield source.breach(node.lineno, "async", type(node).__name__)
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if any(keyword.arg is None for keyword in keywords):
                yield source.breach(node.lineno, "kwargs", f"in the call of {ast.unparse(function)}")
            yield from _check_encoding(source, function, arguments, keywords)


def _check_patch(source: Source, target: ast.expr) -> Iterator[Breach]:
    """Assigning to an attribute of what was imported; `self.x` and local objects are none."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in imported:
        yield source.breach(target.lineno, "patch", ast.unparse(target))


def _check_encoding(
    source: Source, function: ast.expr, arguments: list[ast.expr], keywords: list[ast.keyword]
) -> Iterator[Breach]:
    if not isinstance(function, ast.Attribute) or function.attr not in ("encode", "decode"):
        return
    named = [keyword.value for keyword in keywords if keyword.arg == "encoding"]
    for value in [*arguments[:1], *named]:
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.lower() not in ENCODINGS:
            yield source.breach(value.lineno, "encoding", repr(value.value))


def _check_start_path(modules: dict[str, Source]) -> Iterator[Breach]:
    """Follows the imports that happen whenever the program starts."""
    waiting = [name for name in modules if name.endswith(".__main__")]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in modules:
            continue
        reached.add(name)
        source = modules[name]
        for found in source.imports:
            if not found.at_top or found.checked:
                continue
            if found.module in NETWORK_MODULES:
                yield source.breach(found.line, "start", f"{found.module}, loaded at every start through {name}")
            waiting.append(found.module)


def _imports(body: list[ast.stmt], known: frozenset[str], *, at_top: bool, checked: bool) -> Iterator[Import]:
    """The imports of a module, the outermost first; `if TYPE_CHECKING` is only seen by mypy, its `else` by all."""
    waiting = [(statement, at_top, checked) for statement in body]
    while waiting:
        statement, at_top, checked = waiting.pop(0)
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(alias.name, statement.lineno, at_top, checked)
            case ast.ImportFrom(module=str(module), names=names):
                for alias in names:
                    submodule = f"{module}.{alias.name}"
                    yield Import(submodule if submodule in known else module, statement.lineno, at_top, checked)
            case ast.ImportFrom():
                yield Import("." * statement.level, statement.lineno, at_top, checked)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=inner, orelse=otherwise):
                waiting += [(one, at_top, True) for one in inner] + [(one, at_top, checked) for one in otherwise]
            case _:
                inside = at_top and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
                waiting += [
                    (one, inside, checked) for one in ast.iter_child_nodes(statement) if isinstance(one, ast.stmt)
                ]
                for handler in ast.iter_child_nodes(statement):
                    if isinstance(handler, ast.ExceptHandler | ast.match_case):
                        waiting += [(one, inside, checked) for one in handler.body]


def _module_name(path: Path, package: Path) -> str:
    parts = [package.name, *path.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main(arguments: list[str]) -> int:
    """Checks a package; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m builder.subset", description="Checks the worker's restricted subset."
    )
    parser.add_argument("package", type=Path)
    package = parser.parse_args(arguments).package
    if not (package / "__main__.py").exists():
        parser.error(f"{package} is not a program: it has no __main__.py")
    breaches = check(package)
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
