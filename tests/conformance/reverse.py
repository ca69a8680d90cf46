"""From the web reader's CFIs to xpointers, and how far that can be judged without KOReader's engine.

There are two judges. The project's own reading of the engine's tree says which text lies between the two xpointers;
that is the converter's own knowledge, so it finds slips of the way back, not a wrong idea of the engine. The recorded
ranges say for many text nodes which characters the real engine has at which offset; wherever an answer lies in such a
node, its first and its last character are compared with them.
Exact: the text between the xpointers is the selection's, up to whole text nodes that KOReader hides.

Called by: `__main__`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.conformance.converter import Converter
from tests.conformance.engine_text import EngineText
from tests.conformance.exactness import folded, is_exact, shown
from tests.conformance.ground_truth import NORMAL, GroundTruth, Highlight, Selection, by_book
from tests.web.browser import Browser, Piece, Resolved

EXACT = "exact"
VISIBLE_PART = "visible part"  # exact but for hidden text at an end of the selection
HIDDEN = "hidden"  # all of it is hidden in KOReader, and the converter says that it has no place
APPROXIMATE, WRONG = "approximate", "wrong"
OUTCOMES = (EXACT, VISIBLE_PART, HIDDEN, APPROXIMATE, WRONG)

POSITION = re.compile(r"(?P<node>.*/text\(\)(?:\[\d+\])?)\.(?P<offset>\d+)")


@dataclass(frozen=True, slots=True)
class ReverseVerdict:
    selection: Selection
    outcome: str
    pos0: str | None
    pos1: str | None
    reason: str
    engine_text: str | None
    facts: int = 0  # ends of this answer at which the real engine's character is known
    contradicted: int = 0  # ... and is another


class Facts:
    """Which character the real engine has at which offset of which text node, as far as recorded ranges tell."""

    def __init__(self, ranges: Iterable[Highlight]) -> None:
        self._known: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for each in ranges:
            start, end = POSITION.fullmatch(each.pos0), POSITION.fullmatch(each.pos1)
            if not each.raw:
                continue
            same = start is not None and end is not None and _node(start) == _node(end)
            if same and start is not None and end is not None:
                first, last = int(start["offset"]), int(end["offset"])
                if last - first == len(each.raw):  # else the engine left something out of it
                    self._known[(each.epub, _node(start))].update(enumerate(each.raw, first))
                continue
            if start is not None:
                self._known[(each.epub, _node(start))].setdefault(int(start["offset"]), each.raw[0])
            if end is not None and int(end["offset"]):
                self._known[(each.epub, _node(end))].setdefault(int(end["offset"]) - 1, each.raw[-1])

    def check(self, epub: str, pos0: str, pos1: str, text: str) -> tuple[int, int]:
        """How many ends are known, and how many of them are not the text's."""
        known = contradicted = 0
        for position, before, sign in ((pos0, 0, text[:1]), (pos1, 1, text[-1:])):
            found = POSITION.fullmatch(position)
            if found is None or not sign:
                continue
            there = self._known.get((epub, _node(found)), {}).get(int(found["offset"]) - before)
            if there is not None:
                known += 1
                contradicted += folded(there) != sign
        return known, contradicted


def _node(position: re.Match[str]) -> str:
    return position["node"].replace("[1]", "")


def look(truth: GroundTruth, browser: Browser, by_the_standards: bool) -> dict[str, list[Resolved]]:
    """What the web reader finds at each selection's CFI, by book."""
    return {
        epub: browser.resolve(truth.book(epub), [each.cfi for each in of_book], by_the_standards)
        for epub, of_book in by_book(truth.selections).items()
    }


def judge(
    truth: GroundTruth, converter: Converter, seen: dict[str, list[Resolved]], dom: int, with_text: bool
) -> list[ReverseVerdict]:
    """`with_text`: the server's text goes along, as it does in a sync. Without it the CFI alone must do, and what
    counts is the text that the web reader finds at it: it loses the offset of an end that is an element."""
    facts = Facts(truth.ranges)
    verdicts = []
    for epub, of_book in by_book(truth.selections).items():
        questions = [{"cfi": each.cfi, "dom": dom, **({"text": each.text} if with_text else {})} for each in of_book]
        answers = converter.convert(truth.book(epub), questions, reverse=True)
        with EngineText(truth.book(epub), dom) as engine:
            for selection, answer, found in zip(of_book, answers, seen[epub], strict=True):
                pieces = found.pieces
                if with_text and folded(found.text) != folded(selection.text):
                    pieces = (Piece(selection.text, ""),)  # the CFI has lost something; the text has not
                verdicts.append(_verdict(selection, answer, pieces, engine, facts))
    return verdicts


def calibrate(truth: GroundTruth) -> tuple[int, int]:
    """The first judge on trial: on how many recorded ranges it gives the real engine's text, and of how many."""
    agreed = tried = 0
    for epub, of_book in by_book(truth.ranges).items():
        for dom in sorted({each.dom for each in of_book}):
            with EngineText(truth.book(epub), dom) as engine:
                normal = [each for each in of_book if (each.kind, each.dom) == (NORMAL, dom)]
                tried += len(normal)
                agreed += sum(
                    folded(engine.between(each.pos0, each.pos1) or "") == folded(each.text) for each in normal
                )
    return agreed, tried


def _verdict(
    selection: Selection, answer: dict[str, object], pieces: Sequence[Piece], engine: EngineText, facts: Facts
) -> ReverseVerdict:
    pos0, pos1 = answer.get("pos0"), answer.get("pos1")
    reason = str(answer.get("reason") or answer.get("status") or "")
    visible = shown(pieces)
    if not isinstance(pos0, str) or not isinstance(pos1, str) or answer.get("status") == APPROXIMATE:
        return ReverseVerdict(selection, APPROXIMATE if visible else HIDDEN, None, None, reason, None)
    text = engine.between(pos0, pos1)
    outcome = WRONG
    if text is not None and is_exact(pieces, text):
        outcome = EXACT
    elif text is not None and folded(text) == visible:
        outcome = VISIBLE_PART
    known, contradicted = facts.check(selection.epub, pos0, pos1, folded(text or ""))
    return ReverseVerdict(selection, outcome, pos0, pos1, reason, text, known, contradicted)
