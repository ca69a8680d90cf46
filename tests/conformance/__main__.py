"""`python -m tests.conformance DATA`: is each highlight at exactly the right words? Tables, and PASS or FAIL.

DATA is a folder as its own README describes: ranges.jsonl, golden.jsonl, browser_cfis.jsonl, epubs/. The judge is the
web reader's own library in headless Chromium. Exit code 1 if a target is missed, 2 if it cannot be judged at all.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.conformance import forward, report, reverse
from tests.conformance.converter import Converter, ConverterFailed
from tests.conformance.forward import Verdict
from tests.conformance.ground_truth import NEW_SPELLING, NORMAL, OLD_SPELLING, GroundTruth, Highlight
from tests.web.browser import Browser, BrowserFailed

PARTS = ("judge", "golden", "forward", "reverse")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    parts = tuple(options.only or PARTS)
    try:
        truth = GroundTruth(options.data, options.sample)
        began_s = time.monotonic()
        with Browser() as browser:
            run = Run(truth, Converter(options.program), browser, options.misses, not options.as_chromium)
            missed = run.do(parts)
        print(f"\n{time.monotonic() - began_s:.0f} s")
    except (OSError, ValueError, ConverterFailed, BrowserFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if missed else 0


class Run:
    def __init__(
        self,
        truth: GroundTruth,
        converter: Converter,
        browser: Browser,
        misses_shown: int = 10,
        by_the_standards: bool = True,
    ) -> None:
        self._truth, self._converter, self._browser = truth, converter, browser
        self._misses_shown = misses_shown
        self._by_the_standards = by_the_standards
        self._targets = report.Targets()

    def do(self, parts: Sequence[str]) -> int:
        """How many targets are missed."""
        if "judge" in parts:
            self._judge()
        if "golden" in parts:
            print("\nxpointer → CFI, golden records")
            verdicts = self._forward(self._truth.golden)
            same = sum(verdict.cfi == verdict.highlight.cfi for verdict in verdicts)
            print(f"  letter for letter the golden CFI: {same} of {len(verdicts)}")
            report.check_golden(self._targets, verdicts)
        if "forward" in parts:
            print("\nxpointer → CFI, recorded ranges")
            report.check_forward(self._targets, self._truth, self._forward(self._truth.ranges))
        if "reverse" in parts:
            self._reverse()
        return self._targets.missed

    def _judge(self) -> None:
        print("The judge itself: the golden CFIs, as they are given")
        golden = self._truth.golden
        failed = forward.judge_given(self._truth, self._browser, golden, self._by_the_standards)
        self._targets.at_least("golden CFIs judged exact (100 %)", len(golden) - len(failed), len(golden), 100)
        for highlight in failed[: self._misses_shown]:
            print(f"    {highlight.epub} {highlight.cfi} {highlight.text!r}")

    def _forward(self, highlights: Sequence[Highlight]) -> list[Verdict]:
        verdicts = forward.judge(self._truth, self._converter, self._browser, highlights, self._by_the_standards)
        report.print_forward(verdicts)
        now, then = ("by the standards", "in Chromium")[:: 1 if self._by_the_standards else -1]
        lost = sum(each.is_right and not each.right_otherwise for each in verdicts)
        won = sum(each.right_otherwise and not each.is_right for each in verdicts)
        print(f"  files that are not UTF-8: right {now}, but not {then}: {lost}; the other way round: {won}")
        unsent = sum(verdict.right_all_the_same for verdict in verdicts)
        print(f"  called approximate, with a CFI that would have been right: {unsent}")
        misses = [each.highlight for each in report.judged(verdicts, NORMAL) if not each.is_right]
        impossible = forward.count_impossible(self._truth, self._browser, misses, self._by_the_standards)
        print(f"  of {len(misses)} misses of class {NORMAL}, of words that the web reader has nowhere: {impossible}")
        report.print_misses(verdicts, self._misses_shown)
        return verdicts

    def _reverse(self) -> None:
        agreed, tried = reverse.calibrate(self._truth)
        print("\nThe judge of xpointers is the project's own reading of KOReader's engine.")
        print(f"On the recorded ranges it gives the real engine's text in {agreed} of {tried} cases.")
        seen = reverse.look(self._truth, self._browser, self._by_the_standards)
        for dom in (OLD_SPELLING, NEW_SPELLING):
            found = reverse.judge(self._truth, self._converter, seen, dom, with_text=True)
            report.print_reverse(f"CFI → xpointer with the server's text, DOM {dom}", found)
            report.print_reverse_misses(found, self._misses_shown)
            report.check_reverse(self._targets, f"DOM {dom}, CFI → xpointer", found)
        alone = reverse.judge(self._truth, self._converter, seen, NEW_SPELLING, with_text=False)
        report.print_reverse(f"CFI → xpointer from the CFI alone, DOM {NEW_SPELLING} (no target)", alone)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with ground truth")
    parser.add_argument("--program", type=Path, help="a built executable, also for ARM, in place of the checkout")
    parser.add_argument("--sample", type=int, help="so many records of each file, evenly taken, not all")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    parser.add_argument(
        "--as-chromium",
        action="store_true",
        help="judge files that are not UTF-8 as Chromium really reads them, not as the standards say",
    )
    parser.add_argument("--misses", type=int, default=10, help="how many misses to show of each part (10)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
