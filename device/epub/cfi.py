"""EPUB CFIs: the places in a book as the web reader spells them, read and written.

Promises: what `parse` takes, `format_point` and `format_range` write so that it is read back the same; they write what
the web reader itself would write for the same selection, byte for byte, and never more than the server takes. Reading
costs no more than the text's length, whatever it is.
Never: looks into a book; a CFI that is well written may still point nowhere.
Called by: `joining.py`, `from_web.py`; whoever compares places asks for `normal_form` and `order`.
Law: EPUB Canonical Fragment Identifiers 1.1 (grammar, escapes, side bias); where it leaves a choice, what foliate-js
does, the library of the web reader: ids on every step that has one, an offset only on text, the common path as long as
it can be. A range over several documents, which the law knows and no reader shows, is refused.

A place is a path of steps: even ones are elements, odd ones the text between them. The first path leads to an entry of
the package's spine, the second one, behind `!`, starts at the root element of that document.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    Step = tuple[int, str]  # number; id of the element, or ""
    Steps = tuple[Step, ...]

MOST_CHARS = 1_000  # the server takes no more (its column); a path of 100 nested elements needs 400
NUMBER_MOST_DIGITS = 9  # a step or an offset; no document is that long
_PREFIX, _SUFFIX = "epubcfi(", ")"
_ESCAPED = "^[](),;="
_DIGITS = frozenset("0123456789")
_FRACTION = frozenset("0123456789.")
_BEFORE, _AFTER = "b", "a"


class Invalid(ValueError):
    """The text is no CFI of one document in a book; the message says why."""


class Point:
    """One place within a document. `offset` counts UTF-16 units of the text at an odd last step, or is None.

    `side` is `a` or `b` where the text says to which side of the place it belongs, else empty; `text` are the words
    before and behind the place, as far as they are given. Neither says where it is.
    """

    __slots__ = ("offset", "side", "steps", "text")

    def __init__(self, steps: Steps, offset: int | None, side: str = "", text: tuple[str, ...] = ()) -> None:
        self.steps = steps
        self.offset = offset
        self.side = side
        self.text = text

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Point)
            and (self.steps, self.offset, self.side) == (other.steps, other.offset, other.side)
            and self.text == other.text
        )

    def __hash__(self) -> int:
        return hash((self.steps, self.offset))


class Cfi:
    """A place or, with an `end`, a range; `package` leads to the spine's entry."""

    __slots__ = ("end", "package", "start")

    def __init__(self, package: Steps, start: Point, end: Point | None) -> None:
        self.package = package
        self.start = start
        self.end = end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cfi) and (self.package, self.start, self.end) == (
            other.package,
            other.start,
            other.end,
        )

    def __hash__(self) -> int:
        return hash((self.package, self.start, self.end))


def parse(text: str) -> Cfi:
    """Raises Invalid."""
    if len(text) > MOST_CHARS:
        raise Invalid("it is too long")
    text = text.strip()
    if not text.startswith(_PREFIX) or not text.endswith(_SUFFIX):
        raise Invalid("it is not written as epubcfi(...)")
    scanner = _Scanner(text[len(_PREFIX) : -len(_SUFFIX)])
    paths = [scanner.path()]
    while scanner.takes(","):
        paths.append(scanner.path())
    if not scanner.is_at_end():
        raise Invalid(f"it cannot be read from character {scanner.at + 1 + len(_PREFIX)} on")
    if len(paths) == 1:
        package, start = _split(paths[0])
        return Cfi(package, start, None)
    if len(paths) != 3:
        raise Invalid("a range has three parts")
    package, start = _split(_joined(paths[0], paths[1]))
    other, end = _split(_joined(paths[0], paths[2]))
    if _numbers(package) != _numbers(other):
        raise Invalid("its range goes over several documents")
    return Cfi(package, start, end)


def format_point(package: Steps, point: Point) -> str | None:
    """One place; None if it is longer than the server takes."""
    for steps, start in ((package, point), (_bare(package), Point(_bare(point.steps), point.offset))):
        text = f"{_PREFIX}{_path(steps)}!{_path(start.steps)}{_terminus(start)}{_SUFFIX}"
        if len(text) <= MOST_CHARS:
            return text
    return None


def format_range(package: Steps, start: Point, end: Point) -> str | None:
    """A range, or a place if it begins where it ends; None if it is longer than the server takes."""
    if _numbers(start.steps) == _numbers(end.steps) and start.offset == end.offset:
        return format_point(package, start)
    common = _common(start, end)
    for steps, first, last in (
        (package, start, end),
        (_bare(package), Point(_bare(start.steps), start.offset), Point(_bare(end.steps), end.offset)),
    ):
        inner = (
            f"{_path(steps)}!{_path(first.steps[:common])},{_path(first.steps[common:])}{_terminus(first)},"
            f"{_path(last.steps[common:])}{_terminus(last)}"
        )
        text = f"{_PREFIX}{inner}{_SUFFIX}"
        if len(text) <= MOST_CHARS:
            return text
    return None


def formatted(cfi: Cfi) -> str | None:
    """What was parsed, as the web reader writes it."""
    return format_point(cfi.package, cfi.start) if cfi.end is None else format_range(cfi.package, cfi.start, cfi.end)


def normal_form(text: str) -> str:
    """For comparing: two spellings of one place give the same. What cannot be read stays as it is."""
    try:
        cfi = parse(text)
    except Invalid:
        return text
    start = Point(_bare(cfi.start.steps), cfi.start.offset)
    end = None if cfi.end is None else Point(_bare(cfi.end.steps), cfi.end.offset)
    return formatted(Cfi(_bare(cfi.package), start, end)) or text


