"""Stands in for the standard library's `functools` in the worker's image: only what `_sqlite3` takes from it.

The original imports `collections`, `types` and `reprlib`: 11 million instructions at every start that opens the store.
"""

from __future__ import annotations

from _functools import _lru_cache_wrapper  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def lru_cache(maxsize: int = 128, typed: bool = False) -> Callable[[Callable[..., object]], object]:
    """A decorator that caches the results of a function; its statistics are a plain tuple."""
    return lambda function: _lru_cache_wrapper(function, maxsize, typed, tuple)
