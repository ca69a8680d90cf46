"""The rules for what stands in a table: what does not belong there is put in front of it.

Called by: `html5_tree.py`.
Law: the HTML Standard, "in table" to "in cell".
"""

from __future__ import annotations

from device.epub import html5_names as names
from device.epub.html5_builder import (
    AGAIN,
    DONE,
    HIDDEN,
    IN_BODY,
    IN_CAPTION,
    IN_CELL,
    IN_COLUMNS,
    IN_HEAD,
    IN_ROW,
    IN_TABLE,
    IN_TABLE_BODY,
    IN_TABLE_TEXT,
    MARKER,
    Builder,
    facts,
)
from device.epub.html5_elements import NOTHING
from device.epub.html5_modes import reset_mode
from device.epub.html5_tags import SPACES
from device.epub.html5_tokens import COMMENT, DOCTYPE, END, EOF, START, TEXT, Tokens

_TABLE = frozenset(("table",))
_ROW = frozenset(("tr",))
_NOT_AFTER_CAPTION = names.TABLE_PARTS - {"caption"}
_TABLE_ENDS_IGNORED = names.TABLE_PARTS | {"body", "html"}


def in_table(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT and builder.current() in names.FOSTERING | {"template"}:
        builder.table_text = []
        builder.original_mode, builder.mode = builder.mode, IN_TABLE_TEXT
        return AGAIN
    if kind == COMMENT:
        builder.insert_comment()
        return DONE
    if kind == DOCTYPE:
        return DONE
    if kind == START and (name in names.TABLE_PARTS or name == "table"):
        return _table_start(builder, tokens)
    if kind == START and name in ("style", "script", "template"):
        return IN_HEAD
    if kind == START and name == "input" and facts(name, tokens.attributes)[1] == HIDDEN:
        builder.insert(name, tokens.attributes)
        builder.pop()
        return DONE
    if kind == START and name == "form":
        if not builder.is_open("template") and builder.form == NOTHING:
            builder.form = builder.insert(name, tokens.attributes)
            builder.pop()
        return DONE
    if kind == END and name == "table":
        if builder.in_scope("table", scope=names.TABLE_SCOPE):
            builder.pop_until("table")
            reset_mode(builder)
        return DONE
    if kind == END and name in _TABLE_ENDS_IGNORED:
        return DONE
    if kind == END and name == "template":
        return IN_HEAD
    if kind == EOF:
        return IN_BODY
    builder.fosters = True
    return IN_BODY


def _table_start(builder: Builder, tokens: Tokens) -> int:
    name = tokens.name
    if name == "table":
        if not builder.in_scope("table", scope=names.TABLE_SCOPE):
            return DONE
        builder.pop_until("table")
        reset_mode(builder)
        return AGAIN
    builder.clear_to(_TABLE)
    if name == "caption":
        builder.active.append(MARKER)
        builder.insert(name, tokens.attributes)
        builder.mode = IN_CAPTION
        return DONE
    if name in ("col", "colgroup"):
        builder.insert("colgroup", tokens.attributes if name == "colgroup" else None)
        builder.mode = IN_COLUMNS
        return DONE if name == "colgroup" else AGAIN
    is_body = name in names.TABLE_BODIES
    builder.insert(name if is_body else "tbody", tokens.attributes if is_body else None)
    builder.mode = IN_TABLE_BODY
    return DONE if is_body else AGAIN


def in_table_text(builder: Builder, tokens: Tokens) -> int:
    if tokens.kind == TEXT:
        builder.table_text.append((tokens.source, tokens.data, tokens.is_spelled))
        return DONE
    texts, builder.table_text = builder.table_text, []
    fosters = any(data.strip(SPACES) for _, data, _ in texts)
    builder.fosters = fosters
    for source, data, is_spelled in texts:
        if fosters:
            builder.reconstruct()
        builder.insert_text(source, data, is_spelled)
    builder.fosters = False
    builder.frameset_is_fine = builder.frameset_is_fine and not fosters
    builder.mode = builder.original_mode
    return AGAIN


def in_caption(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if (kind == END and name in ("caption", "table")) or (kind == START and name in names.TABLE_PARTS):
        if not builder.in_scope("caption", scope=names.TABLE_SCOPE):
            return DONE
        builder.imply_ends()
        builder.pop_until("caption")
        builder.clear_to_marker()
        builder.mode = IN_TABLE
        return DONE if kind == END and name == "caption" else AGAIN
    if kind == END and name in _NOT_AFTER_CAPTION | {"body", "html"}:
        return DONE
    return IN_BODY


def in_columns(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == TEXT and tokens.is_blank():
        builder.insert_token_text(tokens)
        return DONE
    if kind == COMMENT:
        builder.insert_comment()
        return DONE
    if kind == DOCTYPE or (kind == END and name == "col"):
        return DONE
    if kind == START and name == "html":
        return IN_BODY
    if kind == START and name == "col":
        builder.insert(name, tokens.attributes)
        builder.pop()
        return DONE
    if kind in (START, END) and name == "template":
        return IN_HEAD
    if kind == EOF:
        return IN_BODY
    if builder.current() != "colgroup":
        return DONE
    builder.pop()
    builder.mode = IN_TABLE
    return DONE if kind == END and name == "colgroup" else AGAIN


def in_table_body(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == START and (name == "tr" or name in names.CELLS):
        builder.clear_to(names.TABLE_BODIES)
        builder.insert("tr", tokens.attributes if name == "tr" else None)
        builder.mode = IN_ROW
        return DONE if name == "tr" else AGAIN
    ends_own = kind == END and name in names.TABLE_BODIES
    if ends_own or (kind == END and name == "table") or (kind == START and name in names.TABLE_PARTS):
        wanted = (name,) if ends_own else tuple(names.TABLE_BODIES)
        if not builder.in_scope(*wanted, scope=names.TABLE_SCOPE):
            return DONE
        builder.clear_to(names.TABLE_BODIES)
        builder.pop()
        builder.mode = IN_TABLE
        return DONE if ends_own else AGAIN
    if kind == END and name in _TABLE_ENDS_IGNORED:
        return DONE
    return IN_TABLE


def in_row(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == START and name in names.CELLS:
        builder.clear_to(_ROW)
        builder.insert(name, tokens.attributes)
        builder.mode = IN_CELL
        builder.active.append(MARKER)
        return DONE
    ends_body = kind == END and name in names.TABLE_BODIES
    if (kind == END and name in ("tr", "table")) or ends_body or (kind == START and name in names.TABLE_PARTS):
        if ends_body and not builder.in_scope(name, scope=names.TABLE_SCOPE):
            return DONE
        if not builder.in_scope("tr", scope=names.TABLE_SCOPE):
            return DONE
        builder.clear_to(_ROW)
        builder.pop()
        builder.mode = IN_TABLE_BODY
        return DONE if kind == END and name == "tr" else AGAIN
    if kind == END and name in _TABLE_ENDS_IGNORED:
        return DONE
    return IN_TABLE


def in_cell(builder: Builder, tokens: Tokens) -> int:
    kind, name = tokens.kind, tokens.name
    if kind == END and name in names.CELLS:
        if builder.in_scope(name, scope=names.TABLE_SCOPE):
            builder.imply_ends()
            builder.pop_until(name)
            builder.clear_to_marker()
            builder.mode = IN_ROW
        return DONE
    if kind == START and name in names.TABLE_PARTS:
        return _close_cell(builder) if builder.in_scope("td", "th", scope=names.TABLE_SCOPE) else DONE
    if kind == END and name in ("body", "caption", "col", "colgroup", "html"):
        return DONE
    if kind == END and (name in ("table", "tr") or name in names.TABLE_BODIES):
        return _close_cell(builder) if builder.in_scope(name, scope=names.TABLE_SCOPE) else DONE
    return IN_BODY


def _close_cell(builder: Builder) -> int:
    builder.imply_ends()
    builder.pop_until("td", "th")
    builder.clear_to_marker()
    builder.mode = IN_ROW
    return AGAIN
