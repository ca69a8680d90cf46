"""A spine item as a browser reads XHTML: strictly, or not at all.

Promises: gives the document, or None where a browser gives up, and the reader then takes the text for HTML: markup
that is not well-formed, a prefix without a name, an entity that nobody has declared, a root without a namespace. The
names of HTML's entities count only under the document types that browsers know. Entities that the document declares
itself are expanded up to a limit. Whatever the text, the cost is bounded by its length and that limit.
Never: fetches anything; keeps markup.
Called by: `browser_dom.py`.
Law: XML 1.0 with namespaces, by expat; what Chromium does where that leaves a choice.

The reader writes the document out and reads it again. That changes nothing but two things: a carriage return that was
written as a number becomes a line's end, and where the document says that it is in a one-byte encoding, the second
reading takes each byte of UTF-8 for a character.
"""

from __future__ import annotations

import pyexpat

from device.epub.browser_nodes import Nodes, TooComplex
from device.epub.html5_entities import NAME_CHARS, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

DEPTH_MOST = 5_000  # of elements, in Chromium
EXPANDED_MOST_CHARS = 200_000  # by entities that the document declares; browsers give up at a million
EXPANSION_LEAST_CHARS = 4  # what each piece of an expansion counts at least, since it costs a call
XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"
_SEPARATOR = " "
_TEMPLATE = f"{XHTML_NAMESPACE} template"  # what is in it is no part of the document
_ERROR = "parsererror"  # how the reader notices an error, and so what the document itself must not hold
_PREDEFINED = ("amp", "lt", "gt", "quot", "apos")
_NO_REFERENCES = (("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>"))
_KNOWN_TYPES = (
    "-//W3C//DTD XHTML 1.0 Transitional//EN",
    "-//W3C//DTD XHTML 1.1//EN",
    "-//W3C//DTD XHTML 1.0 Strict//EN",
    "-//W3C//DTD XHTML 1.0 Frameset//EN",
    "-//W3C//DTD XHTML Basic 1.0//EN",
    "-//W3C//DTD XHTML 1.1 plus MathML 2.0//EN",
    "-//W3C//DTD XHTML 1.1 plus MathML 2.0 plus SVG 1.1//EN",
    "-//W3C//DTD MathML 2.0//EN",
    "-//WAPFORUM//DTD XHTML Mobile 1.0//EN",
    "-//WAPFORUM//DTD XHTML Mobile 1.1//EN",
    "-//WAPFORUM//DTD XHTML Mobile 1.2//EN",
)


def read(text: str, in_chromium: bool = False) -> Nodes | None:
    """The document, or None if it has to be read as HTML. Raises TooComplex.

    `in_chromium`: when it writes the document out to read it again it keeps the declared encoding, as no other does.
    """
    reader = _Reader(text, in_chromium)
    try:
        reader.parser.Parse(reader.data, True)
    except (pyexpat.ExpatError, _NotXml):
        return None
    finally:
        reader.release()
    if reader.names_characters and reader.has_unknown_entity():
        return None
    reader.nodes.finish()
    return reader.nodes


def _is_error(name: str) -> bool:
    return name.endswith(_ERROR) and name.rpartition(_SEPARATOR)[2] == _ERROR


class _NotXml(Exception):
    """A browser refuses it although expat does not."""


