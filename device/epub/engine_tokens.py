"""The tags and texts of a document as KOReader's engine reads them, which is neither XML nor HTML.

What is well-formed gives what everybody expects. The rest has to be read exactly as wrongly as the engine does, or the
numbers in its xpointers cannot be followed:

  a name         letters, digits and `-_.`, begins with a letter; one prefix is cut off. Behind it has to come a blank
                 (no tab), a line end or one of `/>?=`; if not, the tag counts as never written
  `>`            ends a tag wherever it stands, in quotes too
  an attribute   whose name is none ends its tag; what follows up to the next `<` is passed over, and the character
                 behind that `<` as well
  `<?`           begins an element, the `?` being part of its name
  comments       vanish; so does every other declaration, up to its first `>`
  CDATA          is text, taken literally
  script, style  everything up to their closing tag is text
  long texts     are cut behind the last blank before every 8192nd character

Promises: one pass, costs no more than the length of the document, whatever it holds; offsets are those of the text.
Never: builds anything; looks at what elements mean.
Called by: `engine_tree.py`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT_MOST_CHARS = 8_192  # of one text node in the engine
KEPT_TAG_MOST_CHARS = 200  # a longer tag is not likely to come again
KEPT_TAGS_MOST = 1_000
ATTRIBUTES_MOST = 64  # whose values are kept of one tag
VALUE_MOST_CHARS = 2_048  # of which is kept; a long address, no picture within the address

TEXT, CDATA, OPEN, CLOSE = 0, 1, 2, 3
_LOST = 4  # a tag that the engine passes over
_SPACE = " \t\r\n"
_BEHIND_NAME = frozenset(" /?=\r\n")  # and `>`, which is where the tag ends
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")
_RAW = ("style", "script")


class Tag:
    """`kind`: OPEN or CLOSE. `name`: without its prefix, in the case in which it is written. `attributes`: names
    without prefixes and in lower case. `empty`: closed by itself. `breaks_at`: the place, counted from the `<`, of an
    attribute that is none; -1 if all are."""

    __slots__ = ("attributes", "breaks_at", "empty", "kind", "name")

    def __init__(self, kind: int, name: str, attributes: dict[str, str], empty: bool, breaks_at: int) -> None:
        self.kind = kind
        self.name = name
        self.attributes = attributes
        self.empty = empty
        self.breaks_at = breaks_at


_TEXT_TAG = Tag(TEXT, "", {}, False, -1)
_CDATA_TAG = Tag(CDATA, "", {}, False, -1)
_LOST_TAG = Tag(_LOST, "", {}, False, -1)


def tokens(source: str) -> Iterator[tuple[Tag, int, int]]:
    """(tag, begin, end): of a text its place; of a tag the place of its `<` and where it ends."""
    find = source.find
    kept: dict[str, Tag] = {}
    opens = find("<")
    closes = -1
    while opens >= 0:
        begin = opens + 1
        if source.startswith("!--", begin):
            closes_comment = find("-->", begin + 3)
            if closes_comment < 0:
                return
            at, tag = closes_comment + 3, _LOST_TAG
        elif source.startswith("![CDATA[", begin):
            end = find("]]>", begin + 8)
            yield from _pieces(source, begin + 8, len(source) if end < 0 else end, _CDATA_TAG)
            if end < 0:
                return
            at, tag = end + 3, _LOST_TAG
        else:
            if closes < begin:  # else what was found before is still the next one
                closes = find(">", begin)
                if closes < 0:
                    return
            if closes - begin <= KEPT_TAG_MOST_CHARS:
                inner = source[begin:closes]
                known = kept.get(inner)
                if known is None:
                    known = _tag(inner, 0, len(inner))
                    if len(kept) < KEPT_TAGS_MOST:
                        kept[inner] = known
                tag = known
            else:
                tag = _tag(source, begin, closes)
            at = closes + 1
            if tag.kind != _LOST:
                if tag.breaks_at >= 0:
                    yield tag, opens, at
                    opens = find("<", begin + tag.breaks_at)
                    if opens < 0:
                        return
                    opens += 1  # and so the character behind it is taken for the `<`
                    continue
                yield tag, opens, at
        if tag.kind == OPEN and not tag.empty and tag.name.lower() in _RAW:
            opens = _end_of_raw(source, at, tag.name.lower())
        else:
            opens = find("<", at)
        if opens > at:
            if opens - at < TEXT_MOST_CHARS:
                yield _TEXT_TAG, at, opens
            else:
                yield from _pieces(source, at, opens, _TEXT_TAG)
        elif opens < 0 and source[at : at + TEXT_MOST_CHARS].strip(_SPACE):
            yield from _pieces(source, at, len(source), _TEXT_TAG)


def is_broken(tag: str) -> bool:
    """Whether a tag, given from behind its `<`, takes a part of the tag that follows it."""
    return _tag(tag, 0, max(tag.find(">"), 0)).breaks_at >= 0


def _pieces(source: str, begin: int, end: int, tag: Tag) -> Iterator[tuple[Tag, int, int]]:
    """A text, cut where the engine cuts it."""
    while end - begin >= TEXT_MOST_CHARS:
        cut = _cut(source, begin, begin + TEXT_MOST_CHARS)
        yield tag, begin, cut
        begin = cut
    if begin < end:
        yield tag, begin, end


def _cut(source: str, begin: int, end: int) -> int:
    """Behind the last blank, a pair of line ends being one; at the end if there is no blank."""
    at = end - 1
    while at >= begin:
        char = source[at]
        if char <= " ":
            following = source[at + 1] if at + 1 < end else ""
            if char == " " or (char == "\r" and following != "\n") or (char == "\n" and following != "\r"):
                return at + 1
        at -= 1
    return end


def _end_of_raw(source: str, at: int, name: str) -> int:
    """The `<` of the closing tag, -1 if there is none."""
    while True:
        at = source.find("</", at)
        if at < 0 or source[at + 2 : at + 2 + len(name)].lower() == name:
            return at
        at += 2


def _tag(source: str, begin: int, end: int) -> Tag:
    """The tag between `<` and `>`."""
    at = begin
    if source[at : at + 1] in ("/", "?"):
        kind, mark = (CLOSE, "") if source[at] == "/" else (OPEN, "?")
        at += 1
    else:
        kind, mark = OPEN, ""
        at = _behind_space(source, at, end)
    name_end = _name_end(source, at, end)
    if name_end < 0 or (name_end < end and source[name_end] == "="):
        return _LOST_TAG
    name = mark + _local(source[at:name_end])
    if kind == CLOSE:
        return Tag(CLOSE, name, {}, False, -1)
    return _attributes(name, source, name_end, begin, end)


def _attributes(name: str, source: str, at: int, begin: int, end: int) -> Tag:
    attributes: dict[str, str] = {}
    while True:
        at = _behind_space(source, at, end)
        if at >= end:
            return Tag(OPEN, name, attributes, False, -1)
        if at == end - 1 and source[at] in "/?":
            return Tag(OPEN, name, attributes, True, -1)
        name_end = _name_end(source, at, end)
        if name_end < 0:
            return Tag(OPEN, name, attributes, False, at - begin)
        attribute = _local(source[at:name_end]).lower()
        at = _behind_space(source, name_end, end)
        value = ""
        if at < end and source[at] == "=":
            value, at = _value(source, _behind_space(source, at + 1, end), end)
        if len(attributes) < ATTRIBUTES_MOST:
            attributes.setdefault(attribute, value)


def _value(source: str, at: int, end: int) -> tuple[str, int]:
    """The value, and where it ends; the end of the tag ends it in any case."""
    quote = source[at] if at < end else ""
    if quote and quote in "\"'":
        closes = source.find(quote, at + 1, end)
        behind = end if closes < 0 else closes + 1
        return source[at + 1 : min(end if closes < 0 else closes, at + 1 + VALUE_MOST_CHARS)], behind
    behind = at
    while behind < end and source[behind] not in _SPACE:
        behind += 1
    return source[at : min(behind, at + VALUE_MOST_CHARS)], behind


def _name_end(source: str, at: int, end: int) -> int:
    """Where the name that begins there ends; -1 if it is none."""
    first = source[at] if at < end else ""
    if not (first.isascii() and first.isalpha()):
        return -1
    colon = -1
    behind = at + 1
    while behind < end and source[behind] in _NAME:
        if source[behind] == ":":
            if colon >= 0:
                return -1
            colon = behind
        behind += 1
    if behind == colon + 1 or (behind < end and source[behind] not in _BEHIND_NAME):
        return -1
    return behind


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _behind_space(source: str, at: int, end: int) -> int:
    while at < end and source[at] in _SPACE:
        at += 1
    return at
