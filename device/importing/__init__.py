"""What was read before: KOReader's own statistics, and what the older Lua plugin left. Sources are only read."""
