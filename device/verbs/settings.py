"""What the reader sets: preferences, and books that are not recorded. Called by: `table.py`."""

from __future__ import annotations

from device import protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.verbs.run import Run


def set_preference(run: Run) -> None:
    """Changes one preference; at a terminal, without one, lists them all."""
    from device.core import preferences as table
    from device.store import preferences
    from device.ui import texts

    key, value = run.job.arguments.get("key"), run.job.arguments.get("value")
    if key is None and run.job.reason == protocol.TERMINAL:
        values = preferences.load(run.store)
        for preference in table.PREFERENCES:
            run.result.say(protocol.INFO, f"{preference.key} {values.get(preference.key)}")
        return
    if key not in table.BY_KEY:
        raise ValueError(texts.no_preference(str(key), list(table.BY_KEY)))
    preference = table.BY_KEY[str(key)]
    if isinstance(value, float) and value == int(value):
        value = int(value)
    parsed = preference.parse(str(value))
    with run.store.transaction():
        preferences.save(run.store, preference.key, parsed)
    run.result.say(protocol.INFO, texts.preference_set(preference.key, parsed))


def track(run: Run) -> None:
    """Whether a book's reading is recorded and sent; also for one that was never opened before."""
    from device.core.journal import Book
    from device.store import books
    from device.ui import texts

    on = run.job.arguments.get("on")
    wanted = {"on": True, "off": False, True: True, False: False}.get(on if isinstance(on, (bool, str)) else "")
    if wanted is None or not run.job.book:
        raise ValueError(texts.TRACK_WHAT)
    book = Book(run.job.book, run.job.book.rpartition(".")[2].lower(), "", [], [], None, None)
    with run.store.transaction():
        if books.with_file(run.store, run.job.book) is None:
            books.remember(run.store, book)
        books.track_file(run.store, run.job.book, wanted)
    run.result.say(protocol.INFO, texts.tracking(book.name(), wanted))
