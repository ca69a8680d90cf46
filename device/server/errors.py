"""What can go wrong with a server, as few types as there are things to do about it. Texts are for the reader.

`nothing_was_done` says that the server certainly has not acted on the request: only then may it be sent again without
asking. A type that does not say so is taken for the worse.
"""

from __future__ import annotations


class ServerError(Exception):
    """Something about the server; the text says what, in the reader's words."""

    nothing_was_done = False


class ReplyLost(ServerError):
    """The request left the device and no sound answer came: only the server knows. Read back before sending again."""


class NotReached(ServerError):
    """No connection, or the server could not even let us in: try again later."""

    nothing_was_done = True


class ServerFailed(NotReached):
    """The server answered a question with an error of its own: it is there, but cannot say."""


class NotAllowed(ServerFailed):
    """The server has understood, and says that this account may not."""


class ProxyTrouble(NotReached):
    """The HTTP proxy on the way cannot be reached, or does not let us through."""


class Untrusted(ServerError):
    """The certificate is not to be trusted: nothing was sent; the reader must look at it."""

    nothing_was_done = True


class NotBookLore(ServerError):
    """Something answered that is no BookLore: a captive portal, another service, a proxy's error page."""


class LoginPage(NotBookLore):
    """A redirect to somebody else's page: a captive portal's, or that of an authentication proxy. What redirects has
    not done what was asked of it, except by a 303."""

    def __init__(self, text: str, nothing_was_done: bool) -> None:
        super().__init__(text)
        self.nothing_was_done = nothing_was_done


class BookGone(ServerError):
    """The server does not have the book any more."""

    nothing_was_done = True


class LoginRefused(ServerError):
    """Wrong user or password, or the account may not log in: ask the reader."""

    nothing_was_done = True


class TryLater(ServerError):
    """The server asks for a pause (too many logins). `wait_s` says how long."""

    nothing_was_done = True

    def __init__(self, text: str, wait_s: int) -> None:
        super().__init__(text)
        self.wait_s = wait_s


class OutOfTime(ServerError):
    """The run's deadline came; nothing was begun that is not finished."""

    nothing_was_done = True
