"""Histories of three parties, two devices and the web, that change the highlights of one book at random.

world.py      the book, the server, the web reader and KOReader on a device
client.py     the program on a device: its store, what it does in a run, and where a run can be cut off
history.py    one random history, and what has to be true of it
__main__.py   very many of them: `python -m tests.annotations 100000`
"""
