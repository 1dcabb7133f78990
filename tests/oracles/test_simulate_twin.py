"""The compiled simulator against its slow twin, on instances made up by hypothesis.

Quantities are multiples of 1/4, so that both add up exactly and must agree to the last unit.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.inventory_twin import TwinLedger, twin_lots, twin_simulate, twin_wish
from shelfwise.simulate import Costs, Ledger, Levels, StockState, SupplyTerms, round_lots, simulate

quarters = st.integers(0, 80).map(lambda n: n / 4)
few = settings(max_examples=100, deadline=None)


@st.composite
def instances(draw: st.DrawFn) -> dict:
    n, p, t = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 12))

    def each(values: st.SearchStrategy, *shape: int) -> np.ndarray:
        size = math.prod(shape)
        return np.array(draw(st.lists(values, min_size=size, max_size=size))).reshape(shape)

    depth = draw(st.integers(0, 15))
    lot = each(st.sampled_from([0.0, 0.0, 0.5, 3.0]), n)
    wide = draw(st.booleans())
    level_shape = (n, t) if wide else (n,)
    with_point = bool((lot > 0).any()) or draw(st.booleans())
    lead_times = each(st.integers(0, 20), n, p, t) if draw(st.booleans()) else None
    return {
        "demand": each(quarters, n, p, t),
        "terms": SupplyTerms(
            each(st.sampled_from([0, 1, 2, 5, 30]), n),
            each(st.integers(1, 4), n),
            each(st.sampled_from([0.0, 1.0, 7.25]), n),
            each(st.sampled_from([0.25, 1.0, 6.0]), n),
            each(st.sampled_from([0.0, 5.0, 12.5, math.inf]), n),
            each(st.sampled_from([0.0, 0.5, 1.0]), n),
            each(st.integers(0, 3), n),
        ),
        "costs": Costs(*(each(quarters, n) for _ in range(4))),
        "state": StockState(each(quarters, n), each(quarters, n), each(quarters, n, depth)),
        "policy": Levels(
            each(quarters, *level_shape) * 2,
            each(quarters, *level_shape) if with_point else None,
            each(st.sampled_from([2.5, 10.0, math.inf]), n) if draw(st.booleans()) else None,
            lot if with_point else None,
        ),
        "lead_times": lead_times,
        "order_crossing": draw(st.booleans()),
    }


def twin_of(case: dict, n: int, p: int) -> TwinLedger:
    terms, costs, state, levels = case["terms"], case["costs"], case["state"], case["policy"]
    t_count = case["demand"].shape[2]

    def at(array: np.ndarray | None, t: int) -> float | None:
        return None if array is None else float(array[n] if array.ndim == 1 else array[n, t])

    def wish(t: int, position: float) -> float:
        lot = at(levels.fixed_lot, 0) or 0.0
        up_to = at(levels.order_up_to, t)
        assert up_to is not None
        return twin_wish(position, up_to, at(levels.reorder_point, t), at(levels.cap, 0), lot)

    drawn = case["lead_times"]
    same = [int(terms.lead_time_buckets[n])] * t_count
    return twin_simulate(
        case["demand"][n, p].tolist(),
        wish,
        lead_times=same if drawn is None else drawn[n, p].tolist(),
        review_period=int(terms.review_period_buckets[n]),
        first_review=int(terms.first_review[n]),
        moq=terms.moq[n],
        multiple=terms.multiple[n],
        max_quantity=terms.max_quantity[n],
        lost_share=terms.lost_share[n],
        on_hand=state.on_hand[n],
        backorders=state.backorders[n],
        pipeline=state.pipeline[n].tolist(),
        holding=costs.holding[n],
        shortage=costs.shortage[n],
        order=costs.order[n],
        unit=costs.unit[n],
        order_crossing=case["order_crossing"],
    )


def compare(run: Ledger, twin: TwinLedger, n: int, p: int) -> None:
    assert run.buckets is not None
    for name in ("on_hand_end", "served", "lost", "backorders", "ordered", "received"):
        assert getattr(run.buckets, name)[n, p].tolist() == getattr(twin, name), name
    totals = {
        "served": sum(twin.served),
        "served_late": sum(twin.served_late),
        "lost": sum(twin.lost),
        "ordered": sum(twin.ordered),
        "orders": sum(quantity > 0 for quantity in twin.ordered),
        "received": sum(twin.received),
        "on_hand_unit_buckets": sum(twin.on_hand_end),
        "backorder_unit_buckets": sum(twin.backorders),
        "stockout_buckets": sum(twin.stockout),
        "cycles": len(twin.cycles()),
        "stockout_cycles": sum(any(cycle) for cycle in twin.cycles()),
        "end_on_hand": twin.on_hand_end[-1],
        "end_backorders": twin.backorders[-1],
        "end_on_order": twin.end_on_order,
        "holding_cost": twin.holding_cost,
        "shortage_cost": twin.shortage_cost,
        "order_cost": twin.order_cost,
        "purchase_cost": twin.purchase_cost,
    }
    for name, value in totals.items():
        assert getattr(run, name)[n, p] == pytest.approx(value, rel=1e-12, abs=1e-12), name


@given(instances())
@few
def test_compiled_run_equals_the_twin_in_every_bucket(case: dict) -> None:
    run = simulate(**case, record="ledger")
    run.check_books(case["state"], case["demand"])
    n_series, n_paths, _ = case["demand"].shape
    for n in range(n_series):
        for p in range(n_paths):
            compare(run, twin_of(case, n, p), n, p)


def spelled_out(levels: Levels):
    """The levels as a plain NumPy rule, written without the kernel."""

    def rule(t: int, position: np.ndarray, on_hand: np.ndarray, on_order: np.ndarray) -> np.ndarray:
        def now(array: np.ndarray | None, absent: float) -> np.ndarray:
            if array is None:
                return np.full((len(position), 1), absent)
            return array[:, None] if array.ndim == 1 else array[:, t : t + 1]

        point, lot = now(levels.reorder_point, np.inf), now(levels.fixed_lot, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            lots = (np.floor((point - position) / lot) + 1) * lot
        raw = np.where(lot > 0, lots, now(levels.order_up_to, 0.0) - position)
        return np.where(position <= point, np.minimum(raw, now(levels.cap, np.inf)), 0.0)

    return rule


@given(instances())
@few
def test_levels_as_a_callable_give_the_same_ledger_to_the_bit(case: dict) -> None:
    compiled = simulate(**case, record="ledger")
    called = simulate(**(case | {"policy": spelled_out(case["policy"])}), record="ledger")
    assert_same_bits(compiled, called)


@given(instances())
@few
def test_the_orders_of_a_run_given_again_repeat_the_run(case: dict) -> None:
    first = simulate(**case, record="ledger")
    assert first.buckets is not None
    again = simulate(**(case | {"policy": first.buckets.ordered}), record="ledger")
    assert_same_bits(first, again)


def assert_same_bits(left: Ledger, right: Ledger) -> None:
    for name, value in vars(left).items():
        if name == "buckets":
            for field, array in vars(value).items():
                assert array.tobytes() == getattr(right.buckets, field).tobytes(), field
        elif isinstance(value, np.ndarray):
            assert value.tobytes() == getattr(right, name).tobytes(), name


@given(
    st.integers(0, 400).map(lambda n: n / 8),
    st.sampled_from([0.0, 0.5, 3.0, 10.0, 24.0]),
    st.sampled_from([0.125, 1.0, 2.5, 6.0]),
    st.sampled_from([0.0, 2.0, 9.0, 24.0, math.inf]),
)
def test_round_lots_is_exact(quantity: float, moq: float, multiple: float, most: float) -> None:
    assert round_lots(quantity, moq, multiple, most) == twin_lots(quantity, moq, multiple, most)
