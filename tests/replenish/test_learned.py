"""Learned orders: monotone whatever the weights, the same in torch and NumPy, better when trained, kept in a file."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.policy_checks import EVERYWHERE, WITHOUT_DEBTS
from checks.situations import situations
from shelfwise.errors import UsageError
from shelfwise.replenish.exact.discrete import poisson_pmf
from shelfwise.replenish.exact.lost_sales import LostSales, lost_sales_cost
from shelfwise.replenish.learned import Learned, OrderNetwork, train_orders
from shelfwise.replenish.learned.context import COLUMNS, context_of
from shelfwise.replenish.register import make_policy
from shelfwise.simulate import Costs, SupplyTerms

TERMS = SupplyTerms(np.array([1, 2]))
COSTS = Costs.same(2, holding=1.0, shortage=9.0)


def untrained(seed: int = 1, n_slots: int = 40) -> OrderNetwork:
    return OrderNetwork.initial(len(COLUMNS), n_slots, (12,), seed)


@pytest.fixture(scope="module")
def demand() -> np.ndarray:
    return np.random.default_rng(0).poisson(5.0, (2, 256, 24)).astype(float)


@pytest.fixture(scope="module")
def trained(demand):
    return train_orders(demand, TERMS, COSTS, steps=60, batch=128, hidden=(16,), seed=3)


@pytest.mark.parametrize("check", EVERYWHERE, ids=lambda check: check.__name__)
def test_it_keeps_the_promises_of_every_policy(check):
    @given(situations())
    @settings(max_examples=20, deadline=None, derandomize=True)
    def run(situation):
        check(partial(Learned, untrained()), situation)

    run()


@pytest.mark.parametrize("check", WITHOUT_DEBTS, ids=lambda check: check.__name__)
def test_it_keeps_them_where_nobody_is_owed(check):
    @given(situations(owed=False), st.sampled_from([2.0, 3.0]))
    @settings(max_examples=20, deadline=None, derandomize=True)
    def run(situation, amount):
        check(partial(Learned, untrained()), situation, amount)

    run()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 4), st.floats(0.1, 5.0))
def test_more_stock_never_raises_an_order_whatever_the_weights(seed, slot, more):
    rng = np.random.default_rng(seed)
    network = untrained(seed, n_slots=5)
    wild = OrderNetwork(
        tuple(10 * rng.normal(size=w.shape) for w in network.weights),
        tuple(rng.normal(size=b.shape) for b in network.biases),
        5,
    )
    stock, context = rng.uniform(0, 4, (20, 5)), rng.normal(2, 2, (20, len(COLUMNS)))
    raised = stock.copy()
    raised[:, slot] += more
    assert (wild.orders(raised, context) <= wild.orders(stock, context) + 1e-12).all()


def test_training_lowers_the_exact_cost(demand, trained):
    costs = []
    for network in (OrderNetwork.initial(len(COLUMNS), 3, (16,), 3), trained.network):
        known = context_of(demand, TERMS, COSTS, 1)

        def rule(states, network=network, known=known):
            stock = np.zeros((len(states), 3))
            stock[:, : states.shape[1]] = states
            context = np.tile(known.values[1, 0], (len(states), 1))
            return np.rint(network.orders(stock / known.scale[1], context) * known.scale[1]).astype(int)

        costs.append(lost_sales_cost(LostSales(poisson_pmf(5.0), 2, 1.0, 9.0), rule).cost)
    assert costs[1] < 0.97 * costs[0]
    # The optimum of this instance is 6.0936 (Zipkin 2008).
    assert 6.0936 <= costs[1] < 6.0936 * 1.04


def test_the_same_seed_trains_the_same_network(demand, trained):
    again = train_orders(demand, TERMS, COSTS, steps=60, batch=128, hidden=(16,), seed=3)
    for first, second in zip(trained.network.weights, again.network.weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_saved_network_orders_the_same(trained, tmp_path):
    for name in ("a.orders", "b.orders"):
        trained.network.save(tmp_path / name)
    assert (tmp_path / "a.orders").read_bytes() == (tmp_path / "b.orders").read_bytes()
    loaded = make_policy(f"learned:{tmp_path / 'a.orders'}").network
    stock, context = np.ones((4, 3)), np.ones((4, len(COLUMNS)))
    np.testing.assert_array_equal(loaded.orders(stock, context), trained.network.orders(stock, context))


def test_a_file_that_is_no_network_is_refused(tmp_path):
    broken = tmp_path / "x.orders"
    broken.write_bytes(b"PK not really")
    for path in (broken, tmp_path / "absent.orders"):
        with pytest.raises(UsageError, match="not a readable network"):
            make_policy(f"learned:{path}")


def test_what_it_cannot_learn_from_is_refused(demand):
    with pytest.raises(UsageError, match="order cost"):
        train_orders(demand, TERMS, Costs.same(2, holding=1.0, shortage=9.0, order=1.0))
    with pytest.raises(UsageError, match="T >= 9"):
        train_orders(demand[:, :, :8], TERMS, COSTS)
