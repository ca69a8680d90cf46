"""The tables of the conformance run, and whether the targets are met.

Promises: plain text, one line for each book, class and spelling, and one PASS or FAIL for each target.
Called by: `__main__`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from tests.conformance import forward, reverse
from tests.conformance.forward import Verdict
from tests.conformance.ground_truth import NORMAL, NOT_JUDGED, GroundTruth
from tests.conformance.reverse import ReverseVerdict

TEXT_SHOWN = 90
WIDTH = 40

Miss = TypeVar("Miss")


def print_forward(verdicts: Sequence[Verdict]) -> None:
    head = ("n", *forward.OUTCOMES, "right")
    print(f"  {'book':<{WIDTH}} {'class':<8} {'DOM':<8} " + " ".join(f"{name:>11}" for name in head))
    keys = sorted({_key(verdict) for verdict in verdicts})
    for key in keys:
        _forward_line(*key, [verdict for verdict in verdicts if _key(verdict) == key])
    for kind in sorted({verdict.highlight.kind for verdict in verdicts}):
        for dom in sorted({verdict.highlight.dom for verdict in verdicts}):
            of_both = [each for each in verdicts if (each.highlight.kind, each.highlight.dom) == (kind, dom)]
            judged = [each for each in of_both if each.highlight.epub not in NOT_JUDGED]
            _forward_line("all that can be judged", kind, dom, judged)


def _key(verdict: Verdict) -> tuple[str, str, int]:
    return verdict.highlight.epub, verdict.highlight.kind, verdict.highlight.dom


def _forward_line(epub: str, kind: str, dom: int, verdicts: Sequence[Verdict]) -> None:
    counts = Counter(verdict.outcome for verdict in verdicts)
    cells = [str(len(verdicts)), *(str(counts[outcome]) for outcome in forward.OUTCOMES)]
    cells.append(percent(sum(each.is_as_it_should for each in verdicts), len(verdicts)))
    print(f"  {epub:<{WIDTH}} {kind:<8} {dom:<8} " + " ".join(f"{cell:>11}" for cell in cells))


def print_reverse(title: str, verdicts: Sequence[ReverseVerdict]) -> None:
    print(f"\n{title}")
    print(f"  {'book':<{WIDTH}} " + " ".join(f"{name:>12}" for name in ("n", *reverse.OUTCOMES, "exact")))
    books = sorted({verdict.selection.epub for verdict in verdicts})
    for epub in books:
        _reverse_line(epub, [verdict for verdict in verdicts if verdict.selection.epub == epub])
    judged = [verdict for verdict in verdicts if verdict.selection.epub not in NOT_JUDGED]
    _reverse_line("all that can be judged", judged)
    facts, contradicted = sum(each.facts for each in judged), sum(each.contradicted for each in judged)
    print(f"  at {facts} of {2 * len(judged)} ends the real engine's character is known; another one at {contradicted}")


def _reverse_line(epub: str, verdicts: Sequence[ReverseVerdict]) -> None:
    counts = Counter(verdict.outcome for verdict in verdicts)
    cells = [str(len(verdicts)), *(str(counts[outcome]) for outcome in reverse.OUTCOMES)]
    cells.append(percent(counts[reverse.EXACT], len(verdicts)))
    print(f"  {epub:<{WIDTH}} " + " ".join(f"{cell:>12}" for cell in cells))


def judged(verdicts: Iterable[Verdict], kind: str) -> list[Verdict]:
    return [each for each in verdicts if each.highlight.kind == kind and each.highlight.epub not in NOT_JUDGED]


class Targets:
    """Collects PASS and FAIL."""

    def __init__(self) -> None:
        self.missed = 0

    def at_least(self, name: str, part: int, whole: int, target_percent: float) -> None:
        self._line(whole > 0 and 100 * part >= target_percent * whole, f"{name}: {percent(part, whole)} of {whole}")

    def none_of(self, name: str, count: int) -> None:
        self._line(count == 0, f"{name}: {count}")

    def _line(self, passed: bool, text: str) -> None:
        self.missed += not passed
        print(f"  {'PASS' if passed else 'FAIL'}  {text}")


def check_forward(targets: Targets, truth: GroundTruth, verdicts: Sequence[Verdict]) -> None:
    judged = [verdict for verdict in verdicts if verdict.highlight.epub not in NOT_JUDGED]
    for dom in sorted({verdict.highlight.dom for verdict in judged}):
        normal = [each for each in judged if (each.highlight.kind, each.highlight.dom) == (NORMAL, dom)]
        plain = [each for each in normal if not truth.has_mathml(each.highlight)]
        _at_least(targets, f"DOM {dom}, right outside pages with MathML (99.5 %)", plain, 99.5)
        _at_least(targets, f"DOM {dom}, right over all (98.5 %)", normal, 98.5)
    _check_labels(targets, judged, "labelled exact or repaired, but")


def check_golden(targets: Targets, verdicts: Sequence[Verdict]) -> None:
    for dom in sorted({verdict.highlight.dom for verdict in verdicts}):
        of_dom = [verdict for verdict in verdicts if verdict.highlight.dom == dom]
        _at_least(targets, f"DOM {dom}, golden (100 %)", of_dom, 100)
    _check_labels(targets, verdicts, "golden, labelled exact or repaired, but")


def _at_least(targets: Targets, name: str, verdicts: Sequence[Verdict], target_percent: float) -> None:
    targets.at_least(name, sum(each.is_right for each in verdicts), len(verdicts), target_percent)


def _check_labels(targets: Targets, verdicts: Sequence[Verdict], what: str) -> None:
    targets.none_of(f"{what} other words", sum(each.outcome == forward.WRONG for each in verdicts))
    targets.none_of(f"{what} the reader throws", sum(each.outcome == forward.THROWS for each in verdicts))


def check_reverse(targets: Targets, name: str, verdicts: Sequence[ReverseVerdict]) -> None:
    judged = [verdict for verdict in verdicts if verdict.selection.epub not in NOT_JUDGED]
    exact = sum(verdict.outcome in (reverse.EXACT, reverse.VISIBLE_PART, reverse.HIDDEN) for verdict in judged)
    targets.at_least(f"{name}, exact but for text that KOReader hides (97 %)", exact, len(judged), 97)
    targets.none_of(f"{name}, contradicted by the real engine's text", sum(each.contradicted for each in judged))


def print_misses(verdicts: Iterable[Verdict], limit: int) -> None:
    judged = [verdict for verdict in verdicts if verdict.highlight.epub not in NOT_JUDGED]
    _print_some([verdict for verdict in judged if not verdict.is_as_it_should], limit, _miss)


def print_reverse_misses(verdicts: Iterable[ReverseVerdict], limit: int) -> None:
    _print_some(
        [each for each in verdicts if each.outcome in (reverse.APPROXIMATE, reverse.WRONG)], limit, _reverse_miss
    )


def _print_some(missed: Sequence[Miss], limit: int, line: Callable[[Miss], str]) -> None:
    for each in missed[:limit]:
        print(line(each))
    if len(missed) > limit:
        print(f"    and {len(missed) - limit} more (--misses N shows more)")


def _miss(each: Verdict) -> str:
    found = each.highlight
    return (
        f"    {each.outcome} {found.epub} {found.pos0} … {found.pos1}\n"
        f"      {_short(found.text)}\n      {each.cfi} {each.reason}\n      {_short(each.seen)}"
    )


def _reverse_miss(each: ReverseVerdict) -> str:
    return (
        f"    {each.outcome} {each.selection.epub} {each.selection.cfi}\n      {_short(each.selection.text)}\n"
        f"      {each.pos0} … {each.pos1} {each.reason}\n      {_short(each.engine_text or '')}"
    )


def _short(text: str) -> str:
    joined = " ".join(text.split())
    return repr(joined if len(joined) <= TEXT_SHOWN else f"{joined[: TEXT_SHOWN // 2]} … {joined[-TEXT_SHOWN // 2 :]}")


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "-"
