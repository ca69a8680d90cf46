"""Every rule on which KOReader's places and EPUB's differ, with the right answers worked out by hand.

A place is written `3/p[2]/text().5`: in the third fragment, `/body/DocFragment[3]/body/p[2]/text().5`.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from device.epub import outcomes
from device.epub.archive import Unreadable
from device.epub.positions import APPROXIMATE, EXACT, REPAIRED, Cfi, Positions, Wanted
from tests.fixtures.make_torture_books import make

OLD, NEW = 20240114, 20260812
OLDEST = 20210903  # the DOM version before the one in which every entry of the spine makes a fragment
HOSTILE_MOST_BYTES = 64 * 1_048_576
HOSTILE_MOST_S = 30  # under tracemalloc, which makes it some times slower
Books = Callable[[str], Path]

# book, place of the start, place behind the end, text as KOReader keeps it, CFI
RANGES = [
    ("vectors", "1/p[1]/text().0", "1/p[1]/text().29", "First paragraph.", "/6/2!/4/4,/1:0,/1:16"),
    (
        "vectors",
        "1/p[1]/text().0",
        "1/p[2]/text().29",
        "First paragraph.\nSecond paragraph.",
        "/6/2!/4,/4/1:0,/6/1:17",
    ),
    ("vectors", "3/p[1]/text().1", "3/p[2]/text().2", "ne\nTw", "/6/6!/4,/4[p1]/1:1,/6[p2]/1:2"),
    (
        "vectors",
        "4/div/section/p[30]/text()[2].2",
        "4/div/section/p[31]/text()[1].9",
        "xt node 2\nparagraph",
        "/6/8!/4/2/2,/60/3:2,/62/1:9",
    ),
    ("vectors", "15/p/text()[1].0", "15/p/br[1].0", "a", "/6/30!/4/2,/1:0,/1:1"),
    ("vectors", "20/p/text().0", "20/p/text().16", "x marks the spot", "/6/40!/4/4,/1:0,/1:16"),
    ("vectors", "23/p/text()[1].8185", "23/p/text()[2].4", "word word", "/6/46!/4/2,/1:8185,/1:8194"),
    ("single", "1/p/text().5", "1/p/text().8", "one", "/6/2!/4/2,/1:5,/1:8"),
    ("package", "1/p/text().0", "1/p/text().4", "Late", "/8[sp^^1]/2!/4/2,/1:0,/1:4"),
    ("package", "2/p/text().8", "2/p/text().9", "b", "/8[sp^^1]/6[ref^[2^]]!/4/2,/1:8,/1:9"),
    ("package", "3/p/text().2", "3/p/text().9", "chapter", "/8[sp^^1]/8!/4/2,/1:2,/1:9"),
    ("package", "4/p/text().0", "4/p/text().7", "Chapter", "/8[sp^^1]/10!/4/2,/1:0,/1:7"),
    ("dangling", "1/p/text().0", "1/p/text().6", "before", "/6/2!/4/2,/1:0,/1:6"),
    ("dangling", "2/p/text().0", "2/p/text().6", "behind", "/6/6!/4/2,/1:0,/1:6"),
    ("kinds", "1/p/text().4", "1/p/text().9", "first", "/6/2!/4/2,/1:4,/1:9"),
    ("kinds", "4/p/text().4", "4/p/text().11", "chapter", "/6/8!/4/2,/1:4,/1:11"),
    ("kinds", "5/p/text().2", "5/p/text().6", "page", "/6/10!/4/2,/1:2,/1:6"),
    ("kinds", "9/p/text().4", "9/p/text().8", "last", "/6/18!/4/2,/1:4,/1:8"),
    ("bodies", "2/p/text().3", "2/p/text().12", "the first", "/6/4!/4/2,/1:3,/1:12"),
    ("bodies", "3/p/text().7", "3/p/text().13", "second", "/6/4!/6/2,/1:7,/1:13"),
    ("bodies", "2/p/text().13", "3/p/text().13", "body\nin the second", "/6/4!,/4/2/1:13,/6/2/1:13"),
    ("bodies", "4/p/text().8", "4/p/text().13", "three", "/6/6!/4/2,/1:8,/1:13"),
    ("bodies", "5/p/text().0", "5/p/text().15", "before the tail", "/6/8!/4/2,/1:0,/1:15"),
    ("markup", "1/div/p/text().0", "1/div/p/text().5", "upper", "/6/2!/4/2/2,/1:0,/1:5"),
    ("markup", "2/p/text().0", "2/p/text().5", "after", "/6/4!/4/4,/1:0,/1:5"),
    ("markup", "3/p/text()[2].1", "3/p/text()[2].4", "end", "/6/6!/4/2,/3:1,/3:4"),
    ("markup", "4/p/text()[2].1", "4/p/text()[4].2", "wo threefourfi", "/6/8!/4/2,/1:4,/3:2"),
    ("markup", "5/p/text()[2].3", "5/p/text()[2].6", "raw", "/6/10!/4/2,/1:10,/1:13"),
    ("markup", "5/p/text()[2].11", "5/p/text()[2].16", "&amp;", "/6/10!/4/2,/1:18,/1:23"),
    ("markup", "5/p/text()[3].1", "5/p/text()[3].7", "behind", "/6/10!/4/2,/1:24,/1:30"),
    ("markup", "6/p[2]/text().0", "6/p[2]/text().8", "after it", "/6/12!/4/4,/1:0,/1:8"),
    ("markup", "7/p/text().0", "7/p/text().8", "the next", "/6/14!/4/4,/1:0,/1:8"),
    ("markup", "8/p/text().2", "8/p/text().7", "<tag>", "/6/16!/4/2,/1:2,/1:7"),
    ("markup", "8/p/text().8", "8/p/text().19", '& "more" éé', "/6/16!/4/2,/1:8,/1:19"),
    ("markup", "9/p/text().6", "9/p/text().10", "keep", "/6/18!/4/2,/1:6,/1:10"),
    ("markup", "10/p/text().11", "10/p/text().15", "then", "/6/20!/4/2,/1:11,/1:15"),
    ("markup", "11/p[1]/text().0", "11/p[1]/text().5", "after", "/6/22!/4/4,/1:0,/1:5"),
    ("markup", "11/p[2]/text().0", "11/p[2]/text().5", "after", "/6/22!/4/8,/1:0,/1:5"),
    ("markup", "12/p/text()[1].0", "12/p/text()[1].7", "0123456", "/6/24!/4/2,/1:0,/1:7"),
    ("markup", "12/p/text()[2].0", "12/p/text()[2].7", "0123456", "/6/24!/4/2,/1:8192,/1:8199"),
    ("markup", "12/p/text()[3].8", "12/p/text()[3].15", "0123456", "/6/24!/4/2,/1:16392,/1:16399"),
    ("markup", "12/p/text()[5].8", "12/p/text()[5].15", "abcdefg", "/6/24!/4/2,/3:8200,/3:8207"),
    ("markup", "13/p/text().2", "13/p/text().5", "b—c", "/6/26!/4/2,/1:2,/1:5"),
    ("markup", "14/ul/li[2]/text().0", "14/ul/li[2]/text().3", "two", "/6/28!/4/2/4,/1:0,/1:3"),
    ("markup", "14/table/tr/td[2]/text().0", "14/table/tr/td[2]/text().6", "cell b", "/6/28!/4/4/2/4,/1:0,/1:6"),
    ("malformed", "1/p[1]/br/text().0", "1/p[1]/br/text().3", "two", "/6/2!/4/2,/3:0,/3:3"),
    ("malformed", "1/p[1]/text().0", "1/p[1]/br/br/text().5", "one\ntwo\nthree", "/6/2!/4/2,/1:0,/5:5"),
    ("malformed", "1/p[2]/text().0", "1/p[2]/text().4", "four", "/6/2!/4/4,/1:0,/1:4"),
    ("malformed", "2/p/p/text().0", "2/p/p/text().6", "second", "/6/4!/4/4,/1:0,/1:6"),
    ("malformed", "2/p/p/p/text().0", "2/p/p/p/text().5", "third", "/6/4!/4/6,/1:0,/1:5"),
    ("malformed", "3/p[2]/text()[1].0", "3/p[2]/text()[2].6", "still bold plain", "/6/6!/4/4,/2/1:0,/3:6"),
    ("malformed", "4/p[2]/text().0", "4/p[2]/text().5", "stray", "/6/8!/4/4,/1:0,/1:5"),
    ("malformed", "5/table/tr/td/text().0", "5/table/tr/td/text().10", "in a table", "/6/10!/4/4/2/2/2,/1:0,/1:10"),
    ("malformed", "6/p[2]/text().0", "6/p[2]/text().8", "next one", "/6/12!/4/4,/1:0,/1:8"),
    ("malformed", "7/p[2]/text().0", "7/p[2]/text().17", "after a lone sign", "/6/14!/4/4,/1:0,/1:17"),
    ("malformed", "8/p[2]/text().0", "8/p[2]/text().9", "behind it", "/6/16!/4/4,/1:0,/1:9"),
    ("malformed", "9/p[2]/text().0", "9/p[2]/text().18", "after no semicolon", "/6/18!/4/4,/1:0,/1:18"),
    ("malformed", "10/p[1]/text().0", "10/p[1]/text().16", "an empty element", "/6/20!/4/2/2,/1:0,/1:16"),
    ("malformed", "10/p[2]/text().0", "10/p[2]/text().13", "and an anchor", "/6/20!/4/2/4[x]/2,/1:0,/1:13"),
    ("malformed", "11/p[1]/text().3", "11/p[1]/text().10", "doctype", "/6/22!/4/2,/1:3,/1:10"),
    ("malformed", "12/p/text().0", "12/p/text().7", "goes on", "/6/24!/4/4,/1:0,/1:7"),
    ("malformed", "13/p/text().0", "13/p/text().19", "without a namespace", "/6/26!/4/2,/1:0,/1:19"),
    ("texts", "1/p[1]/text().6", "1/p[1]/text().15", "and trail", "/6/2!/4/2,/1:10,/1:21"),
    ("texts", "2/p/text().5", "2/p/text().10", "c\u2003d\u200be", "/6/4!/4/2,/1:5,/1:10"),
    ("texts", "3/p/text().0", "3/p/text().16", "softhyphenated", "/6/6!/4/2,/1:0,/1:16"),
    ("texts", "4/pre/text().24", "4/pre/text().33", "x\ny", "/6/8!/4/2,/1:20,/1:24"),
    ("texts", "5/pre/text().0", "5/pre/text().5", "first", "/6/10!/4/2,/1:1,/1:6"),
    ("texts", "6/p/text().0", "6/p/text().4", "then", "/6/12!/4/4,/1:0,/1:4"),
    ("texts", "7/p/text().6", "7/p/text().15", "family \U0001f1eb\U0001f1f7", "/6/14!/4/2,/1:9,/1:20"),
    (
        "texts",
        "7/p/text().0",
        "7/p/text().5",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "/6/14!/4/2,/1:0,/1:8",
    ),
    ("texts", "8/p/text().0", "8/p/text().3", "日本語", "/6/16!/4/2,/1:0,/1:3"),
    ("texts", "8/p/text().7", "8/p/text().9", "中文", "/6/16!/4/2,/1:7,/1:9"),
    ("texts", "9/p/b/text().0", "9/p/text()[2].6", "עולם מודגש", "/6/18!/4/2,/2/1:0,/3:6"),
    ("texts", "10/p/text().3", "10/p/text().8", "cafe\u0301", "/6/20!/4/2,/1:3,/1:8"),
    ("texts", "11/p/ruby[1]/text().0", "11/p/text().3", "漢字を読む", "/6/22!/4/2,/2/1:0,/5:3"),
    ("texts", "12/p/text()[1].0", "12/p/text()[2].5", "seen again", "/6/24!/4/2,/1:0,/3:5"),
    (
        "texts",
        "13/table/tbody/tr/td[2]/text().0",
        "13/table/tbody/tr/td[2]/text().3",
        "b c",
        "/6/26!/4/2/2/2/4,/1:0,/1:3",
    ),
    ("texts", "14/p/text()[2].1", "14/p/text()[2].7", "solved", "/6/28!/4/2,/3:1,/3:7"),
    ("texts", "14/p/math/mi/text().0", "14/p/math/mn/text().2", "\U0001d465=22", "/6/28!/4/2/2,/2/1:0,/6/1:2"),
    ("texts", "15/p/text()[2].1", "15/p/text()[2].5", "done", "/6/30!/4/2,/5:1,/5:5"),
    ("texts", "16/pre/text().8", "16/pre/text().13", "three", "/6/32!/4/2,/1:8,/1:13"),
    ("texts", "17/p/text().9", "17/p/text().15", "blanks", "/6/34!/4/2,/1:9,/1:15"),
    ("texts", "18/p/text().1", "18/p/text().7", "behind", "/6/36!/4/2,/3:1,/3:7"),
    ("styles", "1/p/text()[1].0", "1/p/text()[2].5", "before after", "/6/2!/4/2,/1:0,/3:5"),
    ("styles", "2/p/text().7", "2/p/text().13", "blanks", "/6/4!/4/2,/1:7,/1:13"),
    ("styles", "3/div/text().1", "3/div/text().5", "tail", "/6/6!/4/2,/5:1,/5:5"),
    ("blanks", "1/p[2]/text().0", "1/p[2]/text().3", "two", "/6/2!/4/4,/1:0,/1:3"),
    ("blanks", "2/p/b/text().0", "2/p/i/text().6", "bold italic", "/6/4!/4/2,/2/1:0,/4/1:6"),
    ("blanks", "3/div/text()[1].1", "3/div/text()[1].5", "text", "/6/6!/4/2,/3:1,/3:5"),
    ("blanks", "3/div/b/text().0", "3/div/i/text().3", "inline two", "/6/6!/4/2,/6/1:0,/8/1:3"),
    ("blanks", "4/div/i/p[2]/text().0", "4/div/i/p[2]/text().6", "second", "/6/8!/4/2/2/4,/1:0,/1:6"),
    ("blanks", "4/div/text().1", "4/div/text().5", "tail", "/6/8!/4/2,/3:1,/3:5"),
    ("blanks", "5/p/text().1", "5/p/text().6", "after", "/6/10!/4/2,/3:1,/3:6"),
    ("blanks", "6/div/text()[2].3", "6/div/text()[2].6", "end", "/6/12!/4/2,/5:3,/5:6"),
    ("blanks", "7/pre/b/text().1", "7/pre/b/text().5", "kept", "/6/14!/4/2/2,/1:1,/1:5"),
    ("blanks", "8/ul/li[2]/text().0", "8/ul/li[2]/text().6", "second", "/6/16!/4/2/4,/1:0,/1:6"),
    ("pointers", "1/section[1]/p.0", "1/section[1]/p.1", "One", "/6/2!/4/2/4,/1:0,/1:3"),
    ("pointers", "1/section[1]/p/b.0", "1/section[2].0", "two three", "/6/2!/4/2/4,/2/1:0,/3:6"),
    ("pointers", "1/section[1]/p/b", "1/section[2]", "two three", "/6/2!/4/2/4,/2/1:0,/3:6"),
    ("pointers", "1/section[1]/h1/text().0", "1/section[1]/p/b/text().3", "Head\nOne two", "/6/2!/4/2,/2/1:0,/4/2/1:3"),
    ("pointers", "2/p/text()[1].0", "2/p/img.0", "a picture", "/6/4!/4/2,/1:0,/1:9"),
    ("pointers", "4/p/text().12", "4/p/text().17", "twice", "/6/8!/4/2,/1:12,/1:17"),
    ("pointers", "5/p[2]/text().0", "5/p[2]/text().5", "alike", "/6/10!/4/4,/1:0,/1:5"),
    (
        "assertions",
        "1/div/p[1]/text().6",
        "1/div/p[2]/text().6",
        "words\nsecond",
        "/6/2!/4/2[c^^1],/2[p^[1^]]/1:6,/4[^(2^)^;s^=a]/1:6",
    ),
    ("assertions", "2/p[2]/text().0", "2/p[2]/text().3", "two", "/6/4!/4/4[same],/1:0,/1:3"),
    ("assertions", "3/div/div/p/text().0", "3/div/div/p/text().16", "too long for ids", "/6/6!/4/2/2/2,/1:0,/1:16"),
    ("assertions", "4/p/text().0", "4/p/text().14", "within all ids", "/6/8!/4[b]/2[in],/1:0,/1:14"),
    ("encodings", "1/p/text().0", "1/p/text().13", "with a mark é", "/6/2!/4/2,/1:0,/1:13"),
    ("encodings", "2/p[1]/text().0", "2/p[1]/text().11", "plain words", "/6/4!/4/2,/1:0,/1:11"),
    ("encodings", "2/p[2]/text().5", "2/p[2]/text().12", "au lait", "/6/4!/4/4,/1:5,/1:12"),
    ("encodings", "2/p[3]/text().0", "2/p[3]/text().11", "plain again", "/6/4!/4/6,/1:0,/1:11"),
    ("encodings", "3/p/text().0", "3/p/text().12", "sixteen bits", "/6/6!/4,/1:181,/1:193"),
    ("encodings", "4/p/text().5", "4/p/text().9", "noir", "/6/8!/4/2,/1:5,/1:9"),
    ("encodings", "5/p/text().5", "5/p/text().10", "creme", "/6/10!/4/2,/1:5,/1:10"),
    ("encodings", "6/p/text()[1].7", "6/p/text()[1].11", "noir", "/6/12!/4/2,/1:8,/1:12"),
    ("nested", "2/p/text().0", "2/p/text().6", "beside", "/6/4!/4/2,/1:0,/1:6"),
    ("entities", "2/p[2]/text().0", "2/p[2]/text().15", "no file is read", "/6/4!/4/4,/1:0,/1:15"),
    ("entities", "3/p/text().0", "3/p/text().15", "a quiet chapter", "/6/6!/4/2,/1:0,/1:15"),
    ("bomb", "2/p/text().0", "2/p/text().15", "a small chapter", "/6/4!/4/2,/1:0,/1:15"),
    ("paths", "6/p/text().4", "6/p/text().12", "one good", "/6/14!/4/2,/1:4,/1:12"),
]
# book, place of a page bookmark, CFI
POINTS = [
    ("vectors", "1/h2/text().0", "/6/2!/4/2/1:0"),
    ("vectors", "1/p[2]/text().5", "/6/2!/4/6/1:5"),
    ("vectors", "1/p[1]/text()[1].0", "/6/2!/4/4/1:0"),
    ("vectors", "2/div/p/text().0", "/6/4!/4/2[Copyright01]/2/1:0"),
    ("vectors", "3/p[2]/text().3", "/6/6!/4/6[p2]/1:3"),
    ("vectors", "5/h2/text().0", "/6/10!/4/2/1:0"),
    ("vectors", "5/p[1]/text().0", "/6/10!/4/4/1:0"),
    ("vectors", "5/p[2]/text().0", "/6/10!/4/6/1:0"),
    ("vectors", "5/p[3]/text().0", "/6/10!/4/8/1:0"),
    ("vectors", "6/br.0", "/6/12!/4/6/1:0"),
    ("vectors", "6/p[1]/text().0", "/6/12!/4/6/1:0"),
    ("vectors", "6/p[2]/text().0", "/6/12!/4/8/1:0"),
    ("vectors", "7/div/p/text().0", "/6/14!/4/2/2/1:0"),
    ("vectors", "7/div/p/b/text().2", "/6/14!/4/2/2/2/1:2"),
    ("vectors", "7/p/text().0", "/6/14!/4/4/1:0"),
    ("vectors", "8/p/text().2", "/6/16!/4/2/3:2"),
    ("vectors", "9/p/text()[2].0", "/6/18!/4/2/5:0"),
    ("vectors", "10/p/text().3", "/6/20!/4/2/3:3"),
    ("vectors", "11/p/text()[2].1", "/6/22!/4/2/1:4"),
    ("vectors", "12/p/text().1", "/6/24!/4/2/1:1"),
    ("vectors", "13/p.0", "/6/26!/4/2/1:0"),
    ("vectors", "14/p[1]/img.0", "/6/28!/4/4/1:0"),
    ("vectors", "15/p/br[1].0", "/6/30!/4/2/3:0"),
    ("vectors", "16/p/text().3", "/6/32!/2/4/1:3"),
    ("vectors", "17/p[2]/text().0", "/6/34!/4/4/1:0"),
    ("vectors", "18/div/p/text().0", "/6/36!/4/2[a^]b^,c]/2/1:0"),
    ("vectors", "19/p/text().6", "/6/38!/4/2/1:11"),
    ("vectors", "21/p/text().0", "/6/42!/4/4/1:0"),
    ("vectors", "22/p/text().2", "/6/44!/4/2/1:3"),
    ("vectors", "23/p/text()[2].5", "/6/46!/4/2/1:8195"),
]
# book, start, end or None, text or None: nothing there that could be sent as a position
NOWHERE = [
    ("texts", "18/p/math/mfenced/mo[1]/text().0", "18/p/math/mfenced/mo[2]/text().1", "[\U0001d44e,\U0001d44f]"),
    ("vectors", "1/p[1]/text()[2].92", None, None),
    ("vectors", "40/p/text().0", None, None),
    ("vectors", "5/p[4]/text().0", None, None),
    ("vectors", "1/p[1]/text().0", "1/p[1]/text().5", "other words"),
    ("vectors", "1/p[1]/text().0", "1/p[1]/text().5", ""),
    ("vectors", "1/p[1]/text().0", "1/p[1]/text().5", None),
    ("kinds", "2/autoBoxing/svg/text/text().0", "2/autoBoxing/svg/text/text().5", "words"),
    ("kinds", "3/pre/text().0", "3/pre/text().6", "Failed"),
    ("kinds", "6/pre/text().0", "6/pre/text().6", "Failed"),
    ("malformed", "14/pre/text().0", "14/pre/text().6", "Failed"),
    ("pointers", "4/h1/text().0", "4/h1/text().5", "twice"),
    ("pointers", "6/text().0", "6/text().4", "word"),
    ("encodings", "2/p[2]/text().0", "2/p[2]/text().4", "café"),
    ("encodings", "6/p/text().0", "6/p/text().6", "un\xa0peu"),
    ("nested", "1/div/div/text().0", "1/div/div/text().19", "at the bottom of it"),
    ("nested", "3/b/text().0", "3/b/text().12", "never closed"),
    ("entities", "1/p[1]/text().0", "1/p[1]/text().6", "lollol"),
    ("entities", "1/p[2]/text().0", "1/p[2]/text().15", "behind the bomb"),
    ("bomb", "1/p/text().0", "1/p/text().13", "never reached"),
    ("paths", "1/p/text().0", "1/p/text().4", "root"),
]


def place(short: str) -> str:
    fragment, _, path = short.partition("/")
    return f"/body/DocFragment[{fragment}]/body/{path}"


def in_full(pointer: str) -> str:
    """As newer DOM versions spell it: every step has its index."""
    path, point, offset = pointer.rpartition(".") if pointer[-1].isdigit() else (pointer, "", "")
    steps = [step if not step or step.endswith("]") else f"{step}[1]" for step in path.split("/")]
    return "/".join(steps) + point + offset


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    folder = tmp_path_factory.mktemp("books")
    made: dict[str, Path] = {}

    def book(name: str) -> Path:
        if name not in made:
            made[name] = make(name, folder)
        return made[name]

    return book


def asked(path: Path, start: str, end: str | None, text: str | None, dom: int | None) -> Cfi:
    with Positions(str(path), dom) as book:
        return book.to_cfis([Wanted(start, end, text)])[0]


@pytest.mark.parametrize("dom", [OLD, NEW])
@pytest.mark.parametrize(("book", "start", "end", "text", "cfi"), RANGES)
def test_a_highlight_is_where_the_web_reader_finds_its_words(
    books: Books, book: str, start: str, end: str, text: str, cfi: str, dom: int
) -> None:
    start, end = place(start), place(end)
    if dom == NEW:
        start, end = in_full(start), in_full(end)
    found = asked(books(book), start, end, text, dom)
    assert (found.cfi, found.status in (EXACT, REPAIRED)) == (f"epubcfi({cfi})", True), found.reason


@pytest.mark.parametrize("dom", [OLD, NEW])
@pytest.mark.parametrize(("book", "start", "cfi"), POINTS)
def test_a_page_bookmark_is_one_place(books: Books, book: str, start: str, cfi: str, dom: int) -> None:
    pointer = place(start)
    found = asked(books(book), in_full(pointer) if dom == NEW else pointer, None, None, dom)
    assert (found.cfi, found.status) == (f"epubcfi({cfi})", EXACT), found.reason


@pytest.mark.parametrize(("book", "start", "end", "text"), NOWHERE)
def test_what_has_no_certain_place_is_said_to_have_none(
    books: Books, book: str, start: str, end: str | None, text: str | None
) -> None:
    found = asked(books(book), place(start), None if end is None else place(end), text, OLD)
    assert (found.cfi, found.status) == (None, APPROXIMATE)
    assert found.reason


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize(("book", "start", "end", "text", "cfi"), RANGES)
def test_what_the_web_reader_selects_there_is_the_same_highlight_on_the_device(
    books: Books, book: str, start: str, end: str, text: str, cfi: str, explicit: bool
) -> None:
    dom = NEW if explicit else OLD
    with Positions(str(books(book)), dom) as opened:
        there = opened.to_pointers([(f"epubcfi({cfi})", text)], explicit)[0]
        assert there.status in (EXACT, REPAIRED), there.reason
        assert there.pos0 is not None
        assert there.pos0.startswith("/body[1]/DocFragment[" if explicit else "/body/DocFragment")
        back = opened.to_cfis([Wanted(there.pos0, there.pos1, there.text)])[0]
    assert (back.cfi, back.status in (EXACT, REPAIRED)) == (f"epubcfi({cfi})", True)


@pytest.mark.parametrize(("book", "start", "cfi"), POINTS)
def test_a_place_in_the_web_reader_is_one_on_the_device(books: Books, book: str, start: str, cfi: str) -> None:
    with Positions(str(books(book)), OLD) as opened:
        there = opened.to_pointers([(f"epubcfi({cfi})", None)], explicit_ones=False)[0]
        assert (there.status, there.pos1) == (EXACT, None)
        back = opened.to_cfis([Wanted(there.pos0 or "", None, None)])[0]
    assert back.cfi == f"epubcfi({cfi})"


@pytest.mark.parametrize("book", ["no-container", "no-spine", "broken"])
def test_what_is_no_book_is_refused_with_a_reason(books: Books, book: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        Positions(str(books(book)), None)
    assert str(refusal.value)


@pytest.mark.parametrize("book", ["nested", "entities", "bomb", "paths"])
def test_a_hostile_book_costs_little(books: Books, book: str) -> None:
    asked_for = [(start, end, text) for name, start, end, text, _ in RANGES if name == book]
    asked_for += [(start, end or start, text or "") for name, start, end, text in NOWHERE if name == book]
    path = books(book)
    tracemalloc.start()
    began_s = time.process_time()
    try:
        with Positions(str(path), OLD) as opened:
            opened.to_cfis([Wanted(place(start), place(end), text) for start, end, text in asked_for])
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < HOSTILE_MOST_BYTES
    assert time.process_time() - began_s < HOSTILE_MOST_S


@pytest.mark.parametrize(
    ("start", "end", "text", "cfi"),
    [
        ("1/p/text().4", "1/p/text().9", "first", "/6/2!/4/2,/1:4,/1:9"),
        ("2/p/text().4", "2/p/text().11", "chapter", "/6/8!/4/2,/1:4,/1:11"),
        ("3/p/text().4", "3/p/text().8", "last", "/6/18!/4/2,/1:4,/1:8"),
    ],
)
def test_before_2024_only_chapters_of_xhtml_that_can_be_read_were_counted(
    books: Books, start: str, end: str, text: str, cfi: str
) -> None:
    found = asked(books("kinds"), place(start), place(end), text, OLDEST)
    assert (found.cfi, found.status) == (f"epubcfi({cfi})", EXACT)


def test_the_line_feed_behind_pre_was_kept_before_2021(books: Books) -> None:
    found = asked(books("texts"), place("5/pre/text().1"), place("5/pre/text().6"), "first", OLDEST)
    assert (found.cfi, found.status) == ("epubcfi(/6/10!/4/2,/1:1,/1:6)", EXACT)


@pytest.mark.parametrize(
    ("pos0", "pos1"),
    [
        ("/body/DocFragment/body/p/text().5", "/body/DocFragment/body/p/text().8"),
        ("/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].5", "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1].8"),
        ("/body/DocFragment[1]/body[1]/p[1]/text()[1].5", "/body/DocFragment/body/p/text()[1].8"),
    ],
)
def test_a_book_of_one_document_is_spelled_in_many_ways(books: Books, pos0: str, pos1: str) -> None:
    assert asked(books("single"), pos0, pos1, "one", None).cfi == "epubcfi(/6/2!/4/2,/1:5,/1:8)"


def test_boxes_of_the_engine_are_looked_through(books: Books) -> None:
    pos0 = "/body/DocFragment[3]/body/floatBox/div/text().0"
    found = asked(books("pointers"), pos0, pos0[:-1] + "8", "floating", OLD)
    assert (found.cfi, found.status) == ("epubcfi(/6/6!/4/2,/1:0,/1:8)", EXACT)


def test_behind_an_entry_that_leads_nowhere_the_web_readers_mistake_is_told(books: Books) -> None:
    found = asked(books("dangling"), place("2/p/text().0"), place("2/p/text().6"), "behind", OLD)
    assert (found.status, found.reason) == (EXACT, outcomes.DANGLING)


def test_what_the_web_reader_has_selected_by_that_mistake_is_found(books: Books) -> None:
    with Positions(str(books("dangling")), OLD) as book:
        found = book.to_pointers([("epubcfi(/6/4!/4/2,/1:0,/1:6)", "behind")], explicit_ones=False)[0]
    assert (found.pos0, found.status) == ("/body/DocFragment[2]/body/p/text().0", EXACT)
