"""How a returned xpointer is judged: by the text between, and by what the real engine is known to have there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance import reverse
from tests.conformance.converter import Converter
from tests.conformance.engine_text import EngineText
from tests.conformance.ground_truth import GroundTruth, Highlight
from tests.conformance.reverse import Facts, ReverseVerdict
from tests.conformance.test_the_run import RIGHT, make_converter, make_data
from tests.fixtures.make_books import make_odd_book
from tests.web.browser import Piece, Resolved

NODE = "/body/DocFragment[1]/body/p[1]/text()"
DOM = 20240114


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineText]:
    with EngineText(make_odd_book(tmp_path / "odd.epub"), DOM) as opened:
        yield opened


def judged(tmp_path: Path, answer: dict[str, object], *pieces: Piece) -> ReverseVerdict:
    """One selection of these text nodes, and a converter that always gives this answer."""
    tmp_path.mkdir(exist_ok=True)
    data = make_data(tmp_path / "data")
    text = "".join(piece.text for piece in pieces)
    (data / "browser_cfis.jsonl").write_text(json.dumps({"epub": "odd.epub", "cfi": RIGHT, "text": text}) + "\n")
    seen = {"odd.epub": [Resolved(section=0, pieces=pieces)]}
    converter = Converter(make_converter(tmp_path / "converter", answer))
    (verdict,) = reverse.judge(GroundTruth(data), converter, seen, DOM, with_text=True)
    return verdict


def at(start: int, end: int) -> dict[str, object]:
    return {"pos0": f"{NODE}.{start}", "pos1": f"{NODE}.{end}", "status": "exact"}


def test_the_text_between_two_places_is_the_engines(engine: EngineText) -> None:
    assert engine.between(f"{NODE}.0", f"{NODE}.13") == "Whoevertakes"


def test_a_place_that_is_not_there_has_no_text(engine: EngineText) -> None:
    assert engine.between(f"{NODE}.0", "/body/DocFragment[9]/body/p[1]/text().5") is None


def test_the_selected_words_are_exact(tmp_path: Path) -> None:
    assert judged(tmp_path, at(0, 13), Piece("Whoever takes", "")).outcome == reverse.EXACT


def test_other_words_are_wrong(tmp_path: Path) -> None:
    assert judged(tmp_path, at(1, 13), Piece("Whoever takes", "")).outcome == reverse.WRONG


def test_what_is_left_when_an_end_is_hidden_is_told_apart(tmp_path: Path) -> None:
    verdict = judged(tmp_path, at(0, 13), Piece("Whoever takes", ""), Piece("page 12", "page number"))
    assert verdict.outcome == reverse.VISIBLE_PART


def test_no_place_for_what_is_wholly_hidden_is_right(tmp_path: Path) -> None:
    nothing: dict[str, object] = {"pos0": None, "pos1": None, "status": "approximate"}
    assert judged(tmp_path, nothing, Piece("page 12", "page number")).outcome == reverse.HIDDEN
    assert judged(tmp_path / "2", nothing, Piece("Whoever", "")).outcome == reverse.APPROXIMATE


def test_the_real_engines_characters_contradict_a_wrong_offset() -> None:
    facts = Facts([Highlight("odd.epub", DOM, "normal", f"{NODE}.8", f"{NODE}.13", "takes", raw="takes")])
    assert facts.check("odd.epub", f"{NODE}.8", f"{NODE}.13", "takes") == (2, 0)
    assert facts.check("odd.epub", f"{NODE}.9", f"{NODE}.13", "takes") == (2, 1)


def test_both_spellings_name_the_same_place() -> None:
    facts = Facts([Highlight("odd.epub", DOM, "normal", f"{NODE}.8", f"{NODE}.13", "takes", raw="takes")])
    explicit = "/body[1]/DocFragment[1]/body[1]/p[1]/text()[1]"
    assert facts.check("odd.epub", f"{explicit}.8", f"{explicit}.13", "takes") == (2, 0)


def test_where_nothing_is_known_nothing_is_contradicted() -> None:
    assert Facts([]).check("odd.epub", f"{NODE}.8", f"{NODE}.13", "takes") == (0, 0)
