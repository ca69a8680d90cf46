"""What KOReader's engine does with an element of a name, where no stylesheet of the book says otherwise.

Promises: facts, as tables. What a book's own stylesheet changes is not known here: positions that depend on it are
found by their text.
Called by: `engine_tree.py`.
Law: the engine's tables of elements and its html5.css; koreader/crengine of August 2026.
"""

from __future__ import annotations

INLINE, BLOCK, INLINE_BLOCK, NONE = 0, 1, 2, 3  # INLINE_BLOCK: a block within, inline for what is around it

_NONE = (
    "area base basefont bgsound binary datalist description genre head link meta noembed param script style stylesheet "
    "template title annotation annotation-xml"
)
_BLOCK = (
    "html body address article aside blockquote center dialog div figure figcaption footer form h1 h2 h3 h4 h5 h6 "
    "header hgroup hr legend listing main nav p plaintext pre search section xmp dir dd dl dt menu ol ul li "
    "table caption colgroup col thead tbody tfoot tr th td "
    "fieldset details summary output canvas noscript video multicol noframes textarea frame frameset iframe select "
    "optgroup map city date email history id isbn keywords lang nickname publisher sequence subtitle v version year "
    "applet track keygen audio source author coverpage epigraph part poem stanza "
    "book-name book-title custom-info home-page program-used src-lang src-ocr src-url text-author"
)
_INLINE_BLOCK = "input button marquee"
# Elements in which text is not kept.
_TEXTLESS = (
    "html head base basefont bgsound meta link table colgroup col thead tbody tfoot tr applet area track input keygen "
    "param audio source svg object embed img image description FictionBook annotation author coverpage epigraph part "
    "poem stanza"
)
_MATH_HOLDERS = (
    "math mrow mstyle merror mphantom mpadded menclose mfenced mfrac msqrt mroot munder mover munderover msub msup "
    "msubsup mmultiscripts mprescripts none mtable mtr mlabeledtr mtd maligngroup malignmark mstack mlongdiv msgroup "
    "msrow mscarries mscarry msline maction semantics annotation-xml"
)
_TABLE_PARTS = "colgroup col thead tbody tfoot tr th td"

DISPLAYS: dict[str, int] = {
    **dict.fromkeys(_NONE.split(), NONE),
    **dict.fromkeys(_BLOCK.split(), BLOCK),
    **dict.fromkeys(_INLINE_BLOCK.split(), INLINE_BLOCK),
}
TEXTLESS = frozenset(_TEXTLESS.split())
TABLE_PARTS = frozenset(_TABLE_PARTS.split())  # `hidden` does not hide them
PREFORMATTED = frozenset(("pre", "listing", "plaintext", "xmp", "textarea", "style"))
OPENS_WITH_LINE_END = frozenset(("pre", "textarea"))  # which is dropped, from DOM version 20210904 on
IMAGES = frozenset(("img", "image", "embed", "svg"))  # what is in them is not shown
# Elements whose children are not all shown.
CHOOSERS = frozenset(("switch", "maction", "table", "thead", "tbody", "tfoot", "tr"))
SUPPORTED = ("http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg")  # of the cases of a switch
QUOTES = frozenset(("q",))  # in which the engine puts a node for each of the marks
RUBY_PARTS = ("rbc", "rtc", "rt", "rp")  # what is in a ruby beside that which it is for
UNREAD = frozenset(("rt", "rp"))  # shown, but left out of the text of a highlight
SVG_TEXTS = frozenset(("style", "text", "tspan", "textPath", "title", "desc", "metadata"))
# Elements of MathML that hold other elements; text directly in them is dropped.
MATH_HOLDERS = frozenset(_MATH_HOLDERS.split())


def display(name: str, attributes: dict[str, str]) -> int:
    found = DISPLAYS.get(name, INLINE)
    if not attributes:
        return found
    if "hidden" in attributes and name not in TABLE_PARTS:
        return NONE
    kind = attributes.get("type", "")
    if (name == "span" and kind == "pagebreak") or (name == "input" and kind.lower() == "hidden"):
        return NONE
    return BLOCK if name == "math" and attributes.get("display") == "block" else found


def is_image(name: str, attributes: dict[str, str]) -> bool:
    """An object that is no picture shows what is in it."""
    return name in IMAGES or (name == "object" and attributes.get("type", "").lower().startswith("image/"))
