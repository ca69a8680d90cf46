"""The rules for what stands in the body of an HTML page: paragraphs, lists, headings, formatting, and everything else.

Called by: `html5_tree.py`.
Law: the HTML Standard, "The rules for parsing tokens in HTML content", "in body", with the content of `select` as
browsers have read it since 2025.
"""

from __future__ import annotations

from device.epub import html5_names as names
from device.epub.html5_builder import (
    AFTER_BODY,
    AGAIN,
    DONE,
    HIDDEN,
    IN_FRAMESET,
    IN_HEAD,
    IN_TABLE,
    IN_TEMPLATE,
    MARKER,
    Builder,
    facts,
)
from device.epub.html5_elements import NOTHING
from device.epub.html5_tags import SPACES
from device.epub.html5_tokens import COMMENT, END, EOF, PLAINTEXT, RAWTEXT, RCDATA, START, TEXT, Tokens

# Unopened, these mean nothing in the body.
_IGNORED_STARTS = names.TABLE_PARTS | {"frame", "head"}


def in_body(builder: Builder, tokens: Tokens) -> int:
    kind = tokens.kind
    if kind == TEXT:
        builder.reconstruct()
        builder.insert_token_text(tokens)
        if builder.frameset_is_fine and tokens.data.strip(SPACES):
            builder.frameset_is_fine = False
        return DONE
    if kind == START:
        return _start(builder, tokens)
    if kind == END:
        return _end(builder, tokens)
    if kind == COMMENT:
        builder.insert_comment()
    if kind == EOF and builder.template_modes:
        return IN_TEMPLATE
    return DONE


def any_other_end(builder: Builder, name: str) -> None:
    """The end tag of an element without rules of its own: it ends what is in it, unless a block is in between."""
    if not builder.is_open(name):
        return
    for steps, node in enumerate(reversed(builder.stack)):
        if builder.name(node) == name:
            builder.walked(steps)
            builder.imply_ends(name)
            while builder.stack and builder.pop() != node:
                pass
            return
        if builder.name(node) in names.SPECIAL:
            builder.walked(steps)
            return


def _start(builder: Builder, tokens: Tokens) -> int:
    name, attributes = tokens.name, tokens.attributes
    if name in names.FORMATTING:
        _formatting(builder, name, attributes)
    elif name in names.BLOCKS:
        builder.close_paragraph()
        builder.insert(name, attributes)
    elif name in names.VOID_IN_BODY:
        builder.reconstruct()
        builder.insert(name, attributes)
        builder.pop()
        builder.frameset_is_fine = False
    elif name in names.HEADINGS:
        builder.close_paragraph()
        if builder.current() in names.HEADINGS:
            builder.pop()
        builder.insert(name, attributes)
    elif name in ("li", "dd", "dt"):
        _list_item(builder, name, attributes)
    elif name in names.IN_HEAD:
        return IN_HEAD
    elif name in _IGNORED_STARTS:
        return DONE
    elif name in ("svg", "math"):
        builder.reconstruct()
        builder.insert(f"{name} {name}", attributes)
        if tokens.is_self_closing:
            builder.pop()
    elif name in _RARE_STARTS:
        return _RARE_STARTS[name](builder, tokens)
    elif name == "noscript" and builder.scripting:
        builder.raw(tokens, RAWTEXT, attributes)
    else:
        builder.reconstruct()
        builder.insert(name, attributes)
    return DONE


def _formatting(builder: Builder, name: str, attributes: dict[str, str]) -> None:
    if name == "a":
        open_link = builder.last_active("a")
        if open_link != NOTHING:
            builder.adopt("a")
            builder.forget(open_link)
            builder.close(open_link)
    builder.reconstruct()
    if name == "nobr" and builder.in_scope("nobr"):
        builder.adopt("nobr")
        builder.reconstruct()
    node = builder.insert(name, attributes)
    if "is" not in attributes:  # a custom element is not taken up again in Chromium: words after a quote left out
        builder.format(node)


