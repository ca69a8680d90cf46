"""The rules for what stands before, around and behind the body: head, templates, frames, the end.

Called by: `html5_tree.py`.
Law: the HTML Standard, "initial" to "after head", "text", "in template", "after body" to the end.
"""

from __future__ import annotations

from device.epub import html5_names as names
from device.epub.browser_nodes import is_encoding
from device.epub.html5_builder import (
    AFTER_AFTER_BODY,
    AFTER_FRAMESET,
    AFTER_HEAD,
    AGAIN,
    BEFORE_HEAD,
    BEFORE_HTML,
    DONE,
    IN_BODY,
    IN_CAPTION,
    IN_CELL,
    IN_COLUMNS,
    IN_FRAMESET,
    IN_HEAD,
    IN_HEAD_NOSCRIPT,
    IN_ROW,
    IN_TABLE,
    IN_TABLE_BODY,
    IN_TEMPLATE,
    MARKER,
    Builder,
)
from device.epub.html5_elements import NOTHING
from device.epub.html5_tags import SPACES
from device.epub.html5_tokens import COMMENT, DOCTYPE, END, EOF, RAWTEXT, RCDATA, SCRIPT, START, TEXT, Tokens

_ENDS_THAT_BEGIN = frozenset(("head", "body", "html", "br"))  # before the body, other end tags mean nothing
_MODE_WITHIN = {
    "tr": IN_ROW,
    "tbody": IN_TABLE_BODY,
    "thead": IN_TABLE_BODY,
    "tfoot": IN_TABLE_BODY,
    "caption": IN_CAPTION,
    "colgroup": IN_COLUMNS,
    "table": IN_TABLE,
    "body": IN_BODY,
    "frameset": IN_FRAMESET,
    "td": IN_CELL,
    "th": IN_CELL,
    "head": IN_HEAD,
}
_MODE_OF_TEMPLATE_WITH = {
    "caption": IN_TABLE,
    "colgroup": IN_TABLE,
    "tbody": IN_TABLE,
    "tfoot": IN_TABLE,
    "thead": IN_TABLE,
    "col": IN_COLUMNS,
    "tr": IN_TABLE_BODY,
    "td": IN_ROW,
    "th": IN_ROW,
}


def reset_mode(builder: Builder) -> None:
    """The mode that fits what is open, after something large has been closed."""
    for steps, node in enumerate(reversed(builder.stack)):
        name = builder.name(node)
        if name == "template":
            builder.mode = builder.template_modes[-1] if builder.template_modes else IN_BODY
            return
        if name == "html":
            builder.mode = BEFORE_HEAD if builder.head == NOTHING else AFTER_HEAD
            return
        if name in _MODE_WITHIN:
            builder.walked(steps)
            builder.mode = _MODE_WITHIN[name]
            return
    builder.mode = IN_BODY


def initial(builder: Builder, tokens: Tokens) -> int:
    kind = tokens.kind
    if kind == COMMENT or (kind == TEXT and tokens.is_blank()):
        return DONE
    builder.mode = BEFORE_HTML
    if kind == DOCTYPE:
        builder.is_old_again = names.is_old(tokens.name, tokens.public, tokens.system)
        builder.is_old = tokens.is_broken or builder.is_old_again
        return DONE
    builder.is_old = True
    return AGAIN


def before_html(builder: Builder, tokens: Tokens) -> int:
    kind = tokens.kind
    if kind in (COMMENT, DOCTYPE) or (kind == TEXT and tokens.is_blank()):
        return DONE
    if kind == END and tokens.name not in _ENDS_THAT_BEGIN:
        return DONE
    is_html = kind == START and tokens.name == "html"
    builder.insert_root(tokens.attributes if is_html else {})
    builder.mode = BEFORE_HEAD
    return DONE if is_html else AGAIN


def before_head(builder: Builder, tokens: Tokens) -> int:
    kind = tokens.kind
    if kind == DOCTYPE or (kind == TEXT and tokens.is_blank()):
        return DONE
    if kind == COMMENT:
        builder.insert_comment()
        return DONE
    if kind == START and tokens.name == "html":
        return IN_BODY
    if kind == END and tokens.name not in _ENDS_THAT_BEGIN:
        return DONE
    is_head = kind == START and tokens.name == "head"
    builder.head = builder.insert("head", tokens.attributes if is_head else None)
    builder.mode = IN_HEAD
    return DONE if is_head else AGAIN


