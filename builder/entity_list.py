"""Writes `device/epub/html5_entity_table.py`: the characters that HTML has names for.

`python -m builder.entity_list` writes it anew from the table of the Python that runs it, which is the list of the HTML
Standard. The module is committed; a test compares it with that table.

Called by: nobody but an engineer; the list has been closed for years.
"""

import html.entities

from builder.workshop import REPOSITORY

OUTPUT = REPOSITORY / "device" / "epub" / "html5_entity_table.py"
LINE_CHARS = 108
MODULE = '''\
"""The characters that HTML has names for, {count} of them, and the few names that need no semicolon.

Written by builder/entity_list.py; not to be edited. The list is that of the HTML Standard.
"""

# ` name=characters`, one after the other, with a blank at the end: found by searching.
NAMED = (
{named}
)
WITHOUT_SEMICOLON = (
{bare}
)
'''


def module_text() -> str:
    table = html.entities.html5
    named = {name.removesuffix(";"): value for name, value in table.items() if name.endswith(";")}
    bare = sorted(name for name in table if not name.endswith(";"))
    entries = [f" {name}={''.join(map(escaped, named[name]))}" for name in sorted(named)]
    return MODULE.format(
        count=len(named), named=lines([*entries, " "]), bare=lines([*(f" {name}" for name in bare), " "])
    )


def escaped(char: str) -> str:
    if char in '\\"' or not char.isascii() or not char.isprintable():
        return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
    return char


def lines(entries: list[str]) -> str:
    found = [""]
    for entry in entries:
        if len(found[-1]) + len(entry) > LINE_CHARS:
            found.append("")
        found[-1] += entry
    return "\n".join(f'    "{line}"' for line in found)


if __name__ == "__main__":
    OUTPUT.write_text(module_text())
