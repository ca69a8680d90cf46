"""KOReader's fingerprint of a file, its “partial MD5”: of 1 KiB at the offsets 0, 1 KiB, 4 KiB, 16 KiB, … 1 GiB.

Called by: `sidecars.py`, for records that KOReader keeps by fingerprint.
Law: KOReader's `util.partialMD5`; the server computes the same.
"""

from __future__ import annotations

import posix

SAMPLE_BYTES = 1_024
OFFSETS = (0, *(SAMPLE_BYTES << (2 * step) for step in range(11)))


def of_file(path: str) -> str | None:
    """None if the file cannot be read."""
    import _hashlib

    digest = _hashlib.openssl_md5(usedforsecurity=False)
    try:
        handle = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            for offset in OFFSETS:
                sample = posix.pread(handle, SAMPLE_BYTES, offset)
                if not sample:
                    break
                digest.update(sample)
        finally:
            posix.close(handle)
    except (OSError, ValueError):
        return None
    return str(digest.hexdigest())
