"""Two devices and the web, at random: a bounded number here, very many by `python -m tests.annotations`."""

from __future__ import annotations

import pytest

from tests import soak
from tests.annotations.history import FLAVOURS, try_many, try_one

COUNT = soak.bounded(3_000, 100_000)  # 20 s beside other tests
PARTS = 10

# Each was broken once; what it was about stands beside it.
ONCE_BROKEN = (
    572,  # moved onto a highlight that another device had made
    1208,  # an in-book note with its place spelt otherwise, and another one beside it
    1494,  # the creation was lost, and somebody wrote an in-book note there
    2520,  # new marks in a record that had been replaced by an old one
    3978,  # what the server had waited to be put where the reader moved a highlight
    5061,  # sent, not answered, moved; and another device made the same
    7706,  # an old record in which the reader went on writing
    12313,  # a highlight with an in-book note beside it was moved
    20605,  # moved to where no place can be named, and its book note was deleted
    25237,  # moved before the answer to its creation came
    35965,  # an old record from before a move
    37539,  # replaced because its note was gone, and then somebody wrote one
    43310,  # made and deleted at the place of one that had been lost
)


@pytest.mark.parametrize("part", range(PARTS))
def test_two_devices_and_the_web_come_to_the_same_without_loss_resurrection_or_duplicate(part: int) -> None:
    size = COUNT // PARTS
    figures = try_many(part * size, size)
    assert figures["calls"] > size  # something was sent


@pytest.mark.parametrize("seed", ONCE_BROKEN)
def test_what_was_broken_once_is_not_broken_again(seed: int) -> None:
    try_one(seed)


def test_every_flavour_of_history_comes_up() -> None:
    assert {try_one(seed).flavour.name for seed in range(len(FLAVOURS))} == {flavour.name for flavour in FLAVOURS}
