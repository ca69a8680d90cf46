"""Stands in for the standard library's `importlib`: the name under which compiled code finds the import system.

The original adds `warnings` and functions that the worker must not use.
"""

import _frozen_importlib as _bootstrap
import _frozen_importlib_external as _bootstrap_external
import sys

sys.modules["importlib._bootstrap"] = _bootstrap
sys.modules["importlib._bootstrap_external"] = _bootstrap_external
