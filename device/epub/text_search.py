"""Words looked for in a chapter: where they must be, or an honest None.

Promises: `bare` gives what two texts are compared by, character for character; `nearest` names a place only if the
words tell it: where they stand once, or by far nearest to where they were said to be.
Never: guesses between two places; compares with anything but equality, so what is found is what was looked for.
Called by: `joining.py`, `from_koreader.py`, `from_web.py`.

Blanks are left out because KOReader, the source and the web reader each have their own; so are soft hyphens and what
has no width, which a selection may or may not keep. Mathematical letters count as the plain ones: KOReader turns an
`<mi>x</mi>` into one of them.
"""

from __future__ import annotations

NO_WIDTH = ("\u00ad", "\u200b", "\ufeff")
CERTAIN_CHARS = 8  # words of so many characters that stand once in a chapter are the ones, wherever they are
ELSEWHERE_CHARS = 16  # ... and in a chapter beside the one that was named
REACH_CHARS = 48  # how far from its place a short word that stands once may have moved
REACH_PER_CHAR = 24  # ... and for each of its characters
# Words that stand more than once are where they are nearest to their place, if that is so near and all others so far
# that it can be no chance: the shorter a word, the sooner it stands anywhere by chance.
OFTEN_CHARS = 4  # shorter ones that stand more than once are nowhere for certain
CLOSE_CHARS, CLOSE_PER_CHAR = 8, 2
APART_TIMES, APART_CHARS = 3, 24
CHOICES_MOST = 200  # of hidden nodes; a book that needs as many is made for it
_MATHEMATICAL = "\U0001d400"
_LATIN_FROM, _DOTLESS_FROM, _GREEK_FROM = 0x1D400, 0x1D6A4, 0x1D6A8
_DIGAMMA_FROM, _DIGITS_FROM, _ENDS_BEFORE = 0x1D7CA, 0x1D7CE, 0x1D800
_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_GREEK = "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΘΣΤΥΦΧΨΩ∇αβγδεζηθικλμνξοπρςστυφχψω∂εθκφρπ"


def bare(text: str) -> str:
    """What two texts are compared by."""
    text = "".join(text.split())
    for char in NO_WIDTH:
        if char in text:
            text = text.replace(char, "")
    return plain(text)


def plain(text: str) -> str:
    """With plain letters instead of mathematical ones; as long as it was."""
    if text.isascii() or max(text) < _MATHEMATICAL:
        return text
    return "".join([_plain_letter(char) if char >= _MATHEMATICAL else char for char in text])


def caseless(text: str) -> str:
    """In small letters; as long as it was."""
    small = text.lower().replace("ς", "σ")
    return small if len(small) == len(text) else "".join([min(char.lower(), char, key=len) for char in text])


def _plain_letter(char: str) -> str:
    code = ord(char)
    if code >= _ENDS_BEFORE or code < _LATIN_FROM:
        return char
    if code >= _DIGITS_FROM:
        return "0123456789"[(code - _DIGITS_FROM) % 10]
    if code >= _DIGAMMA_FROM:
        return "Ϝϝ"[code - _DIGAMMA_FROM]
    if code >= _GREEK_FROM:
        return _GREEK[(code - _GREEK_FROM) % len(_GREEK)]
    if code >= _DOTLESS_FROM:
        return "ıȷ"[(code - _DOTLESS_FROM) % 2]
    return _LATIN[(code - _LATIN_FROM) % len(_LATIN)]


def nearest(chapter: str, words: str, at: int | None) -> int | None:
    """Where `words` are in `chapter`, both bare; `at` is where they were said to begin, None if that is unknown."""
    first = chapter.find(words) if words else -1
    if first < 0:
        return None
    reach = REACH_CHARS + REACH_PER_CHAR * len(words)
    if chapter.find(words, first + 1) < 0:
        near = at is not None and abs(first - at) <= reach
        return first if near or len(words) >= CERTAIN_CHARS else None
    if at is None or len(words) < OFTEN_CHARS:
        return None
    before, behind = chapter.rfind(words, 0, at + len(words)), chapter.find(words, at)
    found, distance = (behind, behind - at) if behind >= 0 else (before, at - before)
    if before >= 0 and at - before < distance:
        found, distance = before, at - before
    other = _distance_of_another(chapter, words, at, found)
    is_close = distance <= CLOSE_CHARS + CLOSE_PER_CHAR * len(words)
    is_apart = other is None or distance == 0 or other >= APART_TIMES * distance + APART_CHARS
    return found if is_close and is_apart else None


def only_one(chapter: str, words: str) -> int | None:
    """Where `words` are, if they are long enough to be told by themselves and stand there once."""
    first = chapter.find(words) if len(words) >= ELSEWHERE_CHARS else -1
    return first if first >= 0 and chapter.find(words, first + 1) < 0 else None


def length_reading(text: str, words: str) -> int | None:
    """How much of a text reads as bare `words`; None if it begins with others."""
    read = 0
    for at, char in enumerate(text):
        if read == len(words):
            return at
        if char.isspace() or char in NO_WIDTH:
            continue
        if plain(char) != words[read]:
            return None
        read += 1
    return len(text) if read == len(words) else None


def shows(pieces: list[str], words: str) -> bool:
    """Whether the text nodes of a selection are these words, bare. Of its inner nodes some may be hidden in KOReader
    (a ruby's reading, a script); the first and the last must be there."""
    seen = [text for text in [bare(piece) for piece in pieces] if text]
    if not seen or not words.startswith(seen[0]):
        return False
    if len(seen) == 1:
        return seen[0] == words
    return words.endswith(seen[-1]) and len(words) - len(seen[-1]) in _ends(seen[1:-1], words, len(seen[0]), seen[-1])


def shows_within(pieces: list[str], words: str) -> bool:
    """Like `shows`, where nodes at the ends may be hidden as well."""
    seen = [text for text in [bare(piece) for piece in pieces] if text]
    return bool(words) and len(words) in _ends(seen, words, 0, "")


def seen_of(pieces: list[str], words: str) -> str:
    """The text of a selection without the nodes that are hidden in KOReader, where that can be told; else empty."""
    at, parts = 0, list[str]()
    for piece in pieces:
        text = bare(piece)
        if not text or words.startswith(text, at):
            parts.append(piece)
            at += len(text)
    return "".join(parts) if at == len(words) else ""


def _ends(nodes: list[str], words: str, begin: int, last: str) -> set[int]:
    """Up to where the words may be explained by the nodes from `begin` on, each of them whole or hidden."""
    reached = {begin}
    left = sum([len(text) for text in nodes]) + len(last)  # what is to come: who is further behind never gets there
    for text in nodes:
        left -= len(text)
        further = reached | {at + len(text) for at in reached if words.startswith(text, at)}
        reached = {at for at in further if at + left >= len(words)}
        if len(reached) > CHOICES_MOST:
            return set()
    return reached


def _distance_of_another(chapter: str, words: str, at: int, found: int) -> int | None:
    """How far from `at` the words stand next, apart from where they were found."""
    before = chapter.rfind(words, 0, min(at, found - 1) + len(words)) if min(at, found - 1) >= 0 else -1
    behind = chapter.find(words, max(at, found + 1))
    if before >= 0 and behind >= 0:
        return min(at - before, behind - at)
    if before >= 0:
        return at - before
    return behind - at if behind >= 0 else None
