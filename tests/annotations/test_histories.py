"""Two devices and the web, at random: a bounded number here, very many by `python -m tests.annotations`."""

from __future__ import annotations

import pytest

from tests import soak
from tests.annotations.history import FLAVOURS, try_many, try_one

COUNT = soak.bounded(3_000, 100_000)  # 20 s beside other tests
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_two_devices_and_the_web_come_to_the_same_without_loss_resurrection_or_duplicate(part: int) -> None:
    size = COUNT // PARTS
    figures = try_many(part * size, size)
    assert figures["calls"] > size  # something was sent


def test_every_flavour_of_history_comes_up() -> None:
    assert {try_one(seed).flavour.name for seed in range(len(FLAVOURS))} == {flavour.name for flavour in FLAVOURS}
