"""ISBNs: every spelling of one becomes the same thirteen digits.

Promises: a number whose checksum is wrong is none, and so is one that publishers and programs put in where they have
none (`0000000000`, `9781234567897`). What merely looks like an ISBN-10 in another scheme (a bookshop's or a library's
own number; one in eleven passes the checksum) is none either.
Called by: `matching.py`, `device/server/library.py`, `device/epub/package.py`.
Law: ISO 2108; the ISBN-10 is the ISBN-13 with the prefix 978 and a checksum of its own.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_MAX_CHARS = 200  # what is longer is no number with a remark
PREFIXES = ("978", "979")
# Schemes of an identifier that mean an ISBN, by their letters and digits.
SCHEMES = frozenset(
    ("isbn", "isbn10", "isbn13", "urnisbn", "urnisbn10", "urnisbn13", "eisbn", "isbne", "isbnebook", "pisbn", "15")
)
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212\u00ad"
_COUNTING = "0123456789"
_COUNTED_UP = "123456789"  # …0, or with the prefix 978: numbers out of manuals


def isbn13(text: str) -> str | None:
    """The ISBN-13 that a text known to be an ISBN stands for: `0-14-243724-6`, `ISBN 978 0 14 243724 7 (pbk.)`."""
    if len(text) > TEXT_MAX_CHARS:
        return None
    bare = text.casefold().strip()
    for word in ("urn:", "isbn-13", "isbn-10", "isbn13", "isbn10", "isbn", "e-", ":", "=", "#"):
        bare = bare.removeprefix(word).lstrip()
    digits = ""
    for char in bare:
        if char in "0123456789x":
            digits += char
        elif char not in _DASHES and char not in " \t\u00a0.":
            if digits and not char.isalnum():
                break  # a remark follows: `(pbk.)`, `: £9.99`, `; v. 1`
            return None
        if len(digits) > 13:
            return None
    return _of_ten(digits) if len(digits) == 10 else _of_thirteen(digits)


def of_identifiers(identifiers: Iterable[str]) -> set[str]:
    """The ISBNs among the identifiers of a book, which are written as `scheme:value`, `urn:isbn:…` or just a number."""
    found = set()
    for identifier in identifiers:
        number = of_identifier(identifier)
        if number is not None:
            found.add(number)
    return found


def of_identifier(identifier: str) -> str | None:
    """Of a bare number only what cannot well be another: thirteen digits with an ISBN's prefix, ten with hyphens."""
    identifier = identifier.strip()[:TEXT_MAX_CHARS]
    scheme, colon, value = identifier.rpartition(":")
    letters = "".join(char for char in scheme.casefold() if char.isalnum())
    if colon and letters in SCHEMES:
        return isbn13(value)
    if colon:
        return None
    if identifier.casefold().startswith("isbn"):
        return isbn13(identifier)
    number = isbn13(identifier)
    if number is None or not identifier[:1].isdigit():
        return None
    long = sum(char.isdigit() for char in identifier) == 13
    return number if long or identifier.count("-") == 3 else None


def _of_ten(digits: str) -> str | None:
    body, last = digits[:9], digits[9]
    if not body.isdigit() or not (last.isdigit() or last == "x") or _is_made_up(body):
        return None
    check = 10 if last == "x" else int(last)
    if (sum((10 - place) * int(body[place]) for place in range(9)) + check) % 11:
        return None
    number = "978" + body
    return number + str(-_weighted(number) % 10)


def _of_thirteen(digits: str) -> str | None:
    if len(digits) != 13 or not digits.isdigit() or digits[:3] not in PREFIXES or _is_made_up(digits[3:12]):
        return None
    return digits if _weighted(digits) % 10 == 0 else None


def _is_made_up(body: str) -> bool:
    """`body`: the nine digits between prefix and checksum."""
    return body == body[0] * 9 or body in (_COUNTED_UP, _COUNTING[:9])


def _weighted(digits: str) -> int:
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
