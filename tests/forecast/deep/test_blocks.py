"""Everything has its place: each unit once, in the column its number says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.forecast.deep.blocks import SLOTS, blocks


@given(st.lists(st.integers(0, 2**64 - 1), max_size=200))
def test_every_unit_stands_once_and_in_its_column(numbers):
    places = np.array(numbers, np.uint64)
    made = blocks(places)
    assert made.shape[1] == SLOTS
    assert sorted(made[made >= 0].tolist()) == list(range(len(numbers)))
    turn, column = np.nonzero(made >= 0)
    assert (places[made[turn, column]] % np.uint64(SLOTS) == column.astype(np.uint64)).all()


@given(st.lists(st.integers(0, 500), min_size=1, max_size=60), st.randoms())
def test_who_stands_beside_one_does_not_move_it(numbers, random):
    places = np.array(numbers, np.uint64)
    some = np.array(sorted(random.sample(range(len(numbers)), random.randint(1, len(numbers)))))
    column = {int(unit): int(c) for row in blocks(places) for c, unit in enumerate(row) if unit >= 0}
    fewer = blocks(places[some])
    for row in fewer:
        for c, unit in enumerate(row):
            assert unit < 0 or column[int(some[unit])] == c
