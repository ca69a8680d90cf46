"""The static executables as a device would run them: in an empty root, on an old kernel. (Killed: `tests/crash`.)

They need what `make dist` or `make test` has built (marker `built`).
"""
