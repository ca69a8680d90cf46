"""`python -m tests.matching_report [SEEDS]`: how well files are matched with a made-up library, by rule and by class.

Every number is a sum over that many libraries (3 by default). Precision is of what matched by itself; recall is of the
files whose book the server has.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from device.core.matching import RULES
from tests.matching.library import make
from tests.matching.quality import Outcome, measure


def main(seeds: int) -> int:
    outcomes: dict[bool, list[Outcome]] = {False: [], True: []}
    spent_s = 0.0
    books = 0
    for seed in range(1, seeds + 1):
        maker = make(seed)
        books += len(maker.entries)
        for with_hash, found in outcomes.items():
            began_s = time.perf_counter()
            found.append(measure(maker, with_hash))
            spent_s += time.perf_counter() - began_s
    for with_hash, found in outcomes.items():
        print("\nwith fingerprints" if with_hash else f"{books} books on {seeds} servers, without fingerprints")
        _print(found)
    print(f"\n{spent_s / seeds / 2:.1f} s a library")
    return 1 if any(each.wrong for found in outcomes.values() for each in found) else 0


def _print(outcomes: list[Outcome]) -> None:
    matched, right, of_class = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
    for each in outcomes:
        matched += each.matched
        right += each.right
        of_class += each.of_class
    files, there = sum(each.files for each in outcomes), sum(each.there for each in outcomes)
    asked, offered = sum(each.asked for each in outcomes), sum(each.offered for each in outcomes)
    print(f"  {files} files, {there} of them of books that are there; {matched.total()} matched by themselves")
    print(f"  precision {_percent(right.total(), matched.total())}, recall {_percent(right.total(), there)};")
    print(f"  of {asked} left to the reader the right one is offered in {_percent(offered, asked)}")
    for rule in RULES:
        count = sum(number for (name, _), number in matched.items() if name == rule)
        good = sum(number for (name, _), number in right.items() if name == rule)
        print(f"    by {rule:<20} {count:>5}   precision {_percent(good, count)}")
    for kind, number in of_class.most_common():
        good = sum(count for (_, name), count in right.items() if name == kind)
        print(f"    {kind:<23} {number:>5}   recall {_percent(good, number)}")
    for each in outcomes:
        for file, server_id, why in each.wrong:
            print(f"    WRONG: {file.kind} “{file.title}” {file.file} is {file.truth}, not {server_id} ({why})")


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
