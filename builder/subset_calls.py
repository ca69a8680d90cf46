"""Which functions of a module call themselves, directly or through each other.

Promises: sees calls by plain name, by `self.name` within a class, and by `Class.name`; calls through variables or other
modules are not followed. That is imperfect: it finds the recursion that people write, not the one they hide.
Called by: subset.py.
"""

import ast
from collections.abc import Iterator


def recursive_functions(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """The line of each function that can reach itself, with the chain of calls."""
    functions = dict(_functions(tree.body, "", ""))
    calls = {name: _calls(function, owner, functions) for name, (function, owner) in functions.items()}
    reported: set[str] = set()
    for name, (function, _owner) in functions.items():
        chain = _way_back(name, calls)
        if chain and name not in reported:
            reported.update(chain)
            yield function.lineno, chain


def _functions(body: list[ast.stmt], scope: str, owner: str) -> Iterator[tuple[str, tuple[ast.FunctionDef, str]]]:
    """All functions by their dotted name, each with the class that it is a method of."""
    waiting = [(statement, scope, owner) for statement in body]
    while waiting:
        statement, scope, owner = waiting.pop()
        if isinstance(statement, ast.FunctionDef):
            name = f"{scope}{statement.name}"
            yield name, (statement, owner)
            waiting += [(one, f"{name}.", owner) for one in statement.body]
        elif isinstance(statement, ast.ClassDef):
            waiting += [(one, f"{scope}{statement.name}.", f"{scope}{statement.name}") for one in statement.body]
        else:
            waiting += [(one, scope, owner) for one in ast.iter_child_nodes(statement) if isinstance(one, ast.stmt)]


def _calls(function: ast.FunctionDef, owner: str, functions: dict[str, tuple[ast.FunctionDef, str]]) -> set[str]:
    called: set[str] = set()
    own_name = next(name for name, (known, _owner) in functions.items() if known is function)
    scopes = ["", *(".".join(own_name.split(".")[:end]) + "." for end in range(1, own_name.count(".") + 2))]
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef):
            continue
        waiting += ast.iter_child_nodes(node)
        match node:
            case ast.Call(func=ast.Name(id=name)):
                # A bare name means a nested or a module's function, never a method of the class around.
                called.update(f"{scope}{name}" for scope in scopes if scope.rstrip(".") != owner or not owner)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name)) if owner:
                called.add(f"{owner}.{name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id=holder), attr=name)):
                called.add(f"{holder}.{name}")
    return called & functions.keys()


def _way_back(start: str, calls: dict[str, set[str]]) -> list[str]:
    """The shortest chain of calls from `start` to itself, or nothing."""
    came_from = dict.fromkeys(calls[start], start)
    waiting = sorted(calls[start])
    while waiting:
        name = waiting.pop(0)
        if name == start:
            chain = [start]
            while not chain[1:] or chain[-1] != start:
                chain.append(came_from[chain[-1]])
            return chain[::-1]
        for called in sorted(calls[name]):
            if called not in came_from:
                came_from[called] = name
                waiting.append(called)
    return []
