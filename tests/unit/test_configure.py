"""Setup files as people write them, on whatever computer they have."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.configure import SetupProblem, parse

GOOD = "server = https://books.example.org\nuser = anna\npassword = a b = c # d\n"


def test_a_password_may_hold_anything_but_space_at_its_ends() -> None:
    assert parse(GOOD.encode(), "setup.txt")["password"] == "a b = c # d"


@pytest.mark.parametrize("content", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), "# mine\n\n" + GOOD.upper()])
def test_a_file_from_any_editor_is_understood(content: str) -> None:
    assert parse(content.encode(), "setup.txt")["user"].lower() == "anna"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "lacks server and user and password"),
        ("server = x\nuser = y\n", "lacks password"),
        ("server = x\nuser\n", "line 2: expected one of server"),
        ("sever = x\n", "line 1"),
        (GOOD + "user = " + "x" * 2000, "line 4: the value is too long"),
        ("user =\nserver = x\npassword = y", "lacks user"),
        ("server = x\npassword = y", "lacks user"),
        ("user = y\npassword = z", "lacks server"),
        ("server = x\nuser = y\ntoken =", "lacks password"),
        ("server = x\ntoken = abc", "lacks user"),
        ("keep_password = perhaps", "line 1: expected yes or no"),
        ("hardcover_token = caf\u00e9", "line 1: a token holds letters"),
        ("home_network = " + "x" * 33, "line 1: a Wi-Fi network's name"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(content: str, words: str) -> None:
    with pytest.raises(SetupProblem, match=words):
        parse(content.encode(), "setup.txt")


def test_a_file_in_another_encoding_is_refused_in_words() -> None:
    with pytest.raises(SetupProblem, match="not UTF-8"):
        parse(GOOD.encode("utf-16"), "setup.txt")


def test_a_token_is_enough_and_names_its_user() -> None:
    token = "e30." + base64.urlsafe_b64encode(b'{"sub":"anna","exp":1}').decode().rstrip("=") + ".x"
    assert parse(f"server = x\ntoken = {token}".encode(), "setup.txt")["user"] == "anna"
    assert parse(f"server = x\nuser = Anna\ntoken = {token}".encode(), "setup.txt")["user"] == "Anna"


def test_a_token_of_another_user_than_the_one_beside_it_is_refused() -> None:
    token = "e30." + base64.urlsafe_b64encode(b'{"sub":"anna","exp":1}').decode().rstrip("=") + ".x"
    with pytest.raises(SetupProblem, match="the token is not bert's"):
        parse(f"server = x\nuser = bert\ntoken = {token}".encode(), "setup.txt")


@pytest.mark.parametrize(
    "content", ["hardcover_token = abc", "password = new", "local_server = http://192.168.1.5\nhome_network = Nest"]
)
def test_a_file_that_only_changes_something_need_not_name_the_server(content: str) -> None:
    assert "server" not in parse(content.encode(), "setup.txt")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_setup_or_a_problem(content: bytes) -> None:
    with pytest.raises(SetupProblem):
        parse(content, "setup.txt")
