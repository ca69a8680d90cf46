"""How well files are matched with a library: a made-up library with everything that libraries have, files that are
derived from it and files of books that it does not have, and what `device/core/matching.py` makes of them."""
