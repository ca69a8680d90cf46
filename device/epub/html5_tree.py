"""A spine item as the web reader has it when it is no XML: read as HTML, written out, and read as HTML again.

Promises: every text is HTML, so there is always a document; it is Chromium's, up to what is said in `html5_again.py`.
Raises TooComplex for a text that would cost more than the limits of the modules below.
Called by: `browser_dom.py`.
Law: the HTML Standard, "Parsing HTML documents".
"""

from __future__ import annotations

from device.epub import html5_body, html5_foreign, html5_modes, html5_tables
from device.epub import html5_names as names
from device.epub.browser_nodes import TEXT as TEXT_NODE
from device.epub.browser_nodes import Nodes
from device.epub.html5_again import Again, escaped
from device.epub.html5_builder import AGAIN, BEFORE_HTML, DONE, Builder
from device.epub.html5_elements import NOTHING, Elements
from device.epub.html5_tokens import EOF, TEXT, Tokens

# In the order of the modes' numbers.
_RULES = (
    html5_modes.initial,
    html5_modes.before_html,
    html5_modes.before_head,
    html5_modes.in_head,
    html5_modes.in_head_noscript,
    html5_modes.after_head,
    html5_body.in_body,
    html5_modes.in_text,
    html5_tables.in_table,
    html5_tables.in_table_text,
    html5_tables.in_caption,
    html5_tables.in_columns,
    html5_tables.in_table_body,
    html5_tables.in_row,
    html5_tables.in_cell,
    html5_modes.in_template,
    html5_modes.after_body,
    html5_modes.in_frameset,
    html5_modes.after_frameset,
    html5_modes.after_after_body,
)


def read(text: str) -> Nodes:
    """The document. Raises TooComplex."""
    first = Builder(scripting=False)
    build(first, Tokens(text))
    nodes = Nodes(text)
    nodes.declare(first.encoding)
    if first.is_settled and first.is_old == first.is_old_again:
        record(first.elements, first.stack[0], nodes, text)
        return nodes
    second = Builder(scripting=True)
    second.mode = BEFORE_HTML
    second.is_old = first.is_old_again
    build(second, Again(text, first.elements, first.stack[0]))
    del first  # its tree is as large as what follows
    record(second.elements, second.stack[0], nodes, "")
    return nodes


def build(builder: Builder, tokens: Tokens) -> None:
    """Builds the tree; its root is the first of the open elements."""
    while True:
        tokens.in_foreign = html5_foreign.is_foreign(builder.current())
        tokens.keeps_nulls = tokens.in_foreign and not html5_foreign.takes_html(builder)
        kind = tokens.advance()
        if builder.skips_newline:
            builder.skips_newline = False
            if kind == TEXT and tokens.data.startswith("\n"):
                tokens.data, tokens.source = tokens.data[1:], tokens.source + 1
                if not tokens.data:
                    continue
        _process(builder, tokens)
        if kind == EOF:
            return


def _process(builder: Builder, tokens: Tokens) -> None:
    result = AGAIN
    while result != DONE:
        if result == AGAIN:
            builder.fosters = False
            is_foreign = html5_foreign.rules_apply(builder, tokens)
            rules = html5_foreign.in_foreign if is_foreign else _RULES[builder.mode]
        else:
            rules = _RULES[result]
        result = rules(builder, tokens)
    builder.fosters = False


def record(elements: Elements, root: int, nodes: Nodes, text: str) -> None:
    """Writes the tree down in its order; with the source's `text` as it would be after another reading."""
    node, leaves = root, False
    while node != NOTHING:
        is_element = elements.is_element(node)
        if not leaves:
            if is_element:
                nodes.open(elements.ids.get(node, ""))
                child = NOTHING if elements.names[node] == "template" else elements.first[node]
                if child != NOTHING:
                    node = child
                    continue
            elif elements.kinds[node] == TEXT_NODE:
                is_raw = text and elements.names[elements.parent[node]] in names.RAW
                _record_text(elements, node, nodes, text if is_raw else "")
            else:
                nodes.other()
        if is_element:
            nodes.close()
        if node == root:
            break
        following = elements.next[node]
        leaves = following == NOTHING
        node = elements.parent[node] if leaves else following


def _record_text(elements: Elements, node: int, nodes: Nodes, text: str) -> None:
    """`text`: the source, if the text is one that is never read as markup, and so stays as it is written out."""
    nodes.break_text()
    piece = elements.first[node]
    while piece != NOTHING:
        code, source = elements.piece_codes[piece], elements.piece_sources[piece]
        length = elements.piece_lengths[piece]
        data = elements.strings[code] if code else text[source : source + length]
        if text and escaped(data) != data:
            nodes.spelled(source, escaped(data))
        elif code:
            nodes.spelled(source, data)
        else:
            nodes.text(source, length)
        piece = elements.piece_nexts[piece]
