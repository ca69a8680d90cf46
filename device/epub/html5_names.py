"""Which elements of HTML are treated how, and which document types mean old pages.

Names of SVG and MathML elements are written with their kind before them (`svg path`), so that they never equal HTML's.
Called by: `html5_builder.py` and the rules beside it.
Law: the HTML Standard, "Tree construction".
"""

from __future__ import annotations

SVG, MATH = "svg ", "math "
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# Close themselves a paragraph that is open.
BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "center", "details", "dialog", "dir", "div", "dl", "fieldset"),
        *("figcaption", "figure", "footer", "header", "hgroup", "main", "menu", "nav", "ol", "p", "search", "section"),
        *("summary", "ul"),
    )
)
BLOCK_ENDS = (BLOCKS - {"p"}) | {"button", "listing", "pre", "select"}
FORMATTING = frozenset(
    ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
)
# Have no content and no end tag.
VOID = frozenset(
    (
        *("area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link"),
        *("meta", "param", "source", "track", "wbr"),
    )
)
VOID_IN_BODY = frozenset(("area", "br", "embed", "img", "keygen", "wbr"))
OBJECTS = frozenset(("applet", "marquee", "object"))
IN_HEAD = frozenset(("base", "basefont", "bgsound", "link", "meta", "noframes", "script", "style", "template", "title"))
TABLE_PARTS = frozenset(("caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr"))
TABLE_BODIES = frozenset(("tbody", "tfoot", "thead"))
CELLS = frozenset(("td", "th"))
# What may be left open without a word, in the order of how often it is.
IMPLIED_ENDS = frozenset(("p", "li", "dd", "dt", "option", "optgroup", "rb", "rp", "rt", "rtc"))
IMPLIED_ENDS_OF_ALL = IMPLIED_ENDS | TABLE_PARTS - {"col"}
FOSTERING = frozenset(("table", "tbody", "tfoot", "thead", "tr"))
MATH_TEXT_POINTS = frozenset(("math mi", "math mo", "math mn", "math ms", "math mtext"))
SVG_HTML_POINTS = frozenset(("svg foreignObject", "svg desc", "svg title"))
ANNOTATION = "math annotation-xml"
_FOREIGN_BORDERS = MATH_TEXT_POINTS | SVG_HTML_POINTS | {ANNOTATION}
SPECIAL = (
    BLOCK_ENDS
    | HEADINGS
    | IN_HEAD
    | TABLE_PARTS
    | OBJECTS
    | VOID
    | _FOREIGN_BORDERS
    | {"body", "dd", "dt", "form", "frameset", "head", "html", "iframe", "li", "noembed", "noscript", "p"}
    | {"plaintext", "table", "textarea", "xmp"}
) - {"dialog"}
SCOPE = (OBJECTS | {"caption", "html", "select", "table", "td", "th", "template"}) | _FOREIGN_BORDERS
LIST_SCOPE = SCOPE | {"ol", "ul"}
BUTTON_SCOPE = SCOPE | {"button"}
TABLE_SCOPE = frozenset(("html", "table", "template"))
# Their text is never markup; the second reading has scripts, which makes noscript one of them.
RAW = frozenset(("iframe", "noembed", "noframes", "plaintext", "script", "style", "xmp"))
# HTML's elements that end SVG or MathML.
BREAKOUT = HEADINGS | frozenset(
    (
        *("b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "head"),
        *("hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre", "ruby", "s", "small", "span"),
        *("strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var"),
    )
)
BREAKOUT_FONT = ("color", "face", "size")
_SVG_NAMES = (
    *("altGlyph", "altGlyphDef", "altGlyphItem", "animateColor", "animateMotion", "animateTransform", "clipPath"),
    *("feBlend", "feColorMatrix", "feComponentTransfer", "feComposite", "feConvolveMatrix", "feDiffuseLighting"),
    *("feDisplacementMap", "feDistantLight", "feDropShadow", "feFlood", "feFuncA", "feFuncB", "feFuncG", "feFuncR"),
    *("feGaussianBlur", "feImage", "feMerge", "feMergeNode", "feMorphology", "feOffset", "fePointLight"),
    *("feSpecularLighting", "feSpotLight", "feTile", "feTurbulence", "foreignObject", "glyphRef", "linearGradient"),
    *("radialGradient", "textPath"),
)
SVG_NAMES = {name.lower(): name for name in _SVG_NAMES}
# Public identifiers of pages as old as the first browsers, in lower case; they begin so.
_OLD_TYPES = (
    *("+//silmaril//dtd html pro", "-//as//dtd html 3.0", "-//advasoft ltd//dtd html 3.0", "-//ietf//dtd html"),
    *(
        "-//metrius//dtd metrius presentational//",
        "-//microsoft//dtd internet explorer",
        "-//netscape comm. corp.//dtd",
    ),
    *("-//o'reilly and associates//dtd html", "-//sq//dtd html 2.0 hotmetal", "-//softquad", "-//spyglass//dtd html"),
    *("-//sun microsystems corp.//dtd hotjava", "-//w3c//dtd html 3", "-//w3c//dtd html 4.0 frameset//"),
    *("-//w3c//dtd html 4.0 transitional//", "-//w3c//dtd html experimental", "-//w3c//dtd w3 html//"),
    *("-//w3o//dtd w3 html", "-//webtechs//dtd mozilla html"),
)
_OLD_TYPES_WITHOUT_SYSTEM = ("-//w3c//dtd html 4.01 frameset//", "-//w3c//dtd html 4.01 transitional//")
_OLD_TYPES_EXACT = ("-/w3c/dtd html 4.0 transitional/en", "html")
_OLD_SYSTEM = "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd"


def is_old(name: str, public: str | None, system: str | None) -> bool:
    """Whether a browser shows such a page as it did in the last century: a table then does not end a paragraph."""
    public_id = (public or "").lower()
    return (
        name != "html"
        or public_id.startswith(_OLD_TYPES)
        or public_id in _OLD_TYPES_EXACT
        or (system is None and public_id.startswith(_OLD_TYPES_WITHOUT_SYSTEM))
        or (system or "").lower() == _OLD_SYSTEM
    )
