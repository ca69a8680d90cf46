"""What KOReader's engine makes of the texts in a formula: trimmed, and their letters in the alphabet of mathematics.

Promises: as many characters as before, less the blanks at both ends.
Called by: `engine_item.py`, `engine_tree.py`.
Law: MathML 3, attribute `mathvariant`; Unicode, block Mathematical Alphanumeric Symbols, whose gaps are filled from
Letterlike Symbols.
"""

from __future__ import annotations

from device.epub import engine_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from device.epub.engine_styles import Around

PLAIN, ITALIC = 0, 2
OPERATOR = 64  # added to a variant: the text of an `<mo>`
# By `mathvariant`: their numbers, and where their digits, capitals, small letters and Greek begin; 0: they have none.
_ALPHABETS: dict[str, tuple[int, int, int, int, int]] = {
    "normal": (PLAIN, 0, 0, 0, 0),
    "bold": (1, 0x1D7CE, 0x1D400, 0x1D41A, 0x1D6A8),
    "italic": (ITALIC, 0, 0x1D434, 0x1D44E, 0x1D6E2),
    "bold-italic": (3, 0, 0x1D468, 0x1D482, 0x1D71C),
    "sans-serif": (4, 0x1D7E2, 0x1D5A0, 0x1D5BA, 0),
    "bold-sans-serif": (5, 0x1D7EC, 0x1D5D4, 0x1D5EE, 0x1D756),
    "sans-serif-italic": (6, 0, 0x1D608, 0x1D622, 0),
    "sans-serif-bold-italic": (7, 0, 0x1D63C, 0x1D656, 0x1D790),
    "script": (8, 0, 0x1D49C, 0x1D4B6, 0),
    "bold-script": (9, 0, 0x1D4D0, 0x1D4EA, 0),
    "fraktur": (10, 0, 0x1D504, 0x1D51E, 0),
    "bold-fraktur": (11, 0, 0x1D56C, 0x1D586, 0),
    "monospace": (12, 0x1D7F6, 0x1D670, 0x1D68A, 0),
    "double-struck": (13, 0x1D7D8, 0x1D538, 0x1D552, 0),
}
VARIANTS = {name: alphabet[0] for name, alphabet in _ALPHABETS.items()}
_BY_NUMBER = list(_ALPHABETS.values())
_ELSEWHERE = {
    ITALIC: dict(zip("hıȷ", "ℎ\U0001d6a4\U0001d6a5", strict=True)),
    8: dict(zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)),
    10: dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)),
    13: dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)),
}
_GREEK_CAPITALS, _GREEK_SMALL = 0, 26  # behind the beginning of an alphabet's Greek
_GREEK_OTHERS = {"ϴ": 17, "∇": 25, "∂": 51, "ϵ": 52, "ϑ": 53, "ϰ": 54, "ϕ": 55, "ϱ": 56, "ϖ": 57}
# A combining mark alone becomes one that stands alone.
_MARKS = {"\u0302": "ˆ", "\u0303": "~", "\u0304": "¯", "\u0305": "¯", "\u030c": "ˇ", "\u0332": "_"}
TRIMMED = " \t\r\n"


def variant_of(stack: Sequence[Around], text: str) -> int:
    """How the letters of a text in the last of the open elements are written."""
    name = stack[-1].name
    variant = ITALIC if name == "mi" and len(text) == 1 else PLAIN
    for above in reversed(stack):
        named = VARIANTS.get(above.attributes.get("mathvariant", "").lower())
        if named is not None:
            variant = named
            break
        if above.name == "math":
            break
    return variant + OPERATOR if name == "mo" else variant


def value_of(attributes: dict[str, str], name: str, default: str) -> str:
    value = attributes.get(name, default)
    return engine_text.processed(value, preformatted=True, literal=False).text if "&" in value else value


def adjusted(made: engine_text.Processed, variant: int) -> engine_text.Processed:
    text = made.text.strip(TRIMMED)
    begin = len(made.text) - len(made.text.lstrip(TRIMMED))
    return engine_text.Processed(written(text, variant), made.places[begin : begin + len(text)])


def written(text: str, variant: int) -> str:
    """`text`: trimmed."""
    if variant & OPERATOR and text == "-":
        return "\u2212"
    number = variant & ~OPERATOR
    if number != PLAIN:
        text = "".join([_letter(char, number) for char in text])
    return _MARKS[text[0]] + text[1:] if text[:1] in _MARKS else text


def _letter(char: str, number: int) -> str:
    found = _ELSEWHERE.get(number, {}).get(char)
    if found is not None:
        return found
    _, digits, capitals, small, greek = _BY_NUMBER[number]
    if "0" <= char <= "9":
        return chr(digits + ord(char) - ord("0")) if digits else char
    if "A" <= char <= "Z":
        return chr(capitals + ord(char) - ord("A"))
    if "a" <= char <= "z":
        return chr(small + ord(char) - ord("a"))
    if not greek:
        return char
    if "Α" <= char <= "Ω":
        return chr(greek + _GREEK_CAPITALS + ord(char) - ord("Α"))
    if "α" <= char <= "ω":
        return chr(greek + _GREEK_SMALL + ord(char) - ord("α"))
    return chr(greek + _GREEK_OTHERS[char]) if char in _GREEK_OTHERS else char
