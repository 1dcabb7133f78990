"""Other simulators at the same work: base-stock reviewed daily, lead time 4, unmet demand lost.

stockpyl has no lost sales (its issue 98) and one network at a time; it runs one SKU with backorders, draws its own
demand, and counts node-periods. The others see the very demand of ours, and lose the very units, or an error says so.
Seconds here are those of the processor, over all threads: ours runs on all cores, the others on one, and a busy machine
blurs the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from shelfwise.errors import MissingExtra, ShelfwiseError
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate

LEAD_TIME = 4


@dataclass(frozen=True)
class Timing:
    """One simulator's speed: `sku_days` simulated in `seconds`, of the clock or of the processor."""

    case: str
    sku_days: int
    seconds: float

    @property
    def speed(self) -> float:
        """SKU-days a second."""
        return self.sku_days / self.seconds


def same_work(skus: int, days: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Demand (N, T) and order-up-to levels (N,) that all are given; filled in blocks to keep memory low."""
    rates = rng.lognormal(0.0, 1.0, skus)
    demand = np.empty((skus, days), dtype=np.float32)
    for start in range(0, skus, 5000):
        block = rates[start : start + 5000, None]
        demand[start : start + 5000] = rng.poisson(block, (len(block), days))
    cover = rates * (LEAD_TIME + 1)
    return demand, np.ceil(cover + 2.0 * np.sqrt(cover))


def ours(demand: np.ndarray, up_to: np.ndarray) -> float:
    """Units lost, by `simulate`."""
    skus = len(up_to)
    terms = SupplyTerms.same(skus, lead_time_buckets=LEAD_TIME)
    costs = Costs.same(skus, holding=0.01, shortage=1.0)
    return float(simulate(demand, terms, costs, StockState(up_to), Levels.base_stock(up_to)).lost.sum())


def numpy_loop(demand: np.ndarray, up_to: np.ndarray) -> float:
    """Units lost, by a plain loop over days, each a few NumPy calls over all SKUs; it counts nothing else."""
    by_day = np.ascontiguousarray(demand.T)
    on_hand = up_to.astype(np.float32)
    pipeline = np.zeros((LEAD_TIME, len(up_to)), dtype=np.float32)
    position = on_hand.copy()
    level = on_hand.copy()
    lost = 0.0
    for day, asked in enumerate(by_day):
        slot = day % LEAD_TIME
        order = level - position
        on_hand += pipeline[slot]
        pipeline[slot] = order
        served = np.minimum(on_hand, asked)
        on_hand -= served
        position += order - served
        lost += float((asked - served).sum(dtype=np.float64))
    return lost


def stockcast_loop(demand: np.ndarray, up_to: np.ndarray) -> Callable[[], float]:
    """Units lost, by stockcast's engine; its frames are made before the clock runs.

    Raises:
        MissingExtra: stockcast is not installed.
    """
    try:
        import pandas as pd
        from stockcast.core import InventoryStateDataFrame, SimulationEngine
        from stockcast.policies import OrderUpToPolicy
    except ImportError:
        raise MissingExtra("stockcast", "bench") from None
    skus, days = demand.shape
    dates = pd.date_range("2026-02-02", periods=days, freq="D")
    names = np.array([f"sku{number:06d}" for number in range(skus)])
    frame = pd.DataFrame(
        {"unique_id": np.repeat(names, days), "date": np.tile(dates, skus), "y": demand.ravel().astype(float)}
    )
    target = pd.DataFrame({"unique_id": names, "date": dates[0], "level": up_to})
    shelf = InventoryStateDataFrame.from_observed(
        pd.DataFrame({"unique_id": names, "date": dates[0] - pd.Timedelta(days=1), "on_hand": up_to})
    )
    policy = OrderUpToPolicy(
        lead_time=LEAD_TIME, review_period=1, freq="D", service_level=0.95, allow_backorders=False
    )
    policy.fit(target, target_column="level")

    def run() -> float:
        result = SimulationEngine().run(policy=policy, demand_source=frame, inventory=shelf)
        return float(result.to_event_frame()["lost_sales_units"].sum())

    return run


def stockpyl_loop(days: int) -> Callable[[], float]:
    """Mean cost of one SKU, by stockpyl's simulation.

    Raises:
        MissingExtra: stockpyl is not installed.
    """
    try:
        from stockpyl.sim import simulation
        from stockpyl.supply_chain_network import single_stage_system
    except ImportError:
        raise MissingExtra("stockpyl", "bench") from None
    network = single_stage_system(
        holding_cost=0.01,
        stockout_cost=1.0,
        demand_type="P",
        mean=5,
        policy_type="BS",
        base_stock_level=33,
        shipment_lead_time=LEAD_TIME,
    )
    return lambda: float(simulation(network, days, rand_seed=0, progress_bar=False)) / days


def timed(case: str, sku_days: int, run: Callable[[], Any], repeats: int = 1) -> tuple[Timing, Any]:
    """The least processor seconds of some runs, and what the last run gave."""
    seconds, answer = float("inf"), None
    for _ in range(repeats):
        begun = time.process_time()
        answer = run()
        seconds = min(seconds, time.process_time() - begun)
    return Timing(f"{case}, processor seconds", sku_days, seconds), answer


def peer_timings(skus: int, days: int, few_skus: int) -> list[Timing]:
    """Ours and the NumPy loop at `skus`, ours and stockcast at `few_skus`, stockpyl at one; all over `days`.

    Raises:
        ShelfwiseError: two simulators lost different numbers of units.
        MissingExtra: a peer is not installed.
    """
    demand, up_to = same_work(skus, days, np.random.default_rng(0))
    few = (demand[:few_skus], up_to[:few_skus])
    cast_run, pyl_run = stockcast_loop(*few), stockpyl_loop(days)
    ours(*(array[:2] for array in few))  # compiled before it is timed
    many, lost = timed(f"same work: ours, {skus} SKUs", demand.size, lambda: ours(demand, up_to), 3)
    loop, lost_loop = timed(
        f"same work: NumPy, {skus} SKUs", demand.size, lambda: numpy_loop(demand, up_to), 3
    )
    own, lost_few = timed(f"same work: ours, {few_skus} SKUs", few[0].size, lambda: ours(*few), 3)
    name = f"same work: stockcast {version('stockcast')}, {few_skus} SKUs"
    cast, lost_cast = timed(name, few[0].size, cast_run)
    for peer, theirs, mine in (("NumPy", lost_loop, lost), ("stockcast", lost_cast, lost_few)):
        if not np.isclose(theirs, mine, rtol=1e-9):
            raise ShelfwiseError(f"{peer} lost {theirs} units and ours {mine}: not the same work")
    pyl, _ = timed(f"stockpyl {version('stockpyl')}, 1 SKU, backorders", days, pyl_run)
    return [many, loop, own, cast, pyl]
