"""How much a test tries: a bounded amount in `make test`, the long version in `make soak`.

Promises: this is the one place that reads `BOOKLORESYNC_SOAK`.
Called by: tests that could go on for ever.
"""

from __future__ import annotations

import os

LONG = os.environ.get("BOOKLORESYNC_SOAK") == "1"


def bounded(test_count: int, soak_count: int) -> int:
    """How many to try: `test_count`, or `soak_count` when the long version was asked for."""
    return soak_count if LONG else test_count
