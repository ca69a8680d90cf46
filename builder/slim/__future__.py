"""Stands in for the standard library's `__future__`: compiled modules bind what they import from it.

None of them uses it.
"""

annotations = "annotations"
