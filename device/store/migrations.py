"""The schema, as numbered steps forward. Step N brings a store of version N-1 to version N.

Rule 1: a step that has been released is never changed; a new one is added.

`PRAGMA user_version` holds the number. Called by: `database.py`.
"""

from __future__ import annotations

_1_FIRST_SCHEMA = (
    """
    CREATE TABLE setting (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE book (
        id INTEGER PRIMARY KEY,
        file TEXT NOT NULL,
        fingerprint TEXT,              -- KOReader's partial MD5 when it was last opened
        size_bytes INTEGER,
        format TEXT NOT NULL,          -- lower-case suffix of the file
        title TEXT NOT NULL,
        authors TEXT NOT NULL,         -- one per line
        identifiers TEXT NOT NULL,     -- scheme:value, one per line
        server_id INTEGER,             -- NULL until matched
        matched_by TEXT,
        unmatched_reason TEXT
    )
    """,
    "CREATE INDEX book_by_fingerprint ON book (fingerprint)",
    "CREATE INDEX book_by_file ON book (file)",
    """
    CREATE TABLE journal (
        id TEXT PRIMARY KEY,           -- ingested; kept so that a journal that could not be deleted is not taken twice
        ingested_at INTEGER NOT NULL,
        lines INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE reading_session (
        id INTEGER PRIMARY KEY,
        book_id INTEGER NOT NULL REFERENCES book (id),
        journal_id TEXT NOT NULL REFERENCES journal (id),
        started_at INTEGER NOT NULL,   -- UTC epoch seconds
        ended_at INTEGER NOT NULL,
        duration_s INTEGER NOT NULL,   -- time read, without pauses
        start_fraction REAL,           -- 0..1
        end_fraction REAL,
        start_page INTEGER,
        end_page INTEGER,
        pages_read INTEGER NOT NULL,
        flags TEXT NOT NULL,           -- what is doubtful about it, space separated
        UNIQUE (book_id, started_at)   -- the natural key with which it is found again on the server
    )
    """,
    """
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,            -- 'reading_session'
        subject_id INTEGER NOT NULL,   -- row of that kind
        book_id INTEGER NOT NULL REFERENCES book (id),
        state TEXT NOT NULL CHECK (state IN ('new', 'intent', 'acknowledged', 'rejected', 'waiting')),
        created_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,   -- of the last change of state
        begun_boot TEXT,               -- for 'intent': the boot and the uptime in seconds when sending began, because
        begun_uptime_s INTEGER,        -- the wall clock may jump in between
        attempts INTEGER NOT NULL DEFAULT 0,  -- without a clear answer; the least tried goes first
        reason TEXT,                   -- why it waits or was rejected
        UNIQUE (kind, subject_id)
    )
    """,
    "CREATE INDEX outbox_open ON outbox (state, book_id) WHERE state <> 'acknowledged'",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (_1_FIRST_SCHEMA,)
