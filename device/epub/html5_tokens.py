"""The pieces of an HTML document, one after the other: tags, text, comments, the document type.

Promises: whatever the text, every piece takes at least one character of it, so that the end is reached; text says which
characters of the source it is, and what the source spells otherwise (entities, line ends) is given as it is read.
Never: knows elements; where text is raw the tree says so, since only it knows.
Called by: `html5_tree.py`.
Law: the HTML Standard, "Tokenization", without its errors: only what comes out is the same.
"""

from __future__ import annotations

from device.epub import html5_tags
from device.epub.html5_entities import reference
from device.epub.html5_tags import NAME_ENDS, SPACES, lower

EOF, TEXT, START, END, COMMENT, DOCTYPE = range(6)
# How the text after a tag is to be read.
PLAIN_RULES, RCDATA, RAWTEXT, SCRIPT, PLAINTEXT = range(5)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SCRIPT = "script"


class Tokens:
    """`advance` makes the next piece the present one, whose kind says which fields count:

    TEXT: `data`; it stands in the source at `source` as it is, unless `is_spelled`.
    START, END: `name`, `attributes`, `is_self_closing`. DOCTYPE: `name`, `public`, `system`, `is_broken`.
    """

    __slots__ = (
        "_at",
        "_behind",
        "_decodes",
        "_next_ampersand",
        "_next_bang",
        "_next_dashes",
        "_next_null",
        "_next_return",
        "_null",
        "_rest",
        "_text",
        "_text_end",
        "attributes",
        "data",
        "in_foreign",
        "is_broken",
        "is_self_closing",
        "is_spelled",
        "keeps_nulls",
        "kind",
        "name",
        "public",
        "source",
        "system",
    )

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._text_end = 0  # up to here the source is text, whatever it looks like
        self._behind = 0  # where the source goes on behind that text
        self._decodes = True  # entities count in that text
        self._null = ""  # what a NUL is in that text
        self._rest: tuple[int, str] | None = None  # what `split` has left over
        # Where the next of each is; looked for when passed, so that none is looked for twice in the same text.
        self._next_ampersand = self._next_null = self._next_return = self._next_dashes = self._next_bang = -1
        # Set by the tree: within SVG or MathML, where CDATA counts, and NUL is not passed over.
        self.in_foreign = self.keeps_nulls = False
        self.kind = EOF
        self.name = ""
        self.attributes: dict[str, str] = {}
        self.is_self_closing = False
        self.source = 0
        self.data = ""
        self.is_spelled = False
        self.public: str | None = None
        self.system: str | None = None
        self.is_broken = False

    def advance(self) -> int:
        """The kind of the next piece; EOF for ever at the end."""
        if self._rest is not None:
            self.source, self.data = self._rest
            self._rest = None
            return self.kind
        text = self._text
        while True:
            if self._at < self._text_end:
                if self._text_piece():
                    return TEXT
                continue
            if self._at < self._behind:
                self._at = self._behind
            at = self._at
            if at >= len(text):
                self.kind = EOF
                return EOF
            if text[at] != "<":
                self._text_until(_found(text, "<", at))
                continue
            following = text[at + 1 : at + 2]
            if following in _LETTERS:
                if self._tag(START, at + 1):
                    return START
            elif following == "/":
                if self._end_tag(at):
                    return self.kind
            elif following == "!":
                if self._declaration(at):
                    return self.kind
            elif following == "?":
                return self._comment_until(">", at + 1)
            else:
                self._text_until(at + 1)  # a NUL behind it goes, as the law has it; Chromium shows it

    def is_blank(self) -> bool:
        """Whether the present text begins with blanks. If so it is cut behind them; the rest comes next."""
        data = self.data
        length = len(data) - len(data.lstrip(SPACES))
        if 0 < length < len(data):
            self._rest = (self.source + length, data[length:])
            self.data = data[:length]
        return length > 0

    def raw(self, rules: int, name: str) -> None:
        """What follows is text up to the end tag `name`."""
        if rules == PLAIN_RULES:
            return
        end = len(self._text)
        if rules == SCRIPT:
            end = self._script_end()
        elif rules != PLAINTEXT:
            end = self._end_tag_of(name, self._at)
        self._text_end, self._decodes, self._null = end, rules == RCDATA, "\ufffd"

    def _text_until(self, end: int) -> None:
        self._text_end, self._decodes, self._null = end, True, "\ufffd" if self.keeps_nulls else ""

    def _text_piece(self) -> bool:
        """Up to the end of the text, or what the source spells otherwise; False if that is nothing."""
        text, at = self._text, self._at
        self.kind, self.source, self.is_spelled = TEXT, at, False
        if self._next_ampersand < at:
            self._next_ampersand = _found(text, "&", at)
        if self._next_return < at:
            self._next_return = _found(text, "\r", at)
        if self._next_null < at:
            self._next_null = _found(text, "\0", at)
        stop = min(self._text_end, self._next_return, self._next_null)
        if self._decodes:
            stop = min(stop, self._next_ampersand)
        if stop == at:
            self._spelled(at)
        else:
            self.data, self._at = text[at:stop], stop
        return bool(self.data)

    def _spelled(self, at: int) -> None:
        char = self._text[at]
        self.is_spelled = True
        if char == "\r":
            self.data = "\n"
            self._at = at + (2 if self._text.startswith("\n", at + 1) else 1)
        elif char == "\0":
            self.data, self._at = self._null, at + 1
        else:
            self.data, self._at = reference(self._text, at, in_attribute=False)
            if not self.data:
                self.data, self.is_spelled = "&", False

    def _end_tag(self, at: int) -> bool:
        following = self._text[at + 2 : at + 3]
        if following in _LETTERS and following:
            return self._tag(END, at + 2)
        if following == ">":
            self._at = at + 3
            return False
        if following:
            self._comment_until(">", at + 2)
        else:
            self._text_until(at + 2)
            return False
        return True

    def _declaration(self, at: int) -> bool:
        text = self._text
        if text.startswith("--", at + 2):
            return self._comment(at + 4)
        if text[at + 2 : at + 9].upper() == "DOCTYPE":
            return self._doctype(at + 9)
        if self.in_foreign and text.startswith("[CDATA[", at + 2):
            # Text without entities; its end is no text. An empty one is nothing.
            self._at, self._text_end = at + 9, _found(text, "]]>", at + 9)
            self._behind, self._decodes, self._null = self._text_end + 3, False, "\ufffd"
            return False
        self._comment_until(">", at + 2)
        return True

    def _comment(self, begins: int) -> bool:
        text = self._text
        self.kind = COMMENT
        for short in (">", "->"):
            if text.startswith(short, begins):
                self._at = begins + len(short)
                return True
        if self._next_bang < begins:
            self._next_bang = _found(text, "--!>", begins)
        end = self._dashes(begins)
        if end == self._next_bang == len(text):
            self._at = len(text)
        else:
            self._at = end + 3 if end < self._next_bang else self._next_bang + 4
        return True

    def _dashes(self, at: int) -> int:
        """The next end of a comment."""
        if self._next_dashes < at:
            self._next_dashes = _found(self._text, "-->", at)
        return self._next_dashes

    def _comment_until(self, end: str, begins: int) -> int:
        self.kind = COMMENT
        self._at = min(_found(self._text, end, begins) + 1, len(self._text))
        return COMMENT

    def _doctype(self, begins: int) -> bool:
        end = _found(self._text, ">", begins)
        inner = self._text[begins : min(end, begins + html5_tags.DOCTYPE_MOST_CHARS)]
        self.kind, self._at = DOCTYPE, min(end + 1, len(self._text))
        self.name, self.public, self.system, self.is_broken = html5_tags.doctype(inner)
        self.is_broken = self.is_broken or end == len(self._text)
        return True

    def _tag(self, kind: int, begins: int) -> bool:
        """False if the text ends within the tag, which then is none."""
        self.kind, self.attributes = kind, {}
        self.name, self.is_self_closing, self._at = html5_tags.tag(self._text, begins, self.attributes)
        self._text_end = self._at
        return bool(self.name)

    def _end_tag_of(self, name: str, at: int) -> int:
        text, length = self._text, len(name)
        while True:
            at = _found(text, "</", at)
            behind = at + 2 + length
            if behind >= len(text):
                return len(text)
            if text[behind] in NAME_ENDS and lower(text[at + 2 : behind]) == name:
                return at
            at += 2

    def _script_end(self) -> int:
        """The end tag that ends a script: not one within a comment that a script begins in turn."""
        text, at = self._text, self._at
        in_comment, in_script = False, False
        while True:
            opens = _found(text, "<", at)
            if in_comment:
                dashes = self._dashes(at)
                if dashes < opens:
                    in_comment = in_script = False
                    at = dashes + 3
                    continue
            if opens == len(text):
                return opens
            at = opens + 1
            if not in_comment and text.startswith("!--", at):
                in_comment = True
                at += 1  # its dashes may be those of its end
            elif self._is_script_tag(opens + 2) and text[at] == "/":
                if not in_script:
                    return opens
                in_script = False
            elif in_comment and not in_script and self._is_script_tag(at):
                in_script = True

    def _is_script_tag(self, at: int) -> bool:
        end = at + len(_SCRIPT)
        return lower(self._text[at:end]) == _SCRIPT and self._text[end : end + 1] in NAME_ENDS


def _found(text: str, wanted: str, at: int) -> int:
    """Where it is, the text's length if it is nowhere."""
    found = text.find(wanted, at)
    return len(text) if found < 0 else found
