"""Decisions: pure rules about reading sessions, the outbox, matching and time. No files, sockets, SQLite, clock or chance."""
