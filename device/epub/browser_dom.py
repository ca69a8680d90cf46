"""The document that the web reader shows for a spine item: from a place in the source to a place in it, and back.

The reader reads the item as XHTML and, if that fails, as HTML; writes the result out and reads that once more. CFIs
count in what comes out.

Promises: what `resolve` gives is what the reader's library (foliate-js) does with that CFI, its refusals included; the
two directions agree with each other. A lookup costs no more than the children of the elements on its way.
Never: reads the archive; changes the document.
Called by: `joining.py`; `device/selfcheck.py` with a chapter of one line.
Law: EPUB Canonical Fragment Identifiers 1.1; foliate-js 1.0.1 where it is more lenient or stricter.
"""

from __future__ import annotations

from array import array

from device.epub import browser_xml, html5_tree
from device.epub.browser_nodes import ELEMENT, NARROW, NONE, TEXT, WIDE, Nodes, TooComplex, string_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.cfi import Point, Steps

SOURCE_MOST_CHARS = 8 * 1_048_576  # 24 MB with its nodes; the largest chapter seen has 2 million
XHTML, HTML, SVG = "application/xhtml+xml", "text/html", "image/svg+xml"
NOT_FOUND = -1


class Place:
    """A character: the elements that it is in, the step of its piece of text, and where in it, in UTF-16 units."""

    __slots__ = ("chunk", "offset", "steps", "units")

    def __init__(self, steps: Steps, chunk: int, offset: int, units: int) -> None:
        self.steps = steps  # (number, id) of each element below the root
        self.chunk = chunk
        self.offset = offset
        self.units = units  # how many units the source's character has become: 2 beyond U+FFFF, rarely more

    def __repr__(self) -> str:
        return "".join([f"/{number}" for number, _ in self.steps]) + f"/{self.chunk}:{self.offset}+{self.units}"


class _Children:
    """Those children of an element that CFIs count, with their steps."""

    __slots__ = ("elements", "last", "nodes", "steps")

    def __init__(self) -> None:
        self.nodes = array("I")
        self.steps = array("I")
        self.elements = 0
        self.last = NONE  # the last child of any kind


