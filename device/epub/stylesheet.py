"""The few rules of a stylesheet that decide which texts an engine shows, and which blank ones it keeps.

Three properties matter: `display`, `white-space` and `float`. A selector is understood if it is made of names, classes,
ids, attributes and `:first-child`, within each other, one directly in the other, or one directly behind the other; at
its end `::before` or `::after` may stand, which put a node of their own into the element if they have a `content`.
Rules for anything else are passed over, as are conditions that depend on the screen.

Promises: linear in the length of the sheet; keeps no more than RULES_MOST rules, whatever it holds.
Never: loads what a sheet imports; that is `engine_styles.py`.
Called by: `engine_styles.py`.
Law: CSS 2.2, sections 4 to 6; selectors level 3 as far as said.
"""

from __future__ import annotations

SHEET_MOST_CHARS = 524_288  # sheets that carry their fonts are longer; what is behind is not read
RULES_MOST = 2_000  # of those that matter; a book has some dozens
SELECTOR_MOST_CHARS = 300
PARTS_MOST = 12  # of a selector
IMPORTS_MOST = 16
DISPLAY, WHITE_SPACE, FLOAT = "display", "white-space", "float"
PROPERTIES = (DISPLAY, WHITE_SPACE, FLOAT)
CONTENT = "content"
_SPACE = " \t\r\n\f"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
WITHIN, DIRECTLY, BEHIND = "", ">", "+"  # how a part stands to the next outer one
_FIRST = ":first-child"
_MARKS = {"::before": "before", ":before": "before", "::after": "after", ":after": "after"}
_OPERATORS = "~^$*|"
_ID_WEIGHT, _CLASS_WEIGHT = 10_000, 100


class Part:
    """What one element has to be. `relation`: to the next part of its rule, see WITHIN. `mark`: the rule is for a node
    `before` or `after` what is in the element."""

    __slots__ = ("attributes", "classes", "id", "is_first", "mark", "name", "relation")

    def __init__(self) -> None:
        self.name = ""
        self.id = ""
        self.classes: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []  # name, operator, value; no operator: it has only to be there
        self.is_first = False
        self.relation = WITHIN
        self.mark = ""

    def fits(self, name: str, attributes: dict[str, str]) -> bool:
        if (self.name and self.name != name) or (self.id and self.id != attributes.get("id")):
            return False
        if self.classes:
            classes = attributes.get("class", "").split()
            for wanted in self.classes:
                if wanted not in classes:
                    return False
        for attribute, operator, value in self.attributes:
            if attribute not in attributes or not _compares(attributes[attribute], operator, value):
                return False
        return True


class Declaration:
    __slots__ = ("is_important", "name", "value")

    def __init__(self, name: str, value: str, is_important: bool) -> None:
        self.name = name
        self.value = value
        self.is_important = is_important


class Rule:
    """`parts`: the element's own one first, then what has to be around it."""

    __slots__ = ("declarations", "parts", "weight")

    def __init__(self, parts: list[Part], declarations: list[Declaration]) -> None:
        self.parts = parts
        self.declarations = declarations
        self.weight = 0
        for part in parts:
            self.weight += bool(part.name) + _CLASS_WEIGHT * (len(part.classes) + len(part.attributes) + part.is_first)
            self.weight += _ID_WEIGHT * bool(part.id)


class Sheet:
    """`imports`: the addresses of the sheets that come before it."""

    __slots__ = ("imports", "rules")

    def __init__(self) -> None:
        self.imports: list[str] = []
        self.rules: list[Rule] = []


def parse(text: str) -> Sheet:
    text = _without_comments(text[:SHEET_MOST_CHARS])
    sheet = Sheet()
    at, length = 0, len(text)
    while at < length and len(sheet.rules) < RULES_MOST:
        while at < length and text[at] in _SPACE + "};":
            at += 1
        if text.startswith("@", at):
            at = _behind_at_rule(text, at, sheet)
            continue
        opens = text.find("{", at)
        closes = text.find("}", opens)
        if opens < 0:
            break
        closes = length if closes < 0 else closes
        block = text[opens + 1 : closes]
        declarations = declared(block)
        makes_node = CONTENT in block and any(one.name == CONTENT for one in _declarations(block))
        if declarations or makes_node:
            for selector in text[at:opens].split(","):
                parts = _selector(selector.strip(_SPACE)) if len(selector) <= SELECTOR_MOST_CHARS else None
                if parts and (makes_node if parts[0].mark else declarations):
                    sheet.rules.append(Rule(parts, declarations))
        at = closes + 1
    del sheet.rules[RULES_MOST:]
    return sheet


def declared(block: str) -> list[Declaration]:
    """The declarations that matter, of a block or of a `style` attribute."""
    lower = block.lower()
    if DISPLAY not in lower and WHITE_SPACE not in lower and FLOAT not in lower:
        return []
    return [one for one in _declarations(lower) if one.name in PROPERTIES]


