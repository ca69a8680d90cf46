"""When the text that a CFI means in the web reader is the text that was highlighted in KOReader.

Promises: pure rules over strings. Exact: the first and the last text node of the range match, and the rest equals the
highlight up to whole inner text nodes that KOReader hides (ruby, `hidden`, script, what its engine drops).
Never: forgives a hidden node at either end, or a visible one anywhere.
Called by: `forward`, `reverse`, tests/web.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tests.web.browser import Piece

DROPPED = "\u00ad\u200b\ufeff"  # soft hyphen, zero width space, byte order mark
MATH_LETTERS = range(0x1D400, 0x1D800)  # KOReader's engine shows a variable of a formula as one of these
FOLDING: dict[int, str | None] = {
    **{letter: unicodedata.normalize("NFKC", chr(letter)) for letter in MATH_LETTERS},
    **{ord(sign): None for sign in DROPPED},
}


def folded(text: str) -> str:
    """What is compared: without whitespace and invisible signs, mathematical letters as plain ones."""
    return "".join(text.translate(FOLDING).split())


def is_exact(pieces: Sequence[Piece], text: str) -> bool:
    wanted = folded(text)
    return len(wanted) in _explained(pieces, wanted)


def is_beginning(pieces: Sequence[Piece], text: str) -> bool:
    """Whether it is exact as far as it goes, and goes anywhere."""
    return any(length > 0 for length in _explained(pieces, folded(text)))


def readings(section: Sequence[Piece]) -> tuple[str, str]:
    """Everything that the web reader has of a section, with what KOReader hides and without. Words that are in neither
    have no exact position: KOReader's engine has put signs of its own into them, or the two decode the file
    differently."""
    return folded("".join(piece.text for piece in section)), shown(section)


def _explained(pieces: Sequence[Piece], wanted: str) -> set[int]:
    """How much of the text all the nodes together explain: a length for each choice of hidden nodes left out."""
    nodes = [(folded(piece.text), piece.hidden != "") for piece in pieces]
    nodes = [(content, hidden) for content, hidden in nodes if content]
    reached = {0}
    for number, (content, hidden) in enumerate(nodes):
        after = {place + len(content) for place in reached if wanted.startswith(content, place)}
        if hidden and 0 < number < len(nodes) - 1:
            after |= reached
        reached = after
    return reached


def shown(pieces: Sequence[Piece]) -> str:
    """The part that KOReader shows of it."""
    return folded("".join(piece.text for piece in pieces if not piece.hidden))
