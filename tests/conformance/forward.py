"""From KOReader's xpointers to CFIs: each answer of the converter, and what the web reader makes of its CFI.

Promises: an outcome for every highlight. What the converter calls exact or repaired is right only if the web reader
shows exactly that text. In `cross` (it lies in two spine items) a first part that is said to be one is right, in
`nosource` (only the engine has that text) only the admission that there is no place.
Never: believes what the converter says of itself.
Called by: `__main__`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.conformance.converter import Converter
from tests.conformance.exactness import folded, is_beginning, is_exact, readings
from tests.conformance.ground_truth import CROSS, NOSOURCE, GroundTruth, Highlight, by_book, reads_differently
from tests.web.browser import Browser, Resolved

EXACT, REPAIRED, APPROXIMATE = "exact", "repaired", "approximate"  # as the converter says, and it is true
WRONG, THROWS = "wrong", "throws"  # it says exact or repaired, and the web reader shows other words, or nothing
STATUSES = (EXACT, REPAIRED, APPROXIMATE)
OUTCOMES = (EXACT, REPAIRED, APPROXIMATE, WRONG, THROWS)


@dataclass(frozen=True, slots=True)
class Verdict:
    highlight: Highlight
    outcome: str
    cfi: str | None
    reason: str
    seen: str = ""  # text or error in the web reader
    right_all_the_same: bool = False  # approximate, but the CFI it came with means the text
    right_otherwise: bool = False  # where files that are not UTF-8 are read the other way

    @property
    def is_right(self) -> bool:
        return self.outcome in (EXACT, REPAIRED)

    @property
    def is_as_it_should(self) -> bool:
        """By its class: where there is no one right place, to say so is right."""
        if self.highlight.kind == NOSOURCE:
            return self.outcome == APPROXIMATE
        return self.is_right or (self.highlight.kind == CROSS and self.outcome == APPROXIMATE)


def judge(
    truth: GroundTruth,
    converter: Converter,
    browser: Browser,
    highlights: Sequence[Highlight],
    by_the_standards: bool = True,
) -> list[Verdict]:
    """`by_the_standards`: how files that are not UTF-8 are read, see pages/book.js; the other way is tried as well."""
    verdicts = []
    for epub, of_book in by_book(highlights).items():
        questions = [{"pos0": each.pos0, "pos1": each.pos1, "text": each.text} for each in of_book]
        answers = converter.convert(truth.book(epub), questions)
        cfis = [str(answer["cfi"]) if answer.get("cfi") else None for answer in answers]
        resolved = _resolve(truth, browser, epub, cfis, by_the_standards)
        odd = reads_differently(truth.book(epub))
        otherwise = _resolve(truth, browser, epub, cfis, not by_the_standards) if odd else resolved
        for highlight, answer, cfi, found, other in zip(of_book, answers, cfis, resolved, otherwise, strict=True):
            said, reason = str(answer.get("status")), str(answer.get("reason") or answer.get("error") or "")
            outcome = _outcome(highlight, said, reason, found)
            verdicts.append(
                Verdict(
                    highlight,
                    outcome,
                    cfi,
                    reason if said in STATUSES else f"status {said!r} {reason}",
                    seen="" if found is None else found.error or found.text,
                    right_all_the_same=outcome == APPROXIMATE and _means(found, highlight.text),
                    right_otherwise=_outcome(highlight, said, reason, other) in (EXACT, REPAIRED),
                )
            )
    return verdicts


def _resolve(
    truth: GroundTruth, browser: Browser, epub: str, cfis: Sequence[str | None], by_the_standards: bool
) -> list[Resolved | None]:
    wanted = [cfi for cfi in cfis if cfi is not None]
    found = iter(browser.resolve(truth.book(epub), wanted, by_the_standards) if wanted else ())
    return [None if cfi is None else next(found) for cfi in cfis]


def _outcome(highlight: Highlight, said: str, reason: str, found: Resolved | None) -> str:
    if said == APPROXIMATE:
        return APPROXIMATE
    if said not in STATUSES or found is None:
        return WRONG
    if found.error is not None:
        return THROWS
    if _means(found, highlight.text):
        return said
    if highlight.kind == CROSS and reason and is_beginning(found.pieces, highlight.text):
        return APPROXIMATE  # a first part, and said so
    return WRONG


def _means(found: Resolved | None, text: str) -> bool:
    return found is not None and found.error is None and is_exact(found.pieces, text)


def count_impossible(truth: GroundTruth, browser: Browser, misses: Sequence[Highlight], by_the_standards: bool) -> int:
    """How many highlights are of words that the web reader has nowhere in the book."""
    count = 0
    for epub, of_book in by_book(misses).items():
        there = [text for section in browser.read(truth.book(epub), by_the_standards) for text in readings(section)]
        count += sum(not any(folded(highlight.text) in text for text in there) for highlight in of_book)
    return count


def judge_given(
    truth: GroundTruth, browser: Browser, golden: Sequence[Highlight], by_the_standards: bool = True
) -> list[Highlight]:
    """The judge itself on trial: the golden CFIs that it does not find to be exact. There should be none."""
    failed = []
    for epub, of_book in by_book(golden).items():
        resolved = browser.resolve(truth.book(epub), [each.cfi or "" for each in of_book], by_the_standards)
        failed += [each for each, found in zip(of_book, resolved, strict=True) if not is_exact(found.pieces, each.text)]
    return failed
