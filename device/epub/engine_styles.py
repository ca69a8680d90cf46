"""What a book's own stylesheets want of an element, as far as it decides which texts KOReader's engine has.

Promises: each sheet is read once for a book; one that is missing, damaged or too long says nothing.
Never: more than `stylesheet.py` understands; who switches the book's styles off in KOReader, or adds own ones, is not
known here. So this makes positions better and is never needed for them to be right.
Called by: `engine_tree.py`; `opened_book.py` keeps one for an open book.
"""

from __future__ import annotations

from device.epub import engine_tags as tags
from device.epub import stylesheet
from device.epub.archive import Archive, Unreadable
from device.epub.container import resolved, unquoted
from device.epub.stylesheet import BEHIND, DIRECTLY, DISPLAY, FLOAT, WHITE_SPACE, Declaration, Part, Rule, Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

SHEET_MOST_BYTES = 4 * 1_048_576  # with fonts in it; only the beginning is read, see stylesheet.py
SHEETS_MOST = 64  # of a book
SHEETS_OF_DOCUMENT_MOST = 16
TEXTS_MOST = 64  # pieces of the sheets within a document, of 8192 characters
_DISPLAYS: dict[str, int | None] = {
    "inherit": None,
    "initial": tags.INLINE,
    "inline": tags.INLINE,
    "run-in": tags.INLINE,
    "ruby": tags.INLINE,
    "inline-block": tags.INLINE_BLOCK,
    "inline-table": tags.INLINE_BLOCK,
    "none": tags.NONE,
    **dict.fromkeys(
        (
            *("block", "list-item", "table", "table-row-group", "table-header-group", "table-footer-group"),
            *("table-row", "table-column-group", "table-column", "table-cell", "table-caption"),
        ),
        tags.BLOCK,
    ),
}
_PREFORMATTED = {
    "normal": False,
    "nowrap": False,
    "pre": True,
    "pre-wrap": True,
    "pre-line": True,
    "break-spaces": True,
}
_FLOATS = {"inherit": None, "none": False, "left": True, "right": True}
_VALUES: dict[str, Container[str]] = {DISPLAY: _DISPLAYS, WHITE_SPACE: _PREFORMATTED, FLOAT: _FLOATS}


class Wishes:
    """None where nothing is wanted. `marks`: how the nodes are shown that are put
    `before` and `after` the content."""

    __slots__ = ("display", "floats", "marks", "preformatted")

    def __init__(self) -> None:
        self.display: int | None = None
        self.preformatted: bool | None = None
        self.floats: bool | None = None
        self.marks: dict[str, int] = {}


class Around:
    """What selectors look at. `before`: the element before it, `last`: the last one in it, as long as it is open."""

    __slots__ = ("attributes", "before", "last", "name")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.before: Around | None = None
        self.last: Around | None = None


_HTML = Around("html", {})


class DocumentStyles:
    """The rules that hold in one document, in their order."""

    __slots__ = ("_by_class", "_by_id", "_by_name", "_everywhere")

    def __init__(self, sheets: Iterable[Sheet]) -> None:
        self._by_name: dict[str, list[tuple[int, Rule]]] = {}
        self._by_class: dict[str, list[tuple[int, Rule]]] = {}
        self._by_id: dict[str, list[tuple[int, Rule]]] = {}
        self._everywhere: list[tuple[int, Rule]] = []
        number = 0
        for sheet in sheets:
            for rule in sheet.rules:
                own = rule.parts[0]
                number += 1
                if own.id:
                    self._by_id.setdefault(own.id, []).append((number, rule))
                elif own.classes:
                    self._by_class.setdefault(own.classes[0], []).append((number, rule))
                elif own.name:
                    self._by_name.setdefault(own.name, []).append((number, rule))
                else:
                    self._everywhere.append((number, rule))

    def of(self, element: Around, around: Sequence[Around]) -> Wishes | None:
        """`around`: the open elements, the outermost first. None if nothing is wanted."""
        name, attributes = element.name, element.attributes
        candidates = [*self._everywhere, *self._by_name.get(name, ())]
        if attributes:
            if self._by_class and "class" in attributes:
                for one in attributes["class"].split():
                    candidates += self._by_class.get(one, ())
            if self._by_id and "id" in attributes:
                candidates += self._by_id.get(attributes["id"], ())
        winners: dict[str, tuple[tuple[bool, int, int], str]] = {}
        marks: dict[str, int] = {}
        for number, rule in candidates:
            if not _fits(rule, element, around):
                continue
            if rule.parts[0].mark:
                marks[rule.parts[0].mark] = _display_of_mark(rule)
                continue
            for declaration in rule.declarations:
                _take(winners, declaration, rule.weight, number)
        if attributes and "style" in attributes:
            for declaration in stylesheet.declared(attributes["style"]):
                _take(winners, declaration, _STYLE_WEIGHT, 0)
        return _wishes(winners, marks) if winners or marks else None


_STYLE_WEIGHT = 1_000_000  # above every selector


