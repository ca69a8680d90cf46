"""A double of BookLore, Grimmory and the WorldTeacher image on SQLite, traps included, for tests and the demo.

    with StandIn(dialect="booklore") as server:
        server.add_user("anna", "secret")
        server.fault(when=lambda method, path, count: method == "POST" and count == 3, do="lose_reply")
        ...
        assert len(server.sessions()) == 50

Theory of operation. `connection` reads a request, `recorder` notes it, `faults` may spoil it. `dispatch` finds the
row of `routes.ROUTES`, checks credentials and runs the handler in one transaction of `database`. Where servers differ
is in two tables, `dialects` and `routes`, and nowhere else. A new endpoint is a handler, a row, and perhaps a table in
`schema`.

What is modelled: logins and tokens with their traps (`authentication`, `tokens`, `login_limits`), the account, its
permissions and libraries (`accounts`), the accounts of KOReader's own sync and of OPDS (`accounts`, `opds`), books in
all their lists (`books`), Komga's list with its fingerprints (`komga`), rating, read status and progress with what each
does to the others (`book_state`, `web_progress`, `koreader_sync`), reading sessions, marks, notes, shelves, and an
administrator's switches (`administration`). What is not: downloads, covers, uploads, statistics, the rest of OPDS and
Komga, Kobo, signing in through an OIDC provider.

What a test does besides asking: `add_*` puts something there, `set_*` is an administrator's hand (Komga's switch, the
version, permissions, libraries, a password), `*_on_web` and `koreader_progress` are the same reader elsewhere, `fault`
spoils a request, `restart` (and the fault of that name) takes the server away and brings it back. `requests` and
`asked` tell what was asked. A client that asks for the newest version fails its test: the real server calls another
host then.
"""

from tests.sandbox.clock import Clock
from tests.sandbox.recorder import RecordedRequest
from tests.sandbox.stand_in import StandIn

__all__ = ["Clock", "RecordedRequest", "StandIn"]