def _list_item(builder: Builder, name: str, attributes: dict[str, str]) -> None:
    builder.frameset_is_fine = False
    wanted = ("li",) if name == "li" else ("dd", "dt")
    for steps, node in enumerate(reversed(builder.stack)):
        other = builder.name(node)
        if other in wanted:
            builder.imply_ends(other)
            builder.pop_until(other)
            break
        if other in names.SPECIAL and other not in ("address", "div", "p"):
            break
        if steps % 16 == 15:
            builder.walked(16)
    builder.close_paragraph()
    builder.insert(name, attributes)


def _html(builder: Builder, tokens: Tokens) -> int:
    if not builder.is_open("template"):
        builder.add_id(builder.stack[0], tokens.attributes)
    return DONE


def _body(builder: Builder, tokens: Tokens) -> int:
    if len(builder.stack) > 1 and builder.name(builder.stack[1]) == "body" and not builder.is_open("template"):
        builder.frameset_is_fine = False
        builder.add_id(builder.stack[1], tokens.attributes)
    return DONE


def _frameset(builder: Builder, tokens: Tokens) -> int:
    if len(builder.stack) < 2 or builder.name(builder.stack[1]) != "body" or not builder.frameset_is_fine:
        return DONE
    builder.elements.remove(builder.stack[1])
    while len(builder.stack) > 1:
        builder.pop()
    builder.insert("frameset", tokens.attributes)
    builder.mode = IN_FRAMESET
    return DONE


def _preformatted(builder: Builder, tokens: Tokens) -> int:
    builder.close_paragraph()
    builder.insert(tokens.name, tokens.attributes)
    builder.skips_newline = True
    builder.frameset_is_fine = False
    return DONE


def _form(builder: Builder, tokens: Tokens) -> int:
    in_template = builder.is_open("template")
    if builder.form == NOTHING or in_template:
        builder.close_paragraph()
        node = builder.insert("form", tokens.attributes)
        if not in_template:
            builder.form = node
    return DONE


def _plaintext(builder: Builder, tokens: Tokens) -> int:
    builder.close_paragraph()
    builder.insert("plaintext", tokens.attributes)
    tokens.raw(PLAINTEXT, "plaintext")
    return DONE


def _button(builder: Builder, tokens: Tokens) -> int:
    if builder.in_scope("button"):
        builder.imply_ends()
        builder.pop_until("button")
    builder.reconstruct()
    builder.insert("button", tokens.attributes)
    builder.frameset_is_fine = False
    return DONE


def _object(builder: Builder, tokens: Tokens) -> int:
    builder.reconstruct()
    builder.insert(tokens.name, tokens.attributes)
    builder.active.append(MARKER)
    builder.frameset_is_fine = False
    return DONE


def _table(builder: Builder, tokens: Tokens) -> int:
    if not builder.is_old:
        builder.close_paragraph()
    builder.insert("table", tokens.attributes)
    builder.frameset_is_fine = False
    builder.mode = IN_TABLE
    return DONE


def _input(builder: Builder, tokens: Tokens) -> int:
    if builder.in_scope("select"):
        builder.pop_until("select")
    builder.reconstruct()
    builder.insert("input", tokens.attributes)
    builder.pop()
    if facts("input", tokens.attributes)[1] != HIDDEN:
        builder.frameset_is_fine = False
    return DONE


def _part_of_media(builder: Builder, tokens: Tokens) -> int:
    builder.insert(tokens.name, tokens.attributes)
    builder.pop()
    return DONE


def _rule(builder: Builder, tokens: Tokens) -> int:
    builder.close_paragraph()
    if builder.in_scope("select"):
        builder.imply_ends()
    builder.insert("hr", tokens.attributes)
    builder.pop()
    builder.frameset_is_fine = False
    return DONE


def _image(builder: Builder, tokens: Tokens) -> int:
    tokens.name = "img"
    return AGAIN


def _textarea(builder: Builder, tokens: Tokens) -> int:
    builder.raw(tokens, RCDATA, tokens.attributes)
    builder.skips_newline = True
    builder.frameset_is_fine = False
    return DONE


