"""Everything the stand-in serves outside /api: the page that shows what arrived, and the same as JSON.

Promises: the page needs nothing but itself, refreshes by itself, and shows every text as text, whatever a book is
called.
Never: answers a path under /api; those belong to the server that is imitated. Any other GET gives the empty page of
the imitated web app, as the servers do.
Called by: `dispatch`.
"""

from __future__ import annotations

import sqlite3
from html import escape
from typing import cast

from tests.sandbox.arrivals import gather, seconds
from tests.sandbox.calls import ServerSettings
from tests.sandbox.dialects import Dialect
from tests.sandbox.messages import Request, Response, html_response, json_response, unexpected
from tests.sandbox.page_style import STYLE
from tests.sandbox.recorder import Recorder
from tests.sandbox.web_reader import PREFIX, WebReader

REFRESH_S = 3
SESSIONS_SHOWN = 50  # of each book, the latest
HIGHLIGHTS_SHOWN = 50
PERCENT = 100
INDEX_OF_THE_WEB_APP = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>BookLore</title></head>
<body><app-root></app-root></body></html>"""

Record = dict[str, object]


def answer(
    request: Request,
    dialect: Dialect,
    database: sqlite3.Connection,
    settings: ServerSettings,
    recorder: Recorder,
    web_reader: WebReader,
) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise unexpected()
    if request.path == "/":
        state = gather(database, dialect.name, settings.utc_offset_s)
        return html_response(render(state, dialect.title, web_reader))
    if request.path == "/sandbox/state.json":
        return json_response(gather(database, dialect.name, settings.utc_offset_s))
    if request.path == "/sandbox/requests.json":
        asked = [record.summary() for record in recorder.requests() if record.path.startswith("/api/")]
        return json_response({"connections": recorder.connections, "requests": asked})
    if request.path.startswith(PREFIX):
        return web_reader.answer(request.path)
    return html_response(INDEX_OF_THE_WEB_APP)


def render(state: Record, server_name: str, web_reader: WebReader) -> str:
    books = [book for book in _records(state["books"]) if book["sessions"] or book["highlights"]]
    books.sort(key=_latest, reverse=True)
    body = "".join(_book(book, web_reader.address(book["id"])) for book in books) if books else _nothing_yet(state)
    waiting = [book for book in _records(state["books"]) if not book["sessions"] and not book["highlights"]]
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_S}">
<meta name="color-scheme" content="light dark">
<title>What arrived · BookLore Sync</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<p class="kicker">BookLore Sync · a stand-in for {_text(server_name)}</p>
<h1>What arrived</h1>
{_totals(cast(Record, state["totals"]))}
</header>
<main>{body}{_unread(waiting) if books else ""}</main>
<footer>This page looks again every {REFRESH_S} seconds. Times are UTC.</footer>
</body>
</html>
"""


def _totals(totals: Record) -> str:
    figures = [
        (_text(totals["sessions"]), "reading sessions"),
        (duration(cast(int, totals["secondsRead"])), "time read"),
        (f"{_text(totals['booksRead'])} of {_text(totals['books'])}", "books opened"),
        (_text(totals["highlights"]), "highlights"),
    ]
    cells = "".join(f"<div><dt>{label}</dt><dd>{figure}</dd></div>" for figure, label in figures)
    return f'<dl class="totals">{cells}</dl>'


def _nothing_yet(state: Record) -> str:
    books = _records(state["books"])
    if not books:
        return """<section class="empty"><h2>The library is empty</h2>
<p>Start the server with <code>--books books.json</code>, or let <code>make demo</code> do it.</p></section>"""
    return f"""<section class="empty"><h2>Nothing has arrived yet</h2>
<p>Open one of these books on the reader, turn a few pages and close it. It shows up here by itself.</p>
{_titles(books)}</section>"""


def _unread(books: list[Record]) -> str:
    if not books:
        return ""
    return f'<section class="unread"><h2>Not opened yet</h2>{_titles(books)}</section>'