class Styles:
    """The stylesheets of one open book."""

    __slots__ = ("_documents", "_read", "_sheets")

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """`read`: gives a member of the archive."""
        self._read = read
        self._sheets: dict[str, Sheet] = {}
        self._documents: dict[tuple[str, ...], DocumentStyles] = {}

    def of_document(self, name: str, addresses: list[str], texts: list[str]) -> DocumentStyles:
        """`name`: of the document's member; `addresses`: of the sheets it links; `texts`: those within it."""
        names = [resolved(unquoted(address), name) for address in addresses[:SHEETS_OF_DOCUMENT_MOST]]
        known = None if texts else self._documents.get(tuple(names))
        if known is None:
            sheets = [sheet for one in names for sheet in self._with_imports(one)]
            for text in texts[:SHEETS_OF_DOCUMENT_MOST]:
                own = stylesheet.parse(text)
                for address in own.imports:
                    sheets += self._with_imports(resolved(unquoted(address), name))
                sheets.append(own)
            known = DocumentStyles(sheets)
            if not texts and len(self._documents) < SHEETS_MOST:
                self._documents[tuple(names)] = known
        return known

    def _with_imports(self, name: str) -> list[Sheet]:
        """A sheet behind those that it imports, which import others; each of them once."""
        found: list[Sheet] = []
        seen: set[str] = set()
        waiting = [name]
        while waiting and len(seen) < SHEETS_OF_DOCUMENT_MOST:
            one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            sheet = self._sheet(one)
            found.append(sheet)
            waiting += [resolved(unquoted(address), one) for address in sheet.imports]
        found.reverse()
        return found

    def _sheet(self, name: str) -> Sheet:
        sheet = self._sheets.get(name)
        if sheet is None:
            data = self._read(name) if len(self._sheets) < SHEETS_MOST else None
            sheet = stylesheet.parse("" if data is None else data.decode("utf-8", "replace").removeprefix("\ufeff"))
            self._sheets[name] = sheet
        return sheet


class Head:
    """What stands before the body: the sheets of the document."""

    __slots__ = ("_addresses", "_in_style", "_name", "_styles", "_texts")

    def __init__(self, styles: Styles, name: str) -> None:
        self._styles = styles
        self._name = name
        self._addresses: list[str] = []
        self._texts: list[str] = []
        self._in_style = False

    def open(self, name: str, attributes: dict[str, str]) -> None:
        self._in_style = name == "style" and stylesheet.applies(attributes.get("media", ""))
        if name == "link" and attributes.get("rel", "").lower() == "stylesheet" and attributes.get("href"):
            kind = attributes.get("type", "").lower()
            if kind in ("", "text/css") and stylesheet.applies(attributes.get("media", "")):
                self._addresses.append(attributes["href"])

    def add_text(self, source: str, begin: int, end: int) -> None:
        if self._in_style and len(self._texts) < TEXTS_MOST:
            self._texts.append(source[begin:end])

    def styles(self) -> DocumentStyles:
        return self._styles.of_document(self._name, self._addresses, ["".join(self._texts)] if self._texts else [])


def styles_in(archive: Archive) -> Styles:
    def read(name: str) -> bytes | None:
        try:
            return archive.member(name, SHEET_MOST_BYTES)
        except Unreadable:
            return None

    return Styles(read)


def _fits(rule: Rule, element: Around, around: Sequence[Around]) -> bool:
    """Whether a rule is for an element. From the inside out, each of what is around it as near as possible."""
    if not _is(rule.parts[0], element):
        return False
    at = len(around)
    here: Around | None = element
    for number in range(1, len(rule.parts)):
        part, relation = rule.parts[number], rule.parts[number - 1].relation
        if relation == BEHIND:
            here = here.before if here is not None else None
            if here is None or not _is(part, here):
                return False
            continue
        while True:
            at -= 1
            if at < -1:
                return False
            here = around[at] if at >= 0 else _HTML
            if _is(part, here):
                break
            if relation == DIRECTLY:
                return False
    return True


def _is(part: Part, element: Around) -> bool:
    return part.fits(element.name, element.attributes) and not (part.is_first and element.before is not None)


def _take(
    winners: dict[str, tuple[tuple[bool, int, int], str]], declaration: Declaration, weight: int, number: int
) -> None:
    if declaration.value not in _VALUES[declaration.name]:
        return  # so that what was said before holds
    rank = (declaration.is_important, weight, number)
    known = winners.get(declaration.name)
    if known is None or known[0] <= rank:
        winners[declaration.name] = (rank, declaration.value)


def _display_of_mark(rule: Rule) -> int:
    found = tags.INLINE
    for declaration in rule.declarations:
        if declaration.name == DISPLAY:
            found = _DISPLAYS.get(declaration.value) or found
    return found


def _wishes(winners: dict[str, tuple[tuple[bool, int, int], str]], marks: dict[str, int]) -> Wishes:
    wishes = Wishes()
    wishes.marks = marks
    if DISPLAY in winners:
        wishes.display = _DISPLAYS[winners[DISPLAY][1]]
    if WHITE_SPACE in winners:
        wishes.preformatted = _PREFORMATTED[winners[WHITE_SPACE][1]]
    if FLOAT in winners:
        wishes.floats = _FLOATS[winners[FLOAT][1]]
    return wishes
