"""What tree building of HTML has in its hands: the open elements, the formatting to be taken up again, where to insert.

Promises: does to the tree what the HTML Standard and Chromium do; walking through open elements is counted, and a text
made to cost more than WALK_MOST_STEPS raises TooComplex.
Never: decides what a tag means; that is in the modules of rules.
Called by: `html5_body.py`, `html5_tables.py`, `html5_modes.py`, `html5_foreign.py`, `html5_tree.py`.
Law: the HTML Standard, "Tree construction", its algorithms.
"""

from __future__ import annotations

from device.epub import html5_names as names
from device.epub.browser_nodes import TooComplex
from device.epub.html5_elements import NOTHING, Elements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.html5_tokens import Tokens

# What rules answer: the piece is dealt with; the rules of the mode, which is another now, are to look at it again; or
# the number of a mode, whose rules are to be used this once.
DONE, AGAIN = -1, -2
INITIAL, BEFORE_HTML, BEFORE_HEAD, IN_HEAD, IN_HEAD_NOSCRIPT, AFTER_HEAD, IN_BODY, IN_TEXT = range(8)
IN_TABLE, IN_TABLE_TEXT, IN_CAPTION, IN_COLUMNS, IN_TABLE_BODY, IN_ROW, IN_CELL, IN_TEMPLATE = range(8, 16)
AFTER_BODY, IN_FRAMESET, AFTER_FRAMESET, AFTER_AFTER_BODY = range(16, 20)
MARKER = -1
DEPTH_MOST = 512  # deeper elements become siblings, in Chromium
WALK_MOST_STEPS = 4_000_000  # a third of a second here; a chapter of 2 MB that is no XML takes 20,000
HIDDEN, HTML_POINT = "hidden", "html"  # marks: an invisible field; MathML's annotation that holds HTML
_OUTER_LOOPS, _INNER_LOOPS = 8, 3  # how often misnested formatting is put right at one end tag
_SAME_MOST = 3  # elements of the same kind in the list of formatting


# Rare elements whose content is not read again as it was read, or of which it is not worth finding out.
_UNSETTLED = names.RAW - {"script", "style"} | {"frameset", "noscript", "select", "template"}
_SKIPPING_NEWLINE = ("pre", "listing", "textarea")  # a line's end at their beginning is lost at each reading


