"""The words of a mark: when two texts are the same, and what becomes of two that are not.

Promises: merging loses no paragraph that either side has written since they agreed, gives the same whichever side is
named first, and changes nothing when it is done again.
Never: sees servers or links. Called by: `holding.py`, `merge.py`, `book_notes.py`, `identity.py`.
"""

from __future__ import annotations

from device.core.annotations.marks import WORDS_MAX_CHARS, DeviceMark
from device.core.outbox import BOOKMARK

BLOCK = "\n\n"  # between the two notes that were both kept; a note is compared in pieces between such lines

TELLING_CHARS = 12  # so much of a text has to be there before it says which highlight it is

# What a line break, an engine or a server may make different in one and the same text.
_INVISIBLE = "\u00ad\u200b\ufeff"
_WITHOUT_INVISIBLE = str.maketrans("", "", _INVISIBLE)


def squeezed(text: str) -> str:
    """A quotation without white space and what does not show: so it is the same in every engine."""
    return "".join(text.translate(_WITHOUT_INVISIBLE).split())


def clean(note: str) -> str:
    """A note as it is compared and sent: line ends as on the device, nothing blank around it."""
    return note.replace("\r\n", "\n").replace("\r", "\n").strip()


def same_note(one: str, other: str) -> bool:
    return one == other or clean(one) == clean(other)


def merged_note(base: str, one: str, other: str) -> str:
    """What two notes become that were `base`. Both edited: both are kept; emptied here and edited there: edited."""
    if same_note(one, other) or same_note(other, base):
        return one
    if same_note(one, base):
        return other
    first, second = clean(one), clean(other)
    if _contains(second, first):
        return second
    if _contains(first, second):
        return first
    if second < first:
        first, second = second, first
    blocks, others = first.split(BLOCK), second.split(BLOCK)
    if set(blocks) <= set(others):
        return second
    known = set(blocks)
    return BLOCK.join([*blocks, *(block for block in others if block not in known)])[:WORDS_MAX_CHARS]


def _contains(whole: str, part: str) -> bool:
    """Whether all of one note stands in another, and not only as a piece of a word."""
    at = whole.find(part)
    while at >= 0:
        end = at + len(part)
        begins = at == 0 or not (whole[at - 1].isalnum() and part[:1].isalnum())
        ends = end == len(whole) or not (whole[end].isalnum() and part[-1:].isalnum())
        if begins and ends:
            return True
        at = whole.find(part, at + 1)
    return False


def both_edited(base: str, one: str, other: str) -> bool:
    """Whether neither of two notes that were `base` could simply take the other's place."""
    return not (same_note(one, other) or same_note(one, base) or same_note(other, base))


def same_on_device(one: DeviceMark, other: DeviceMark) -> bool:
    """Whether two marks show as one and the same to the reader."""
    return (
        (one.kind, one.color, one.drawer) == (other.kind, other.color, other.drawer)
        and same_note(one.note, other.note)
        and same_words(one, other)
    )


def same_words(one: DeviceMark, other: DeviceMark) -> bool:
    """Whether two marks, known to be one, stand at the same words. Their xpointers may be spelt otherwise by another
    engine; a bookmark's text is only KOReader's label of its place."""
    return one.kind == BOOKMARK or one.text == other.text or squeezed(one.text) == squeezed(other.text)


def merged(base: DeviceMark | None, here: DeviceMark, offered: DeviceMark) -> DeviceMark:
    """What the device is to have, that was offered `offered` in place of `base` and has `here` by now.

    What the reader did on the device stands; what only the other side did is added.
    """
    mark = here.copy()
    mark.note = merged_note(base.note if base is not None else "", here.note, offered.note)
    if base is not None:
        if here.color == base.color:
            mark.color = offered.color
        if here.drawer == base.drawer:
            mark.drawer = offered.drawer
    mark.changed_at = max(here.changed_at, offered.changed_at)
    return mark
