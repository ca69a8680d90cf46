"""Languages, as books and servers name them: `en`, `en-GB`, `eng`, `English`.

Called by: `matching.py`, `device/store/library.py`. A name that is not known is its own language only if both say it.
"""

from __future__ import annotations

from device.core.folding import words

# Two letters (ISO 639-1), then what else is written for it: ISO 639-2 in both forms, English and own names.
_NAMES = (
    "ar ara arabic", "bg bul bulgarian", "ca cat catalan catala", "cs cze ces czech cestina", "da dan danish dansk",
    "de ger deu german deutsch", "el gre ell greek", "en eng english", "eo epo esperanto",
    "es spa spanish espanol castellano", "et est estonian eesti", "eu baq eus basque", "fa per fas persian farsi",
    "fi fin finnish suomi", "fr fre fra french francais", "he heb hebrew iw", "hi hin hindi",
    "hr hrv croatian hrvatski",
    "hu hun hungarian magyar", "id ind indonesian", "is ice isl icelandic", "it ita italian italiano",
    "ja jpn japanese", "ko kor korean", "la lat latin latina", "lt lit lithuanian", "lv lav latvian",
    "nb nob no nor norwegian norsk bokmal", "nn nno nynorsk", "nl dut nld dutch nederlands flemish",
    "pl pol polish polski", "pt por portuguese portugues", "ro rum ron romanian romana", "ru rus russian русскии",
    "sk slo slk slovak", "sl slv slovenian", "sr srp serbian", "sv swe swedish svenska", "th tha thai",
    "tr tur turkish turkce", "uk ukr ukrainian", "vi vie vietnamese", "zh chi zho chinese",
)  # fmt: skip
_CODES: dict[str, str] = {}
_UNKNOWN = frozenset(("und", "undefined", "unknown", "mul", "zxx", "xx", "none", "null", "n", "not"))


def code(text: str) -> str:
    """The language's two letters, its first word if it is not known, or nothing."""
    found = words(text.replace("_", "-"))
    if not found or found[0] in _UNKNOWN:
        return ""
    if not _CODES:
        for line in _NAMES:
            names = line.split()
            for name in names:
                _CODES[name] = names[0]
    return _CODES.get(found[0], found[0])
