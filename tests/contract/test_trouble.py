"""Whatever stands between a device and its server: what the reader is told, what it costs, that nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trouble import SESSIONS, TROUBLES, Course, Trouble, course

HANGING_S = 12  # a run this short gives a silent host up early; `python -m tests.trouble_report` gives it all its time
NAMES = [trouble.name for trouble in TROUBLES]


@pytest.fixture(scope="module", params=TROUBLES, ids=NAMES)
def met(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Trouble, Course]:
    trouble: Trouble = request.param
    job = {"deadline_s": HANGING_S} if trouble.name == "hanging host" else {}
    return trouble, course(trouble, tmp_path_factory.mktemp("trouble"), job=job)


def said(found: Course) -> str:
    return " ".join(message["text"] for message in found.result["messages"])


def test_the_reader_who_asked_is_told_what_it_is(met: tuple[Trouble, Course]) -> None:
    trouble, found = met
    assert found.result["outcome"] == trouble.outcome, said(found)
    assert any(words in said(found) for words in trouble.says.split("|")), said(found)
    assert said(found)


def test_nothing_is_lost_and_nothing_is_doubled(met: tuple[Trouble, Course]) -> None:
    _, found = met
    counts = found.result["counts"]
    assert counts["sent"] + counts["waiting"] == SESSIONS
    assert counts["rejected"] == 0
    assert (found.arrived, found.doubled) == (SESSIONS, 0), found.after
    assert (found.after["outcome"], found.after["counts"]["waiting"]) == ("done", 0), found.after


def test_it_costs_no_more_requests_and_time_than_it_may(met: tuple[Trouble, Course]) -> None:
    trouble, found = met
    assert found.requests <= trouble.most_requests
    assert found.wall_s <= trouble.most_s


def test_only_a_certificate_that_cannot_be_checked_is_asked_about(met: tuple[Trouble, Course]) -> None:
    trouble, found = met
    asked = [question["id"] for question in found.result["questions"] if question["id"].startswith("certificate-")]
    assert len(asked) == trouble.asks


@pytest.mark.parametrize(
    "trouble",
    [trouble for trouble in TROUBLES if trouble.name in ("dead host", "proxy down", "proxy that wants a password")],
    ids=lambda trouble: str(trouble.name),
)
def test_a_reader_who_did_not_ask_is_not_told_that_she_is_offline(trouble: Trouble, tmp_path: Path) -> None:
    found = course(trouble, tmp_path, "close")
    assert found.result["messages"] == []
    assert (found.arrived, found.doubled) == (SESSIONS, 0)
