"""What KOReader's engine makes of the texts in a formula: trimmed, and their letters in the alphabet of mathematics.

Promises: as many characters as before, less the blanks at both ends.
Called by: `engine_item.py`, `engine_tree.py`.
Law: MathML 3, attribute `mathvariant`; Unicode, block Mathematical Alphanumeric Symbols.
"""

from __future__ import annotations

from device.epub import engine_text

PLAIN, ITALIC, MINUS = 0, 1, 2  # MINUS: the text of an operator that is just a hyphen
VARIANTS = {"normal": PLAIN, "italic": ITALIC}
_ITALIC_CAPITAL, _ITALIC_SMALL, _PLANCK = 0x1D434, 0x1D44E, "\u210e"
_ITALIC_GREEK_CAPITAL, _ITALIC_GREEK_SMALL = 0x1D6E2, 0x1D6FC
_ITALIC_OTHERS = dict(zip("ıȷϴ∇∂ϵϑϰϕϱϖ", "𝚤𝚥𝛳𝛻𝜕𝜖𝜗𝜘𝜙𝜚𝜛", strict=True))
TRIMMED = " \t\r\n"


def adjusted(made: engine_text.Processed, variant: int) -> engine_text.Processed:
    text = made.text.strip(TRIMMED)
    begin = len(made.text) - len(made.text.lstrip(TRIMMED))
    return engine_text.Processed(written(text, variant), made.places[begin : begin + len(text)])


def written(text: str, variant: int) -> str:
    if variant == MINUS:
        return "\u2212" if text == "-" else text
    return text if variant == PLAIN else "".join([_italic(char) for char in text])


def _italic(char: str) -> str:
    if char == "h":
        return _PLANCK
    if "a" <= char <= "z":
        return chr(_ITALIC_SMALL + ord(char) - ord("a"))
    if "A" <= char <= "Z":
        return chr(_ITALIC_CAPITAL + ord(char) - ord("A"))
    if "Α" <= char <= "Ω":
        return chr(_ITALIC_GREEK_CAPITAL + ord(char) - ord("Α"))
    if "α" <= char <= "ω":
        return chr(_ITALIC_GREEK_SMALL + ord(char) - ord("α"))
    return _ITALIC_OTHERS.get(char, char)
