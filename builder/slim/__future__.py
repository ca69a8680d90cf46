"""Stands in for the standard library's `__future__`: compiled modules bind the names they import from it, and use none."""

annotations = "annotations"
