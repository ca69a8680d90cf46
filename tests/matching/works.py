"""What the made-up library is made of: names, titles and what publishers do to them."""

from __future__ import annotations


def _list(text: str) -> list[str]:
    return text.split()


# Title, author, language of the original, titles of translations; the last two keep their title in other languages.
CLASSICS = [
    ("Pride and Prejudice", "Jane Austen", "en", {"de": "Stolz und Vorurteil", "fr": "Orgueil et préjugés"}),
    ("Emma", "Jane Austen", "en", {"de": "Emma", "fr": "Emma"}),
    ("Jane Eyre", "Charlotte Brontë", "en", {"de": "Jane Eyre", "es": "Jane Eyre"}),
    ("Moby-Dick; or, The Whale", "Herman Melville", "en", {"de": "Moby-Dick oder Der Wal", "fr": "Moby Dick"}),
    ("Anna Karenina", "Leo Tolstoy", "ru", {"en": "Anna Karenina", "de": "Anna Karenina"}),
    ("Война и мир", "Leo Tolstoy", "ru", {"en": "War and Peace", "de": "Krieg und Frieden"}),
    ("Don Quixote", "Miguel de Cervantes", "es", {"en": "Don Quixote", "de": "Don Quijote"}),
    ("Le Comte de Monte-Cristo", "Alexandre Dumas", "fr", {"en": "The Count of Monte Cristo"}),
    ("Die Verwandlung", "Franz Kafka", "de", {"en": "The Metamorphosis", "es": "La metamorfosis"}),
    ("Ulysses", "James Joyce", "en", {"de": "Ulysses", "fr": "Ulysse"}),
    ("Dracula", "Bram Stoker", "en", {"de": "Dracula", "fr": "Dracula", "es": "Drácula"}),
    ("Lolita", "Vladimir Nabokov", "en", {"ru": "Лолита", "fr": "Lolita"}),
    ("1984", "George Orwell", "en", {"de": "1984", "fr": "1984", "es": "1984"}),
    ("Преступление и наказание", "Фёдор Достоевский", "ru", {"en": "Crime and Punishment"}),
    ("Der Zauberberg", "Thomas Mann", "de", {"en": "The Magic Mountain"}),
    ("Cien años de soledad", "Gabriel García Márquez", "es", {"en": "One Hundred Years of Solitude"}),
    ("L'Étranger", "Albert Camus", "fr", {"en": "The Stranger", "de": "Der Fremde"}),
    ("Middlemarch", "George Eliot", "en", {"de": "Middlemarch"}),
    ("Frankenstein; or, The Modern Prometheus", "Mary Shelley", "en", {"de": "Frankenstein"}),
    ("The Picture of Dorian Gray", "Oscar Wilde", "en", {"de": "Das Bildnis des Dorian Gray"}),
]
TITLES_OF_ALL_LANGUAGES = ["Emma", "Dracula", "Lolita", "Ulysses", "Anna Karenina", "Jane Eyre", "1984"]
GIVEN = _list(
    "Anna Bernard Clara Daniel Elena Felix Greta Hugo Irene Jonas Katya Leon Miriam Noah Olga Paul Renée Søren Tove"
    " Ursula Victor Wanda Zoë Ángel Émile Łukasz María José"
)
SECOND = ["", "", "", "J.", "M.", "Marie", "R. R.", "Thomas", "de la"]
FAMILY = _list(
    "Abbott Bergström Castellanos Dvořák Eriksen Fontaine Grünwald Hawthorne Ibarra Jansen Kowalczyk Lindqvist Moreau"
    " Nakamura O'Brien Petrov Quist Romero Sørensen Takahashi Underhill Vasquez Whitlock Yilmaz Zamora Müller Smith"
    " García"
)
PLACES = _list(
    "River House Garden Winter Harbour Mountain City Island Orchard Library Forest Station Tower Bridge Desert"
)

THINGS = _list("Silence Glass Salt Memory Iron Paper Light Ashes Stone Smoke Honey Thunder Velvet Copper Shadow Amber")
PEOPLE = _list("Clockmaker Daughter Stranger Gardener Thief Widow Cartographer Pilgrim Surgeon Beekeeper Sailor Queen")
ADJECTIVES = _list(
    "Last Quiet Broken Hidden Long Invisible Burning Second Distant Northern Forgotten Glass Empty Golden"
)

SUBTITLES = [
    "A Novel", "A History", "How We Came to Be", "A Memoir of the North", "Essays on Work", "The Untold Story",
    "A Short Introduction", "Notes from the Field", "Or, the Wanderer", "What Science Tells Us",
]  # fmt: skip
GENERIC = ["Selected Poems", "Collected Stories", "Essays", "Letters", "Poems", "Plays", "Selected Writings", "Diaries"]
SERIES = ["The Saltmarsh Chronicles", "Inspector Quist", "Iron Crown", "The Amber Cycle", "Harbour Street", "Nightfall"]
COMICS = ["Moonrunner", "Ash & Ember", "Garden Wolves", "Kazoku", "The Ninth Gate", "Saga of Tin"]
MAGAZINES = ["The Northern Review", "Weekly Engineer", "Le Mois", "Orbit"]
TEXTBOOKS = ["Introduction to Algorithms and Data", "Organic Chemistry", "Principles of Economics", "Linear Algebra"]
MARKS = ["Annotated", "Illustrated", "Abridged", "Graphic Novel", "Deluxe Edition", "Study Guide", "Summary"]
