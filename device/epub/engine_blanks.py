"""Which blank texts KOReader's engine drops when an element is closed: those that no reader would see.

Promises: one walk over the element's children, and only where it has both blank texts and blocks or floats.
Never: drops what is not blank, or anything in preformatted text without blocks.
Called by: `engine_tree.py`.
"""

from __future__ import annotations

from device.epub.engine_item import BLANK, GONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from device.epub.engine_item import EngineItem

# How a closed element is shown, in its flags; 0: not at all.
SHOWN_AS_BLOCK, SHOWN_INLINE, SHOWN_FLOATING = 64, 128, 192


def drop_between_blocks(item: EngineItem, node: int, before: int, after: int) -> None:
    """In a block: blank texts stay only between two things that stand in a line. What floats stands beside a line.
    `before`, `after`: how the nodes that styles put at both ends are shown."""
    flags, ends, name_ids = item.flags, item.ends, item.name_ids
    run: list[int] = []
    child, end = node + 1, ends[node]
    while child < end:
        if not name_ids[child] and flags[child] & BLANK:
            run.append(child)
        else:
            shown = flags[child] if name_ids[child] else SHOWN_INLINE
            _drop_run(item, run, before, shown)
            before = shown
        child = ends[child]
    _drop_run(item, run, before, after)


def _drop_run(item: EngineItem, run: list[int], before: int, after: int) -> None:
    if SHOWN_INLINE not in (before, after) or not _is_in_line(before) or not _is_in_line(after):
        for blank in run:
            item.flags[blank] |= GONE
    run.clear()


def drop_beside_blocks(item: EngineItem, node: int) -> None:
    """In something inline: only the blank texts next to a block go."""
    flags, ends, name_ids = item.flags, item.ends, item.name_ids
    blank_before = -1
    is_behind_block = False
    child, end = node + 1, ends[node]
    while child < end:
        if not name_ids[child] and flags[child] & BLANK:
            if is_behind_block:
                flags[child] |= GONE
            blank_before = -1 if is_behind_block else child
            is_behind_block = False
        else:
            is_behind_block = bool(name_ids[child]) and flags[child] == SHOWN_AS_BLOCK
            if is_behind_block and blank_before >= 0:
                flags[blank_before] |= GONE
            blank_before = -1
        child = ends[child]


def drop_all(item: EngineItem, node: int) -> None:
    """In a block that holds nothing but what floats."""
    child, end = node + 1, item.ends[node]
    while child < end:
        if not item.name_ids[child] and item.flags[child] & BLANK:
            item.flags[child] |= GONE
        child = item.ends[child]


def drop_in_ruby(item: EngineItem, node: int, parts: Container[int]) -> None:
    """Between what a ruby is for and its annotations. `parts`: the numbers of the names of the latter."""
    with_base = False
    run: list[int] = []
    child, end = node + 1, item.ends[node]
    while child < end:
        name_id = item.name_ids[child]
        if not name_id and item.flags[child] & BLANK:
            run.append(child)
        else:
            is_part = name_id in parts
            if is_part and with_base:
                for blank in run:
                    item.flags[blank] |= GONE
            with_base = not is_part
            run.clear()
        child = item.ends[child]


def _is_in_line(shown: int) -> bool:
    return shown in (SHOWN_INLINE, SHOWN_FLOATING)
