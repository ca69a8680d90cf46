"""What kind of book a file is, by its suffix: text that flows, fixed pages, or pictures.

Two kinds of one title are hardly one book: a comic of a novel, a scan of an older edition. Two formats of one kind may
be, because readers convert them.
Called by: `matching.py`.
"""

from __future__ import annotations

FLOWING, PAGES, PICTURES = "flowing", "pages", "pictures"

_PAGES = ("djv", "djvu", "pdf", "pptx", "xlsx", "xps")
_PICTURES = (
    "bmp", "cb7", "cbr", "cbt", "cbz", "gif", "hdp", "j2k", "jp2", "jpeg", "jpg", "jxr", "pam", "pbm", "pgm", "png",
    "pnm", "ppm", "svg", "tar", "tif", "tiff", "wdp", "webp",
)  # fmt: skip
SUFFIX_MAX_CHARS = 5
_ANY: tuple[str, ...] = ()
_INNER = ("kepub", "fb2", "txt", "html")  # before another suffix
_PACKINGS = frozenset(("zip", "gz"))


def suffix(name: str) -> str:
    """Of `x.fb2.zip` it is the one before the packing that counts; `kepub` is an EPUB."""
    parts = name.casefold().rpartition("/")[2].split(".")
    if len(parts) > 2 and parts[-1] in _PACKINGS:
        parts.pop()
    found = parts[-1] if len(parts) > 1 else ""
    return "epub" if found in ("kepub", "epub3") else found


def kind(name: str) -> str:
    """Of a file's name."""
    found = suffix(name)
    return PAGES if found in _PAGES else PICTURES if found in _PICTURES or found == "zip" else FLOWING


def stem(name: str) -> str:
    """The name without folder and suffixes."""
    found = name.rpartition("/")[2]
    for inner in (_ANY, _INNER):
        head, _, last = found.rpartition(".")
        if not head or len(last) > SUFFIX_MAX_CHARS or (inner and last.casefold() not in inner):
            break
        found = head
    return found