def order(cfi: Cfi) -> tuple[tuple[int, ...], tuple[int, ...], int, tuple[int, ...], int]:
    """A key that sorts places as they follow one another in the book; a place comes before a range from there."""
    end = cfi.start if cfi.end is None else cfi.end
    return (
        _numbers(cfi.package),
        _numbers(cfi.start.steps),
        cfi.start.offset or 0,
        _numbers(end.steps),
        end.offset or 0,
    )


class _Part:
    """A step while it is read, with what stands behind it."""

    __slots__ = ("id", "number", "offset", "side", "text")

    def __init__(self, number: int) -> None:
        self.number = number
        self.id = ""
        self.offset: int | None = None
        self.side = ""
        self.text: tuple[str, ...] = ()


class _Scanner:
    __slots__ = ("_text", "at")

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def is_at_end(self) -> bool:
        return self.at >= len(self._text)

    def takes(self, char: str) -> bool:
        """Whether `char` is next; if so, steps behind it."""
        if self._text.startswith(char, self.at):
            self.at += len(char)
            return True
        return False

    def path(self) -> list[list[_Part]]:
        """Steps, cut at each `!`; up to a comma or the end."""
        documents: list[list[_Part]] = [[]]
        while True:
            if self.takes("!"):
                documents.append([])
            elif self.takes("/"):
                documents[-1].append(self._part())
            else:
                return documents

    def _part(self) -> _Part:
        part = _Part(self._number())
        if self.takes("["):
            values, part.side = self._assertion()
            if part.number % 2:
                part.text = _words(values)
            else:
                part.id = values[0]
        if self.takes(":"):
            part.offset = self._number()
        while self.takes("~") or self.takes("@") or (self._text.startswith(":", self.at)):
            # Times and points of pictures and films: a text has none, so they are read and left.
            self.takes(":")
            while self._text[self.at : self.at + 1] in _FRACTION:
                self.at += 1
        if self.takes("["):
            values, side = self._assertion()
            part.text = _words(values) or part.text
            part.side = side or part.side
        return part

    def _number(self) -> int:
        begins_at = self.at
        while self._text[self.at : self.at + 1] in _DIGITS:
            self.at += 1
        if not 1 <= self.at - begins_at <= NUMBER_MOST_DIGITS:
            raise Invalid(f"there is no number at character {begins_at + 1 + len(_PREFIX)}")
        return int(self._text[begins_at : self.at])

    def _assertion(self) -> tuple[tuple[str, ...], str]:
        """Behind `[`: the values that commas part, and the side; up to and with the `]`."""
        values, side = [""], ""
        parameter: list[str] = []  # its name, its value; empty outside of one
        while not self.is_at_end():
            char = self._text[self.at]
            self.at += 1
            if char == "^" and not self.is_at_end():
                char = self._text[self.at]
                self.at += 1
            elif char == "]":
                return tuple(values), _side(parameter) or side
            elif char == ";":
                side = _side(parameter) or side
                parameter = [""]
                continue
            elif char == "=" and len(parameter) == 1:
                parameter.append("")
                continue
            elif char == "," and not parameter:
                values.append("")
                continue
            if parameter:
                parameter[-1] += char
            else:
                values[-1] += char
        raise Invalid("a bracket is not closed")


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    return values if any(values) else ()


def _side(parameter: list[str]) -> str:
    if len(parameter) == 2 and parameter[0] == "s" and parameter[1] in (_BEFORE, _AFTER):
        return parameter[1]
    return ""


def _joined(parent: list[list[_Part]], rest: list[list[_Part]]) -> list[list[_Part]]:
    return [*parent[:-1], parent[-1] + rest[0], *rest[1:]]


def _split(documents: list[list[_Part]]) -> tuple[Steps, Point]:
    if len(documents) != 2:
        raise Invalid("it leads into no document of the book" if len(documents) < 2 else "it leads into another one")
    package, parts = documents
    if not package or not parts:
        raise Invalid("it has no steps")
    last = parts[-1]
    return _steps(package), Point(_steps(parts), last.offset, last.side, last.text)


def _steps(parts: list[_Part]) -> Steps:
    return tuple((part.number, part.id) for part in parts)


def _bare(steps: Steps) -> Steps:
    return tuple((number, "") for number, _ in steps)


def _numbers(steps: Steps) -> tuple[int, ...]:
    return tuple(number for number, _ in steps)


def _common(start: Point, end: Point) -> int:
    """How many steps both begin with. A step with an offset behind 0, or with a side, is each end's own."""
    shared = 0
    for (first, _), (last, _) in zip(start.steps, end.steps, strict=False):
        is_last = shared + 1 in (len(start.steps), len(end.steps))
        if first != last or (is_last and _says_more(start, end, shared)):
            break
        shared += 1
    return shared


def _says_more(start: Point, end: Point, index: int) -> bool:
    return any((point.offset or point.side) and index == len(point.steps) - 1 for point in (start, end))


def _path(steps: Steps) -> str:
    parts: list[str] = []
    for number, id in steps:
        parts.append(f"/{number}[{_escaped(id)}]" if id else f"/{number}")
    return "".join(parts)


def _terminus(point: Point) -> str:
    """What stands behind the last step: the offset in a text, the words beside it and the side."""
    is_text = point.steps[-1][0] % 2
    offset = f":{point.offset}" if point.offset is not None and is_text else ""
    words = ",".join([_escaped(text) for text in point.text]) if is_text else ""
    side = f";s={point.side}" if point.side else ""
    return f"{offset}[{words}{side}]" if words or side else offset


def _escaped(text: str) -> str:
    if any(char in text for char in _ESCAPED):
        return "".join([f"^{char}" if char in _ESCAPED else char for char in text])
    return text
