"""Texts about ratings, read status and progress: of settings, questions and messages.

Called by: `settings_menu.py`, `device/sending/book_states.py`. Law: what `texts.py` says of texts.
"""

from __future__ import annotations

RATINGS = "Ratings and read status"
RATE_BY_STARS = "KOReader's stars, times two"
RATE_BY_QUESTION = "Ask for 1 to 10 at the end of a book"
RATE_BY_QUESTION_HELP = "Asked once, when the book is closed at its end. KOReader's stars follow the answer."
RATE_OFF = "Leave ratings alone"
STATUS_ON = "Sync read status both ways"
STATUS_OFF = "Leave read status alone"
ON_HOLD_PAUSED = "“On hold” means paused"
ON_HOLD_ABANDONED = "“On hold” means abandoned"

PROGRESS = "Progress"
PROGRESS_ON = "Sync progress both ways"
PROGRESS_ON_HELP = "The server is asked first. A newer position there is never replaced by an older one from here."
PROGRESS_OFF = "Leave progress alone"
FORWARD_SILENTLY = "Further on elsewhere: go there"
FORWARD_ASK = "Further on elsewhere: ask"
FORWARD_OFF = "Further on elsewhere: stay"
BACKWARD_ASK = "Further back elsewhere: ask"
BACKWARD_OFF = "Further back elsewhere: stay"

HARDCOVER_ON = "Sync ratings and status to Hardcover"
HARDCOVER_ON_HELP = "Needs a line hardcover_token = … in setup.txt."
HARDCOVER_OFF = "Leave Hardcover alone"