class BrowserItem:
    """One spine item as the web reader has it. Units are positions in the text of the whole document."""

    __slots__ = ("_by_source", "_by_source_sources", "_children", "_first_of_id", "_nodes", "_source", "is_html")

    def __init__(self, source: str, nodes: Nodes, is_html: bool) -> None:
        self._source = source
        self._nodes = nodes
        self.is_html = is_html  # read as HTML, because it is or because it is no XML
        self._children: dict[int, _Children] = {}
        self._first_of_id: dict[str, int] = {}
        for node, id in nodes.ids.items():
            self._first_of_id.setdefault(id, node)
        self._by_source: array[int] | None = None  # runs in the order of their sources, if that is another
        self._by_source_sources = nodes.run_sources
        sources = nodes.run_sources
        if any(sources[run - 1] > sources[run] for run in range(1, len(sources))):
            self._by_source = array("I", sorted(range(len(sources)), key=sources.__getitem__))
            self._by_source_sources = array("I", [sources[run] for run in self._by_source])

    def place_of(self, source_offset: int) -> Place | None:
        """Of the character of the text that the source has at `source_offset`; None if there is none."""
        run = self._run_of_source(source_offset)
        if run == NOT_FOUND:
            return None
        nodes = self._nodes
        unit, units = nodes.run_units[run], self._run_end(run) - nodes.run_units[run]
        into = source_offset - nodes.run_sources[run]
        if nodes.run_codes[run] == NARROW:
            unit, units = unit + into, 1
        elif nodes.run_codes[run] == WIDE:
            unit, units = unit + 2 * into, 2
        node = _last_at_most(nodes.begins, unit)
        parent = nodes.parents[node]
        children = self._children_of(parent)
        index = _last_at_most(children.nodes, node)
        step = children.steps[index]
        while index and children.steps[index - 1] == step:
            index -= 1
        return Place(self._steps_to(parent), step, unit - nodes.begins[children.nodes[index]], units)

    def source_at(self, steps: tuple[int, ...], offset: int | None) -> int | None:
        """Where in the source the first character at or behind that place is; its length if there is none behind it.

        None if the reader knows no such place.
        """
        unit = self._locate(steps, "", offset)
        return None if unit is None else self.source_of(unit)

    def resolve(self, start: Point, end: Point | None) -> tuple[int, int] | None:
        """The range in units that the reader selects; None where it throws. An end before its start is both."""
        numbers = tuple([number for number, _ in start.steps])
        first = self._locate(numbers, start.steps[-1][1] if start.steps else "", start.offset)
        if end is None or first is None:
            return None if first is None else (first, first)
        numbers = tuple([number for number, _ in end.steps])
        last = self._locate(numbers, end.steps[-1][1] if end.steps else "", end.offset)
        return None if last is None else (min(first, last), last)

    def source_of(self, unit: int) -> int:
        """Of the character at that unit, or the one that begins behind it; the source's length at the end."""
        nodes = self._nodes
        if unit >= nodes.length():
            return len(self._source)
        run = _last_at_most(nodes.run_units, unit)
        into = unit - nodes.run_units[run]
        code = nodes.run_codes[run]
        if code == WIDE:
            into = (into + 1) // 2
            is_within = 2 * into < self._run_end(run) - nodes.run_units[run]
        else:
            is_within = code == NARROW or not into
        if is_within:
            return nodes.run_sources[run] + into
        return nodes.run_sources[run + 1] if run + 1 < len(nodes.run_sources) else len(self._source)

    def length(self) -> int:
        """Of the whole text, in units."""
        return self._nodes.length()

    def text_of(self, start: int, end: int) -> str:
        """The text between two units; of a character that is cut in half nothing."""
        nodes, parts = self._nodes, list[str]()
        run = max(_last_at_most(nodes.run_units, start), 0)
        while run < len(nodes.run_units) and nodes.run_units[run] < end:
            begins, ends = nodes.run_units[run], self._run_end(run)
            first, last = max(start, begins) - begins, min(end, ends) - begins
            code, source = nodes.run_codes[run], nodes.run_sources[run]
            if code == NARROW:
                parts.append(self._source[source + first : source + last])
            elif code == WIDE:
                parts.append(self._source[source + (first + 1) // 2 : source + last // 2])
            else:
                parts.append(_cut(string_of(nodes, code), first, last))
            run += 1
        return "".join(parts)

    def pieces(self, start: int, end: int) -> list[str]:
        """The text between two units, cut where text nodes meet."""
        nodes, found = self._nodes, list[str]()
        node = max(_last_at_most(nodes.begins, start), 0)
        while node < len(nodes.kinds) and nodes.begins[node] < end:
            if nodes.kinds[node] == TEXT and nodes.ends[node] > start:
                found.append(self.text_of(max(start, nodes.begins[node]), min(end, nodes.ends[node])))
            node += 1
        return found

    def last_child_step(self) -> int:
        """That of the root's last element, which is the body; 0 if there is none."""
        return 2 * self._children_of(0).elements if self._nodes.kinds else 0

    def chunks(self) -> list[tuple[Steps, int, str]]:
        """Every piece of text with its place, in the order of the document. For tests and looking into a chapter."""
        found: list[tuple[Steps, int, str]] = []
        nodes = self._nodes
        for node in range(len(nodes.kinds)):
            if nodes.kinds[node] == TEXT:
                parent = nodes.parents[node]
                children = self._children_of(parent)
                step = children.steps[_last_at_most(children.nodes, node)]
                text = self.text_of(nodes.begins[node], nodes.ends[node])
                if found and found[-1][1] == step and found[-1][0] == self._steps_to(parent):
                    found[-1] = (found[-1][0], step, found[-1][2] + text)
                else:
                    found.append((self._steps_to(parent), step, text))
        return found

    def _locate(self, steps: tuple[int, ...], id: str, offset: int | None) -> int | None:
        nodes = self._nodes
        if not steps or not nodes.kinds:
            return None
        if id in self._first_of_id and id:
            return nodes.begins[self._first_of_id[id]]
        node = 0
        for at, number in enumerate(steps):
            children = self._children_of(node)
            if not children.nodes:
                return None
            behind = 2 * children.elements + 2
            if number in (0, behind):
                return nodes.begins[node] if number == 0 else nodes.ends[node]
            index = _last_at_most(children.steps, number)
            if index < 0 or children.steps[index] != number:
                if number == 1:
                    return nodes.begins[node]
                return nodes.begins[children.last] if number == behind - 1 else None
            if number % 2:
                return self._in_text(children, index, offset) if at + 1 == len(steps) else None
            node = children.nodes[index]
        return self._before_child(node, offset or 0)

    def _in_text(self, children: _Children, index: int, offset: int | None) -> int | None:
        """A piece of several text nodes wants an offset, one of a single node does not."""
        nodes = self._nodes
        first = index
        while first and children.steps[first - 1] == children.steps[index]:
            first -= 1
        if offset is None and first != index:
            return None
        unit = nodes.begins[children.nodes[first]] + (offset or 0)
        return unit if unit <= nodes.ends[children.nodes[index]] else None

    def _before_child(self, node: int, number: int) -> int | None:
        """The boundary before the child node of that number, of whatever kind; behind the last for their number."""
        nodes = self._nodes
        if number == 0:
            return nodes.begins[node]
        child = node + 1
        if child >= len(nodes.kinds) or nodes.parents[child] != node:
            return None
        for _ in range(number - 1):
            child = nodes.nexts[child]
            if child == NONE:
                return None
        return nodes.ends[child]

    def _children_of(self, node: int) -> _Children:
        known = self._children.get(node)
        if known is not None:
            return known
        nodes, found = self._nodes, _Children()
        child = node + 1 if node + 1 < len(nodes.kinds) and nodes.parents[node + 1] == node else NONE
        step = 1
        while child != NONE:
            kind = nodes.kinds[child]
            if kind == ELEMENT:
                found.elements += 1
                found.nodes.append(child)
                found.steps.append(2 * found.elements)
                step = 2 * found.elements + 1
            elif kind == TEXT:
                found.nodes.append(child)
                found.steps.append(step)
            found.last = child
            child = nodes.nexts[child]
        self._children[node] = found
        return found

    def _steps_to(self, node: int) -> Steps:
        """From the root's child on."""
        nodes, steps = self._nodes, list[tuple[int, str]]()
        while node:
            children = self._children_of(nodes.parents[node])
            steps.append((children.steps[_last_at_most(children.nodes, node)], nodes.ids.get(node, "")))
            node = nodes.parents[node]
        steps.reverse()
        return tuple(steps)

    def _run_end(self, run: int) -> int:
        units = self._nodes.run_units
        return units[run + 1] if run + 1 < len(units) else self._nodes.length()

    def _run_of_source(self, source_offset: int) -> int:
        """The run that holds what the source has there, or NOT_FOUND."""
        nodes = self._nodes
        at = _last_at_most(self._by_source_sources, source_offset)
        if at < 0:
            return NOT_FOUND
        while at and self._by_source_sources[at - 1] == self._by_source_sources[at]:
            at -= 1  # an entity with elements in it
        run = at if self._by_source is None else self._by_source[at]
        into = source_offset - nodes.run_sources[run]
        units = self._run_end(run) - nodes.run_units[run]
        code = nodes.run_codes[run]
        length = units if code == NARROW else units // 2 if code == WIDE else 1
        return run if into < length else NOT_FOUND


def read_item(text: str, media_type: str, in_chromium: bool = False) -> BrowserItem:
    """`text` is the item as the browser decodes it: as UTF-8, broken bytes as U+FFFD. Raises TooComplex.

    `in_chromium`: as that browser alone does it where an XML declaration names another encoding than UTF-8.
    """
    if len(text) > SOURCE_MOST_CHARS:
        raise TooComplex("the chapter is too long")
    if media_type != HTML:
        nodes = browser_xml.read(text, in_chromium)
        if nodes is not None:
            return BrowserItem(text, nodes, is_html=False)
    if media_type == SVG:
        raise TooComplex("the picture is no XML")
    return BrowserItem(text, html5_tree.read(text), is_html=True)


def _last_at_most(numbers: array[int], wanted: int) -> int:
    """The index of the last of the ascending numbers that is not above `wanted`; -1 if all are."""
    low, high = 0, len(numbers)
    while low < high:
        middle = (low + high) // 2
        if numbers[middle] <= wanted:
            low = middle + 1
        else:
            high = middle
    return low - 1


def _cut(text: str, first: int, last: int) -> str:
    """Of a short text, the characters that lie between two units."""
    parts, unit = list[str](), 0
    for char in text:
        width = 2 if char > "\uffff" else 1
        if first <= unit and unit + width <= last:
            parts.append(char)
        unit += width
    return "".join(parts)
