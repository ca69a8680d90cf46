"""`python -m tests.conformance DATA`: is each highlight at exactly the right words? Tables, and PASS or FAIL.

DATA is a folder as its own README describes: ranges.jsonl, golden.jsonl, browser_cfis.jsonl, epubs/. The judge is the
web reader's own library in headless Chromium. Exit code 1 if a target is missed, 2 if it cannot be judged at all.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.conformance import forward, report, reverse
from tests.conformance.converter import Converter, ConverterFailed
from tests.conformance.ground_truth import NEW_SPELLING, OLD_SPELLING, GroundTruth
from tests.web.browser import Browser, BrowserFailed

PARTS = ("judge", "golden", "forward", "reverse")


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    parts = tuple(options.only or PARTS)
    try:
        truth = GroundTruth(options.data, options.sample)
        began_s = time.monotonic()
        with Browser() as browser:
            missed = run(truth, Converter(options.program), browser, parts, options.misses)
        print(f"\n{time.monotonic() - began_s:.0f} s")
    except (OSError, ValueError, ConverterFailed, BrowserFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if missed else 0


def run(truth: GroundTruth, converter: Converter, browser: Browser, parts: tuple[str, ...], misses: int) -> int:
    """How many targets are missed."""
    targets = report.Targets()
    if "judge" in parts:
        print("The judge itself: the golden CFIs, as they are given")
        failed = forward.judge_given(truth, browser, truth.golden)
        targets.at_least("golden CFIs judged exact (100 %)", len(truth.golden) - len(failed), len(truth.golden), 100)
        for highlight in failed[:misses]:
            print(f"    {highlight.epub} {highlight.cfi} {highlight.text!r}")
    if "golden" in parts:
        print("\nxpointer → CFI, golden records")
        verdicts = forward.judge(truth, converter, browser, truth.golden)
        report.print_forward(verdicts)
        same = sum(verdict.cfi == verdict.highlight.cfi for verdict in verdicts)
        print(f"  letter for letter the golden CFI: {same} of {len(verdicts)}")
        report.print_misses(verdicts, misses)
        report.check_golden(targets, verdicts)
    if "forward" in parts:
        print("\nxpointer → CFI, recorded ranges")
        verdicts = forward.judge(truth, converter, browser, truth.ranges)
        report.print_forward(verdicts)
        differing = sum(each.is_right and not each.right_in_chromium for each in verdicts)
        print(f"  right by the standards, but not with Chromium's own ways with files that are not UTF-8: {differing}")
        unsent = sum(verdict.right_all_the_same for verdict in verdicts)
        print(f"  called approximate, with a CFI that would have been right: {unsent}")
        report.print_misses(verdicts, misses)
        report.check_forward(targets, truth, verdicts)
    if "reverse" in parts:
        _reverse(truth, converter, browser, targets, misses)
    return targets.missed


def _reverse(truth: GroundTruth, converter: Converter, browser: Browser, targets: report.Targets, misses: int) -> None:
    agreed, tried = reverse.calibrate(truth)
    print("\nThe judge of xpointers is the project's own reading of KOReader's engine.")
    print(f"On the recorded ranges it gives the real engine's text in {agreed} of {tried} cases.")
    for dom in (OLD_SPELLING, NEW_SPELLING):
        found = reverse.judge(truth, converter, browser, truth.selections, dom, with_text=True)
        report.print_reverse(f"CFI → xpointer with the server's text, DOM {dom}", found)
        report.print_reverse_misses(found, misses)
        report.check_reverse(targets, f"DOM {dom}, CFI → xpointer", found)
    alone = reverse.judge(truth, converter, browser, truth.selections, NEW_SPELLING, with_text=False)
    report.print_reverse(f"CFI → xpointer from the CFI alone, DOM {NEW_SPELLING} (no target)", alone)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("data", type=Path, help="the folder with ground truth")
    parser.add_argument("--program", type=Path, help="a built executable, also for ARM, in place of the checkout")
    parser.add_argument("--sample", type=int, help="so many records of each file, evenly taken, not all")
    parser.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    parser.add_argument("--misses", type=int, default=10, help="how many misses to show of each part (10)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
