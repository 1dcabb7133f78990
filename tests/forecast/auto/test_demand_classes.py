"""Classes of demand at their thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.forecast.auto.demand_classes import CLASS_NAMES, demand_classes

WEEK = Bucket("week")


def name(demand, bucket=WEEK):
    return CLASS_NAMES[demand_classes(np.atleast_2d(np.asarray(demand, float)), bucket)[0]]


def test_each_quadrant():
    every, rare = np.ones(40), np.tile([1, 0, 0, 0], 10)
    even, uneven = np.ones(40), np.where(np.arange(40) % 8 == 0, 30, 1)
    assert name(every * even) == "smooth"
    assert name(every * uneven) == "erratic"
    assert name(rare * even) == "intermittent"
    assert name(rare * uneven) == "lumpy"


@pytest.mark.parametrize(("sold", "expected"), [(31, "smooth"), (30, "intermittent")])
def test_interval_is_cut_at_1_32(sold, expected):
    # 40 / 31 = 1.29, 40 / 30 = 1.33
    assert name(np.append(np.ones(sold), np.zeros(40 - sold))) == expected


@pytest.mark.parametrize(("large", "expected"), [(5.6, "smooth"), (5.8, "erratic")])
def test_squared_variation_is_cut_at_0_49(large, expected):
    # sizes 1 and x in equal parts: ((x - 1) / (x + 1)) ** 2 is 0.486 and 0.498
    assert name(np.tile([1.0, large], 20)) == expected


def test_unknown_buckets_count_for_nothing():
    demand = np.full(60, np.nan)
    demand[::3] = 5
    assert name(demand) == "smooth"


def test_new_until_enough_was_seen():
    launched = np.full(60, np.nan)
    launched[-7:] = 3
    assert name(launched) == "new"
    launched[-8:] = 3
    assert name(launched) == "smooth"
    assert name(np.full(60, np.nan)) == "new"
    assert name(np.ones(20), Bucket("day")) == "new"


def test_never_sold_is_intermittent():
    assert name(np.zeros(50)) == "intermittent"
