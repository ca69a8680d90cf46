"""The words by which `titles.py` takes titles apart, in the languages that libraries were seen to hold.

Called by: `titles.py`, `names.py`, `file_marks.py`, `matching.py`.
All are written as `folding.py` leaves them: small letters without accents.
"""

from __future__ import annotations


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


def _counted(text: str) -> dict[str, str]:
    return {word: str(number) for number, word in enumerate(text.split(), 1)}


# Before the number of a volume.
MARKERS = _set(
    "vol volume book bk part pt no nr number numero issue episode tome tomo teil band bd buch livre libro libri deel"
    " boek том книга часть выпуск cilt kniha dil czesc tom del bind bok parte volumen folge heft"
)
MARKERS_OF_SEVERAL = _set("vols volumes books parts nos bande bucher livres libros тома книги")
# Behind an ordinal: `second book`, and `second edition`.
ORDINAL_MARKERS = _set("volume book part band teil buch tome livre")
EDITIONS = _set("edition ed aufl auflage edicion edizione ausgabe")

ROMANS = _counted(
    "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx xxi xxii xxiii xxiv xxv xxvi xxvii"
    " xxviii xxix xxx"
)
NUMBER_WORDS = (
    _counted(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
        " eighteen nineteen twenty"
    )
    | _counted("eins zwei drei vier funf sechs sieben acht neun zehn")
    | _counted("un deux trois quatre cinq")
    | _counted("uno dos tres cuatro cinco")
)
ORDINALS = (
    _counted(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth"
        " fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
    )
    | _counted("erster zweiter dritter vierter funfter")
    | _counted("erstes zweites drittes viertes funftes")
    | _counted("erste zweite dritte vierte funfte")
    | _counted("premier deuxieme troisieme quatrieme cinquieme")
)
ORDINAL_ENDS = ("st", "nd", "rd", "th", "e", "eme")

# In the names of magazines' files. A month says its number.
MONTHS = {
    word: str(number)
    for number, line in enumerate(
        (
            "january jan januar janvier enero gennaio",
            "february feb februar fevrier febrero febbraio",
            "march mar marz mars marzo",
            "april apr avril abril aprile",
            "may mai mayo maggio",
            "june jun juni juin junio giugno",
            "july jul juli juillet julio luglio",
            "august aug aout agosto",
            "september sep sept septembre septiembre settembre",
            "october oct oktober okt octobre octubre ottobre",
            "november nov novembre noviembre",
            "december dec dezember dez decembre diciembre dicembre",
        ),
        1,
    )
    for word in line.split()
}
SEASONS = {
    word: line.split()[0]
    for line in (
        "spring fruhling printemps primavera",
        "summer sommer ete verano estate",
        "autumn fall herbst automne otono autunno",
        "winter hiver invierno inverno",
    )
    for word in line.split()
}

ARTICLES = _set("the a an der die das ein eine le la les l un une el los las il lo gli i de het een")
# Words that carry a title's grammar, not its meaning; they also tell what language it is in.
SMALL_WORDS = ARTICLES | _set(
    "and or of in on to for from at by with is as und oder von im am zu fur mit et ou du des en au aux y o e del della"
    " di da och og voor van и в на с"
)
# Which of them are of which language: `die` is an English word too, though no small one.
SMALL_WORDS_OF = {
    "en": _set("the a an and or of in on to for from at by with is as am die"),
    "de": _set("der die das ein eine und oder von im am zu fur mit des in an"),
    "fr": _set("le la les l un une et ou du des de en au aux y on a"),
    "es": _set("el la los las un una y o de del en e a"),
    "it": _set("il lo gli i la le l un e o di da del della in a"),
    "nl": _set("de het een en van voor in is"),
    "pt": _set("a o e as os um uma de da do em"),
    "sv": _set("och en i de"),
    "da": _set("og en et i de"),
    "ru": _set("и в на с"),
    "uk": _set("и в на с"),
    "bg": _set("и в на с"),
}
BOILERPLATE = _phrases("a novel|the novel|novel|a memoir|memoir|a thriller|roman|ein roman|romance|novela")

