"""The tables behind the stand-in.

Promises: what the real database refuses (a text too long, a missing book type, the same refresh token twice) is
refused here by a constraint of the table, never by a handler, so that it surfaces the same way: as a data conflict.
Never: has a uniqueness rule for reading sessions. The servers have none either.
Called by: `database`.
Law: the API map, column limits of §3, §4, §5.2, §7 and §8. Times are epoch seconds. Unique texts compare without
regard to case, as under the servers' collation.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE library (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);

CREATE TABLE user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL
);
CREATE TABLE user_permission (user_id INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (user_id, name));
CREATE TABLE user_library (user_id INTEGER NOT NULL, library_id INTEGER NOT NULL, PRIMARY KEY (user_id, library_id));
CREATE TABLE refresh_token (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    token TEXT NOT NULL UNIQUE,
    revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE koreader_user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER UNIQUE,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL,
    sync_enabled INTEGER NOT NULL DEFAULT 0,
    sync_with_web_reader INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE opds_user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    username TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(username) <= 100),
    password TEXT NOT NULL,
    sort_order TEXT NOT NULL DEFAULT 'RECENT'
);

CREATE TABLE book (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    library_id INTEGER NOT NULL,
    title TEXT,
    subtitle TEXT,
    authors TEXT NOT NULL DEFAULT '[]',
    isbn13 TEXT CHECK (length(isbn13) <= 13),
    isbn10 TEXT CHECK (length(isbn10) <= 10),
    series_name TEXT,
    series_number REAL,
    language TEXT,
    page_count INTEGER,
    publisher TEXT,
    published_date TEXT,
    hardcover_id TEXT CHECK (length(hardcover_id) <= 100), -- Hardcover's name for it in addresses
    hardcover_book_id TEXT CHECK (length(hardcover_book_id) <= 100), -- its number, kept as a text
    added_at INTEGER NOT NULL
);
CREATE TABLE book_file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    book_id INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    book_type TEXT NOT NULL,
    size_kb INTEGER NOT NULL,
    current_hash TEXT,
    is_primary INTEGER NOT NULL DEFAULT 1, -- 0: another format of the same book
    added_at INTEGER NOT NULL
);
CREATE INDEX book_file_by_hash ON book_file (current_hash);

CREATE TABLE user_book (
    user_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    personal_rating INTEGER CHECK (personal_rating BETWEEN -128 AND 127),
    read_status TEXT,
    read_status_modified_at INTEGER,
    date_finished INTEGER,
    last_read_at INTEGER,
    epub_cfi TEXT CHECK (length(epub_cfi) <= 1000),
    epub_href TEXT CHECK (length(epub_href) <= 1000),
    epub_percent REAL CHECK (abs(epub_percent) < 3.5e38),
    pdf_page INTEGER,
    pdf_percent REAL CHECK (abs(pdf_percent) < 3.5e38),
    cbx_page INTEGER,
    cbx_percent REAL CHECK (abs(cbx_percent) < 3.5e38),
    koreader_progress TEXT CHECK (length(koreader_progress) <= 1000),
    koreader_fraction REAL CHECK (abs(koreader_fraction) < 3.5e38),
    koreader_device TEXT CHECK (length(koreader_device) <= 100),
    koreader_device_id TEXT CHECK (length(koreader_device_id) <= 100),
    koreader_synced_at INTEGER,
    PRIMARY KEY (user_id, book_id)
);

CREATE TABLE reading_session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    book_type TEXT NOT NULL,
    started_at INTEGER NOT NULL CHECK (started_at BETWEEN -62135596800 AND 253402300799), -- years 1 to 9999
    ended_at INTEGER NOT NULL CHECK (ended_at BETWEEN -62135596800 AND 253402300799),
    duration_s INTEGER NOT NULL CHECK (duration_s BETWEEN -2147483648 AND 2147483647),
    duration_formatted TEXT CHECK (length(duration_formatted) <= 50),
    start_progress REAL CHECK (abs(start_progress) < 3.5e38), -- what a FLOAT column can hold
    end_progress REAL CHECK (abs(end_progress) < 3.5e38), -- what a FLOAT column can hold
    progress_delta REAL CHECK (abs(progress_delta) < 3.5e38), -- what a FLOAT column can hold
    start_location TEXT CHECK (length(start_location) <= 500),
    end_location TEXT CHECK (length(end_location) <= 500),
    created_at INTEGER NOT NULL
);
CREATE INDEX reading_session_by_book ON reading_session (user_id, book_id);

CREATE TABLE annotation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    cfi TEXT NOT NULL COLLATE NOCASE CHECK (length(cfi) <= 1000),
    text TEXT NOT NULL CHECK (length(text) <= 5000),
    color TEXT,
    style TEXT,
    note TEXT CHECK (length(note) <= 5000),
    chapter_title TEXT CHECK (length(chapter_title) <= 500),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (user_id, book_id, cfi)
);
CREATE TABLE in_book_note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    cfi TEXT NOT NULL COLLATE NOCASE CHECK (length(cfi) <= 1000),
    selected_text TEXT CHECK (length(selected_text) <= 5000),
    note_content TEXT NOT NULL CHECK (length(CAST(note_content AS BLOB)) <= 65535),
    color TEXT,
    chapter_title TEXT CHECK (length(chapter_title) <= 500),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (user_id, book_id, cfi)
);
CREATE TABLE book_note (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    title TEXT CHECK (length(title) <= 255),
    content TEXT NOT NULL CHECK (length(CAST(content AS BLOB)) <= 65535),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE TABLE bookmark (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    book_id INTEGER NOT NULL,
    cfi TEXT COLLATE NOCASE CHECK (length(cfi) <= 1000),
    title TEXT CHECK (length(title) <= 255),
    position_ms INTEGER,
    track_index INTEGER,
    page_number INTEGER,
    color TEXT,
    notes TEXT CHECK (length(notes) <= 2000),
    priority INTEGER NOT NULL DEFAULT 3,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

CREATE TABLE shelf (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    name TEXT NOT NULL COLLATE NOCASE CHECK (length(name) <= 255),
    icon TEXT,
    icon_type TEXT,
    public INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user_id, name)
);
CREATE TABLE shelf_book (shelf_id INTEGER NOT NULL, book_id INTEGER NOT NULL, PRIMARY KEY (shelf_id, book_id));
"""

TABLES_OF_A_BOOK = (
    "book_file",
    "user_book",
    "reading_session",
    "annotation",
    "in_book_note",
    "book_note",
    "bookmark",
    "shelf_book",
)
