"""How far our counting agrees with KOReader's: `python -m tests.statistics_report FOLDER`

FOLDER holds a `trace.jsonl` and the `statistics.sqlite3` that KOReader made of the same reading. For each book the
report gives KOReader's total, ours when we count as it does, and, rule by rule, what our own way of counting adds or
leaves out, until our default total is reached: nothing remains unexplained. Times in seconds.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections import Counter
from pathlib import Path

from device.core.preferences import Preferences
from device.core.reading_session import KOREADERS_CAP_S, Rules, koreaders_rules
from device.core.trace import Trace

# Each step changes one rule of the one before, from KOReader's way of counting to our own.
STEPS = (
    ("as KOReader counts", koreaders_rules(KOREADERS_CAP_S)),
    ("the page a book opens on", Rules(idle_cap_s=KOREADERS_CAP_S, min_duration_s=1, min_pages=0, page_min_s=5)),
    ("pages of less than 5 s", Rules(idle_cap_s=KOREADERS_CAP_S, min_duration_s=1, min_pages=0)),
    ("120 to 300 s on a page", Rules(min_duration_s=1, min_pages=0)),
    ("sessions too short to send", Preferences({}).rules()),
)


def totals(trace: Path, rules: Rules) -> Counter[str]:
    """Seconds by file."""
    found: Counter[str] = Counter()
    with trace.open("rb") as lines:
        for book, session in Trace(lines, rules).sessions():
            found[book.file] += session.duration_s
    return found


def koreaders_totals(statistics: Path) -> Counter[str]:
    """Seconds by title."""
    with contextlib.closing(sqlite3.connect(f"file:{statistics}?mode=ro&immutable=1", uri=True)) as database:
        rows = database.execute("SELECT title, SUM(duration) FROM book JOIN page_stat_data ON id_book = id GROUP BY id")
        return Counter(dict(rows.fetchall()))


def pair(files: list[str], titles: list[str]) -> dict[str, str]:
    """Which title belongs to which file: the one that shares most words with the file's name."""

    def words(text: str) -> set[str]:
        return set("".join(char if char.isalnum() else " " for char in Path(text).name.casefold()).split())

    return {file: max(titles, key=lambda title: len(words(file) & words(title))) for file in files}


def main(folder: Path) -> int:
    trace, theirs = folder / "trace.jsonl", koreaders_totals(folder / "statistics.sqlite3")
    ours = [totals(trace, rules) for _, rules in STEPS]
    disagree = 0
    for file, title in sorted(pair(list(ours[0]), list(theirs)).items()):
        difference = (ours[0][file] / theirs[title] - 1) * 100
        disagree += abs(difference) > 1
        print(f"{Path(file).name}\n  KOReader's statistics          {theirs[title]:>9}")
        print(f"  {STEPS[0][0]:<30} {ours[0][file]:>9}  {difference:+.2f} %")
        for (name, _), before, after in zip(STEPS[1:], ours, ours[1:], strict=False):
            print(f"  {name:<30} {after[file] - before[file]:>+9}")
        print(f"  as we count                    {ours[-1][file]:>9}")
    return 1 if disagree else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
