"""SQL is written in `device/store/` only, and there a function performs at most one statement."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reader import ROOT

DEVICE = ROOT / "device"
STORE = DEVICE / "store"
BEGINS_LIKE_SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(TABLE|INDEX|VIEW)\s"
    r"|DROP\s+(TABLE|INDEX)\s|ALTER\s+TABLE\s|PRAGMA\s|BEGIN\s+IMMEDIATE|COMMIT$|ROLLBACK$)"
)
EXECUTING = ("execute", "executemany", "executescript")
# The pragmas of a new connection, the steps of a migration, and how a transaction ends.
MORE_THAN_ONE = ("_open", "migrate", "_fault_of_schema", "__exit__")


def modules(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if "launcher" not in path.parts]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def texts(tree: ast.AST) -> Iterator[ast.Constant]:
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            yield node


def statements(function: ast.FunctionDef) -> int:
    return sum(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EXECUTING
        for node in ast.walk(function)
    )


@pytest.mark.parametrize("path", names([path for path in modules(DEVICE) if STORE not in path.parents]))
def test_no_sql_outside_the_store(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    found = [(text.lineno, text.value) for text in texts(tree) if BEGINS_LIKE_SQL.match(str(text.value))]
    assert found == []


@pytest.mark.parametrize("path", names(modules(STORE)))
def test_a_function_of_the_store_performs_at_most_one_statement(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    several = [function.name for function in functions if statements(function) > 1]
    assert [name for name in several if name not in MORE_THAN_ONE] == []


def test_the_search_finds_sql() -> None:
    tree = ast.parse('def f(store):\n    """SELECT is a word."""\n    return store.execute("SELECT 1 FROM book")\n')
    assert [text.value for text in texts(tree) if BEGINS_LIKE_SQL.match(str(text.value))] == ["SELECT 1 FROM book"]
