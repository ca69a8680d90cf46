"""Stands in for the standard library's `functools` in the worker's image: only what `_sqlite3` takes from it.

The original imports `collections`, `types` and `reprlib`: 11 million instructions at every start that opens the store.
"""

from _functools import _lru_cache_wrapper


def lru_cache(maxsize=128, typed=False):
    """A decorator that caches the results of a function, on the C implementation; without statistics as a named tuple."""
    return lambda function: _lru_cache_wrapper(function, maxsize, typed, tuple)