class Builder:
    __slots__ = (
        "_counts",
        "_open",
        "_walked_steps",
        "active",
        "elements",
        "encoding",
        "form",
        "fosters",
        "frameset_is_fine",
        "head",
        "is_old",
        "is_old_again",
        "is_settled",
        "mode",
        "original_mode",
        "scripting",
        "skips_newline",
        "stack",
        "table_text",
        "template_modes",
    )

    def __init__(self, scripting: bool) -> None:
        self.elements = Elements()
        self.scripting = scripting
        self.stack: list[int] = []
        self._open: set[int] = set()  # the same as the stack, for looking up
        self._counts: dict[str, int] = {}  # how many elements of a name are open
        self.active: list[int] = []  # formatting elements, and markers
        self.mode = self.original_mode = INITIAL
        self.template_modes: list[int] = []
        self.head = self.form = NOTHING
        self.frameset_is_fine = True
        self.is_old = False
        self.is_old_again = True  # when what has been read is written out and read again
        self.is_settled = True  # reading it again would give the same: nothing has been moved or left out
        self.encoding = ""  # the first that the page declares
        self.fosters = False
        self.skips_newline = False
        self.table_text: list[tuple[int, str, bool]] = []
        self._walked_steps = 0

    def current(self) -> str:
        """The name of the innermost open element."""
        return self.elements.names[self.stack[-1]] if self.stack else ""

    def name(self, node: int) -> str:
        return self.elements.names[node]

    def walked(self, steps: int) -> None:
        self._walked_steps += steps
        if self._walked_steps > WALK_MOST_STEPS:
            raise TooComplex("the chapter's elements are nested too badly")

    # Open elements

    def push(self, node: int) -> None:
        self.stack.append(node)
        self._open.add(node)
        name = self.elements.names[node]
        self._counts[name] = self._counts.get(name, 0) + 1

    def pop(self) -> int:
        node = self.stack.pop()
        self._open.discard(node)
        self._counts[self.elements.names[node]] -= 1
        return node

    def close(self, node: int) -> None:
        """Takes an open element out, wherever it is."""
        if node in self._open:
            self.is_settled = self.is_settled and node == self.stack[-1]
            self.walked(len(self.stack))
            self.stack.remove(node)
            self._open.discard(node)
            self._counts[self.elements.names[node]] -= 1

    def pop_until(self, *wanted: str) -> None:
        while self.stack and self.name(self.pop()) not in wanted:
            pass

    def clear_to(self, wanted: frozenset[str]) -> None:
        """Pops what is within one of these, or within a template or the root."""
        while self.current() not in wanted and self.current() not in ("template", "html"):
            self.pop()

    def is_open(self, name: str) -> bool:
        return self._counts.get(name, 0) > 0

    def in_scope(self, *wanted: str, scope: frozenset[str] = names.SCOPE) -> bool:
        if not any(self._counts.get(name, 0) for name in wanted):
            return False
        for steps, node in enumerate(reversed(self.stack)):
            name = self.elements.names[node]
            if name in wanted or name in scope:
                self.walked(steps)
                return name in wanted
        return False

    def imply_ends(self, spared: str = "") -> None:
        while self.current() in names.IMPLIED_ENDS and self.current() != spared:
            self.pop()

    def close_paragraph(self) -> None:
        if self.in_scope("p", scope=names.BUTTON_SCOPE):
            self.imply_ends("p")
            self.pop_until("p")

    # Inserting

    def insert(self, name: str, attributes: dict[str, str] | None = None) -> int:
        """A new element, which is then the innermost open one."""
        node = self.elements.element(name, *facts(name, attributes or {}))
        parent, before = self._place(self.stack[-1])
        if not self.fosters and len(self.stack) > DEPTH_MOST and self.elements.parent[parent] != NOTHING:
            parent = self.elements.parent[parent]
            self.is_settled = False
        self.elements.insert(node, parent, before)
        self.push(node)
        if name in _UNSETTLED:
            self.is_settled = False
        return node

    def insert_root(self, attributes: dict[str, str]) -> None:
        self.push(self.elements.element("html", *facts("html", attributes)))

    def insert_text(self, source: int, data: str, is_spelled: bool) -> None:
        if data:
            parent, before = self._place(self.stack[-1])
            if data[0] in "\n\r":
                is_first = self.elements.first[parent] == NOTHING and self.name(parent) in _SKIPPING_NEWLINE
                self.is_settled = self.is_settled and not is_first and data != "\r"
            self.elements.text(parent, before, source, data, is_spelled)

    def insert_token_text(self, tokens: Tokens) -> None:
        self.insert_text(tokens.source, tokens.data, tokens.is_spelled)

    def insert_comment(self, parent: int = NOTHING) -> None:
        if parent == NOTHING:
            parent, before = self._place(self.stack[-1])
        else:
            before = NOTHING
        self.elements.insert(self.elements.comment(), parent, before)

    def raw(self, tokens: Tokens, rules: int, attributes: dict[str, str]) -> None:
        """An element whose content is text only."""
        self.insert(tokens.name, attributes)
        tokens.raw(rules, tokens.name)
        self.original_mode, self.mode = self.mode, IN_TEXT

    def add_id(self, node: int, attributes: dict[str, str]) -> None:
        """A second `<html>` or `<body>` adds what the first has not."""
        if attributes.get("id") and node not in self.elements.ids:
            self.elements.ids[node] = attributes["id"]

    def _place(self, target: int) -> tuple[int, int]:
        """Where something that belongs into `target` goes: (parent, before which child)."""
        if not self.fosters or self.name(target) not in names.FOSTERING:
            return target, NOTHING
        self.is_settled = False
        for index in range(len(self.stack) - 1, 0, -1):
            node = self.stack[index]
            if self.name(node) == "template":
                return node, NOTHING
            if self.name(node) == "table":
                parent = self.elements.parent[node]
                if parent == NOTHING:
                    return self.stack[index - 1], NOTHING
                return parent, node
        return self.stack[0], NOTHING

    # Formatting

    def format(self, node: int) -> None:
        """Adds an element to the list of formatting to be taken up again; of equal ones the last few."""
        same = 0
        for index in range(len(self.active) - 1, -1, -1):
            other = self.active[index]
            if other == MARKER:
                break
            if self._equal(node, other):
                same += 1
                if same == _SAME_MOST:
                    del self.active[index]
                    break
        self.walked(len(self.active))
        self.active.append(node)

    def last_active(self, name: str) -> int:
        """The last formatting element of that name behind the last marker, or NOTHING."""
        for node in reversed(self.active):
            if node == MARKER:
                break
            if self.name(node) == name:
                return node
        return NOTHING

    def clear_to_marker(self) -> None:
        while self.active and self.active.pop() != MARKER:
            pass

    def forget(self, node: int) -> None:
        if node in self.active:
            self.active.remove(node)

    def reconstruct(self) -> None:
        """Opens again the formatting that has been closed with something around it."""
        index = len(self.active) - 1
        while index >= 0 and self.active[index] != MARKER and self.active[index] not in self._open:
            index -= 1
        for again in range(index + 1, len(self.active)):
            self.active[again] = self._clone(self.active[again])

    def adopt(self, name: str) -> bool:
        """The end tag of a formatting element, which may be misnested; False if it is like any other's."""
        if self.current() == name and self.stack[-1] not in self.active:
            self.pop()
            return True
        for _ in range(_OUTER_LOOPS):
            formatting = self.last_active(name)
            if formatting == NOTHING:
                return False
            self.walked(len(self.stack) + len(self.active))
            if formatting not in self._open:
                self.active.remove(formatting)
                return True
            at = self.stack.index(formatting)
            if any(self.name(node) in names.SCOPE for node in self.stack[at + 1 :]):
                return True
            furthest = at + 1
            while furthest < len(self.stack) and self.name(self.stack[furthest]) not in names.SPECIAL:
                furthest += 1
            if furthest == len(self.stack):
                while self.pop() != formatting:
                    pass
                self.active.remove(formatting)
                return True
            self._adopt_block(formatting, at, furthest)
        return True

    def _adopt_block(self, formatting: int, at: int, furthest: int) -> None:
        """Puts the block `furthest` outside of the formatting that it is in, and formatting inside of it."""
        self.is_settled = False
        elements, stack, active = self.elements, self.stack, self.active
        block = last = stack[furthest]
        bookmark = active.index(formatting)
        index, loops = furthest, 0
        while True:
            index -= 1
            node = stack[index]
            if node == formatting:
                break
            loops += 1
            is_active = node in active
            if is_active and loops > _INNER_LOOPS:
                bookmark -= active.index(node) < bookmark
                active.remove(node)
                is_active = False
            if not is_active:
                self.close(node)
                continue
            clone = self._copy(node)
            active[active.index(node)] = stack[index] = clone
            self._open.discard(node)
            self._open.add(clone)
            if last == block:
                bookmark = active.index(clone) + 1
            elements.remove(last)
            elements.insert(last, clone, NOTHING)
            last = clone
        elements.remove(last)
        fosters, self.fosters = self.fosters, True
        parent, before = self._place(stack[at - 1])
        self.fosters = fosters
        elements.insert(last, parent, before)
        clone = self._copy(formatting)
        elements.move_children(block, clone)
        elements.insert(clone, block, NOTHING)
        bookmark -= active.index(formatting) < bookmark
        active.remove(formatting)
        active.insert(bookmark, clone)
        self.close(formatting)
        stack.insert(stack.index(block) + 1, clone)
        self._open.add(clone)
        self._counts[self.name(clone)] += 1

    def _clone(self, node: int) -> int:
        clone = self._copy(node)
        parent, before = self._place(self.stack[-1])
        if not self.fosters and len(self.stack) > DEPTH_MOST and self.elements.parent[parent] != NOTHING:
            parent = self.elements.parent[parent]
            self.is_settled = False
        self.elements.insert(clone, parent, before)
        self.push(clone)
        return clone

    def _copy(self, node: int) -> int:
        elements = self.elements
        return elements.element(elements.names[node], elements.ids.get(node, ""), elements.marks.get(node, ""))

    def _equal(self, node: int, other: int) -> bool:
        elements = self.elements
        return (
            elements.names[node] == elements.names[other]
            and elements.ids.get(node) == elements.ids.get(other)
            and elements.marks.get(node) == elements.marks.get(other)
        )


def facts(name: str, attributes: dict[str, str]) -> tuple[str, str]:
    """The id of an element, and what else of its attributes matters for the tree."""
    if not attributes:
        return "", ""
    id = attributes.get("id", "")
    if name in names.FORMATTING:
        # Whether two formatting elements are equal; joined, because a book has tens of thousands of links.
        return id, "\n".join(sorted([f"{key}={attributes[key]}" for key in attributes if key != "id"]))
    if name == "input":
        return id, HIDDEN if attributes.get("type", "").lower() == "hidden" else ""
    if name == names.ANNOTATION:
        encoding = attributes.get("encoding", "").lower()
        return id, HTML_POINT if encoding in ("text/html", "application/xhtml+xml") else ""
    return id, ""
