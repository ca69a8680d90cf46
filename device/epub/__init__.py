"""EPUB files: what is in the archive, and what the book says of itself. Reads and never writes; knows no server."""
