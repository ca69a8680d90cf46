"""One document of a book as KOReader's engine has it: from its xpointers to the visible text, to the source, and back.

Promises: every question costs little more than a search in an array; a pointer that does not fit any more leads to the
nearest place there is, and it is told. What `visible` holds is said in `engine_tree.py`, which builds this.
Never: compares texts; asks whether a place is the right one.
Called by: `engine_tree.py`, `joining.py`.
"""

from __future__ import annotations

from array import array

from device.epub import engine_math, engine_text
from device.epub.engine_tags import QUOTES
from device.epub.xpointer import TEXT, Step, XPointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS_MOST = 1_000  # lists of children that are kept; highlights stand close together
TEXTS_MOST = 8  # texts whose places are kept, of up to 8192 characters with 8 bytes each
NAMES_MOST = 60_000  # different names of elements, which HTML has 150 of; the tree has 16 bits for them
# Of texts.
LITERAL, PREFORMATTED, STRIPPED, HIDDEN, BLANK, GONE = 1, 2, 4, 8, 16, 32
_TEXT_NAME = 0


class Names:
    """Numbers for the names of elements; 0 is that of texts."""

    __slots__ = ("_names", "_numbers")

    def __init__(self) -> None:
        self._names = [TEXT]
        self._numbers = {TEXT: _TEXT_NAME}

    def number(self, name: str) -> int:
        found = self._numbers.get(name)
        if found is None:
            if len(self._names) >= NAMES_MOST:
                return NAMES_MOST - 1
            found = self._numbers[name] = len(self._names)
            self._names.append(name)
        return found

    def name(self, number: int) -> str:
        return self._names[number]

    def known(self, name: str) -> int | None:
        """In whatever case it is written."""
        found = self._numbers.get(name)
        if found is None:
            lower = name.lower()
            found = self._numbers.get(lower)
            if found is None:
                for known, number in self._numbers.items():
                    if known.lower() == lower:
                        return number
        return found


class Found:
    """`index`: of the first visible character at or behind the place. `fits`: the place is there, no other was taken
    for it. `behind`: of the first one behind the element, where the pointer is just that of an element; else `index`.
    The engine gives that for the end of a highlight that goes on to the end of an element around its beginning."""

    __slots__ = ("behind", "fits", "index")

    def __init__(self, index: int, fits: bool, behind: int = -1) -> None:
        self.index = index
        self.fits = fits
        self.behind = max(index, behind)


class _Text:
    """One text: `places[n]` is where its n-th visible character stands in the text's source, `offsets[n]` where in the
    text as the engine has it, which has `length` characters."""

    __slots__ = ("length", "offsets", "places")

    def __init__(self, length: int, offsets: array[int], places: array[int]) -> None:
        self.length = length
        self.offsets = offsets
        self.places = places


