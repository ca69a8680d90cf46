"""Highlights, notes and bookmarks (“marks”): what they are on the device and on the server, and what follows from both.

Decides only: no files, no sockets, no SQLite, no clock.

    marks.py           a mark as the device has it, a mark as the server has it
    koreader_forms.py  what KOReader wrote, of whatever age, as marks of the device
    colours.py         colours and styles of the one in terms of the other
    identity.py        which mark is which: then and now, here and there
    destinations.py    what a mark becomes on the server
    merge.py           the three-way merge
"""
