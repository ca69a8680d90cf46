"""What `device/core/matching.py` makes of the made-up library's files: right, wrong, or left to the reader."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from device.core import languages
from device.core.matching import Wanted
from device.core.searching import Search
from tests.matching.library import File, Maker


@dataclass
class Outcome:
    files: int = 0
    there: int = 0  # of which the server has the book
    matched: Counter[tuple[str, str]] = field(default_factory=Counter)  # (rule, class of file)
    right: Counter[tuple[str, str]] = field(default_factory=Counter)
    of_class: Counter[str] = field(default_factory=Counter)  # files that have a book
    offered: int = 0  # left to the reader, with the right one among the candidates
    asked: int = 0  # left to the reader although the server has the book
    wrong: list[tuple[File, int, str]] = field(default_factory=list)


def seeker(file: File, with_hash: bool) -> Wanted:
    made = Wanted(file.title, file.authors, file.identifiers, file.file, file.size_bytes)
    made.set_series(file.title, file.series, file.index)
    made.language = languages.code(file.language)
    if with_hash and file.fingerprint is not None:
        made.fingerprints = {file.fingerprint: file.size_bytes}
    return made


def measure(maker: Maker, with_hash: bool = False) -> Outcome:
    wanted = [seeker(file, with_hash) for file in maker.files]
    search = Search(wanted)
    for entry in maker.entries:
        book = entry.book
        for place in search.near(
            f"{book.title} {book.subtitle}", book.isbns, [file[0] for file in book.files], book.fingerprint
        ):
            wanted[place].compare(book)
    by_id = {entry.id: entry for entry in maker.entries}
    found = Outcome()
    for file, each in zip(maker.files, wanted, strict=True):
        found.files += 1
        if file.truth is not None:
            found.there += 1
            found.of_class[file.kind] += 1
        answer = each.answer()
        if isinstance(answer, str):
            if file.truth is not None:
                found.asked += 1
                found.offered += file.truth in [candidate.server_id for candidate in each.candidates()]
            continue
        server_id, rule = answer
        found.matched[rule, file.kind] += 1
        if server_id == file.truth:
            found.right[rule, file.kind] += 1
        else:
            found.wrong.append((file, server_id, f"{rule}: {by_id[server_id].kind} “{by_id[server_id].title}”"))
    return found