def in_head(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT and tokens.is_blank():
        builder.insert_token_text(tokens)
        return DONE
    if kind == COMMENT:
        builder.insert_comment()
        return DONE
    if kind == DOCTYPE:
        return DONE
    if kind == START and (name in names.IN_HEAD or name == "noscript"):
        _head_element(builder, tokens)
        return DONE
    if kind == START and name == "html":
        return IN_BODY
    if kind == START and name == "head":
        return DONE
    if kind == END and name == "template":
        _template_end(builder)
        return DONE
    if kind == END and name != "head" and name not in _ENDS_THAT_BEGIN:
        return DONE
    builder.pop()
    builder.mode = AFTER_HEAD
    return DONE if kind == END and name == "head" else AGAIN


def _head_element(builder: Builder, tokens: Tokens) -> None:
    name, attributes = tokens.name, tokens.attributes
    if name == "title":
        builder.raw(tokens, RCDATA, attributes)
    elif name == "script":
        builder.raw(tokens, SCRIPT, attributes)
    elif name in ("noframes", "style") or (name == "noscript" and builder.scripting):
        builder.raw(tokens, RAWTEXT, attributes)
    elif name == "noscript":
        builder.insert(name, attributes)
        builder.mode = IN_HEAD_NOSCRIPT
    elif name == "template":
        builder.insert(name, attributes)
        builder.active.append(MARKER)
        builder.frameset_is_fine = False
        builder.mode = IN_TEMPLATE
        builder.template_modes.append(IN_TEMPLATE)
    else:
        builder.insert(name, attributes)
        builder.pop()
        if name == "meta" and not is_encoding(builder.encoding):
            builder.encoding = _declared_encoding(attributes)


def _declared_encoding(attributes: dict[str, str]) -> str:
    """Of a `<meta>`, or nothing."""
    if attributes.get("charset"):
        return attributes["charset"]
    if attributes.get("http-equiv", "").lower() != "content-type":
        return ""
    encoding = attributes.get("content", "").lower().partition("charset=")[2]
    return encoding.partition(";")[0].strip(" \t\"'")


def _template_end(builder: Builder) -> None:
    if not builder.is_open("template"):
        return
    while builder.current() in names.IMPLIED_ENDS_OF_ALL:
        builder.pop()
    builder.pop_until("template")
    builder.clear_to_marker()
    builder.template_modes.pop()
    reset_mode(builder)


def in_head_noscript(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == START and name == "html":
        return IN_BODY
    if kind == COMMENT or (kind == TEXT and tokens.is_blank()):
        return IN_HEAD
    if kind == START and name in ("basefont", "bgsound", "link", "meta", "noframes", "style"):
        return IN_HEAD
    if kind == DOCTYPE or (kind == START and name in ("head", "noscript")):
        return DONE
    if kind == END and name not in ("noscript", "br"):
        return DONE
    builder.pop()
    builder.mode = IN_HEAD
    return DONE if kind == END and name == "noscript" else AGAIN


def after_head(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT and tokens.is_blank():
        builder.insert_token_text(tokens)
        return DONE
    if kind == COMMENT:
        builder.insert_comment()
        return DONE
    if kind == DOCTYPE or (kind == START and name == "head"):
        return DONE
    if kind == START and name == "html":
        return IN_BODY
    if kind == START and name == "frameset":
        builder.insert(name, tokens.attributes)
        builder.mode = IN_FRAMESET
        return DONE
    if kind == START and name in names.IN_HEAD:
        builder.push(builder.head)
        _head_element(builder, tokens)
        builder.close(builder.head)
        return DONE
    if kind == END and name == "template":
        return IN_HEAD
    if kind == END and (name == "head" or name not in _ENDS_THAT_BEGIN):
        return DONE
    is_body = kind == START and name == "body"
    builder.insert("body", tokens.attributes if is_body else None)
    builder.frameset_is_fine = builder.frameset_is_fine and not is_body
    builder.mode = IN_BODY
    return DONE if is_body else AGAIN


def in_text(builder: Builder, tokens: Tokens) -> int:
    """Within an element whose content is text only."""
    if tokens.kind == TEXT:
        builder.insert_token_text(tokens)
        return DONE
    builder.pop()
    builder.mode = builder.original_mode
    return AGAIN if tokens.kind == EOF else DONE


def in_template(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind in (TEXT, COMMENT, DOCTYPE):
        return IN_BODY
    if (kind == START and name in names.IN_HEAD) or (kind == END and name == "template"):
        return IN_HEAD
    if kind == END:
        return DONE
    if kind == EOF:
        if not builder.is_open("template"):
            return DONE
        builder.pop_until("template")
        builder.clear_to_marker()
        builder.template_modes.pop()
        reset_mode(builder)
        return AGAIN
    builder.template_modes[-1] = builder.mode = _MODE_OF_TEMPLATE_WITH.get(name, IN_BODY)
    return AGAIN


def after_body(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT and tokens.is_blank():
        builder.insert_token_text(tokens)  # Chromium takes up no formatting for it
        return DONE
    if kind == COMMENT:
        builder.insert_comment(builder.stack[0])
        return DONE
    if kind in (DOCTYPE, EOF):
        return DONE
    if kind == START and name == "html":
        return IN_BODY
    if kind == END and name == "html":
        builder.mode = AFTER_AFTER_BODY
        return DONE
    builder.mode = IN_BODY
    return AGAIN


def after_after_body(builder: Builder, tokens: Tokens) -> int:
    kind = tokens.kind
    if kind == TEXT and tokens.is_blank():
        builder.insert_token_text(tokens)
        return DONE
    if kind in (COMMENT, EOF):
        return DONE
    if kind == DOCTYPE or (kind == START and tokens.name == "html"):
        return IN_BODY
    builder.mode = IN_BODY
    return AGAIN


def in_frameset(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT:
        _insert_blanks(builder, tokens)
    elif kind == COMMENT:
        builder.insert_comment()
    elif kind == START and name == "html":
        return IN_BODY
    elif kind == START and name == "noframes":
        return IN_HEAD
    elif kind == START and name in ("frame", "frameset"):
        builder.insert(name, tokens.attributes)
        if name == "frame":
            builder.pop()
    elif kind == END and name == "frameset" and len(builder.stack) > 1:
        builder.pop()
        if builder.current() != "frameset":
            builder.mode = AFTER_FRAMESET
    return DONE


def after_frameset(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT:
        _insert_blanks(builder, tokens)
    elif kind == COMMENT:
        builder.insert_comment()
    elif kind == START and name == "html":
        return IN_BODY
    elif kind == START and name == "noframes":
        return IN_HEAD
    return DONE


def _insert_blanks(builder: Builder, tokens: Tokens) -> None:
    """Between frames nothing else is kept of a text."""
    for at, char in enumerate(tokens.data):
        if char in SPACES:
            builder.insert_text(tokens.source + (0 if tokens.is_spelled else at), char, tokens.is_spelled)