def _raw(builder: Builder, tokens: Tokens) -> int:
    if tokens.name == "xmp":
        builder.close_paragraph()
        builder.reconstruct()
    builder.frameset_is_fine = builder.frameset_is_fine and tokens.name == "noembed"
    builder.raw(tokens, RAWTEXT, tokens.attributes)
    return DONE


def _select(builder: Builder, tokens: Tokens) -> int:
    if builder.in_scope("select"):
        builder.pop_until("select")
        return DONE
    builder.reconstruct()
    builder.insert("select", tokens.attributes)
    builder.frameset_is_fine = False
    return DONE


def _option(builder: Builder, tokens: Tokens) -> int:
    if builder.in_scope("select"):
        builder.imply_ends("optgroup" if tokens.name == "option" else "")
    elif builder.current() == "option":
        builder.pop()
    builder.reconstruct()
    builder.insert(tokens.name, tokens.attributes)
    return DONE


def _ruby_part(builder: Builder, tokens: Tokens) -> int:
    if builder.in_scope("ruby"):
        builder.imply_ends("rtc" if tokens.name in ("rp", "rt") else "")
    builder.insert(tokens.name, tokens.attributes)
    return DONE


_RARE_STARTS = {
    "html": _html,
    "body": _body,
    "frameset": _frameset,
    "pre": _preformatted,
    "listing": _preformatted,
    "form": _form,
    "plaintext": _plaintext,
    "button": _button,
    "applet": _object,
    "marquee": _object,
    "object": _object,
    "table": _table,
    "input": _input,
    "param": _part_of_media,
    "source": _part_of_media,
    "track": _part_of_media,
    "hr": _rule,
    "image": _image,
    "textarea": _textarea,
    "xmp": _raw,
    "iframe": _raw,
    "noembed": _raw,
    "select": _select,
    "option": _option,
    "optgroup": _option,
    "rb": _ruby_part,
    "rtc": _ruby_part,
    "rp": _ruby_part,
    "rt": _ruby_part,
}


def _end(builder: Builder, tokens: Tokens) -> int:
    name = tokens.name
    if name in names.FORMATTING:
        if not builder.adopt(name):
            any_other_end(builder, name)
    elif name == "p":
        if not builder.in_scope("p", scope=names.BUTTON_SCOPE):
            builder.insert("p")
        builder.close_paragraph()
    elif name in names.BLOCK_ENDS or name in ("dd", "dt"):
        if builder.in_scope(name):
            builder.imply_ends(name if name in ("dd", "dt") else "")
            builder.pop_until(name)
    elif name == "li":
        if builder.in_scope("li", scope=names.LIST_SCOPE):
            builder.imply_ends("li")
            builder.pop_until("li")
    elif name in names.HEADINGS:
        if builder.in_scope(*names.HEADINGS):
            builder.imply_ends()
            builder.pop_until(*names.HEADINGS)
    elif name in names.OBJECTS:
        if builder.in_scope(name):
            builder.imply_ends()
            builder.pop_until(name)
            builder.clear_to_marker()
    elif name in ("body", "html"):
        if builder.in_scope("body"):
            builder.mode = AFTER_BODY
            return AGAIN if name == "html" else DONE
    elif name == "form":
        _form_end(builder)
    elif name == "br":
        builder.reconstruct()
        builder.insert("br")
        builder.pop()
        builder.frameset_is_fine = False
    elif name == "template":
        return IN_HEAD
    else:
        any_other_end(builder, name)
    return DONE


def _form_end(builder: Builder) -> None:
    if builder.is_open("template"):
        if builder.in_scope("form"):
            builder.imply_ends()
            builder.pop_until("form")
        return
    form, builder.form = builder.form, NOTHING
    if form == NOTHING or not builder.in_scope("form"):
        builder.is_settled = builder.is_settled and form == NOTHING
        return
    builder.imply_ends()
    builder.close(form)