class EngineItem:
    """The arrays have a place for each node, in the order of the document; `engine_tree.py` fills them."""

    __slots__ = (
        "_lists",
        "_texts",
        "bodies",
        "ends",
        "flags",
        "invented",
        "lengths",
        "name_ids",
        "names",
        "parents",
        "source",
        "source_at",
        "variants",
        "visible",
        "visible_at",
        "visible_chars",
    )

    def __init__(self, source: str) -> None:
        self.source = source
        self.names = Names()
        self.bodies: list[int] = []  # node of the `body` of each DocFragment
        self.name_ids = array("H")
        self.parents = array("I")  # number of the node, plus 1
        self.ends = array("I")  # the first node behind it that is not within it
        self.visible_at = array("I")
        self.source_at = array("I")
        self.lengths = array("I")  # of a text in the source
        self.flags = array("B")
        self.variants: dict[int, int] = {}  # of texts in formulas: how their letters are written
        self.invented: dict[int, str] = {}  # of texts that the engine adds
        self.visible = ""
        self.visible_chars = 0
        self._lists: dict[tuple[int, int], array[int]] = {}
        self._texts: dict[int, _Text] = {}

    def set_visible(self, visible: str) -> None:
        self.visible = visible

    def index_at(self, fragment_in_item: int, pointer: XPointer) -> int | None:
        """The first index of `visible` at or behind this position; None if there is no such place."""
        found = self.find(fragment_in_item, pointer)
        return found.index if found is not None and found.fits else None

    def find(self, fragment_in_item: int, pointer: XPointer) -> Found | None:
        """Like `index_at`, but the nearest place for one that is not there; None if there is no such fragment."""
        if pointer.fragment == 0:  # the whole book's root: before everything or behind everything
            return Found(len(self.visible) if pointer.offset else 0, True)
        if not 0 <= fragment_in_item < len(self.bodies):
            return None
        node = self.bodies[fragment_in_item]
        if not pointer.steps:
            return Found(self._behind(node) if (pointer.offset or 0) > 1 else self.visible_at[node], True)
        if pointer.steps[0].name.lower() != "body":
            return Found(self.visible_at[node], False)
        for step in pointer.steps[1:]:
            name_id = self.names.known(step.name)
            children: Sequence[int] = () if name_id is None else self._children(node, name_id)
            if step.index > len(children):
                return Found(self._behind(children[-1]) if children else self.visible_at[node], False)
            node = children[step.index - 1]
        if self.name_ids[node] == _TEXT_NAME:
            return self._within_text(node, pointer.offset or 0)
        if pointer.offset is None:
            return Found(self.visible_at[node], True, self._behind(node))
        return self._before_child(node, pointer.offset)

    def source_in_text(self, fragment_in_item: int, pointer: XPointer, before: bool) -> int | None:
        """Where in the source the character behind a place in a text stands, or that `before` it, also if it is hidden;
        None if the pointer does not lead into a text. Blanks and what is not seen are passed over."""
        if not pointer.is_text() or not 0 <= fragment_in_item < len(self.bodies):
            return None
        node = self.bodies[fragment_in_item]
        for step in pointer.steps[1:]:
            name_id = self.names.known(step.name)
            children: Sequence[int] = () if name_id is None else self._children(node, name_id)
            if step.index > len(children):
                return None
            node = children[step.index - 1]
        if self.name_ids[node] != _TEXT_NAME:
            return None
        text = self._text_of(node)
        number = _first_at_least(text.offsets, pointer.offset or 0) - before
        return self.source_at[node] + text.places[number] if 0 <= number < len(text.places) else None

    def source_of(self, index: int) -> int:
        """The source offset of a visible character; behind the last one the end of the source."""
        if index >= len(self.visible):
            return len(self.source)
        node = self._node_of(index)
        return self.source_at[node] + self._text_of(node).places[index - self.visible_at[node]]

    def index_of_source(self, offset: int) -> int:
        """The first visible character at or behind a place in the source."""
        behind = _first_at_least(self.source_at, offset)
        before = behind - 1
        if before >= 0 and not self.name_ids[before] and not self.flags[before] & (HIDDEN | BLANK):
            places = self._text_of(before).places
            return self.visible_at[before] + _first_at_least(places, offset - self.source_at[before])
        return self.visible_at[behind] if behind < len(self.visible_at) else len(self.visible)

    def pointer_at(self, index: int, after: bool) -> tuple[int, XPointer]:
        """(fragment in this item, xpointer) of a visible character; `after`: of the place just behind it. The number of
        the fragment in the book has to be put in. Raises IndexError if there is no such character."""
        if not 0 <= index < len(self.visible):
            raise IndexError(index)
        node = self._node_of(index)
        offset = self._text_of(node).offsets[index - self.visible_at[node]] + after
        steps: list[Step] = []
        at = node
        while True:
            parent = self.parents[at] - 1
            if parent < 0:
                break
            name_id = self.name_ids[at]
            siblings = self._children(parent, name_id)
            steps.append(Step(self.names.name(name_id), _first_at_least(siblings, at) + 1, len(siblings) == 1))
            at = parent
        steps.append(Step("body", 1, True))
        steps.reverse()
        return _last_at_most(self.bodies, node), XPointer(1, steps, offset)

    def _children(self, node: int, name_id: int) -> array[int]:
        found = self._lists.get((node, name_id))
        if found is None:
            found = array("I")
            child, end = node + 1, self.ends[node]
            name_ids, ends, flags = self.name_ids, self.ends, self.flags
            while child < end:
                if name_ids[child] == name_id and (name_id or not flags[child] & GONE):
                    found.append(child)
                child = ends[child]
            if len(self._lists) >= LISTS_MOST:
                self._lists.clear()
            self._lists[(node, name_id)] = found
        return found

    def _before_child(self, node: int, number: int) -> Found:
        """Before a child of any kind, by its number from 0; behind the last one if there are not so many."""
        if self.names.name(self.name_ids[node]) in QUOTES:
            number = max(number - 1, 0)  # the opening mark
        if number == 0:
            return Found(self.visible_at[node], True)
        child, end = node + 1, self.ends[node]
        while child < end:
            if self.name_ids[child] or not self.flags[child] & GONE:
                if number == 0:
                    return Found(self.visible_at[child], True)
                number -= 1
            child = self.ends[child]
        return Found(self._behind(node), number == 0)

    def _within_text(self, node: int, offset: int) -> Found:
        text = self._text_of(node)
        if self.flags[node] & HIDDEN:
            return Found(self.visible_at[node], offset <= text.length)
        return Found(self.visible_at[node] + _first_at_least(text.offsets, offset), offset <= text.length)

    def _behind(self, node: int) -> int:
        end = self.ends[node]
        return self.visible_at[end] if end < len(self.visible_at) else len(self.visible)

    def _node_of(self, index: int) -> int:
        return _last_at_most(self.visible_at, index)

    def _text_of(self, node: int) -> _Text:
        found = self._texts.get(node)
        if found is None:
            if len(self._texts) >= TEXTS_MOST:
                self._texts.clear()
            found = self._texts[node] = self._read_text(node)
        return found

    def _read_text(self, node: int) -> _Text:
        made = self._processed(node)
        offsets, places = array("I"), array("I")
        is_plain = len(engine_text.squeezed(made.text)) == sum([len(word) for word in made.text.split()])
        at = 0
        for word in made.text.split():
            at = made.text.index(word, at)
            if is_plain:
                offsets.extend(range(at, at + len(word)))
                places.extend(made.places[at : at + len(word)])
            else:
                for number, char in enumerate(word, at):
                    if char not in engine_text.DROPPED:
                        offsets.append(number)
                        places.append(made.places[number])
            at += len(word)
        return _Text(len(made.text), offsets, places)

    def _processed(self, node: int) -> engine_text.Processed:
        begin, flags = self.source_at[node], self.flags[node]
        invented = self.invented.get(node)
        if invented is not None:
            return engine_text.Processed(invented, array("I", [0] * len(invented)))
        raw = self.source[begin : begin + self.lengths[node]]
        made = engine_text.processed(raw, bool(flags & PREFORMATTED), bool(flags & LITERAL))
        if node in self.variants:
            return engine_math.adjusted(made, self.variants[node])
        if flags & STRIPPED and made.text.startswith("\n"):
            return engine_text.Processed(made.text[1:], made.places[1:])
        return made


def _last_at_most(values: Sequence[int], wanted: int) -> int:
    """The last place of a value that is not larger; -1 if all are. `values` rise."""
    return _first_at_least(values, wanted + 1) - 1


def _first_at_least(values: Sequence[int], wanted: int) -> int:
    """The first place of a value that is not smaller; behind the last if all are. `values` rise."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low
