"""The tree that KOReader's engine builds of one document of a book, and the text that it shows of it.

The tree holds what xpointers count: elements, and the text nodes that are left when the engine has dropped blank ones
between blocks. It lies in arrays, in the order of the document, so that its children are found by jumping from one
node's end to the next. Of a text only its place in the source is kept; it is processed again when a position in it is
asked for.

`visible` is the text that the engine gives for a selection, without blanks and without what is not seen: what two
readers of the same book agree upon. Its places are the common ground of xpointers, the source and EPUB's own positions.

Promises: one pass, memory in proportion to the document (22 bytes for a node); no recursion; whatever the document is,
the engine's own tree or TooLarge.
Never: needs the book's stylesheets; with them some places are righter, without them these are found by their text.
Called by: `joining.py`, `spine.py` (`bodies`).
"""

from __future__ import annotations

from device.epub import engine_blanks, engine_math, engine_text
from device.epub import engine_tags as tags
from device.epub.engine_item import BLANK, HIDDEN, LITERAL, PREFORMATTED, STRIPPED, EngineItem
from device.epub.engine_open import Open
from device.epub.engine_styles import Head
from device.epub.engine_tokens import CDATA, CLOSE, OPEN, TEXT, Tag, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.epub.engine_styles import DocumentStyles, Styles

SOURCE_MOST_CHARS = 8 * 1_048_576  # a long novel in one document has 2 million
NODES_MOST = 1_000_000  # 22 MB of tree; a novel in one document has 60,000
DEPTH_MOST = 10_000  # of nested elements: unclosed ones nest what follows; an open one takes 200 bytes
_WITH_STRIPPED_LINE_END_DOM = 20210904
_INVENTED = Tag(OPEN, "", {}, False, -1)
_BLOCKS = (tags.BLOCK, tags.INLINE_BLOCK)
_IN_LINE = (tags.INLINE, tags.INLINE_BLOCK)


class TooLarge(Exception):
    """A document beyond the limits."""


def parse_item(source: str, dom: int, styles: Styles | None = None, name: str = "") -> EngineItem:
    """`dom`: the DOM version with which the book was opened. `styles`: of the book, where they are to be followed;
    `name`: of the document in it. Raises TooLarge."""
    if len(source) > SOURCE_MOST_CHARS:
        raise TooLarge("the document is too long")
    builder = _Builder(source, dom, styles, name)
    for tag, begin, end in tokens(source):
        if tag.kind == OPEN:
            builder.open(tag, begin)
        elif tag.kind == CLOSE:
            builder.close(tag.name, begin)
        elif builder.stack:
            builder.add_text(begin, end, tag.kind == CDATA)
        elif builder.head is not None:
            builder.head.add_text(source, begin, end)
    builder.finish()
    return builder.item


def bodies(source: str) -> int:
    """How many DocFragments the engine makes of the document."""
    inside, found = False, 0
    for tag, _, _ in tokens(source):
        if tag.kind == TEXT or tag.kind == CDATA or tag.name.lower() != "body":
            continue
        if tag.kind == OPEN:
            found += not inside
            inside = not tag.empty
        else:
            inside = False
    return found


