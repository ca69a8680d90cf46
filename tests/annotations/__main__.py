"""Tries very many histories of two devices and the web: `python -m tests.annotations [COUNT [FIRST]]`.

Prints figures. The first history that is not as it has to be ends it, with its diary; `python -m tests.annotations 1
SEED` tries that one again.
"""

from __future__ import annotations

import sys
import time

from tests.annotations.history import try_many

TELL_EVERY = 5_000


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 10_000
    first = int(arguments[1]) if len(arguments) > 1 else 0
    began_s = time.process_time()

    def tell(seed: int) -> None:
        if (seed + 1 - first) % TELL_EVERY == 0:
            print(f"{seed + 1 - first:,} histories, {time.process_time() - began_s:.0f} s of the processor", flush=True)

    figures = try_many(first, count, tell)
    for name, figure in figures.items():
        print(f"{name:>12} {figure:>12,}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
