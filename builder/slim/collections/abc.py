"""Stands in for the standard library's `collections.abc`: only what `array` takes from it.

`array` tells MutableSequence of its type and asks for nothing back. The original builds 25 abstract classes.
"""

from __future__ import annotations


class MutableSequence:
    @classmethod
    def register(cls, subclass: type) -> type:
        return subclass
