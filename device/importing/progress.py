"""How far long work has come: on a terminal a line that changes, else a few lines in the log.

Called by: `device/verbs/`, which hands `report` to the work.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LOG_LINES = 4  # of one piece of work, at most


class Progress:
    __slots__ = ("_log", "_logged", "_shown", "_text")

    def __init__(self, at_terminal: bool, text: Callable[[int, int], str], log: Callable[[str], None]) -> None:
        self._text = text
        self._log = None if at_terminal and sys.stderr.isatty() else log
        self._logged = 0
        self._shown = 0  # characters of the line that is on the terminal

    def report(self, done: int, total: int) -> None:
        if self._log is None:
            self._show(self._text(done, total))
        elif done * LOG_LINES // max(total, 1) > self._logged:
            self._logged = done * LOG_LINES // max(total, 1)
            self._log(self._text(done, total))

    def end(self) -> None:
        """Leaves a clean line behind."""
        if self._shown:
            self._show("")

    def _show(self, text: str) -> None:
        try:
            print(f"\r{text.ljust(self._shown)}", end="" if text else "\r", file=sys.stderr, flush=True)
        except (OSError, ValueError):
            return  # the terminal is gone; the work goes on
        self._shown = len(text)
