"""Order quantities: printed values, search over a grid, and an independent library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import eoq, eoq_all_units, eoq_backorders, eoq_incremental

POSITIVE = st.floats(0.1, 50.0)
BREAKS, PRICES = [0, 400, 800], [0.75, 0.72, 0.68]


def test_the_printed_values():
    plain = eoq(8.0, 0.225, 1300.0)
    assert (plain.quantity.item(), plain.cost.item()) == pytest.approx((304.04678, 68.410526), abs=5e-6)
    discount = eoq_all_units(8.0, 0.3, 1300.0, BREAKS, PRICES)
    assert (discount.quantity.item(), discount.cost.item()) == pytest.approx((800.0, 978.60), abs=5e-3)


@given(order=POSITIVE, holding=POSITIVE, backorder=POSITIVE, rate=POSITIVE)
def test_backorders_beat_every_lot_and_share_near_by(order, holding, backorder, rate):
    best = eoq_backorders(order, holding, backorder, rate)
    lot, share = best.quantity.item(), best.backorder_share.item()

    def cost(lot, share):
        return order * rate / lot + 0.5 * lot * (holding * (1 - share) ** 2 + backorder * share**2)

    assert best.cost.item() == pytest.approx(cost(lot, share), rel=1e-9)
    for factor in (0.9, 1.1):
        assert cost(lot * factor, share) >= cost(lot, share) * (1 - 1e-12)
        assert cost(lot, min(share * factor, 1.0)) >= cost(lot, share) * (1 - 1e-12)
    assert best.cost <= eoq(order, holding, rate).cost * (1 + 1e-12)


def discounted_cost(lot, order, holding_rate, rate, breaks, prices, incremental):
    """Plain: what one lot costs under either discount."""
    region = max(j for j, low in enumerate(breaks) if lot >= low)
    if incremental:
        ends = [*breaks[1 : region + 1], lot]
        paid = sum(price * (end - low) for price, low, end in zip(prices, breaks, ends, strict=False))
    else:
        paid = prices[region] * lot
    return paid / lot * rate + order * rate / lot + 0.5 * holding_rate * paid


@pytest.mark.parametrize("incremental", [False, True])
@given(
    order=POSITIVE,
    holding_rate=st.floats(0.05, 1.0),
    rate=st.floats(1.0, 2000.0),
    steps=st.lists(st.tuples(st.integers(1, 300), st.floats(0.5, 0.99)), max_size=3),
)
def test_no_lot_costs_less_than_the_discounted_best(incremental, order, holding_rate, rate, steps):
    breaks, prices = [0.0], [2.0]
    for width, factor in steps:
        breaks.append(breaks[-1] + width)
        prices.append(prices[-1] * factor)
    best = (eoq_incremental if incremental else eoq_all_units)(order, holding_rate, rate, breaks, prices)
    lots = np.unique(np.concatenate([np.geomspace(0.5, 5000, 400), breaks[1:], best.quantity]))
    costs = [discounted_cost(lot, order, holding_rate, rate, breaks, prices, incremental) for lot in lots]
    at_best = costs[int(np.flatnonzero(lots == best.quantity[0])[0])]
    assert best.cost.item() == pytest.approx(at_best, rel=1e-9)
    assert best.cost.item() <= min(costs) * (1 + 1e-9)


def test_discounts_agree_with_stockpyl():
    theirs = pytest.importorskip("stockpyl.eoq")
    lot, _, cost = theirs.economic_order_quantity_with_all_units_discounts(8, 0.3, 1300, BREAKS, PRICES)
    ours = eoq_all_units(8.0, 0.3, 1300.0, BREAKS, PRICES)
    assert (ours.quantity.item(), ours.cost.item()) == pytest.approx((lot, cost), rel=1e-9)
    lot, _, cost = theirs.economic_order_quantity_with_incremental_discounts(8, 0.3, 1300, BREAKS, PRICES)
    ours = eoq_incremental(8.0, 0.3, 1300.0, BREAKS, PRICES)
    assert (ours.quantity.item(), ours.cost.item()) == pytest.approx((lot, cost), rel=1e-9)
    lot, share, cost = theirs.economic_order_quantity_with_backorders(8, 0.225, 5, 1300)
    backordered = eoq_backorders(8.0, 0.225, 5.0, 1300.0)
    assert backordered.quantity.item() == pytest.approx(lot, rel=1e-9)
    assert backordered.backorder_share.item() == pytest.approx(share, rel=1e-9)
    assert backordered.cost.item() == pytest.approx(cost, rel=1e-9)


def test_items_may_have_breaks_of_their_own():
    both = eoq_all_units([8.0, 20.0], 0.3, [1300.0, 50.0], [BREAKS, [0, 10, 20]], [PRICES, [9.0, 8.0, 7.9]])
    second = eoq_all_units(20.0, 0.3, 50.0, [0, 10, 20], [9.0, 8.0, 7.9])
    assert both.quantity.tolist() == [800.0, second.quantity.item()]
    assert both.cost[1] == second.cost.item()


@pytest.mark.parametrize(
    ("breaks", "prices", "text"),
    [
        ([100, 200], [1.0, 0.9], "begin with 0"),
        ([0, 200, 200], [1.0, 0.9, 0.8], "rise"),
        ([0, 200], [1.0, 0.0], "unit_costs must be above 0"),
        ([0, 200], [1.0, 0.9, 0.8], "do not fit"),
    ],
)
def test_bad_breaks_are_refused(breaks, prices, text):
    with pytest.raises(UsageError, match=text):
        eoq_all_units(8.0, 0.3, 1300.0, breaks, prices)


def test_free_orders_come_one_by_one():
    assert eoq(0.0, 1.0, 100.0).quantity.item() == 0.0
    with pytest.raises(UsageError, match="holding_cost"):
        eoq(8.0, 0.0, 100.0)
