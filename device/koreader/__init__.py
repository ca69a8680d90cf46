"""What KOReader keeps about books: its Lua files, its statistics, its history, its fingerprints. Only reads."""
