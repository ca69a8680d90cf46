"""`modules.toml` as typed data: which modules the image may hold, and which of them our own code may import.

Called by: the frozen-modules and program steps, and by subset.py.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SLIM_FOLDER = HERE / "slim"


@dataclass(frozen=True)
class Module:
    """One module of CPython that is allowed in the image; see the head of modules.toml."""

    name: str
    kind: str
    device: bool
    reason: str
    file: str = ""
    package: bool = False

    @property
    def origin(self) -> str:
        """The module's dotted name as its file says it: `importlib._bootstrap` for `_frozen_importlib`."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def load_modules() -> list[Module]:
    tables = tomllib.loads((HERE / "modules.toml").read_text())
    return [
        Module(name=name, kind=kind, **facts)
        for kind, modules in tables.items()
        for name, facts in sorted(modules.items())
    ]
