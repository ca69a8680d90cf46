"""A server that redirects every request to the same path elsewhere, or to a page of its own.

Used by the tests of redirects.
"""

from __future__ import annotations

from tests.contract.one_answer_server import OneAnswerServer


class RedirectingServer(OneAnswerServer):
    """`to`: what comes before the path in its `Location`; `page`: the whole of it instead."""

    def __init__(self, to: str = "", status: int = 302, page: str | None = None) -> None:
        super().__init__()
        self.to = to
        self.status = status
        self.page = page

    def lines(self) -> list[str]:
        """The first lines of what it was asked."""
        return [_first_line(asked) for asked in self.requests]

    def answer(self, asked: bytes) -> bytes:
        location = self.page if self.page is not None else self.to + _first_line(asked).split(" ")[1]
        return (
            f"HTTP/1.1 {self.status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ).encode("latin-1")


def _first_line(asked: bytes) -> str:
    return asked.split(b"\r\n", 1)[0].decode("latin-1")
