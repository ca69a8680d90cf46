"""Power cuts, kills and full disks: nothing lost, nothing doubled, nothing unreadable, wherever they hit."""
