"""A tree of elements and text that can still be rearranged, kept as rows of numbers.

Promises: a node costs some 40 bytes, a run of text 16; the order of siblings is that of a browser's document. Raises
TooComplex instead of growing beyond the limits.
Never: knows what elements mean.
Called by: `html5_builder.py`, `html5_tree.py`.
"""

from __future__ import annotations

from array import array

from device.epub.browser_nodes import ELEMENT, NODES_MOST, OTHER, RUNS_MOST, TEXT, TooComplex

NOTHING = -1


class Elements:
    """Nodes are numbers. `first` and `last` are children, of a text its pieces."""

    __slots__ = (
        "_strings",
        "first",
        "ids",
        "kinds",
        "last",
        "marks",
        "names",
        "next",
        "parent",
        "piece_codes",
        "piece_lengths",
        "piece_nexts",
        "piece_sources",
        "previous",
        "strings",
    )

    def __init__(self) -> None:
        self.kinds = bytearray()
        self.names: list[str] = []
        self.parent = array("i")
        self.first = array("i")
        self.last = array("i")
        self.previous = array("i")
        self.next = array("i")
        self.ids: dict[int, str] = {}
        self.marks: dict[int, str] = {}  # what else of an element's attributes matters: see html5_builder.py
        # Pieces of text: where in the source and how long; or, with a code above 0, which string stands for it.
        self.piece_sources = array("I")
        self.piece_lengths = array("I")
        self.piece_codes = array("I")
        self.piece_nexts = array("i")
        self.strings: list[str] = [""]
        self._strings: dict[str, int] = {}

    def element(self, name: str, id: str, mark: str) -> int:
        node = self._node(ELEMENT, name)
        if id:
            self.ids[node] = id
        if mark:
            self.marks[node] = mark
        return node

    def comment(self) -> int:
        return self._node(OTHER, "")

    def is_element(self, node: int) -> bool:
        return self.kinds[node] == ELEMENT

    def insert(self, node: int, parent: int, before: int) -> None:
        """Puts a node that is nowhere before that child, or at the end."""
        self.parent[node] = parent
        previous = self.last[parent] if before == NOTHING else self.previous[before]
        self.previous[node], self.next[node] = previous, before
        if previous == NOTHING:
            self.first[parent] = node
        else:
            self.next[previous] = node
        if before == NOTHING:
            self.last[parent] = node
        else:
            self.previous[before] = node

    def remove(self, node: int) -> None:
        parent, previous, following = self.parent[node], self.previous[node], self.next[node]
        if parent == NOTHING:
            return
        if previous == NOTHING:
            self.first[parent] = following
        else:
            self.next[previous] = following
        if following == NOTHING:
            self.last[parent] = previous
        else:
            self.previous[following] = previous
        self.parent[node] = self.previous[node] = self.next[node] = NOTHING

    def move_children(self, node: int, to: int) -> None:
        """All of them, behind those that are there; the cost is their number."""
        child = self.first[node]
        while child != NOTHING:
            following = self.next[child]
            self.remove(child)
            self.insert(child, to, NOTHING)
            child = following

    def text(self, parent: int, before: int, source: int, data: str, is_spelled: bool) -> None:
        """Adds to the text that ends there, or makes a new one."""
        node = self.last[parent] if before == NOTHING else self.previous[before]
        if node == NOTHING or self.kinds[node] != TEXT:
            node = self._node(TEXT, "")
            self.insert(node, parent, before)
        last = self.last[node]
        if (
            not is_spelled
            and last != NOTHING
            and not self.piece_codes[last]
            and self.piece_sources[last] + self.piece_lengths[last] == source
        ):
            self.piece_lengths[last] += len(data)
            return
        piece = len(self.piece_codes)
        if piece >= RUNS_MOST:
            raise TooComplex("the chapter's text has too many pieces")
        code = 0
        if is_spelled:
            code = self._strings.setdefault(data, len(self.strings))
            if code == len(self.strings):
                self.strings.append(data)
        self.piece_sources.append(source)
        self.piece_lengths.append(len(data))
        self.piece_codes.append(code)
        self.piece_nexts.append(NOTHING)
        if last == NOTHING:
            self.first[node] = piece
        else:
            self.piece_nexts[last] = piece
        self.last[node] = piece

    def _node(self, kind: int, name: str) -> int:
        node = len(self.kinds)
        if node >= NODES_MOST:
            raise TooComplex("the chapter has too many elements")
        self.kinds.append(kind)
        self.names.append(name)
        for row in (self.parent, self.first, self.last, self.previous, self.next):
            row.append(NOTHING)
        return node
