"""Text as it is compared: without case, accents and punctuation.

Promises: the same words for every common spelling of a text: composed or decomposed, with typographic or plain quotes,
`Müller` or `Muller`, full-width or not. Folding what is folded changes nothing. Letters of scripts that are not named
here stay as they are, with their vowel signs: two words that differ are never made one for want of a table.
Never: transliterates: `Tolstoi` and `Толстой` stay different, and so do `Müller` and `Mueller`.
Called by: `titles.py`, `names.py`, `matching.py`.
The device has no `unicodedata`: what is here is what libraries of books were seen to hold.
"""

from __future__ import annotations

TEXT_MAX_CHARS = 500  # of a title or a name; what lies behind is a blurb

_BASES = (
    ("a", "àáâãäåāăąǎǟǡǻȁȃȧạảấầẩẫậắằẳẵặª"),
    ("b", "ḃḅḇ"),
    ("c", "çćĉċč"),
    ("d", "ďđðḋḍḏḑ"),
    ("e", "èéêëēĕėęěȅȇȩẹẻẽếềểễệ"),
    ("f", "ḟƒ"),
    ("g", "ĝğġģǥǧǵḡ"),
    ("h", "ĥħȟḣḥḧḩḫ"),
    ("i", "ìíîïĩīĭįıǐȉȋḭỉị"),
    ("j", "ĵǰ"),
    ("k", "ķĸǩḱḳḵ"),
    ("l", "ĺļľŀłḷḹḻ"),
    ("m", "ḿṁṃ"),
    ("n", "ñńņňŉŋǹṅṇṉ"),
    ("o", "òóôõöøōŏőơǒǫǭǿȍȏȫȭȯọỏốồổỗộớờởỡợº"),
    ("p", "ṕṗ"),
    ("r", "ŕŗřȑȓṙṛṝṟ"),
    ("s", "śŝşšșṡṣſ"),
    ("t", "ţťŧțṫṭṯ"),
    ("u", "ùúûüũūŭůűųưǔǖǘǚǜȕȗụủứừửữự"),
    ("v", "ṽṿ"),
    ("w", "ŵẁẃẅẇẉ"),
    ("x", "ẋẍ"),
    ("y", "ýÿŷȳẏỳỵỷỹ"),
    ("z", "źżžẑẓẕ"),
    ("ae", "æǣǽ"),
    ("oe", "œ"),
    ("th", "þ"),
    ("е", "ё"),
    ("и", "й"),
    ("і", "ї"),
    ("у", "ў"),
    ("α", "ά"),
    ("ε", "έ"),
    ("η", "ή"),
    ("ι", "ίϊΐ"),
    ("ο", "ό"),
    ("υ", "ύϋΰ"),
    ("ω", "ώ"),
    ("ا", "أإآٱ"),
)
_GONE = "'`´ʹʻʼʽ·‘’‛′\u00ad\u200b\u200c\u200d\u2060\ufeff\u0640"  # apostrophes, soft hyphens, what has no width
_KEPT = "+#.\x00"  # `C++` and `C#` are not `C`; what is a point and what a decimal point, `words` decides
_GONE_RANGES = ((0x300, 0x36F), (0x591, 0x5BD), (0x5BF, 0x5C7), (0x64B, 0x65F), (0x1AB0, 0x1AFF), (0xFE00, 0xFE0F))
# Punctuation and symbols above ASCII, as far as scripts are compared word by word.
_SPACE_RANGES = (
    (0x80, 0xA9), (0xAB, 0xB1), (0xB4, 0xB8), (0xBB, 0xBB), (0xBF, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7), (0x2B9, 0x2DF),
    (0x387, 0x387), (0x5BE, 0x5BE), (0x5F3, 0x5F4), (0x60C, 0x60D), (0x61B, 0x61F), (0x66A, 0x66D), (0x6D4, 0x6D4),
    (0x964, 0x965), (0x1680, 0x1680), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2100, 0x214F), (0x2190, 0x2BFF),
    (0x2E00, 0x2E7F), (0x3000, 0x3004), (0x3008, 0x3020), (0x3030, 0x3030), (0x303D, 0x303F), (0x30FB, 0x30FB),
    (0xFE10, 0xFE19), (0xFE30, 0xFE6F), (0xFF5F, 0xFF65), (0xFFFC, 0xFFFD), (0x1F000, 0x1FAFF),
)  # fmt: skip
_FULL_WIDTH_FIRST, _FULL_WIDTH_LAST, _FULL_WIDTH_OFFSET = 0xFF01, 0xFF5E, 0xFEE0
DECIMAL_POINT = "\x00"  # while a text is folded


class _Table(dict[int, str]):
    """For `str.translate`; learns each character when it first meets it."""

    def __missing__(self, code: int) -> str:
        if not self:
            self.update({ord(char): base for base, chars in _BASES for char in chars})
            self.update({ord(char): "" for char in _GONE})
            if code in self:
                return self[code]
        self[code] = folded = _folded(code)
        return folded


def _folded(code: int) -> str:
    if _FULL_WIDTH_FIRST <= code <= _FULL_WIDTH_LAST:
        code = ord(chr(code - _FULL_WIDTH_OFFSET).casefold())
    char = chr(code)
    if code < 0x80:
        return char if char.isalnum() or char in _KEPT else " and " if char == "&" else " "
    if any(first <= code <= last for first, last in _GONE_RANGES):
        return ""
    if any(first <= code <= last for first, last in _SPACE_RANGES) or char.isspace():
        return " "
    return char


_table = _Table()


def words(text: str) -> list[str]:
    """`The Whale; or, Moby-Dick` and `the whale or moby dick` are the same five words."""
    text = text[:TEXT_MAX_CHARS]
    if DECIMAL_POINT in text:
        text = text.replace(DECIMAL_POINT, " ")
    if "." in text:
        text = _with_decimals(text)
    folded = text.casefold().translate(_table)
    if "." in folded:
        folded = folded.replace(".", " ")
    if DECIMAL_POINT in folded:
        folded = folded.replace(DECIMAL_POINT, ".")
    found = folded.split()
    if "#" in folded or "+" in folded:
        found = [word for word in (_without_stray_signs(word) for word in found) if word]
    return found


def _with_decimals(text: str) -> str:
    """Marks the points in `2.5`; the others are full stops."""
    at = text.find(".", 1)
    while at > 0:
        if text[at - 1 : at].isdigit() and text[at + 1 : at + 2].isdigit():
            text = text[:at] + DECIMAL_POINT + text[at + 1 :]
        at = text.find(".", at + 1)
    return text


def _without_stray_signs(word: str) -> str:
    """`#3` is 3, and a lone plus is nothing; `c++` stays."""
    word = word.lstrip("#+")
    return word if word.strip("#+") else ""


def normal(text: str) -> str:
    return " ".join(words(text))
