"""The one source of the version: packages, executables and the User-Agent take it from here.

The launcher's `_meta.lua`, which KOReader and plugin stores read, has to repeat it; a test keeps the two in step.
"""

VERSION = "0.1.0"
RELEASED_S = 1_793_491_200  # 2026-11-01: no clock that says less is right, because this program was made after it
