"""The menu model: what the launcher draws, and what its taps mean."""

from __future__ import annotations

from typing import Any

from device.core import outbox
from device.core.preferences import PREFERENCES, Preferences
from device.protocol import JOB_VERBS
from device.store.outbox import OpenEntry
from device.ui.menu import State, menu

NOW = 1_795_000_000


def model(entries: list[OpenEntry] | None = None, stored: dict[str, str] | None = None, **state: Any) -> dict[str, Any]:
    made = State(entries or [], Preferences(stored or {}), NOW)
    for name, value in state.items():
        setattr(made, name, value)
    return dict(menu(made))


def flat(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*items, *(inner for item in items for inner in flat(item.get("items", [])))]


def items(**state: Any) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in flat(model(**state)["items"])}


def test_a_menu_with_a_thousand_waiting_books_stays_short() -> None:
    entries = [OpenEntry(outbox.NEW, f"Book {number}", 1, NOW, None) for number in range(1000)]
    found = model(entries, server="https://books.example.org")["items"]
    assert len(found) < 35
    assert "… and 980 more" in str(found[-1])


def test_without_an_account_the_menu_says_so_and_syncing_is_off() -> None:
    found = items(problem="books.example.org refused the login")
    assert found["sync"]["enabled"] is False
    assert "No server account yet" in found["server"]["label"]
    assert found["problem"]["label"] == "The last sync failed: books.example.org refused the login"


def test_every_tap_starts_a_verb_that_a_job_may_carry() -> None:
    verbs = {item["verb"] for item in items().values() if "verb" in item}
    assert verbs <= set(JOB_VERBS)
    assert {"sync", "set", "track", "selfcheck"} <= verbs


def test_every_preference_can_be_set_from_the_menu_within_its_bounds() -> None:
    by_pages = {"detection": "pages"}
    for preference in PREFERENCES:
        found = {**items(), **items(stored=by_pages)}
        if preference.choices:
            taps = [found[f"{preference.key}-{choice}"] for choice in preference.choices]
            assert [tap["arguments"]["value"] for tap in taps] == list(preference.choices)
        else:
            item = found[preference.key]
            assert (item["least"], item["most"]) == (preference.least, preference.most)
            assert item["arguments"] == {"key": preference.key}


def test_the_menu_shows_the_readers_own_values() -> None:
    found = items(stored={"idle_cap_s": "600", "sync_mode": "manual"})
    assert found["idle_cap_s"]["value"] == 600
    assert (found["sync_mode-manual"]["checked"], found["sync_mode-automatic"]["checked"]) == (True, False)
    assert "Sync now" in found["manual"]["label"]


def test_books_that_are_not_recorded_are_unchecked_when_they_are_open() -> None:
    track = items(untracked=["/books/diary.epub"])["track"]
    assert (track["checked"], track["unchecked_for"], track["needs"]) == (True, ["/books/diary.epub"], "book")
