"""Stands in for the standard library's `collections`: only the package that `collections.abc` lies in."""
