"""The simulator: sequences worked by hand, published answers, and what must hold for any run."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.simulate import Costs, Ledger, Levels, StockState, SupplyTerms, draw_lead_times, simulate


def shop(n: int = 60, p: int = 3, t: int = 40, seed: int = 0) -> dict:
    """A mixed bag of series for properties."""
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(0, 1, n)
    return {
        "demand": rng.poisson(rate[:, None, None], (n, p, t)).astype(np.float32),
        "terms": SupplyTerms(
            rng.integers(0, 6, n), rng.integers(1, 4, n), rng.integers(0, 5, n), rng.integers(1, 4, n),
            np.where(rng.random(n) < 0.5, np.inf, 30.0), rng.choice([0.0, 0.5, 1.0], n),
        ),
        "costs": Costs(rng.random(n), rng.random(n) * 5, rng.random(n), rng.random(n)),
        "state": StockState(rng.integers(0, 9, n), rng.integers(0, 2, n), rng.integers(0, 3, (n, 4))),
        "policy": Levels.base_stock(np.ceil(rate * 6)),
    }  # fmt: skip


def one(
    demand: list[float],
    policy: object,
    state: StockState,
    record: str = "ledger",
    costs: Costs | None = None,
    lead_times: object = None,
    order_crossing: bool = True,
    **terms: object,
) -> Ledger:
    """One series, one path."""
    prices = Costs.same(1, holding=1, shortage=10) if costs is None else costs
    supply = SupplyTerms.same(1, **({"lead_time_buckets": 2} | terms))
    run = simulate(
        np.array([demand]),
        supply,
        prices,
        state,
        policy,
        lead_times=lead_times,
        order_crossing=order_crossing,
        record=record,
    )
    run.check_books(state, np.array([demand]))
    return run


def rows(run: Ledger, *names: str) -> list[list[float]]:
    return [getattr(run.buckets, name)[0, 0].tolist() for name in names]


def test_vn2_week_by_week():
    """As of Monday of week 0, lead time 2: what is ordered at the start of week t is on sale in t + 2.

    Start: 4 on hand, 3 due in week 0, 2 due in week 1; up to 12. Position 9, so 3 are ordered and come in
    week 2. Week 0: 4 + 3 - 5 = 2 left. Week 1: position 2 + 2 + 3 = 7, order 5; 2 + 2 - 6: 2 lost.
    Week 2: position 0 + 3 + 5 = 8, order 4; 0 + 3 - 1 = 2 left. Week 3: position 2 + 5 + 4 = 11, order 1;
    2 + 5 - 5 = 2 left.
    """
    start = StockState([4.0], pipeline=[[3.0, 2.0]])
    prices = Costs.same(1, holding=0.2, shortage=1.0)
    run = one([5, 6, 1, 5], Levels.base_stock([12.0]), start, costs=prices)
    ordered, received, left, lost = rows(run, "ordered", "received", "on_hand_end", "lost")
    assert ordered == [3, 5, 4, 1]
    assert received == [3, 2, 3, 5]
    assert left == [2, 0, 2, 2]
    assert lost == [0, 2, 0, 0]
    assert run.holding_cost.item() == pytest.approx(0.2 * 6)
    assert run.shortage_cost.item() == pytest.approx(2.0)
    assert run.cost.item() == pytest.approx(3.2)
    assert run.end_on_order.item() == 5


def test_lead_time_zero_serves_the_same_bucket():
    run = one([5, 5], Levels.base_stock([5.0]), StockState.empty(1), lead_time_buckets=0)
    assert rows(run, "received", "served") == [[5, 5], [5, 5]]
    assert run.shortage_cost.item() == 0


def test_backorders_wait_and_are_charged_in_every_bucket():
    run = one([3, 0, 0], Levels.base_stock([0.0]), StockState.empty(1), unmet="backorder")
    assert rows(run, "ordered", "backorders", "served") == [[0, 3, 0], [3, 3, 3], [0, 0, 0]]
    run = one([3, 0, 0, 2], Levels.base_stock([0.0]), StockState.empty(1), unmet="backorder")
    assert rows(run, "backorders", "served", "received") == [[3, 3, 3, 2], [0, 0, 0, 3], [0, 0, 0, 3]]
    assert run.shortage_cost.item() == 10 * 11
    assert run.fill_rate.item() == 0.0
    assert (run.served.item(), run.served_late.item()) == (3, 3)


def test_half_lost_half_waiting():
    run = one([4, 0], Levels.base_stock([0.0]), StockState.empty(1), unmet=0.5)
    assert rows(run, "lost", "backorders") == [[2, 0], [2, 2]]
    assert run.shortage_cost.item() == 10 * (2 + 2 + 2)


def test_reviews_keep_their_rhythm():
    run = one([1] * 7, Levels.base_stock([9.0]), StockState([9.0]), review_period_buckets=3, first_review=1)
    assert rows(run, "ordered") == [[0, 1, 0, 0, 3, 0, 0]]


def test_reorder_point_and_lots():
    start = StockState([10.0])
    min_max = one([4] * 4, Levels.min_max([6.0], [12.0]), start, lead_time_buckets=1)
    assert rows(min_max, "ordered") == [[0, 6, 0, 8]]
    lots = one([4] * 4, Levels.lots([6.0], [4.0]), start, lead_time_buckets=1)
    assert rows(lots, "ordered") == [[0, 4, 4, 4]]
    capped = one([4] * 4, Levels.base_stock([12.0], cap=[3.0]), start, lead_time_buckets=1)
    assert rows(capped, "ordered") == [[2, 3, 3, 3]]


def test_costs_of_orders_and_units():
    prices = Costs.same(1, holding=0, shortage=0, order=7, unit=3)
    run = one([4] * 4, Levels.min_max([6.0], [12.0]), StockState([10.0]), costs=prices, lead_time_buckets=1)
    assert run.orders.item() == 2
    assert run.order_cost.item() == 14
    assert run.purchase_cost.item() == 42


def test_service_measures_by_hand():
    """Receipts in buckets 2 and 4 cut six buckets into three cycles; the first and the last run out."""
    given = np.array([[4.0, 0.0, 4.0, 0.0, 0.0, 0.0]])
    run = one([3, 3, 1, 1, 3, 5], given, StockState([4.0]))
    assert rows(run, "received") == [[0, 0, 4, 0, 4, 0]]
    assert rows(run, "on_hand_end") == [[1, 0, 3, 2, 3, 0]]
    assert rows(run, "lost") == [[0, 2, 0, 0, 0, 2]]
    assert (run.cycles.item(), run.stockout_cycles.item()) == (3, 2)
    assert run.cycle_service.item() == pytest.approx(1 / 3)
    assert run.bucket_service.item() == pytest.approx(4 / 6)
    assert run.fill_rate.item() == pytest.approx(12 / 16)
    assert run.mean_on_hand.item() == pytest.approx(9 / 6)
    assert run.turns().item() == pytest.approx(12 / 1.5)
    assert run.turns(52).item() == pytest.approx(12 / 1.5 * 52 / 6)


def test_orders_cross_only_if_they_may():
    given, draws = np.array([[5.0, 2.0, 0.0, 1.0, 0.0]]), np.array([[3, 1, 0, 0, 0]])
    crossing = one([0] * 5, given, StockState.empty(1), lead_times=draws)
    assert rows(crossing, "received") == [[0, 0, 2, 6, 0]]
    in_turn = one([0] * 5, given, StockState.empty(1), lead_times=draws, order_crossing=False)
    assert rows(in_turn, "received") == [[0, 0, 0, 8, 0]]
    behind = StockState([0.0], pipeline=[[0.0, 0.0, 0.0, 0.0, 9.0, 0.0]])
    late = one([0] * 5, given, behind, lead_times=draws, order_crossing=False)
    assert rows(late, "received") == [[0, 0, 0, 0, 17]]


def test_a_lead_time_beyond_the_run_stays_on_order():
    start = StockState([5.0], pipeline=np.ones((1, 9)))
    run = one([1, 1], Levels.base_stock([5.0]), start, lead_time_buckets=99)
    assert run.received.item() == 2
    assert run.end_on_order.item() == 7
    endless = one([1, 1], np.array([[3.0, 3.0]]), StockState.empty(1), lead_times=np.array([[2**40, 0]]))
    assert (endless.received.item(), endless.end_on_order.item()) == (3, 3)


@pytest.mark.parametrize(
    ("lead_time", "penalty", "base_stock", "published"), [(1, 4.0, 12.0, 4.1629), (2, 9.0, 19.0, 6.3163)]
)
def test_zipkin_lost_sales_base_stock(lead_time: int, penalty: float, base_stock: float, published: float):
    """Zipkin (2008), Poisson(5) demand, h = 1: long-run cost a bucket, within three standard errors."""
    n_paths, warm_up, n_buckets = 400, 100, 5000
    demand = np.random.default_rng(8).poisson(5.0, (1, n_paths, warm_up + n_buckets)).astype(np.float32)
    supply = SupplyTerms.same(1, lead_time_buckets=lead_time)
    prices, start = Costs.same(1, holding=1.0, shortage=penalty), StockState([base_stock])
    levels = Levels.base_stock([base_stock])
    whole = simulate(demand, supply, prices, start, levels)
    first = simulate(demand[:, :, :warm_up], supply, prices, start, levels)
    costs = (whole.cost - first.cost)[0] / n_buckets
    error = costs.std(ddof=1) / np.sqrt(n_paths)
    assert error < 0.01
    assert abs(costs.mean() - published) < 3 * error + 5e-5


def test_two_dimensional_demand_is_one_path():
    case = shop(p=1)
    flat = simulate(**(case | {"demand": case["demand"][:, 0]}))
    assert flat.cost.shape == (60, 1)
    assert flat.cost.tolist() == simulate(**case).cost.tolist()


def test_the_record_changes_no_total():
    assert_same(simulate(**shop()), simulate(**shop(), record="ledger"))


def test_permuting_series_permutes_results():
    case, order = shop(), np.random.default_rng(1).permutation(60)
    levels = Levels.base_stock(case["policy"].order_up_to[order])
    moved = {name: case[name].take(order) for name in ("terms", "costs", "state")}
    shuffled = simulate(case["demand"][order], moved["terms"], moved["costs"], moved["state"], levels)
    assert_same(shuffled, simulate(**case).take(order))


def test_chunks_joined_equal_the_whole():
    case = shop()
    whole = simulate(**case, record="ledger")
    parts = []
    for rows_ in (slice(0, 7), slice(7, 60)):
        terms, costs, state = (case[name].take(rows_) for name in ("terms", "costs", "state"))
        levels = Levels.base_stock(case["policy"].order_up_to[rows_])
        parts.append(simulate(case["demand"][rows_], terms, costs, state, levels, record="ledger"))
    joined = Ledger.concat(parts)
    assert_same(joined, whole)
    assert joined.buckets is not None
    assert whole.buckets is not None
    assert joined.buckets.served.tobytes() == whole.buckets.served.tobytes()
    with pytest.raises(UsageError, match="0 parts of 0 kinds"):
        Ledger.concat([])


def test_any_number_of_threads_gives_the_same_bytes():
    import numba

    case = shop(n=300)
    many = simulate(**case)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert_same(simulate(**case), many)
    finally:
        numba.set_num_threads(before)


def test_more_stock_never_loses_more_sales_under_the_same_orders():
    case = shop(seed=3)
    orders = np.random.default_rng(4).integers(0, 4, (60, 40)).astype(float)
    lost = SupplyTerms.same(60, lead_time_buckets=2)
    runs = []
    for extra in (0.0, 1.0, 5.0):
        start = StockState(case["state"].on_hand + extra, case["state"].backorders, case["state"].pipeline)
        runs.append(simulate(case["demand"], lost, case["costs"], start, orders).lost)
    assert (runs[1] <= runs[0]).all()
    assert (runs[2] <= runs[1]).all()
    assert runs[2].sum() < runs[0].sum()


def test_pooled_ratios_are_those_of_the_assortment():
    run = simulate(**shop(), record="ledger")
    pooled = run.over_series()
    assert pooled.cost.shape == (1, 3)
    assert pooled.cost == pytest.approx(run.cost.sum(axis=0, keepdims=True))
    at_once = (run.served - run.served_late).sum(axis=0)
    assert pooled.fill_rate[0] == pytest.approx(at_once / run.demand.sum(axis=0))
    assert pooled.mean_on_hand[0] == pytest.approx(run.mean_on_hand.sum(axis=0))
    assert pooled.bucket_service[0] == pytest.approx(run.bucket_service.mean(axis=0))


def test_no_demand_has_no_fill_rate():
    run = one([0, 0], Levels.base_stock([0.0]), StockState.empty(1))
    assert np.isnan(run.fill_rate.item())
    assert np.isnan(run.turns().item())
    assert run.cycle_service.item() == 1.0


def test_fractional_books_balance():
    case = shop()
    case["demand"] = case["demand"] * 0.1
    case["terms"] = SupplyTerms.same(60, lead_time_buckets=3, multiple=0.1, unmet=0.3)
    run = simulate(**case, record="ledger")
    run.check_books(case["state"], case["demand"])
    assert run.ordered.sum() > 0


def test_cooked_books_are_found_out():
    case = shop()
    run = simulate(**case, record="ledger")
    poorer = StockState.empty(60)
    with pytest.raises(ShelfwiseError, match=r"books of on hand must balance; .* series 0"):
        run.check_books(poorer)
    assert run.buckets is not None
    run.buckets.served[3, 1, 5] += 1
    with pytest.raises(ShelfwiseError, match=r"on hand .* series 3, path 1, bucket 5"):
        run.check_books(case["state"])
    run.buckets.served[3, 1, 5] -= 1
    case["demand"][2, 0, 7] += 1
    with pytest.raises(ShelfwiseError, match=r"backorders .* series 2, path 0, bucket 7"):
        run.check_books(case["state"], case["demand"])


def test_a_callable_sees_the_stock_before_receipts_and_only_at_reviews():
    seen = []

    def rule(t, position, on_hand, on_order):
        seen.append((t, position.item(), on_hand.item(), on_order.item()))
        return 2.0

    one([1] * 5, rule, StockState([3.0], 0.0, [[4.0]]), review_period_buckets=2)
    assert seen == [(0, 7, 3, 4), (2, 7, 5, 2), (4, 7, 5, 2)]


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_demand_names_the_series(bad: float):
    case = shop()
    case["demand"][7, 1, 4] = bad
    with pytest.raises(UsageError, match=f"demand must be .* got {bad} at series 7, path 1, bucket 4"):
        simulate(**case)
    with pytest.raises(UsageError, match="series 7, bucket 4"):
        simulate(**(case | {"demand": case["demand"][:, 1]}))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"demand": np.ones(5)}, r"demand must be \(N, T\) or \(N, P, T\); got shape \(5,\)"),
        ({"demand": np.ones((60, 3, 0))}, "at least one bucket"),
        ({"demand": np.ones((60, 0, 3))}, "one path"),
        ({"demand": np.ones((59, 40))}, "terms must describe the 59 series of demand; got 60"),
        ({"costs": Costs.same(2, holding=1, shortage=1)}, "costs must describe the 60 series"),
        ({"state": StockState.empty(2)}, "state must describe the 60 series"),
        ({"policy": Levels.base_stock(np.ones(2))}, r"order_up_to must be \(60,\) or \(60, 40\)"),
        ({"policy": Levels.base_stock(np.ones((60, 39)))}, "order_up_to must be"),
        ({"policy": np.full((60, 40), -1.0)}, "orders must be .* got -1.0 at series 0, path 0, bucket 0"),
        ({"policy": np.ones((60, 39))}, "orders must be .* as demand"),
        ({"policy": lambda *_: np.nan}, "order in bucket 0 must be a finite number; got nan at series 0"),
        ({"policy": lambda *_: np.ones((7, 7))}, r"must return quantities of shape \(60, 3\); got \(7, 7\)"),
        ({"lead_times": np.full((60, 40), -1)}, "lead_times must be at least 0; got -1"),
        ({"lead_times": np.full((60, 40), 0.5)}, "lead_times must be whole buckets; got 0.5"),
        ({"lead_times": np.ones((60, 2, 40), int)}, "lead_times must be"),
        ({"record": "everything"}, "record must be 'totals' or 'ledger'"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict, message: str):
    with pytest.raises(UsageError, match=message):
        simulate(**(shop() | changed))


def test_random_lead_times_run_on_both_roads():
    case = shop()
    draws = draw_lead_times(np.full(60, 2.5), 1.5, 3, 40, seed=5)
    level = case["policy"].order_up_to[:, None]
    for crossing in (True, False):
        supply = {"lead_times": draws, "order_crossing": crossing}
        compiled = simulate(**case, **supply)
        called = simulate(**(case | {"policy": lambda t, position, *_: level - position}), **supply)
        compiled.check_books(case["state"])
        assert_same(compiled, called)


def assert_same(left: Ledger, right: Ledger) -> None:
    arrays = {name: value for name, value in vars(left).items() if isinstance(value, np.ndarray)}
    assert len(arrays) == 19
    for name, value in arrays.items():
        assert value.tobytes() == getattr(right, name).tobytes(), name