class _Builder:
    __slots__ = ("_dom", "_open_names", "_source", "_styles", "_visible", "head", "item", "stack")

    def __init__(self, source: str, dom: int, styles: Styles | None, name: str) -> None:
        self._source = source
        self._dom = dom
        self.head = None if styles is None else Head(styles, name)
        self._styles: DocumentStyles | None = None
        self.item = EngineItem(source)
        self._visible: list[str] = []
        self.stack: list[Open] = []
        self._open_names: dict[str, int] = {}

    def open(self, tag: Tag, source_at: int) -> None:
        name = tag.name
        if not self.stack:
            if name.lower() != "body":
                if self.head is not None:
                    self.head.open(name.lower(), tag.attributes)
                return
            if self.head is not None:
                self._styles = self.head.styles()
            self.item.bodies.append(len(self.item.name_ids))
        parent = self.stack[-1] if self.stack else None
        if parent is None or not parent.is_svg:
            name = name.lower()
        if parent is not None and parent.is_math:
            self._separate(parent, source_at)
        self._push(name, tag, source_at, parent)
        if name == "mfenced" and self.stack[-1].is_math:
            self._invent(engine_math.value_of(tag.attributes, "open", "("), source_at)
            self._push("mrow", _INVENTED, source_at, self.stack[-1])
        if tag.empty:
            self.close(tag.name, source_at)

    def _push(self, name: str, tag: Tag, source_at: int, parent: Open | None) -> None:
        if len(self.stack) >= DEPTH_MOST:
            raise TooLarge("the document is nested too deeply")
        element = Open(self._add_node(self.item.names.number(name), source_at, 0, 0), name, tag)
        element.display = tags.display(name, tag.attributes)
        if parent is not None and parent.name in tags.CHOOSERS and self._is_passed_over(parent, name, tag):
            element.display = tags.NONE
        element.preformatted = name in tags.PREFORMATTED or (parent is not None and parent.preformatted)
        if self._styles is not None:
            if parent is not None:
                element.before, parent.last = parent.last, element
            self._style(element)
        element.takes_text = name not in tags.TEXTLESS
        element.strips = name in tags.OPENS_WITH_LINE_END and self._dom >= _WITH_STRIPPED_LINE_END_DOM
        element.unseen = element.display == tags.NONE
        element.hidden = element.unseen or name in tags.UNREAD or tags.is_image(name, tag.attributes)
        element.is_svg = name == "svg"
        element.is_math = name == "math" and not (parent is not None and parent.unseen)
        if parent is not None:
            parent.children += 1
            parent.strips = False
            element.hidden = element.hidden or parent.hidden
            element.unseen = element.unseen or parent.unseen
            element.is_svg = element.is_svg or parent.is_svg
            element.is_math = element.is_math or parent.is_math
            if parent.name == "head" and name == "style":
                element.takes_text = False
        if name in tags.QUOTES:
            element.children += 1
            element.inlines += 1
        if element.is_svg:
            element.takes_text = name in tags.SVG_TEXTS
            element.preformatted = element.takes_text
        self.stack.append(element)
        self._open_names[name] = self._open_names.get(name, 0) + 1

    def _style(self, element: Open) -> None:
        """What the book's own stylesheets want of it."""
        wishes = None if self._styles is None else self._styles.of(element, self.stack)
        if wishes is None:
            return
        if wishes.display is not None:
            element.display = wishes.display
        if wishes.preformatted is not None:
            element.preformatted = wishes.preformatted
        for place, shown in wishes.marks.items():
            element.children += 1
            element.blocks += shown == tags.BLOCK
            element.inlines += shown in _IN_LINE
            if shown in _IN_LINE and place == "before":
                element.begins_with = engine_blanks.SHOWN_INLINE
            elif shown in _IN_LINE:
                element.ends_with = engine_blanks.SHOWN_INLINE
        if wishes.floats and element.display != tags.NONE:
            element.floats = True
            element.display = tags.BLOCK if element.display == tags.INLINE else element.display

    def _is_passed_over(self, parent: Open, name: str, tag: Tag) -> bool:
        """Whether an element that is there for the choice is not chosen."""
        if parent.name == "switch":
            if name == "case":
                supported = tag.attributes.get("required-namespace", "") in tags.SUPPORTED
                parent.supported = parent.supported or supported
                return not supported
            return name == "default" and parent.supported
        if parent.name == "maction":
            return parent.children > 0
        return name == "form"

    def close(self, name: str, source_at: int) -> None:
        """Everything down to the nearest open element of that name; nothing if there is none."""
        stack = self.stack
        if not stack:
            return
        if not stack[-1].is_svg:
            name = name.lower()
        if name == "body":
            while stack:
                self._close_last()
        elif self._open_names.get(name, 0):
            if name == "mfenced" and len(stack) > 1 and stack[-1].name == "mrow" and stack[-2].name == name:
                self._close_last()
                self._invent(engine_math.value_of(stack[-1].attributes, "close", ")"), source_at)
            closed = ""
            while closed != name:
                closed = self._close_last()

    def finish(self) -> None:
        while self.stack:
            self._close_last()
        self.item.set_visible("".join(self._visible))

    def add_text(self, begin: int, end: int, literal: bool) -> None:
        element = self.stack[-1]
        if not element.takes_text and not element.is_math:
            return
        if element.is_math:
            self._add_math_text(element, begin, end, literal)
            return
        raw = self._source[begin:end]
        flags = (LITERAL if literal else 0) | (PREFORMATTED if element.preformatted else 0)
        text = engine_text.text_only(raw, element.preformatted, literal)
        is_blank = engine_text.is_blank(text)
        if is_blank and not element.children and not element.preformatted and element.display in _BLOCKS:
            return
        if element.strips:
            element.strips = False
            if not element.children and text.startswith(("\n", "\r")):
                flags |= STRIPPED
        if element.hidden:
            flags |= HIDDEN
        if is_blank:
            flags |= BLANK
            element.blanks += 1
        else:
            element.texts += 1
        element.children += 1
        node = self._add_node(0, begin, end - begin, flags)
        self.item.ends[node] = node + 1
        if not element.hidden and not is_blank:
            self._show(engine_text.squeezed(text))

    def _add_math_text(self, element: Open, begin: int, end: int, literal: bool) -> None:
        if element.name in tags.MATH_HOLDERS:
            return
        text = engine_text.processed(self._source[begin:end], element.preformatted, literal).text
        text = text.strip(engine_math.TRIMMED)
        if not text:
            return
        variant = engine_math.variant_of(self.stack, text)
        flags = (LITERAL if literal else 0) | (HIDDEN if element.hidden else 0)
        element.texts += 1
        element.children += 1
        node = self._add_node(0, begin, end - begin, flags)
        self.item.ends[node] = node + 1
        self.item.variants[node] = variant
        if not element.hidden:
            self._show(engine_text.squeezed(engine_math.written(text, variant)))

    def _separate(self, parent: Open, source_at: int) -> None:
        """Between two children of a fence the engine puts a comma, or what the fence says."""
        if parent.name != "mrow" or not parent.children or self.stack[-2].name != "mfenced":
            return
        separators = "".join(engine_math.value_of(self.stack[-2].attributes, "separators", ",").split(" "))
        if separators:
            self._invent(separators[min((parent.children - 1) // 2, len(separators) - 1)], source_at)

    def _invent(self, text: str, source_at: int) -> None:
        """An operator that is not in the source."""
        self._push("mo", _INVENTED, source_at, self.stack[-1])
        text = engine_math.written(text.strip(engine_math.TRIMMED), engine_math.OPERATOR)
        if text:
            element = self.stack[-1]
            element.texts += 1
            node = self._add_node(0, source_at, 0, HIDDEN if element.hidden else 0)
            self.item.ends[node] = node + 1
            self.item.invented[node] = text
            if not element.hidden:
                self._show(engine_text.squeezed(text))
        self._close_last()

    def _show(self, text: str) -> None:
        self._visible.append(text)
        self.item.visible_chars += len(text)
        if len(self._visible) >= 4_096:  # small strings take more memory than what is in them
            self._visible[:] = ["".join(self._visible)]

    def _add_node(self, name_id: int, source_at: int, length: int, flags: int) -> int:
        item = self.item
        node = len(item.name_ids)
        if node >= NODES_MOST:
            raise TooLarge("the document has too many elements")
        item.name_ids.append(name_id)
        item.parents.append(self.stack[-1].node + 1 if self.stack else 0)
        item.ends.append(0)
        item.visible_at.append(item.visible_chars)
        item.source_at.append(source_at)
        item.lengths.append(length)
        item.flags.append(flags)
        return node

    def _close_last(self) -> str:
        element = self.stack.pop()
        element.before = element.last = None  # or the whole document would be kept
        self._open_names[element.name] -= 1
        self.item.ends[element.node] = len(self.item.ends)
        shown_as = element.display
        alone = not element.inlines and not element.texts
        if element.blanks and not element.unseen:
            if element.name == "ruby":
                parts = [self.item.names.number(name) for name in tags.RUBY_PARTS]
                engine_blanks.drop_in_ruby(self.item, element.node, parts)
            elif element.blocks and shown_as == tags.INLINE and not alone:
                engine_blanks.drop_beside_blocks(self.item, element.node)
            elif element.blocks and shown_as != tags.INLINE:
                engine_blanks.drop_between_blocks(self.item, element.node, element.begins_with, element.ends_with)
            elif (
                element.floating
                and alone
                and not element.unshown
                and shown_as != tags.INLINE
                and not element.preformatted
            ):
                engine_blanks.drop_all(self.item, element.node)
        if shown_as == tags.INLINE and element.blocks and alone:
            shown_as = tags.BLOCK
        if self.stack:
            parent = self.stack[-1]
            if shown_as == tags.NONE:
                parent.unshown += 1
            elif element.floats:
                parent.floating += 1
                self.item.flags[element.node] = engine_blanks.SHOWN_FLOATING
            elif shown_as == tags.BLOCK:
                parent.blocks += 1
                self.item.flags[element.node] = engine_blanks.SHOWN_AS_BLOCK
            else:
                parent.inlines += 1
                self.item.flags[element.node] = engine_blanks.SHOWN_INLINE
        return element.name
