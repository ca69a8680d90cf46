"""Decisions: pure rules on reading sessions, outbox, matching and time. No files, sockets, SQLite, clock or chance."""
