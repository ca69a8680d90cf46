"""The Lua plugin's settings and accounts: what becomes of them, and that nothing secret gets anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from device.core import plugin_settings
from device.store import database, preferences
from tests.old_plugin import HASH, NOW, SERVER, Device, at, fill, older_files

SECRETS = ("geheim-0123", "anna@home", "koreader-pass", "hardcover.jwt")


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    made = Device(tmp_path / "koreader")
    yield made
    made.store.close()


# Settings and accounts


def test_settings_go_by_our_own_table(device: Device) -> None:
    with device.old() as old:
        old.set(
            min_duration="45.0", min_pages="0", session_detection_mode="pages", progress_decimal_places="9",
            sync_mode="custom", manual_sync_only="true",
        )  # fmt: skip
    told = device.take_over()
    loaded = preferences.load(device.store)
    assert (loaded.number("min_duration_s"), loaded.number("min_pages")) == (45, 1)
    assert (loaded.get("detection"), loaded.number("progress_decimals"), loaded.is_manual()) == ("pages", 5, True)
    assert "The old plugin's value of min_pages was brought within what is possible here." in told


def test_a_setting_that_is_no_value_is_named_and_left(device: Device) -> None:
    with device.old() as old:
        old.set(min_duration="soon", session_detection_mode="mood", progress_decimal_places="nan", min_pages="inf")
    told = device.take_over()
    assert "The old plugin's setting min_duration has no usable value and was left out." in told
    assert "The old plugin's setting session_detection_mode has no usable value and was left out." in told
    assert preferences.load(device.store).number("min_pages") == 1_000


def test_what_the_reader_has_set_here_stays(device: Device) -> None:
    with device.store.transaction():
        preferences.save(device.store, "min_duration_s", 10)
    with device.old() as old:
        old.set(min_duration="45")
    device.take_over()
    assert preferences.load(device.store).number("min_duration_s") == 10


@pytest.mark.parametrize(
    ("flag", "mode", "manual"),
    [("true", "automatic", True), ("false", "manual", False), (None, "manual", True), (None, "custom", False)],
)
def test_the_flag_goes_before_the_mode(flag: str | None, mode: str, manual: bool) -> None:
    values = {"sync_mode": mode} | ({} if flag is None else {"manual_sync_only": flag})
    assert plugin_settings.read(values).preferences == ({"sync_mode": "manual"} if manual else {})


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"rating_sync_enabled": "false"}, {"rating": "off"}),
        ({"rating_sync_enabled": "true", "rating_sync_mode": "koreader_scaled"}, {}),
        ({"rating_sync_enabled": "true", "rating_sync_mode": "select_at_complete"}, {"rating": "ask"}),
        ({"hardcover_rating_sync_enabled": "false"}, {"hardcover_sync": "off"}),
        ({"hardcover_rating_sync_enabled": "true"}, {}),
        ({}, {}),
    ],
)
def test_what_was_set_about_ratings_comes_over(values: dict[str, str], meant: dict[str, str]) -> None:
    found = plugin_settings.read(values)
    assert (found.preferences, found.kept) == (meant, {})


def test_settings_of_features_to_come_are_kept_as_they_are_and_secrets_are_not(device: Device) -> None:
    with device.old() as old:
        fill(old)
        old.set(
            local_url="https://192.168.0.2", home_ssid="Whale", api_key="12345", progress_sync_enabled="true",
            progress_interval="15", remote_host="true", odd="some words",
        )  # fmt: skip
    device.take_over()
    kept = dict(device.rows("SELECT key, value FROM setting WHERE key LIKE 'plugin.%' AND key NOT LIKE '%deletion%'"))
    assert kept == {
        "plugin.booklore_shelf_name": "2024",
        "plugin.is_enabled": "true",
        "plugin.log_to_file": "false",
        "plugin.notes_destination": "both",
        "plugin.progress_sync_enabled": "true",
        "plugin.progress_interval": "15",
    }


def test_the_account_comes_over_letter_by_letter(device: Device) -> None:
    with device.old() as old:
        old.set(
            server_url=SERVER + "/", booklore_username="0123", booklore_password=" 1e5 ", username="007",
            password="true", hardcover_token="tok",
        )  # fmt: skip
    device.take_over()
    secrets = device.keeper.load()
    assert secrets is not None
    assert (secrets.server, secrets.user, secrets.password) == (SERVER, "0123", " 1e5 ")
    assert (secrets.koreader_user, secrets.koreader_password, secrets.hardcover_token) == ("007", "true", "tok")


def test_an_account_that_is_there_stays(device: Device) -> None:
    device.configure("https://other.example.org", "eve")
    with device.old() as old:
        fill(old)
    device.take_over()
    secrets = device.keeper.load()
    assert secrets is not None
    assert (secrets.owner(), secrets.password) == ("eve at https://other.example.org", "own password")
    assert secrets.koreader_user == "anna-ko"


def test_an_address_that_is_none_is_told_without_being_quoted_and_the_rest_comes_over(device: Device) -> None:
    with device.old() as old:
        fill(old)
        old.connection.execute(
            "UPDATE plugin_settings SET value = 'https://anna:geheim-0123@books.org' WHERE key = 'server_url'"
        )
    told = device.take_over()
    assert any("server address cannot be used" in line for line in told)
    assert device.keeper.load() is None
    assert device.keeper.load_all().koreader_user == "anna-ko"
    assert len(device.states()) == 5
    assert not any("geheim" in line for line in told)


def test_nothing_of_an_account_gets_into_store_or_messages(device: Device) -> None:
    with device.old() as old:
        fill(old)
    told = "\n".join(device.take_over())
    device.store.close()
    content = Path(device.folder.store).read_bytes()
    device.store = database.open_store(device.folder.disk, device.folder.store, NOW)
    for secret in SECRETS:
        assert secret not in told
        assert secret.encode() not in content.replace(b"anna@home at", b"")  # whose ids the matches are


def test_a_plugin_that_was_switched_off_is_mentioned(device: Device) -> None:
    with device.old() as old:
        old.set(is_enabled="false")
    assert any("was switched off" in line for line in device.take_over())


def test_a_token_beside_the_old_plugin_is_found_where_it_was_moved_to(device: Device) -> None:
    path = device.root / "plugins" / "bookloresync.koplugin.old" / "hardcover.token"
    path.parent.mkdir(parents=True)
    path.write_text("  eyJ0.abc.def \nnothing else\n")
    device.old().close()
    device.take_over()
    assert device.keeper.load_all().hardcover_token == "eyJ0.abc.def"


# Older settings files


def test_the_settings_files_of_its_first_versions_are_read(device: Device) -> None:
    older_files(device)
    told = device.take_over()
    assert told[0] == "Taken over from the old plugin: 1 book, 1 reading session to send."
    assert "Left out: 1 reading session (times that cannot be read)." in told
    assert device.rows("SELECT file, fingerprint, server_id FROM book") == [("/books/moby.epub", HASH, 7)]
    assert device.rows("SELECT start_fraction, end_fraction, start_page FROM reading_session") == [(0.015, 0.03, 3)]
    assert preferences.load(device.store).is_manual()
    secrets = device.keeper.load()
    assert secrets is not None
    assert secrets.password == "geheim-0123"


def test_the_database_goes_before_the_settings_files(device: Device) -> None:
    older_files(device)
    with device.old() as old:
        old.set(min_duration="90")
        old.add_history(HASH, at(0), at(10), 600)
    device.take_over()
    assert preferences.load(device.store).number("min_duration_s") == 90
    assert device.states() == ["acknowledged"]


def test_a_settings_file_that_lost_its_tail_is_read_from_the_older_copy(device: Device) -> None:
    older_files(device)
    path = device.root / "settings" / "booklore_db.lua"
    whole = path.read_bytes()
    path.with_name("booklore_db.lua.old").write_bytes(whole)
    path.write_bytes(whole[: len(whole) // 2])
    device.take_over()
    assert device.states() == ["intent"]


def test_a_settings_file_that_is_broken_is_named_and_costs_only_itself(device: Device) -> None:
    older_files(device)
    (device.root / "settings" / "booklore.lua").write_text("return { os.execute('reboot') }")
    told = device.take_over()
    assert any("booklore.lua cannot be read: line 1: 'os' is not a literal." in line for line in told)
    assert device.states() == ["waiting"]
