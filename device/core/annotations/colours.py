"""KOReader's colours and drawing styles in the server's terms, and back.

Promises: every word and every colour has a counterpart. The five colours that the old Lua plugin sent are what they
were with it; those that it made one with another have a colour of their own, so that they come back as themselves.
Gray, white and no colour at all, which is what a highlight has on a black and white screen, go as yellow, as they did.
Never: decides whether something has changed; each side is compared with itself (`holding.py`).
Called by: `destinations.py`, `calls.py`, `hearing.py`.
Source: KOReader's readerhighlight.lua and blitbuffer.lua; the palettes of the servers' web readers.
"""

from __future__ import annotations

DEFAULT_HEX = "#FFC107"
DEFAULT_WORD = "yellow"
DEFAULT_STYLE, DEFAULT_DRAWER = "highlight", "lighten"

_HEX_OF = {
    "red": "#DC143C",
    "orange": "#FB923C",
    "yellow": DEFAULT_HEX,
    "green": "#4ADE80",
    "olive": "#84CC16",
    "cyan": "#38BDF8",
    "blue": "#1E90FF",
    "purple": "#F472B6",
    "gray": DEFAULT_HEX,
    "white": DEFAULT_HEX,
}

# The colours that the web readers offer, and some that others use. What is not here is what it is nearest to.
_WORD_OF = (
    ("#FFC107", "yellow"), ("#FACC15", "yellow"), ("#FFFF00", "yellow"), ("#B8860B", "yellow"), ("#FFEB3B", "yellow"),
    ("#4ADE80", "green"), ("#228B22", "green"), ("#4CAF50", "green"), ("#00FF00", "green"),
    ("#84CC16", "olive"), ("#808000", "olive"),
    ("#38BDF8", "cyan"), ("#00FFFF", "cyan"),
    ("#1E90FF", "blue"), ("#2196F3", "blue"), ("#0000FF", "blue"),
    ("#F472B6", "purple"), ("#9C27B0", "purple"), ("#FF00FF", "purple"), ("#800080", "purple"),
    ("#FB923C", "orange"), ("#FF8C00", "orange"), ("#FF5722", "orange"),
    ("#DC143C", "red"), ("#E91E63", "red"), ("#FF0000", "red"),
    ("#808080", "gray"), ("#C0C0C0", "gray"), ("#404040", "gray"),
)  # fmt: skip

_STYLES = (
    ("lighten", "highlight"),
    ("underscore", "underline"),
    ("strikeout", "strikethrough"),
    ("invert", "squiggly"),  # neither has the other's; so each comes back as what it was
)
_STYLE_OF = dict(_STYLES)
_DRAWER_OF = {style: drawer for drawer, style in _STYLES}


def hex_of(word: str) -> str:
    """The colour in which the server shows what KOReader calls so. A colour by its own numbers stays what it is."""
    if _rgb(word) is not None:
        return word.upper()
    return _HEX_OF.get(word.lower(), DEFAULT_HEX)


def is_koreaders(word: str) -> bool:
    """Whether KOReader offers it as the colour of a highlight. White it knows, but gives to none."""
    return word in _HEX_OF and word != "white"


def word_of(hex: str) -> str:
    """The colour of KOReader's that is nearest to the server's."""
    known = _WORDS.get(hex.upper())
    if known is not None:
        return known
    wanted = _rgb(hex)
    if wanted is None:
        return DEFAULT_WORD
    return min((_distance(wanted, colour), at, word) for at, (colour, word) in enumerate(_KNOWN))[2]


def same_colour(word: str, hex: str) -> bool:
    """Whether a highlight that is found on both sides counts as having one colour."""
    return hex.upper() == hex_of(word) or word_of(hex) == word.lower()


def style_of(drawer: str) -> str:
    return _STYLE_OF.get(drawer, DEFAULT_STYLE)


def drawer_of(style: str) -> str:
    return _DRAWER_OF.get(style.lower(), DEFAULT_DRAWER)


def same_style(drawer: str, style: str) -> bool:
    return style_of(drawer) == style.lower()


def _rgb(hex: str) -> tuple[int, int, int] | None:
    if len(hex) != 7 or hex[0] != "#" or not all(digit in "0123456789abcdefABCDEF" for digit in hex[1:]):
        return None
    return int(hex[1:3], 16), int(hex[3:5], 16), int(hex[5:7], 16)


def _distance(one: tuple[int, int, int], other: tuple[int, int, int]) -> int:
    """Weighed as the eye does, roughly."""
    red, green, blue = one[0] - other[0], one[1] - other[1], one[2] - other[2]
    return 2 * red * red + 4 * green * green + 3 * blue * blue


_WORDS = dict(_WORD_OF)
_KNOWN = tuple((_rgb(hex) or (0, 0, 0), word) for hex, word in _WORD_OF)
