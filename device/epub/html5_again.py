"""The pieces of a document that has been read once, as reading it again would give them.

The web reader writes the document out and has it read again, as HTML and with scripts. Most documents come out as they
went in; misnested ones do not, nor does text in a script, whose `<` has become `&lt;` for good.

Promises: the same pieces as the tokenizer would find in what the reader writes, without writing it.
Never: gives what is in a template, which is no part of the document; gives the attributes of tags within noscript.
Called by: `html5_tree.py`.
Law: what Chromium's XMLSerializer writes for an HTML document.
"""

from __future__ import annotations

from device.epub import html5_names as names
from device.epub.browser_nodes import TEXT as TEXT_NODE
from device.epub.html5_builder import HIDDEN, HTML_POINT
from device.epub.html5_elements import NOTHING, Elements
from device.epub.html5_tokens import COMMENT, EOF, START, TEXT, Tokens
from device.epub.html5_tokens import END as END_TAG

_NOSCRIPT, _PLAINTEXT = "noscript", "plaintext"


class Again(Tokens):
    """Goes through the tree in its order; `_node` is where it stands, `_leaves` whether it is behind it."""

    __slots__ = ("_after_return", "_as_text", "_elements", "_leaves", "_node", "_piece", "_root", "_source_text")

    def __init__(self, text: str, elements: Elements, root: int) -> None:
        Tokens.__init__(self, "")
        self._source_text = text
        self._elements = elements
        self._root = self._node = root
        self._leaves = False
        self._piece = NOTHING  # of the text that it stands in
        self._as_text = NOTHING  # the element in which everything is text; its own tags are none
        self._after_return = False

    def raw(self, rules: int, name: str) -> None:
        """It knows by itself what is text only."""

    def advance(self) -> int:
        if self._rest is not None:
            self.source, self.data = self._rest
            self._rest = None
            return self.kind
        while self._node != NOTHING:
            if self._piece != NOTHING:
                if self._next_piece():
                    return TEXT
            elif self._leaves:
                if self._leave():
                    return self.kind
            elif self._enter():
                return self.kind
        self.kind = EOF
        return EOF

    def _enter(self) -> bool:
        elements, node = self._elements, self._node
        self._after_return = False
        if elements.kinds[node] == TEXT_NODE:
            self._piece = elements.first[node]
            return False
        if not elements.is_element(node):
            self._leaves = True
            self.kind = COMMENT
            return self._as_text == NOTHING
        full_name = elements.names[node]
        name = full_name.rpartition(" ")[2]
        child = NOTHING if name == "template" and name == full_name else elements.first[node]
        if child == NOTHING:
            self._leaves = True
        else:
            self._node = child
        if self._as_text != NOTHING:
            return self._tag_as_text(f"<{name}>")
        if full_name in (_NOSCRIPT, _PLAINTEXT):
            self._as_text = node
        self.kind, self.name = START, name.lower()
        self.attributes = _attributes(elements, node, full_name)
        self.is_self_closing = child == NOTHING and name != full_name
        return True

    def _leave(self) -> bool:
        """Goes on behind the node; True if that has an end tag."""
        elements, node = self._elements, self._node
        full_name = elements.names[node]
        following = elements.next[node]
        self._leaves = following == NOTHING or node == self._root
        if node == self._root:
            self._node = NOTHING
        else:
            self._node = elements.parent[node] if following == NOTHING else following
        name = full_name.rpartition(" ")[2]
        has_end = elements.is_element(node) and full_name not in names.VOID
        has_end = has_end and (name == full_name or elements.first[node] != NOTHING)
        if self._as_text != NOTHING and (self._as_text != node or full_name == _PLAINTEXT):
            return has_end and self._tag_as_text(f"</{name}>")
        if self._as_text == node:
            self._as_text = NOTHING
        self.kind, self.name, self.attributes = END_TAG, name.lower(), {}
        return has_end

    def _tag_as_text(self, tag: str) -> bool:
        self.kind, self.source, self.data, self.is_spelled = TEXT, self.source, tag, True
        return True

    def _next_piece(self) -> bool:
        """The next piece of the text, or what is left of it; False if that is nothing."""
        elements, piece = self._elements, self._piece
        self._piece = elements.piece_nexts[piece]
        if self._piece == NOTHING:
            self._leaves = True
        source, length, code = elements.piece_sources[piece], elements.piece_lengths[piece], elements.piece_codes[piece]
        self.kind, self.source, self.is_spelled = TEXT, source, code > 0
        self.data = elements.strings[code] if code else self._source_text[source : source + length]
        if self._as_text != NOTHING or elements.names[elements.parent[self._node]] in names.RAW:
            self._escape()
        if self._after_return and self.data.startswith("\n"):
            self.data, self.source = self.data[1:], self.source + 1
        self._after_return = self.data == "\r"
        if self._after_return:
            self.data = "\n"
        return bool(self.data)

    def _escape(self) -> None:
        """Text that stays as it was written out. What is spelled so says nothing of where each character came from."""
        data = escaped(self.data)
        if data != self.data:
            self.data, self.is_spelled = data, True


def escaped(text: str) -> str:
    """As it is written out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attributes(elements: Elements, node: int, full_name: str) -> dict[str, str]:
    id, mark = elements.ids.get(node, ""), elements.marks.get(node, "")
    found = {"id": id} if id else {}
    if mark == HIDDEN and full_name == "input":
        found["type"] = HIDDEN
    elif mark == HTML_POINT and full_name == names.ANNOTATION:
        found["encoding"] = "text/html"
    elif mark:
        found["mark"] = mark
        if "\nis=" in f"\n{mark}":
            found["is"] = ""
    return found
