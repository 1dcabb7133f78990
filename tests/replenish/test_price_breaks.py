"""Orders under quantity price breaks: near the optimum of a dynamic programme, and what a plan says of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import poisson

from checks.situations import make_situation
from shelfwise import planner
from shelfwise.messages import Said
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.simulate.network.discounts import PriceBreaks

MEAN, HIGHEST, MOST = 5.0, 130, 120
STEPS = [(0, 2.0), (40, 1.9), (80, 1.8)]


def situation_of(rng_seed, steps, incremental=False, *, n_series=1, on_hand=0.0, **more):
    quantiles = poisson.ppf((np.arange(300) + 0.5) / 300, MEAN)
    paths = np.random.default_rng(rng_seed).permutation(quantiles)[None, :, None].repeat(n_series, axis=0)
    situation = make_situation(
        paths, lead_time=0, on_hand=on_hand, holding=0.02, shortage=3.0, unit_cost=steps[0][1], **more
    )
    return replace(situation, price_breaks=PriceBreaks.of([steps] * n_series, incremental))


class Program:
    """One item with lost sales and no lead time: average cost of any order table, and the least there is."""

    def __init__(self, breaks: PriceBreaks, order_cost: float) -> None:
        self.demand = np.arange(20)
        self.chance = poisson.pmf(self.demand, MEAN)
        self.chance[-1] += 1.0 - self.chance.sum()
        levels = np.arange(HIGHEST + MOST + 1)
        left = np.maximum(levels[:, None] - self.demand, 0)
        short = np.maximum(self.demand - levels[:, None], 0)
        self.left = np.minimum(left, HIGHEST)
        self.one = (0.02 * left + 3.0 * short) @ self.chance
        orders = np.arange(MOST + 1)
        self.buy = breaks.cost(orders[None, :].astype(float))[0] + order_cost * (orders > 0)
        self.reach = np.arange(HIGHEST + 1)[:, None] + orders[None, :]

    def optimum(self) -> float:
        value = np.zeros(HIGHEST + 1)
        for _ in range(5_000):
            after = self.one + value[self.left] @ self.chance
            new = (self.buy + after[self.reach]).min(axis=1)
            gain = new - value
            value = new - new[0]
            if gain.max() - gain.min() < 1e-5:
                break
        return float(gain.mean())

    def average(self, orders: np.ndarray) -> float:
        after = np.arange(HIGHEST + 1) + orders
        moves = np.zeros((HIGHEST + 1, HIGHEST + 1))
        for demand, chance in zip(self.demand, self.chance, strict=True):
            moves[np.arange(HIGHEST + 1), np.clip(after - demand, 0, HIGHEST)] += chance
        # The share of time at each level, from its balance; the last equation says that shares add up to one.
        balance = moves.T - np.eye(HIGHEST + 1)
        balance[-1] = 1.0
        shares = np.linalg.lstsq(balance, np.eye(HIGHEST + 1)[-1], rcond=None)[0]
        return float(shares @ (self.buy[orders] + self.one[after]))


@pytest.mark.parametrize("incremental", [False, True])
@pytest.mark.parametrize(
    ("order_cost", "first", "second"),
    [(0.0, 1.9, 1.8), (6.0, 1.95, 1.9), (2.0, 1.99, 1.98), (0.0, 1.5, 1.49)],
)
def test_orders_cost_little_more_than_the_optimum(incremental, order_cost, first, second):
    """The average of everything, purchase included; what has to be paid for the goods in any case is taken out."""
    steps = [(0, 2.0), (40, first), (80, second)]
    states = HIGHEST + 1
    situation = situation_of(
        0, steps, incremental, n_series=states, on_hand=np.arange(states, dtype=float), max_quantity=MOST,
        order_cost=order_cost,
    )  # fmt: skip
    table = ScenarioOrderUpTo().decide(situation).quantity.astype(int)
    program = Program(PriceBreaks.of([steps], incremental), order_cost)
    best, ours = program.optimum(), program.average(table)
    plain = ScenarioOrderUpTo().decide(replace(situation, price_breaks=None)).quantity.astype(int)
    unavoidable = MEAN * second
    assert ours - unavoidable <= (best - unavoidable) * 1.03
    assert ours <= program.average(plain) + 1e-9
    assert ours <= best * 1.003


def test_a_break_out_of_reach_or_without_a_saving_changes_nothing():
    for steps in ([(0, 2.0), (5000, 0.1)], [(0, 2.0), (40, 2.0)], [(0, 2.0), (40, 2.5)], [(0, 2.0)]):
        situation = situation_of(1, steps)
        plain = ScenarioOrderUpTo().decide(replace(situation, price_breaks=None))
        decision = ScenarioOrderUpTo().decide(situation)
        assert decision.quantity.tolist() == plain.quantity.tolist()
        assert all(
            np.array_equal(decision.figures[name], values, equal_nan=True)
            for name, values in plain.figures.items()
        )


def test_just_below_a_break_the_order_reaches_it():
    """An order cost makes 25 to 35 at a time best; at 37 the price falls by a little, which pays at once."""
    base = ScenarioOrderUpTo().decide(situation_of(2, [(0, 2.0)], order_cost=2.0)).quantity[0]
    decision = ScenarioOrderUpTo().decide(situation_of(2, [(0, 2.0), (base + 2, 1.95)], order_cost=2.0))
    assert decision.quantity[0] >= base + 2
    assert decision.figures["without_price_break"][0] == base


def test_lots_and_the_maximum_hold():
    situation = situation_of(3, STEPS, multiple=12.0, max_quantity=79.0)
    assert ScenarioOrderUpTo().decide(situation).quantity[0] in (48.0, 60.0, 72.0)
    capped = situation_of(3, STEPS, max_quantity=30.0)
    assert ScenarioOrderUpTo().decide(capped).quantity[0] <= 30.0


def test_goods_that_expire_are_not_bought_for_a_price():
    situation = situation_of(4, [(0, 2.0), (80, 1.0)])
    assert ScenarioOrderUpTo().decide(situation).quantity[0] >= 80
    keeps = replace(situation, shelf_life=np.array([3], np.int32))
    assert ScenarioOrderUpTo().decide(keeps).quantity[0] < 30


def test_a_budget_that_holds_the_larger_orders_leaves_them_and_else_they_are_decided_without():
    policy, situation = ScenarioOrderUpTo(), situation_of(5, [(0, 2.0), (80, 1.2)])
    large = policy.decide(situation)
    assert large.quantity[0] >= 80
    exact = float(situation.price_breaks.cost(large.quantity)[0])
    assert SharedLimits(budget=exact).apply(policy, situation, large).quantity[0] == large.quantity[0]
    small = SharedLimits(budget=exact - 1.0).apply(policy, situation, large).quantity[0]
    assert small == policy.decide(replace(situation, price_breaks=None)).quantity[0]


def test_a_budget_holds_where_more_units_cost_more_each():
    policy, situation = ScenarioOrderUpTo(), situation_of(5, [(0, 2.0), (10, 3.0)], order_cost=2.0)
    large = policy.decide(situation)
    budget = 0.7 * float(situation.price_breaks.cost(large.quantity)[0])
    kept = SharedLimits(budget=budget).apply(policy, situation, large).quantity
    assert kept[0] > 10
    assert situation.price_breaks.cost(kept)[0] <= budget


def shop_plan(breaks, **settings):
    sales = pl.DataFrame(
        {"sku": ["a"] * 52, "date": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 12, 23), "1w", eager=True),
         "quantity": [4.0, 6.0, 5.0, 5.0] * 13}
    )  # fmt: skip
    terms = pl.DataFrame({"sku": ["a"], "unit_cost": [2.0], "lead_time": [1], "price_breaks": [breaks]})
    return planner.plan(
        sales, as_of="2024-12-30", model="moving_average", tuned=False, terms=terms,
        settings={"costs": {"holding": 0.02, "shortage": 5.0}, **settings},
    )  # fmt: skip


def test_the_plan_names_the_break_and_pays_its_price():
    plan = shop_plan("40:1.5")
    row = plan.table.row(0, named=True)
    assert row["quantity"] >= 40
    assert (row["unit_cost"], row["list_unit_cost"], row["price_break"]) == (1.5, 2.0, 40.0)
    assert row["value"] == row["quantity"] * 1.5
    assert row["reason_code"] == "plan.reason.order_price_break"
    assert "1.5 a unit on average instead of 2" in row["reason"]
    for lang in ("en", "zh"):
        assert "{" not in str(plan.explain("a", lang=lang))


def test_the_larger_order_is_not_blamed_on_lots():
    told = shop_plan("40:1.5").explain("a")
    assert told.step("after_moq").text.startswith("At the price of a larger order")


def test_a_price_below_the_first_break_that_nobody_knows_stays_unknown():
    sales = pl.DataFrame({"sku": ["a"] * 20, "date": [f"2024-{1 + w // 4:02d}-{1 + 7 * (w % 4):02d}" for w in range(20)],
                          "quantity": [5.0] * 20})  # fmt: skip
    terms = pl.DataFrame({"sku": ["a"], "lead_time": [1], "price_breaks": ["8:1.5"]})
    for most, paid in ((7.0, None), (8.0, 1.5)):
        plan = planner.plan(
            sales, as_of="2024-06-03", model="moving_average", tuned=False,
            terms=terms.with_columns(moq=pl.lit(most), max_quantity=pl.lit(most)),
        )  # fmt: skip
        row = plan.table.row(0, named=True)
        assert (row["quantity"], row["unit_cost"], row["list_unit_cost"]) == (most, paid, None)
        assert row["value"] == (None if paid is None else most * paid)


def test_incremental_breaks_are_a_setting():
    row = shop_plan("40:1.5", supply={"price_breaks": "incremental"}).table.row(0, named=True)
    assert 1.5 < row["unit_cost"] <= 2.0
    assert row["value"] == pytest.approx(2.0 * min(row["quantity"], 40) + 1.5 * max(row["quantity"] - 40, 0))


def test_a_plan_that_takes_no_break_says_so():
    def codes(plan):
        return [note.code for note in plan.notes if isinstance(note, Said)]

    assert "plan.unseen.price_breaks" not in codes(shop_plan("40:1.5"))
    assert "plan.unseen.price_breaks" in codes(shop_plan("40:1.5", objective={"minimise": "service"}))
    assert "plan.unseen.price_breaks" not in codes(shop_plan(None, objective={"minimise": "service"}))


def test_without_breaks_the_plan_has_no_such_columns():
    plain, blank = shop_plan(None), shop_plan(" ")
    assert "price_break" not in plain.table.columns
    assert plain.table.equals(blank.table)
