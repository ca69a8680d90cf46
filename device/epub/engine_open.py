"""An element of a document while it is read, before it is known what is in it.

Promises: nothing but what has been seen of it up to now.
Called by: `engine_tree.py`.
"""

from __future__ import annotations

from device.epub import engine_blanks
from device.epub import engine_tags as tags
from device.epub.engine_styles import Around
from device.epub.engine_tokens import Tag


class Open(Around):
    """An element that is not closed yet, and what its children are up to now."""

    __slots__ = (
        "begins_with",
        "blanks",
        "blocks",
        "children",
        "display",
        "ends_with",
        "floating",
        "floats",
        "hidden",
        "inlines",
        "is_math",
        "is_svg",
        "node",
        "preformatted",
        "strips",
        "supported",
        "takes_text",
        "texts",
        "unseen",
        "unshown",
    )

    def __init__(self, node: int, name: str, tag: Tag) -> None:
        super().__init__(name, tag.attributes)
        self.node = node
        self.display = tags.BLOCK
        self.floats = False
        self.begins_with = self.ends_with = engine_blanks.SHOWN_AS_BLOCK  # what styles put there, if anything
        self.hidden = self.unseen = False  # no text of it is visible; not even a box of it is
        self.preformatted = self.strips = self.is_svg = self.is_math = False
        self.takes_text = True
        self.supported = False  # of a `switch`: a case of it is one that the engine shows
        self.children = 0  # elements, and texts that are not dropped at once
        self.blocks = self.inlines = self.floating = self.unshown = 0  # elements that are shown so
        self.texts = self.blanks = 0
