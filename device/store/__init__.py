"""The store: one SQLite file with books, reading sessions, the outbox and settings. SQL is written only here."""
