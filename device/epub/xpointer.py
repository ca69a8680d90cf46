"""KOReader's names for a place in a book: xpointers, read and written in every spelling that is in the field.

`/body[1]/DocFragment[12]/body[1]/div[1]/p[3]/text()[1].15` is the 15th character (counted in code points, from 0) of
a text node; a trailing number on an element counts its child nodes; no number at all means the node itself. Three
spellings name the same place:

  DOM version 20260812 and later   every step has its index
  before                           the index is left out where there is only one of that name; a book of one document
                                   has a bare `DocFragment`
  before 20200223                  the boxes that the engine puts around things have steps of their own

Promises: a string of any kind gives a pointer or None, at a cost bounded by the limits below. A pointer is written as
it was read, up to the spelling asked for.
Never: looks whether there is such a place; that is `engine_tree.py`.
Called by: `engine_item.py`, `opened_book.py` and what converts; whoever compares places.
"""

from __future__ import annotations

POINTER_MOST_CHARS = 8_192  # 512 steps of 16 characters
STEPS_MOST = 512  # as deep as an element may be nested, see engine_tree.py
DIGITS_MOST = 9  # of an index or an offset; no book has a node with more children than that
TEXT = "text()"
EXPLICIT_ONES_DOM = 20260812  # from this DOM version on every step has its index
# What the engine puts around nodes of the book. Old spellings name them, new ones look through them.
BOXES = frozenset(("autoboxing", "floatbox", "inlinebox", "tabularbox", "rubybox", "mathbox", "pseudoelem"))
_ROOT, _FRAGMENT = "body", "docfragment"


class Step:
    """One step down: the `index`-th child of that name, from 1. `alone`: its index may be left out."""

    __slots__ = ("alone", "index", "name")

    def __init__(self, name: str, index: int, alone: bool) -> None:
        self.name = name
        self.index = index
        self.alone = alone

    def __repr__(self) -> str:
        return f"{self.name}[{self.index}]"


class XPointer:
    """`fragment`: number of the DocFragment from 1, 0 for a place in none (`.1`, the end of the book). `steps`: from
    the fragment's own `body` on. `offset`: None where the pointer has none."""

    __slots__ = ("bare", "fragment", "offset", "steps")

    def __init__(self, fragment: int, steps: list[Step], offset: int | None, bare: bool = False) -> None:
        self.fragment = fragment
        self.steps = steps
        self.offset = offset
        self.bare = bare  # the fragment had no number, as in a book of one document

    def in_fragment(self, fragment: int, bare: bool = False) -> XPointer:
        return XPointer(fragment, self.steps, self.offset, bare)

    def is_text(self) -> bool:
        return bool(self.steps) and self.steps[-1].name == TEXT

    def key(self) -> str:
        """The same for all spellings of a place."""
        return written(self, explicit_ones=True).removesuffix(".0").lower()


def parse(pointer: str) -> XPointer | None:
    if len(pointer) > POINTER_MOST_CHARS:
        return None
    path, offset = _without_offset(pointer)
    if not path:
        return None if offset is None else XPointer(0, [], offset)
    if not path.startswith("/"):
        return None
    steps: list[Step] = []
    for part in path[1:].split("/"):
        step = _step(part)
        if step is None or len(steps) >= STEPS_MOST:
            return None
        if len(steps) < 2 or step.name.lower() not in BOXES:
            steps.append(step)
    if len(steps) < 2:
        return None
    if steps[0].name.lower() != _ROOT or steps[1].name.lower() != _FRAGMENT:
        return None
    return XPointer(steps[1].index, steps[2:], offset, bare=steps[1].alone)


def written(pointer: XPointer, explicit_ones: bool) -> str:
    """As a document of that kind spells it: `explicit_ones` from DOM version 20260812 on."""
    if pointer.fragment == 0:
        return f".{pointer.offset or 0}"
    fragment = "DocFragment" if pointer.bare and not explicit_ones else f"DocFragment[{pointer.fragment}]"
    parts = ["/body[1]/" if explicit_ones else "/body/", fragment]
    for step in pointer.steps:
        parts.append(f"/{step.name}" if step.alone and not explicit_ones else f"/{step.name}[{step.index}]")
    if pointer.offset is not None:
        parts.append(f".{pointer.offset}")
    return "".join(parts)


def has_explicit_ones(pointer: str) -> bool:
    """Whether a stored xpointer is of the new kind; for books whose DOM version is not known."""
    return pointer[:9].lower() == "/body[1]/"


def _without_offset(pointer: str) -> tuple[str, int | None]:
    path, point, digits = pointer.rpartition(".")
    if not point or len(digits) > DIGITS_MOST or not digits.isascii() or not digits.isdigit():
        return pointer, None
    return path, int(digits)


def _step(part: str) -> Step | None:
    name, bracket, rest = part.partition("[")
    if not name:
        return None
    lower = name.lower()
    name = TEXT if lower == TEXT else name
    if not bracket:
        return Step(name, 1, alone=True)
    digits = rest.removesuffix("]")
    if len(digits) + 1 != len(rest) or len(digits) > DIGITS_MOST or not digits.isascii() or not digits.isdigit():
        return None
    index = int(digits)
    return Step(name, index, alone=False) if index else None
