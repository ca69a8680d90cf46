"""The rules for what stands in SVG and MathML within an HTML page.

Called by: `html5_tree.py`.
Law: the HTML Standard, "The rules for parsing tokens in foreign content".
"""

from __future__ import annotations

from device.epub import html5_names as names
from device.epub.html5_builder import DONE, HTML_POINT, Builder
from device.epub.html5_tags import SPACES
from device.epub.html5_tokens import COMMENT, DOCTYPE, END, EOF, START, TEXT, Tokens

_SVG_ENTRY = "svg"


def is_foreign(name: str) -> bool:
    return " " in name


def rules_apply(builder: Builder, tokens: Tokens) -> bool:
    """Whether these rules are for the present piece, and not those of the mode."""
    name, kind = builder.current(), tokens.kind
    if not is_foreign(name) or kind == EOF:
        return False
    takes = kind == TEXT or (kind == START and tokens.name not in ("mglyph", "malignmark"))
    if takes and name in names.MATH_TEXT_POINTS:
        return False
    if kind in (TEXT, START) and _is_html_point(builder):
        return False
    return not (name == names.ANNOTATION and kind == START and tokens.name == _SVG_ENTRY)


def in_foreign(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT:
        builder.insert_token_text(tokens)
        if tokens.data.strip(SPACES):
            builder.frameset_is_fine = False
    elif kind == COMMENT:
        builder.insert_comment()
    elif kind == END and name not in ("br", "p"):
        return _end(builder, name)
    elif kind != DOCTYPE:
        if kind == END or name in names.BREAKOUT or (name == "font" and _has_look(tokens)):
            while is_foreign(builder.current()) and not takes_html(builder):
                builder.pop()
            return builder.mode
        is_svg = builder.current().startswith(names.SVG)
        builder.insert(names.SVG + names.SVG_NAMES.get(name, name) if is_svg else names.MATH + name, tokens.attributes)
        if tokens.is_self_closing:
            builder.pop()
    return DONE


def _end(builder: Builder, name: str) -> int:
    if not any(builder.is_open(other) for other in (names.MATH + name, names.SVG + names.SVG_NAMES.get(name, name))):
        return builder.mode
    for steps, node in enumerate(reversed(builder.stack)):
        other = builder.name(node)
        if not is_foreign(other):
            builder.walked(steps)
            return builder.mode
        if other.partition(" ")[2].lower() == name:
            builder.walked(steps)
            while builder.pop() != node:
                pass
            return DONE
    return DONE


def takes_html(builder: Builder) -> bool:
    return builder.current() in names.MATH_TEXT_POINTS or _is_html_point(builder)


def _is_html_point(builder: Builder) -> bool:
    name = builder.current()
    if name in names.SVG_HTML_POINTS:
        return True
    return name == names.ANNOTATION and builder.elements.marks.get(builder.stack[-1]) == HTML_POINT


def _has_look(tokens: Tokens) -> bool:
    return any(key in tokens.attributes for key in names.BREAKOUT_FONT)