# Words that make another book of a title: they weigh wherever only one of two titles has them.
MAKES_ANOTHER = _set(
    "abridged unabridged condensed adapted adaptation retelling retold annotated notes illustrated graphic manga comic"
    " omnibus boxset box boxed set complete collection collected collections trilogy duology tetralogy quartet quintet"
    " anthology bundle compendium treasury selected selections excerpt excerpts sample preview teaser summary analysis"
    " guide companion workbook study teacher teachers student students instructors solutions sparknotes cliffsnotes"
    " audiobook audio dramatised dramatized dramatization screenplay script play libretto making art coloring cookbook"
    " gekurzt gekurzte gesamtausgabe sammelband schuber leseprobe zusammenfassung integrale abrege extrait coffret"
    " resumen antologia revised expanded updated uncut reader readers simplified level bilingual parallel zweisprachig"
    " young children childrens kids junior deluxe anniversary facsimile draft proof arc uncorrected"
)
# In only one of two titles, words of another edition: one ISBN for both is somebody's mistake.
MAKES_ANOTHER_EDITION = _set(
    "edition editions ausgabe neuausgabe auflage edicion edizione version versions critical large print grossdruck"
    " uncensored uncut cut preferred stories erzahlungen nouvelles cuentos german english french spanish italian"
    " portuguese dutch russian polish swedish danish norwegian japanese chinese korean turkish latin greek hebrew"
    " deutsch deutsche englisch englische franzosisch anglais francais francaise allemand espanol ingles"
)
# Titles of nothing but these words are shared by many books of many authors.
GENERIC = _set(
    "poem poems poetry verse verses sonnets ballads songs story stories tale tales novel novels novella novellas short"
    " selected collected complete works work essays essay letters letter plays play drama dramas comedies tragedies"
    " writings speeches sermons lectures diary diaries journal journals memoir memoirs autobiography biography reader"
    " anthology dictionary bible untitled unknown introduction volume book part notes magazine issue best new great"
    " greatest classic classics early later late other more first last fairy folk ghost horror love detective science"
    " fiction fantasy mystery mysteries cookbook history manual handbook guide text document index cover"
    " gedichte gedicht erzahlungen erzahlung novellen geschichten marchen briefe werke werk gesammelte ausgewahlte"
    " samtliche tagebucher tagebuch essais contes nouvelles poesies poemes lettres oeuvres theatre cuentos obras"
    " completas poesias poemas cartas racconti poesie opere lettere рассказы стихи избранное сочинения повести письма"
    " стихотворения сказки"
)
# What programs write where a title is missing.
JUNK_TITLES = _phrases(
    "|untitled|unknown|unknown title|no title|document|book|ebook|unbenannt|unbekannt|sans titre|sin titulo"
    "|без названия|converted ebook|microsoft word|title|index|cover|text"
)
JUNK_STARTS = ("microsoft word ", "untitled ", "scan ", "img ", "document ")

NOBODY = _phrases(
    "|anonymous|anonym|anonyme|various|various authors|various artists|diverse|unknown|unknown author|unknown artist"
    "|author|none|n a|na|null|admin|user|calibre|unbekannt|inconnu|desconocido|sconosciuto|onbekend|неизвестен"
    "|неизвестныи автор|aa vv|aavv|autor desconocido|autori vari"
    "|et al|staff|the staff|editors|the editors|editorial staff|redaktion|collectif|various writers|multiple authors"
    "|marvel|marvel comics|dc|dc comics|image|image comics|dark horse|dark horse comics|idw|idw publishing|vertigo"
)
NAME_TITLES = _set("dr prof professor phd md sir dame")
# Behind the names of father and son, who may write alike; in many catalogues they are left out.
GENERATIONS = _set("jr sr")
# What stands in brackets behind a name that is not an author's.
NOT_AUTHORS = _set(
    "translator transl trans editor ed illustrator narrator introduction foreword afterword preface ubersetzer hrsg"
    " herausgeber traducteur traductor contributor"
)

# Names that libraries are full of.
COMMON_FILE_NAMES = _set(
    "book ebook index content download file document output untitled unknown title text cover test sample part chapter"
    " volume epub pdf converted final new"
)
