"""Sentences for the reader, in one place, so that they can be translated as one table.

Called by: the worker's verbs. Rule: a sentence names the book or the server it is about, and what to do if anything.
"""

from __future__ import annotations

NOT_CONFIGURED = "No server account yet. Copy setup.txt into the bookloresync folder, or run `booklore-sync configure`."
NOTHING_WAITS = "Nothing waits to be sent."
BUSY = "A sync is already going on."


def sessions(count: int) -> str:
    return "1 reading session" if count == 1 else f"{count} reading sessions"


def sent(count: int) -> str:
    return f"{sessions(count)} sent."


def still_waiting(count: int) -> str:
    return f"{sessions(count)} {'waits' if count == 1 else 'wait'} for the next sync."


def unmatched(title: str, reason: str) -> str:
    return f"“{title}” waits: {reason}."


def rejected(title: str, reason: str) -> str:
    return f"The server refused a reading session of “{title}”: {reason}"


def store_set_aside(name: str) -> str:
    return f"The store was damaged. A new one has begun; sessions that were not sent yet are in {name}."


def journal_of_newer_version(name: str) -> str:
    return f"{name} was written by a newer launcher. It is kept; update BookLore Sync."


def journal_unreadable(name: str) -> str:
    return f"{name} holds no reading that can be read. It is kept as {name}.unreadable."


def journal_failed(problem: str) -> str:
    return f"A reading could not be taken and stays in the journal: {problem}."


def configured(user: str, server: str) -> str:
    return f"Reading sessions will be sent to {server} as {user}."
