"""The program `booklore-sync`: `python -m device` from a checkout, the static executable on a device."""

from __future__ import annotations

import posix
import sys

from device.worker import main

code = main(sys.argv[1:])
# Everything is flushed and closed by now; tearing down the interpreter would cost another 8 million instructions.
posix._exit(code)