def _declarations(block: str) -> list[Declaration]:
    found: list[Declaration] = []
    for declaration in block.split(";"):
        name, _, value = declaration.partition(":")
        value, mark, rest = value.partition("!")
        is_important = bool(mark) and rest.strip(_SPACE) == "important"
        found.append(Declaration(name.strip(_SPACE), value.strip(_SPACE), is_important))
    return found


def applies(media: str) -> bool:
    """Whether a condition holds on a reading device. One that depends on its size or its colours is taken not to."""
    if not media.strip(_SPACE):
        return True
    for condition in media.lower().split(","):
        condition = condition.strip(_SPACE).removeprefix("only ").strip(_SPACE)
        if condition in ("all", "screen"):
            return True
    return False


def _behind_at_rule(text: str, at: int, sheet: Sheet) -> int:
    """Behind a rule with an `@`; behind its `{` only, if what is in it is to be read."""
    opens, ends = text.find("{", at), text.find(";", at)
    if ends >= 0 and (ends < opens or opens < 0):
        if text.startswith("@import", at) and len(sheet.imports) < IMPORTS_MOST:
            address, media = _address(text[at + len("@import") : ends])
            if address and applies(media):
                sheet.imports.append(address)
        return ends + 1
    if opens < 0:
        return len(text)
    if text.startswith("@media", at) and applies(text[at + len("@media") : opens]):
        return opens + 1
    depth, at = 1, opens + 1
    while depth:
        closes = text.find("}", at)
        if closes < 0:
            return len(text)
        depth += text.count("{", at, closes) - 1
        at = closes + 1
    return at


def _address(text: str) -> tuple[str, str]:
    """`url("a.css") screen` → (a.css, screen)"""
    text = text.strip(_SPACE)
    if text.startswith("url("):
        address, _, media = text[len("url(") :].partition(")")
        return address.strip(_SPACE + "\"'"), media
    quote = text[:1]
    if quote and quote in "\"'":
        address, _, media = text[1:].partition(quote)
        return address, media
    return "", ""


def _without_comments(text: str) -> str:
    if "/*" not in text:
        return text
    parts: list[str] = []
    at = 0
    while True:
        opens = text.find("/*", at)
        parts.append(text[at : opens if opens >= 0 else len(text)])
        closes = text.find("*/", opens + 2) if opens >= 0 else -1
        if closes < 0:
            return " ".join(parts)
        at = closes + 2


def _selector(text: str) -> list[Part] | None:
    """None if it is not understood."""
    parts: list[Part] = []
    at = 0
    relation = WITHIN
    while at < len(text):
        part, at = _part(text, at)
        if part is None or len(parts) >= PARTS_MOST:
            return None
        part.relation = relation
        parts.append(part)
        begin = at
        while at < len(text) and text[at] in _SPACE:
            at += 1
        relation = text[at] if text[at : at + 1] in (DIRECTLY, BEHIND) else WITHIN
        if relation:
            at += 1
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if begin == at and at < len(text):
            return None
    parts.reverse()
    return parts if parts and not relation else None


def _part(text: str, at: int) -> tuple[Part | None, int]:
    part = Part()
    begin = at
    if text.startswith("*", at):
        at += 1
    else:
        end = _name_end(text, at)
        part.name = text[at:end].lower()
        at = end
    while at < len(text) and text[at] in ".#[:":
        mark = text[at]
        if mark == ":":
            part.mark = _MARKS.get(text[at:].lower(), "")
            if part.mark:
                return part, len(text)
            if not text.startswith(_FIRST, at) or _name_end(text, at + 1) != at + len(_FIRST):
                return None, at
            part.is_first = True
            at += len(_FIRST)
            continue
        if mark == "[":
            end = text.find("]", at)
            attribute = _attribute(text[at + 1 : end]) if end >= 0 else None
            if attribute is None:
                return None, at
            part.attributes.append(attribute)
            at = end + 1
            continue
        end = _name_end(text, at + 1)
        if end == at + 1:
            return None, at
        if mark == ".":
            part.classes.append(text[at + 1 : end])
        else:
            part.id = text[at + 1 : end]
        at = end
    return (part if at > begin else None), at


def _attribute(text: str) -> tuple[str, str, str] | None:
    name, operator, value = text.partition("=")
    name = name.strip(_SPACE)
    if operator and name[-1:] and name[-1] in _OPERATORS:
        name, operator = name[:-1].rstrip(_SPACE), name[-1]
    name = name.lower().replace("\\:", ":").replace("|", ":").rpartition(":")[2]
    if not name or _name_end(name, 0) != len(name):
        return None
    value = value.strip(_SPACE)
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return name, operator, value


def _compares(found: str, operator: str, value: str) -> bool:
    if operator == "=":
        return found == value
    if operator == "~":
        return value in found.split()
    if operator == "|":
        return found == value or found.startswith(value + "-")
    if operator and not value:
        return False
    if operator == "^":
        return found.startswith(value)
    return found.endswith(value) if operator == "$" else operator != "*" or value in found


def _name_end(text: str, at: int) -> int:
    while at < len(text) and (text[at] in _NAME or text[at] > "\x7f"):
        at += 1
    return at
