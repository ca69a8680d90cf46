"""What can go wrong with a server, as few types as there are things to do about it. Texts are for the reader."""

from __future__ import annotations


class ServerError(Exception):
    """Something about the server; the text says what, in the reader's words."""


class NotReached(ServerError):
    """No answer at all, and nothing arrived there: try again later."""


class ReplyLost(ServerError):
    """The request left the device, its answer did not come: only the server knows. Read back before sending again."""


class Untrusted(ServerError):
    """The certificate is not to be trusted: nothing was sent; the reader must look at it."""


class NotBookLore(ServerError):
    """Something answered that is no BookLore: a captive portal, another service, a proxy's error page."""


class LoginRefused(ServerError):
    """Wrong user or password, or the account may not log in: ask the reader."""


class TryLater(ServerError):
    """The server asks for a pause (too many logins). `wait_s` says how long."""

    def __init__(self, text: str, wait_s: int) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class OutOfTime(ServerError):
    """The run's deadline came; nothing was begun that is not finished."""
