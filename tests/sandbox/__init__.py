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
"""

from tests.sandbox.clock import Clock
from tests.sandbox.recorder import RecordedRequest
from tests.sandbox.stand_in import StandIn

__all__ = ["Clock", "RecordedRequest", "StandIn"]
