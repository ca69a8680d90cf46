"""Keeping the store sound: journals kept as evidence, checks, a damaged store built anew, and a disk that is full."""
