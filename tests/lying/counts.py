"""What was tried how often in this run of the tests: `conftest.py` shows it at the end."""

from __future__ import annotations

from collections import Counter

COUNTS: Counter[str] = Counter()