def _titles(books: list[Record]) -> str:
    items = "".join(f"<li><b>{_text(book['title'])}</b> {_authors(book)}</li>" for book in books)
    return f'<ul class="titles">{items}</ul>'


def _book(book: Record, reader_address: str | None) -> str:
    sessions = sorted(_records(book["sessions"]), key=lambda session: str(session["startTime"]), reverse=True)
    rows = "".join(_session(session) for session in sessions[:SESSIONS_SHOWN])
    left_out = len(sessions) - SESSIONS_SHOWN
    more = f'<p class="more">and {left_out} earlier reading sessions</p>' if left_out > 0 else ""
    table = f"""<div class="scroll"><table>
<thead><tr><th>Day</th><th>From – to</th><th class="n">Read</th><th class="n">Progress</th><th>Place</th></tr></thead>
<tbody>{rows}</tbody></table></div>{more}"""
    facts = [f"{len(sessions)} {'session' if len(sessions) == 1 else 'sessions'}"]
    facts.append(duration(cast(int, book["secondsRead"])))
    if book["readStatus"]:
        facts.append(_text(book["readStatus"]).replace("_", " ").lower())
    if book["personalRating"] is not None:
        facts.append(f"rated {_text(book['personalRating'])} of 10")
    return f"""<article>
<h2>{_text(book["title"])}</h2>
<p class="by">{_authors(book)}</p>
{_progress_bar(book["progressPercent"])}
<p class="facts">{" · ".join(facts)}</p>
{table if sessions else ""}
{_highlights(_records(book["highlights"]), reader_address)}
</article>"""


def _progress_bar(percent: object) -> str:
    if not isinstance(percent, float | int):
        return ""
    shown = min(max(percent, 0), PERCENT)
    return f"""<div class="progress" role="img" aria-label="{percent:g} percent read">
<div class="bar"><i style="width:{shown:g}%"></i></div><b>{percent:g} %</b></div>"""


def _session(session: Record) -> str:
    start, end = str(session["startTime"]), str(session["endTime"])
    days = "" if start[:10] == end[:10] else f" ({_text(end[:10])})"
    return f"""<tr><td>{_text(start[:10])}</td>
<td>{_text(start[11:19])} – {_text(end[11:19])}{days}</td>
<td class="n">{duration(seconds(session))}</td>
<td class="n">{_from_to(_percent(session["startProgress"]), _percent(session["endProgress"]))}</td>
<td class="place">{_from_to(_text(session["startLocation"]), _text(session["endLocation"]))}</td></tr>"""


def _highlights(highlights: list[Record], reader_address: str | None) -> str:
    items = ""
    for highlight in highlights[-HIGHLIGHTS_SHOWN:]:
        note = f'<p class="note">{_text(highlight["note"])}</p>' if highlight["note"] else ""
        items += f"""<li style="--mark:{_text(highlight["color"])}"><q>{_text(highlight["text"])}</q>{note}
<small>{_text(highlight["chapter"])}</small></li>"""
    if not items:
        return ""
    see = "" if reader_address is None else f'<p class="more"><a href="{reader_address}">See them in the book</a></p>'
    return f'<ul class="highlights">{items}</ul>{see}'


def duration(total_s: int) -> str:
    """Hours and minutes as people say them; seconds only below an hour."""
    minutes, rest_s = divmod(total_s, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    if minutes:
        return f"{minutes} min {rest_s} s" if rest_s else f"{minutes} min"
    return f"{rest_s} s"


def _from_to(start: str, end: str) -> str:
    if not start and not end:
        return ""
    return f'{start or "?"} <span class="to">→</span> {end or "?"}'


def _percent(value: object) -> str:
    return f"{value:.1f} %" if isinstance(value, float | int) else ""


def _authors(book: Record) -> str:
    return escape(", ".join(cast(list[str], book["authors"])))


def _latest(book: Record) -> str:
    return max((str(session["endTime"]) for session in _records(book["sessions"])), default="")


def _records(value: object) -> list[Record]:
    return cast(list[Record], value)


def _text(value: object) -> str:
    return "" if value is None else escape(str(value))