class _Reader:
    __slots__ = (
        "_after_return",
        "_byte",
        "_char",
        "_declared",
        "_expanded_chars",
        "_in_chromium",
        "_is_ascii",
        "_knows_names",
        "_looked_at",
        "_root_at",
        "_template_depth",
        "_text",
        "data",
        "names_characters",
        "nodes",
        "parser",
    )

    def __init__(self, text: str, in_chromium: bool) -> None:
        self._text = text
        self._in_chromium = in_chromium
        self.data = text.encode("utf-8", "replace")
        self.nodes = Nodes(text)
        self._is_ascii = len(self.data) == len(text)
        self._byte, self._char = 0, 0  # the same place, counted in bytes and in characters
        self._after_return = False
        self._root_at = self._looked_at = 0
        self._template_depth = 0  # 0 outside of all templates
        self._declared: set[str] = set()  # names of the document's own entities
        self._expanded_chars = 0
        self._knows_names = False
        self.names_characters = False  # the document type may declare entities that are not read
        parser = pyexpat.ParserCreate("utf-8", _SEPARATOR)
        parser.ordered_attributes = True
        parser.buffer_text = False
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.CommentHandler = self._other
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartCdataSectionHandler = self._break
        parser.EndCdataSectionHandler = self._break
        self.parser = parser

    def release(self) -> None:
        """The handlers hold the reader and the reader the parser: without this neither goes before a collection."""
        del self.parser

    def has_unknown_entity(self) -> bool:
        """Whether an attribute has an entity that nobody declares: expat passes over it."""
        text, at = self._text, self._root_at
        while True:
            at = text.find("&", at)
            if at < 0:
                return False
            behind = self._behind_markup(at)
            if behind > at:
                at = behind
                continue
            end = at + 1
            while end < len(text) and text[end] in NAME_CHARS:
                end += 1
            if text.startswith(";", end) and not self._is_known(text[at + 1 : end]):
                return True
            at += 1

    def _behind_markup(self, at: int) -> int:
        """Where the comment, instruction or CDATA ends that holds `at`, or something before it."""
        text, behind = self._text, self._looked_at
        while behind <= at:
            found = text.find("<", behind)
            if found < 0 or found > at:
                break
            behind = found + 1
            for start, end in _NO_REFERENCES:
                if text.startswith(start, found):
                    ends = text.find(end, found + len(start))
                    behind = len(text) if ends < 0 else ends + len(end)
        self._looked_at = max(behind, self._looked_at)
        return behind

    def _is_known(self, name: str) -> bool:
        return name in _PREDEFINED or name in self._declared or (self._knows_names and bool(named(name)))

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if self._in_chromium:
            self.nodes.declare(encoding or "")

    def _doctype(self, name: str, system: str | None, public: str | None, has_subset: int) -> None:
        self._knows_names = public in _KNOWN_TYPES
        self.names_characters = system is not None or bool(has_subset)

    def _entity(
        self,
        name: str,
        is_parameter: int,
        value: str | None,
        base: str | None,
        system: str | None,
        public: str | None,
        notation: str | None,
    ) -> None:
        if not is_parameter:
            self._declared.add(name)

    def _skipped(self, name: str, is_parameter: int) -> None:
        if is_parameter:
            return
        value = named(name) if self._knows_names else ""
        if not value:
            raise _NotXml(name)
        self._after_return = False
        if not self._template_depth:
            self.nodes.spelled(self._source(), value)

    def _start(self, name: str, attributes: Sequence[str]) -> None:
        self._after_return = False
        if self._template_depth:
            self._template_depth += 1
            return
        depth = self.nodes.depth()
        if (not depth and _SEPARATOR not in name) or depth >= DEPTH_MOST or _is_error(name):
            raise _NotXml(name)
        if not depth:
            self._root_at = self._looked_at = self._source()
        id = ""
        for at in range(0, len(attributes), 2):
            if attributes[at] == "id":
                id = attributes[at + 1]
        self.nodes.open(id)
        if name == _TEMPLATE:
            self._template_depth = 1

    def _end(self, name: str) -> None:
        self._after_return = False
        if self._template_depth:
            self._template_depth -= 1
        if not self._template_depth:
            self.nodes.close()

    def _characters(self, data: str) -> None:
        if self._template_depth:
            return
        source = self._source()
        if self._after_return and data.startswith("\n"):
            self._after_return = False
            return
        self._after_return = data == "\r"
        if self._after_return:
            self.nodes.spelled(source, "\n")
        elif self._text.startswith(data, source):
            self.nodes.text(source, len(data))
        else:
            self._expanded_chars += max(len(data), EXPANSION_LEAST_CHARS) if self._declared else 0
            if self._expanded_chars > EXPANDED_MOST_CHARS:
                raise TooComplex("the chapter's own entities make too much of it")
            self.nodes.spelled(source, data)

    def _other(self, text: str) -> None:
        self._after_return = False
        if not self._template_depth:
            self.nodes.other()

    def _instruction(self, target: str, text: str) -> None:
        self._other(text)

    def _break(self) -> None:
        self._after_return = False
        self.nodes.break_text()

    def _source(self) -> int:
        """Where in the text the parser is; its own count is in bytes."""
        byte = self.parser.CurrentByteIndex
        if self._is_ascii:
            return byte
        if byte != self._byte:
            self._char += len(self.data[self._byte : byte].decode("utf-8", "ignore"))
            self._byte = byte
        return self._char
