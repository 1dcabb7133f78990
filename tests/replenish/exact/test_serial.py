"""Serial systems: printed levels and costs, simulation, and what must hold of any optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import newsvendor_normal, newsvendor_poisson, serial_system

PRINTED = [
    (([3, 2, 2], [1, 1, 2], 37.12, 5.0, 1.0), [6.49, 12.02, 22.705], 47.660),
    (([1, 1], [1, 1], 15.0, 100.0, 15.0), [123.45, 228.40], 166.251),
    (([5, 2], [8, 3], 24.0, 20.0, 4.0), [171.20, 232.16], 438.185),
    (([0.25] * 4, [0.25] * 4, 9.0, 16.0), [8, 13, 18, 22], 12.688),
    (([0.25] * 4, [0.25] * 4, 99.0, 16.0), [11, 17, 22, 27], 16.206),
]


@pytest.mark.parametrize(("arguments", "levels", "cost"), PRINTED)
def test_the_printed_systems(arguments, levels, cost):
    best = serial_system(*arguments)
    assert best.echelon_levels == pytest.approx(levels, rel=1e-3)
    assert best.cost == pytest.approx(cost, abs=1e-3)


def test_one_stage_is_a_newsvendor():
    normal, poisson = newsvendor_normal(20.0, 4.0, 2.0, 9.0), newsvendor_poisson(8.0, 2.0, 9.0)
    one = serial_system([2.0], [4.0], 9.0, 5.0, 2.0)
    assert one.echelon_levels.item() == pytest.approx(normal.level.item(), rel=1e-5)
    assert one.cost == pytest.approx(normal.cost.item(), rel=1e-5)
    one = serial_system([2.0], [4.0], 9.0, 2.0)
    assert (one.echelon_levels.item(), one.cost) == pytest.approx((poisson.level.item(), poisson.cost.item()))


@settings(max_examples=30, deadline=None)
@given(
    h=st.lists(st.floats(0.1, 3.0), min_size=2, max_size=3),
    lead=st.lists(st.floats(0.2, 2.0), min_size=3, max_size=3),
    backorder=st.floats(2.0, 40.0),
    mean=st.floats(1.0, 12.0),
    moves=st.lists(st.integers(-3, 3), min_size=3, max_size=3),
)
def test_no_other_levels_cost_less(h, lead, backorder, mean, moves):
    best = serial_system(h, lead[: len(h)], backorder, mean)
    assert (
        serial_system(h, lead[: len(h)], backorder, mean, echelon_levels=best.echelon_levels).cost
        == best.cost
    )
    other = best.echelon_levels + moves[: len(h)]
    assert serial_system(h, lead[: len(h)], backorder, mean, echelon_levels=other).cost >= best.cost - 1e-9


def simulated(h, lead, backorder, mean, levels, buckets, rng):
    """Average cost of two stages under periodic review, bucket by bucket: order, receive, serve, count."""
    demand = rng.poisson(mean, buckets)
    upper, lower = float(levels[1] - levels[0]), float(levels[0])
    to_upper, to_lower = [0.0] * lead[1], [0.0] * lead[0]
    owed_below, total = 0.0, 0.0
    for t in range(buckets):
        # Echelon position of stage 2 counts all stock at or below it, less what customers are owed.
        position = upper + sum(to_upper) + sum(to_lower) + lower - owed_below
        to_upper.append(max(levels[1] - position, 0.0))
        upper += to_upper.pop(0)
        wanted = max(levels[0] - (sum(to_lower) + lower - owed_below), 0.0)
        sent = min(wanted, upper)
        upper -= sent
        to_lower.append(sent)
        lower += to_lower.pop(0)
        asked = demand[t] + owed_below
        served = min(lower, asked)
        lower, owed_below = lower - served, asked - served
        local = [h[0] + h[1], h[1]]
        total += local[1] * (upper + sum(to_lower)) + local[0] * lower + backorder * owed_below
    return total / buckets


def test_periodic_review_agrees_with_simulation():
    arguments = ([1.0, 0.5], [2, 1], 9.0, 4.0)
    best = serial_system(*arguments, review="periodic")
    rng = np.random.default_rng(3)
    seen = simulated(*arguments, best.echelon_levels, 300_000, rng)
    assert seen == pytest.approx(best.cost, rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "more", "text"),
    [
        (([1.0, 1.0], [1.0], 9.0, 5.0), {}, "every stage"),
        (([1.0], [0.0], 9.0, 5.0), {}, "above 0"),
        (([1.0], [1.0], 9.0, -5.0), {}, "demand_mean"),
        (([1.0], [1.0], 9.0, 5.0, 0.0), {}, "demand_sd"),
        (([1.0], [1.0], 9.0, 5.0), {"review": "weekly"}, "'continuous' or 'periodic'"),
        (([1.0], [1.0], 9.0, 5.0), {"echelon_levels": [1e6]}, "out of all proportion"),
    ],
)
def test_what_is_wrong_is_named(arguments, more, text):
    with pytest.raises(UsageError, match=text):
        serial_system(*arguments, **more)
