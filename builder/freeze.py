"""Turns Python modules into C: code objects as static data that need no loading at start.

Run as a script by the static CPython 3.11 of this machine, because byte code belongs to one version of Python:
`python freeze.py <folder of deepfreeze.py> <modules.json> <output folder>`, with modules.json as written by
steps/frozen_modules.py. The work is done by CPython's own deepfreeze; this adds the tables that CPython has in
Python/frozen.c, for our list instead of its own.

Promises: docstrings and assertions are gone; the same input gives the same bytes.
"""

import json
import marshal
import sys
from pathlib import Path

DEEPFREEZE_NAME_PARTS = str.maketrans({".": "_"})

TABLE_HEAD = """\
/* The modules frozen into this executable, in place of CPython's Python/frozen.c. */
#include "Python.h"
#include "pycore_import.h"
#include <stdbool.h>

"""
TABLE_TAIL = """
static const struct _frozen no_modules[] = {{0, 0, 0}};
const struct _frozen *_PyImport_FrozenBootstrap = bootstrap_modules;
const struct _frozen *_PyImport_FrozenStdlib = stdlib_modules;
const struct _frozen *_PyImport_FrozenTest = no_modules;
const struct _frozen *PyImport_FrozenModules = NULL;

static const struct _module_alias aliases[] = {
    {"_frozen_importlib", "importlib._bootstrap"},
    {"_frozen_importlib_external", "importlib._bootstrap_external"},
    {0, 0}
};
const struct _module_alias *_PyImport_FrozenAliases = aliases;
"""
# These two are looked up in a table of their own, before any module can be imported.
BOOTSTRAP = ("_frozen_importlib", "_frozen_importlib_external")


def freeze(modules: list[dict[str, str | bool]], output: Path) -> None:
    """Writes `code.c` and `table.c`."""
    import deepfreeze  # type: ignore[import-not-found]
    import umarshal  # type: ignore[import-not-found]

    with (output / "code.c").open("w") as file:
        printer = deepfreeze.Printer(file)
        for module in modules:
            name, path = str(module["origin"]), Path(str(module["path"]))
            # CPython itself looks for "<frozen importlib._bootstrap>" when it shortens tracebacks.
            code = compile(path.read_bytes(), f"<frozen {name}>", "exec", dont_inherit=True, optimize=2)
            printer.generate_file(name.translate(DEEPFREEZE_NAME_PARTS), umarshal.loads(marshal.dumps(code)))
        file.write("\nvoid _Py_Deepfreeze_Fini(void) {\n")
        file.writelines(f"    {statement}\n" for statement in printer.deallocs)
        file.write("}\nint _Py_Deepfreeze_Init(void) {\n")
        file.writelines(f"    if ({expression} < 0) return -1;\n" for expression in printer.interns)
        file.write("    return 0;\n}\n")
    (output / "table.c").write_text(table(modules))


def table(modules: list[dict[str, str | bool]]) -> str:
    """C for the tables that CPython's import system searches."""
    getter = {
        str(module["name"]): f"_Py_get_{str(module['origin']).translate(DEEPFREEZE_NAME_PARTS)}_toplevel"
        for module in modules
    }
    lines = [f"extern PyObject *{function}(void);\n" for function in getter.values()]
    for variable, bootstrap in (("bootstrap_modules", True), ("stdlib_modules", False)):
        lines.append(f"\nstatic const struct _frozen {variable}[] = {{\n")
        for module in modules:
            name, package = str(module["name"]), "true" if module["package"] else "false"
            if (name in BOOTSTRAP) == bootstrap:
                lines.append(f'    {{"{name}", NULL, 0, {package}, {getter[name]}}},\n')
        lines.append("    {0, 0, 0}\n};\n")
    return TABLE_HEAD + "".join(lines) + TABLE_TAIL


if __name__ == "__main__":
    tools, listing, folder = sys.argv[1:]
    sys.path.insert(0, tools)
    freeze(json.loads(Path(listing).read_text()), Path(folder))
