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

# SQLite cannot drop a NOT NULL or change a key: such tables are built anew under another name and take the old one's
# place. `reading_session` comes before `outbox`, which refers to it.
_2_SESSIONS_FROM_ELSEWHERE_AND_ONE_OUTBOX_FOR_ALL_KINDS = (
    "ALTER TABLE book ADD COLUMN tracked INTEGER NOT NULL DEFAULT 1",  # 0: the reader switched its recording off
    "ALTER TABLE book ADD COLUMN hardcover_id INTEGER",
    "ALTER TABLE book ADD COLUMN series TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE book ADD COLUMN series_index REAL",
    "ALTER TABLE book ADD COLUMN language TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE book ADD COLUMN file_identifiers TEXT NOT NULL DEFAULT ''",  # those in the book itself, one per line
    "ALTER TABLE book ADD COLUMN package_stamp TEXT",  # size and time of the file when these were read from it
    "ALTER TABLE book ADD COLUMN hand_id INTEGER",  # the server's number that the reader chose; 0: it is not looked for
    "ALTER TABLE book ADD COLUMN refused_id INTEGER",  # the number that she said it is not
    "ALTER TABLE book ADD COLUMN server_title TEXT",  # what the book it is matched with is called there
    "ALTER TABLE book ADD COLUMN finished_at INTEGER",  # UTC epoch seconds: when it was last read to its end
    "ALTER TABLE book ADD COLUMN rating_question INTEGER NOT NULL DEFAULT 0",  # 1: how she likes it is to be asked
    # By what it was looked for at Hardcover, without a clear find; '-': the reader says that it is not there.
    "ALTER TABLE book ADD COLUMN hardcover_looked_for TEXT",
    """
    CREATE TABLE book_fingerprint (    -- every fingerprint that a book's file has had
        fingerprint TEXT NOT NULL,
        book_id INTEGER NOT NULL REFERENCES book (id),
        size_bytes INTEGER,            -- of the file that had it
        PRIMARY KEY (fingerprint, book_id)
    ) WITHOUT ROWID
    """,
    """
    INSERT INTO book_fingerprint (fingerprint, book_id, size_bytes)
    SELECT fingerprint, id, size_bytes FROM book WHERE fingerprint IS NOT NULL
    """,
    """
    CREATE TABLE server_book (         -- the server's library, as far as matching needs it
        server_id INTEGER PRIMARY KEY,
        title TEXT NOT NULL,
        subtitle TEXT NOT NULL,
        authors TEXT NOT NULL,         -- one per line
        series TEXT NOT NULL,
        series_index REAL,
        language TEXT NOT NULL,
        isbns TEXT NOT NULL,           -- ISBN-13, one per line
        files TEXT NOT NULL,           -- one per line: size in KiB, a tab, the file's name
        fingerprint TEXT,              -- of its first file, where the server tells it
        hardcover_id INTEGER           -- the book's id at Hardcover, where the server's metadata have it
    )
    """,
    """
    CREATE TABLE candidate (           -- what a book without a match could be, for the reader to choose from
        book_id INTEGER NOT NULL REFERENCES book (id),
        place TEXT NOT NULL,           -- 'server' or 'hardcover'
        remote_id INTEGER NOT NULL,
        label TEXT NOT NULL,           -- for the reader: title, authors, what speaks for it
        score REAL NOT NULL,           -- 0..1
        PRIMARY KEY (book_id, place, remote_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE shared_value (        -- what device and server both have of a book, and each may change
        book_id INTEGER NOT NULL REFERENCES book (id),
        field TEXT NOT NULL,           -- 'rating', 'status', 'progress' (device/core/shared_values.py)
        agreed TEXT,                   -- what both had last, in the server's terms; NULL: nothing
        is_agreed INTEGER NOT NULL DEFAULT 0,  -- 0: they have not been compared yet
        device TEXT,                   -- what the device had when it was last seen, in KOReader's terms
        device_at INTEGER NOT NULL DEFAULT 0,  -- when it came to have it; 0: never seen
        server TEXT,                   -- what the server said last
        server_at INTEGER NOT NULL DEFAULT 0,  -- when; 0: never
        offered TEXT,                  -- what the device is to be given, in KOReader's terms
        offered_at INTEGER NOT NULL DEFAULT 0,  -- 0: nothing is offered
        PRIMARY KEY (book_id, field)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE hardcover_value (     -- what a book is to have at Hardcover
        book_id INTEGER NOT NULL REFERENCES book (id),
        field TEXT NOT NULL,           -- 'rating' (1..10), 'status' (the server's words)
        wanted TEXT,                   -- NULL: nothing
        sent TEXT,                     -- what Hardcover confirmed last
        is_sent INTEGER NOT NULL DEFAULT 0,  -- 0: `wanted` has not been confirmed
        changed_at INTEGER NOT NULL,   -- UTC epoch seconds, of `wanted`
        attempts INTEGER NOT NULL DEFAULT 0,
        reason TEXT,                   -- why it has not been taken
        PRIMARY KEY (book_id, field)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE session_2 (
        id INTEGER PRIMARY KEY,
        book_id INTEGER NOT NULL REFERENCES book (id),
        source TEXT NOT NULL,          -- 'journal', 'statistics', 'plugin': who recorded it
        journal_id TEXT REFERENCES journal (id),  -- for 'journal'
        started_at INTEGER NOT NULL,   -- UTC epoch seconds
        ended_at INTEGER NOT NULL,
        duration_s INTEGER NOT NULL,   -- time read, without pauses
        start_fraction REAL,           -- 0..1
        end_fraction REAL,
        start_page INTEGER,
        end_page INTEGER,
        start_label TEXT,              -- the book's own page label, where it has them
        end_label TEXT,
        start_xpointer TEXT,           -- crengine's position
        end_xpointer TEXT,
        pages_read INTEGER NOT NULL,
        flags TEXT NOT NULL,           -- what is doubtful about it, space separated
        boot_id TEXT,                  -- of the boot in which it began, and when on the clock that runs through sleep:
        boot_ms INTEGER,               -- places a session whose wall clock was not set
        UNIQUE (book_id, started_at)
    )
    """,
    """
    INSERT INTO session_2 (id, book_id, source, journal_id, started_at, ended_at, duration_s, start_fraction,
        end_fraction, start_page, end_page, pages_read, flags)
    SELECT id, book_id, 'journal', journal_id, started_at, ended_at, duration_s, start_fraction, end_fraction,
        start_page, end_page, pages_read, flags FROM reading_session
    """,
    "DROP TABLE reading_session",
    "ALTER TABLE session_2 RENAME TO reading_session",
    "CREATE INDEX reading_session_by_end ON reading_session (ended_at)",  # finds what a new session would overlap
    "CREATE INDEX reading_session_by_start ON reading_session (started_at)",  # what an import must leave out, in order
    """
    CREATE TABLE journal_stretch (     -- time that a journal covers by its wall clock, with all that was read in it
        started_at INTEGER NOT NULL,
        book_id INTEGER NOT NULL REFERENCES book (id),
        ended_at INTEGER NOT NULL,
        PRIMARY KEY (started_at, book_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX reading_session_by_journal ON reading_session (journal_id)",
    """
    CREATE TABLE outbox_2 (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,            -- 'reading_session', 'rating', … (device/core/outbox.py)
        key TEXT NOT NULL,             -- what makes it the same entry when it is added again; a session's row id
        book_id INTEGER NOT NULL REFERENCES book (id),
        session_id INTEGER REFERENCES reading_session (id),  -- for 'reading_session'
        payload TEXT,                  -- for the other kinds: the request's fields as JSON, without the book's id
        state TEXT NOT NULL CHECK (state IN ('new', 'intent', 'acknowledged', 'rejected', 'waiting')),
        unproven INTEGER NOT NULL DEFAULT 0,  -- 1: may be on the server although we never sent it (imported, rebuilt)
        created_at INTEGER NOT NULL,
        changed_at INTEGER NOT NULL,   -- of the last change of state
        begun_boot TEXT,               -- for 'intent': the boot and the uptime in seconds when sending began, because
        begun_uptime_s INTEGER,        -- the wall clock may jump in between
        attempts INTEGER NOT NULL DEFAULT 0,  -- without a clear answer; the least tried goes first
        reason TEXT,                   -- why it waits or was rejected
        remote_id INTEGER,             -- the server's id of what was created
        UNIQUE (kind, key)
    )
    """,
    """
    INSERT INTO outbox_2 (id, kind, key, book_id, session_id, state, created_at, changed_at, begun_boot,
        begun_uptime_s, attempts, reason)
    SELECT id, kind, CAST(subject_id AS TEXT), book_id, subject_id, state, created_at, changed_at, begun_boot,
        begun_uptime_s, attempts, reason FROM outbox
    """,
    "DROP TABLE outbox",
    "ALTER TABLE outbox_2 RENAME TO outbox",
    # With kind and reason, so that what waits is summed up without sorting it.
    "CREATE INDEX outbox_open ON outbox (state, book_id, kind, reason) WHERE state <> 'acknowledged'",
    "CREATE INDEX outbox_by_session ON outbox (session_id)",
    """
    CREATE TABLE mark_ledger (
        book_id INTEGER NOT NULL REFERENCES book (id),
        kind TEXT NOT NULL,            -- 'highlight', 'in_book_note', 'book_note', 'bookmark'
        made_at TEXT NOT NULL,         -- KOReader's own date and time of it: local, without a zone
        remote_id INTEGER,             -- NULL: another program says that it sent it; nobody has seen it there
        taken INTEGER NOT NULL DEFAULT 0,  -- 1: the mark's own link has taken it over
        PRIMARY KEY (book_id, kind, made_at)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE pending_mark (        -- not sent before its position has been checked against the book's text
        id INTEGER PRIMARY KEY,
        book_id INTEGER NOT NULL REFERENCES book (id),
        kind TEXT NOT NULL,            -- as in mark_ledger
        made_at TEXT NOT NULL,         -- as in mark_ledger
        payload TEXT NOT NULL,         -- JSON: pos0, pos1, page, text, note, chapter, color, style, unchecked cfi
        UNIQUE (book_id, kind, made_at)
    )
    """,
    """
    CREATE TABLE mark (                -- a highlight, with or without a note, or a bookmark
        id INTEGER PRIMARY KEY,
        book_id INTEGER NOT NULL REFERENCES book (id),
        kind TEXT NOT NULL,            -- 'highlight', 'bookmark'
        made_at TEXT NOT NULL,         -- KOReader's own date and time of it; '': the device has never had it
        device TEXT,                   -- JSON: as the device has it, or had it last; NULL: it has never had it
        device_at INTEGER NOT NULL DEFAULT 0,  -- UTC epoch seconds: when it was seen so there
        gone INTEGER NOT NULL DEFAULT 0,  -- 0: the device has it; 1: the reader deleted it; 2: it is missing there
        cfi TEXT,                      -- its place in the book's file, where that could be found
        position TEXT,                 -- 'exact', 'repaired', 'approximate', 'none'; NULL: not looked for
        position_reason TEXT,
        converter INTEGER,             -- by which version of the converter
        offered TEXT,                  -- JSON: what the device is to be given in its place
        offered_at INTEGER NOT NULL DEFAULT 0  -- 0: nothing is offered
    )
    """,
    # With what tells whether anything has changed, so that this is known without reading the marks.
    "CREATE INDEX mark_by_book ON mark (book_id, device_at, gone, kind)",
    "CREATE INDEX mark_inexact ON mark (book_id) WHERE position = 'approximate'",
    "CREATE INDEX mark_offered ON mark (offered_at) WHERE offered_at > 0",
    """
    CREATE TABLE mark_link (           -- what a mark is on the server, for one account and one book there
        id INTEGER PRIMARY KEY,
        mark_id INTEGER NOT NULL REFERENCES mark (id) ON DELETE CASCADE,
        account TEXT NOT NULL,         -- whose; as the setting 'matches_of' names it
        server_book INTEGER NOT NULL,  -- the book's number there
        role TEXT NOT NULL,            -- device/core/annotations/holding.py
        kind TEXT NOT NULL,            -- as in mark_ledger
        remote_id INTEGER,             -- NULL: not known (yet)
        agreed_device TEXT,            -- JSON: what the device had when both agreed last; NULL: nothing, or never
        agreed_server TEXT,            -- JSON: and what the server had then
        sent_device TEXT,              -- JSON: what will be agreed on if the server has taken what it was sent last
        sent_server TEXT,
        server TEXT,                   -- JSON: what the server said last; NULL: it does not have it, or was not heard
        server_at INTEGER NOT NULL DEFAULT 0,  -- when it was heard; 0: never
        closed INTEGER NOT NULL DEFAULT 0,  -- 1: the server's side was given up; nothing follows from it any more
        tombstone_at INTEGER NOT NULL DEFAULT 0,  -- since when its deletion has to be confirmed by the server's list
        UNIQUE (mark_id, account, server_book, role)
    )
    """,
    """
    CREATE TABLE mark_source (         -- KOReader's record of a book, as it was read last
        book_id INTEGER PRIMARY KEY REFERENCES book (id),
        sidecar TEXT NOT NULL,         -- its path; '': there was none
        stamp TEXT NOT NULL,           -- its size and time of change, by which it is known to be the same
        seen_at INTEGER NOT NULL       -- when a whole one, not an older copy, was read last; 0: never
    )
    """,
    """
    CREATE TABLE mark_pull (           -- when the server's lists of a book's marks were read last
        book_id INTEGER NOT NULL REFERENCES book (id),
        account TEXT NOT NULL,
        server_book INTEGER NOT NULL,
        pulled_at INTEGER NOT NULL,    -- UTC epoch seconds; 0: never
        planned_as TEXT,               -- of what state of its marks all that follows is decided; NULL: of none
        PRIMARY KEY (book_id, account, server_book)
    ) WITHOUT ROWID
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _1_FIRST_SCHEMA,
    _2_SESSIONS_FROM_ELSEWHERE_AND_ONE_OUTBOX_FOR_ALL_KINDS,
)
