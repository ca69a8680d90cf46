"""The restricted subset: every rule catches what it forbids, and lets the nearest allowed thing pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import subset

HEAD = "from __future__ import annotations\n"
RECURSIVE_METHOD = """
class Tree:
    def size(self):
        return self.half() * 2
    def half(self):
        return self.size() // 2
"""
BROKEN = {
    "a module that the image does not hold": ("module", "import re\n"),
    "a module by a from import": ("module", "from json import dumps\n"),
    "a module that only CPython itself may use": ("module", "import functools\n"),
    "a relative import": ("module", "from . import disk\n"),
    "a forbidden module in the else of a type check": ("module", "if TYPE_CHECKING:\n    pass\nelse:\n    import re\n"),
    "a forbidden module in an except clause": (
        "module",
        "try:\n    import zlib\nexcept ImportError:\n    import gzip\n",
    ),
    "eval": ("dynamic", "x = eval('1')\n"),
    "exec": ("dynamic", "exec('x = 1')\n"),
    "an import by name": ("dynamic", "__import__('time')\n"),
    "the module's own dictionary": ("dynamic", "globals()['x'] = 1\n"),
    "setattr": ("dynamic", "setattr(object(), 'a', 1)\n"),
    "the table of modules": ("dynamic", "import sys\nx = sys.modules\n"),
    "an import hook": ("dynamic", "import sys\nsys.meta_path.append(None)\n"),
    "a changed module": ("patch", "import time\ntime.sleep = print\n"),
    "a metaclass": ("metaclass", "class A(metaclass=B):\n    pass\n"),
    "a class of classes": ("metaclass", "class A(type):\n    pass\n"),
    "keywords in a definition": ("kwargs", "def f(**options):\n    pass\n"),
    "keywords in a call": ("kwargs", "def f(a):\n    f2(**a)\n"),
    "a function that calls itself": ("recursion", "def f(n):\n    return f(n - 1)\n"),
    "two functions that call each other": ("recursion", "def f(n):\n    return g(n)\n\ndef g(n):\n    return f(n)\n"),
    "methods that call each other": ("recursion", RECURSIVE_METHOD),
    "a nested function that calls itself": ("recursion", "def f():\n    def g():\n        g()\n    g()\n"),
    "a coroutine": ("async", "async def f():\n    pass\n"),
    "an encoding that is not there": ("encoding", "x = b'a'.decode('cp1252')\n"),
    "an encoding by keyword": ("encoding", "x = 'a'.encode(encoding='idna')\n"),
    "typing without a future import": (
        "future",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\n",
    ),
}
ALLOWED = {
    "a module on the list": "import posix\n",
    "the package itself": "from device import disk\n",
    "typing for the type checker": HEAD + "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\n",
    "an attribute of its own object": "class A:\n    def f(self):\n        self.x = 1\n",
    "a dictionary display": "a = {}\nb = {**a}\n",
    "a loop": "def f(n):\n    while n:\n        n -= 1\n",
    "a method named like the function it calls": "def f():\n    pass\n\nclass A:\n    def f(self):\n        f()\n",
    "a network module in a function": "def f():\n    import _ssl\n    return _ssl\n",
    "the encodings that are there": "x = 'a'.encode('utf-8') + 'b'.encode('ascii')\n",
}


def package_with(folder: Path, files: dict[str, str]) -> Path:
    package = folder / "device"
    for name, text in {"__init__.py": "", "disk.py": "", "__main__.py": "from device import tried\n", **files}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return package


@pytest.mark.parametrize("what", BROKEN)
def test_the_checker_refuses(what: str, tmp_path: Path) -> None:
    rule, text = BROKEN[what]
    breaches = subset.check(package_with(tmp_path, {"tried.py": text}))
    assert [breach.rule for breach in breaches] == [rule]
    assert breaches[0].file.endswith("tried.py")


@pytest.mark.parametrize("what", ALLOWED)
def test_the_checker_lets_pass(what: str, tmp_path: Path) -> None:
    assert subset.check(package_with(tmp_path, {"tried.py": ALLOWED[what]})) == []


def test_a_network_module_that_every_start_would_load_is_refused_with_the_module_that_imports_it(
    tmp_path: Path,
) -> None:
    files = {"tried.py": "from device import wire\n", "wire.py": "import zlib\nimport _socket\n"}
    (breach,) = subset.check(package_with(tmp_path, files))
    assert (breach.rule, Path(breach.file).name, breach.line) == ("start", "wire.py", 2)


def test_a_module_that_is_loaded_on_demand_may_import_the_network(tmp_path: Path) -> None:
    files = {"tried.py": "def f():\n    from device import wire\n", "wire.py": "import _socket\n"}
    assert subset.check(package_with(tmp_path, files)) == []


@pytest.mark.parametrize(
    "room, statement",
    [
        ("core", "import posix"),
        ("core", "from device import disk"),
        ("core", "import time"),
        ("store", "import _socket"),
    ],
)
def test_a_room_that_reaches_outside_is_refused(room: str, statement: str, tmp_path: Path) -> None:
    files = {"tried.py": "", f"{room}/__init__.py": "", f"{room}/rule.py": f"{statement}\n"}
    assert [breach.rule for breach in subset.check(package_with(tmp_path, files))] == ["room"]


def test_core_may_import_core(tmp_path: Path) -> None:
    files = {"tried.py": "", "core/__init__.py": "", "core/a.py": "from device.core import b\n", "core/b.py": ""}
    assert subset.check(package_with(tmp_path, files)) == []


def test_a_breach_is_one_line_with_file_line_rule_and_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = package_with(tmp_path, {"tried.py": "\nimport re\n"})
    assert subset.main([str(package)]) == 1
    assert capsys.readouterr().out == f"{package}/tried.py:2: module: re: {subset.RULES['module']}\n"


def test_every_rule_is_seen_failing_in_this_file() -> None:
    assert {rule for rule, _text in BROKEN.values()} | {"start", "room"} == set(subset.RULES)


def test_the_worker_itself_keeps_to_the_subset() -> None:
    assert subset.check(Path(__file__).parents[2] / "device") == []
