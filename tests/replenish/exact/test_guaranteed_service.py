"""Guaranteed service on trees: every choice of times of small trees, and an independent library."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import SupplyTree, guaranteed_service, pooled_sd


@st.composite
def trees(draw):
    """Trees of up to four stages, joined at random, arrows either way."""
    stages = draw(st.integers(1, 4))
    supplies = []
    for stage in range(1, stages):
        other = draw(st.integers(0, stage - 1))
        supplies.append((other, stage) if draw(st.booleans()) else (stage, other))
    customers = set(range(stages)) - {i for i, _ in supplies}
    limits = [float(draw(st.integers(0, 2))) if i in customers else np.inf for i in range(stages)]
    return SupplyTree(
        supplies,
        [draw(st.integers(0, 3)) for _ in range(stages)],
        [draw(st.floats(0.1, 5.0)) for _ in range(stages)],
        [draw(st.floats(0.5, 5.0)) for _ in range(stages)],
        limits,
        [draw(st.integers(0, 2)) for _ in range(stages)],
        safety_factor=1.0,
    )


def cost_of(tree, outbound):
    """What the promises cost, every stage waiting for its latest input; None if one is impossible."""
    total = 0.0
    for stage in range(len(outbound)):
        inputs = [outbound[i] for i, j in tree.supplies if j == stage]
        received = max([int(tree.inbound_buckets[stage]), *inputs])
        covered = received + tree.processing_buckets[stage] - outbound[stage]
        if covered < 0 or outbound[stage] > tree.outbound_limits[stage]:
            return None
        total += tree.holding_costs[stage] * tree.safety_factor * tree.demand_sd[stage] * np.sqrt(covered)
    return total


@settings(max_examples=120, deadline=None)
@given(tree=trees())
def test_no_promises_cost_less(tree):
    best = guaranteed_service(tree)
    longest = int(tree.processing_buckets.sum() + tree.inbound_buckets.max())
    costs = [cost_of(tree, times) for times in product(range(longest + 1), repeat=len(tree.holding_costs))]
    assert best.cost == pytest.approx(min(cost for cost in costs if cost is not None), abs=1e-9)
    assert cost_of(tree, best.outbound.tolist()) <= best.cost + 1e-9
    for i, j in tree.supplies:
        assert best.outbound[i] <= best.inbound[j]


def test_it_agrees_with_stockpyl_on_the_textbook_tree():
    theirs = pytest.importorskip("stockpyl.gsm_tree")
    from stockpyl.instances import load_instance

    _, cost = theirs.optimize_committed_service_times(load_instance("example_6_5"))
    supplies = [(0, 1), (1, 2), (1, 3)]
    sd = pooled_sd(supplies, [0.0, 0.0, 1.0, 1.0])
    tree = SupplyTree(
        supplies, [2, 1, 1, 1], [1.0, 2.0, 3.0, 3.0], sd, [np.inf, np.inf, 0, 1], [1, 0, 0, 0], 1.0
    )
    best = guaranteed_service(tree)
    assert best.cost == pytest.approx(cost, rel=1e-9)
    assert best.outbound.tolist() == [0, 0, 0, 1]


def test_each_stage_of_a_chain_keeps_all_or_nothing():
    """Simpson (1958): in a serial chain some optimum quotes either no wait or the whole wait."""
    stages = 60
    rng = np.random.default_rng(2)
    processing = rng.integers(1, 4, stages)
    supplies = [(i, i + 1) for i in range(stages - 1)]
    limits = [np.inf] * (stages - 1) + [0]
    best = guaranteed_service(
        SupplyTree(supplies, processing, np.sort(rng.uniform(1, 5, stages)), np.ones(stages), limits)
    )
    whole = best.inbound + processing
    assert ((best.outbound == 0) | (best.outbound == whole)).all()
    assert 0 < (best.outbound == whole).sum() < stages


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"supplies": [(0, 1), (0, 1)]}, "make a tree"),
        ({"supplies": [(0, 3), (1, 2)]}, "numbered from 0 to 2"),
        ({"outbound_limits": [np.inf, np.inf, 0]}, "stage 1 has none"),
        ({"processing_buckets": [1, 0.5, 1]}, "whole buckets"),
        ({"holding_costs": [1.0, -1.0, 1.0]}, "holding_costs must hold 3 values of at least 0"),
        ({"demand_sd": [1.0, np.inf, 1.0]}, "demand_sd must be finite"),
    ],
)
def test_what_is_wrong_is_named(changes, text):
    arguments = {
        "supplies": [(0, 1), (0, 2)],
        "processing_buckets": [1, 1, 1],
        "holding_costs": [1.0, 1.0, 1.0],
        "demand_sd": [1.0, 1.0, 1.0],
        "outbound_limits": [np.inf, 0, 0],
    }
    with pytest.raises(UsageError, match=text):
        SupplyTree(**{**arguments, **changes})
