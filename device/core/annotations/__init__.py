"""Highlights, notes and bookmarks (“marks”): what they are on the device and on the server, and what follows from both.

Decides only: no files, no sockets, no SQLite, no clock. The theory of operation stands in `holding.py` (what is known
of a mark), `merge.py` (what follows, and in which order these modules are used) and `destinations.py`.

    marks.py           a mark as the device has it, a mark as the server has it
    koreader_forms.py  what KOReader wrote, of whatever age, as marks of the device
    words.py           notes and quotations: when they are the same, and two notes as one
    colours.py         colours and styles of the one in terms of the other
    book_notes.py      a mark as a note on the book's page, and the note in it again
    destinations.py    what a mark becomes on the server
    holding.py         what is known of one mark, and what the device has done with it
    identity.py        which mark is which on the device, then and now
    server_rows.py     which of the server's rows is which mark
    hearing.py         what the server's lists say of a mark
    calls.py           what the server is to be told of it
    merge.py           the three-way merge of one mark
    book.py            all marks of a book, and the question before many of them are deleted
"""
