"""How close demand comes to the truth in buckets out of stock, on the demo shop, whose true demand is known.

    python -m benchmarks.bench_censoring [--seed 7 --seed 8] [--skip-speed] [--results DIR]

Cases, each over every series and every bucket of its life:

- `recorded`: with the shop's availability table; `inferred`: without it, stock-outs found by `infer_stockouts`.
- returns `left out`: sales without return lines and without the one wholesale order, so that sales plus lost sales
  are the true demand to the unit. Returns `netted`: the tables as they come; truth is then true demand less what was
  given back (at the sale it undoes) and less the same share of what was lost, which would have come back too.

Methods: `raw` reads sales as demand; `series mean` puts the mean of the series' whole buckets where stock was short
(never below what was sold); `scaled` is `Panel.demand` under `demand.stockouts = "mask"`, with the series mean where
it is unknown; `censored` is `CensoredDemandEstimator`. Measures: `bias_percent` of total demand; `wape`, absolute
errors over demand in the buckets out of stock wholly or partly; `coverage_90` and `coverage_50`, stock-outs (whole
buckets in a row) whose true sum has a randomised rank among 200 imputations inside the central 90 or 50 %.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.results_log import REPOSITORY, Cell, append_rows
from shelfwise.buckets import Bucket
from shelfwise.demand.build import build_panel
from shelfwise.demand.censoring import CensoredDemandEstimator
from shelfwise.demand.inferred_stockouts import infer_stockouts, mask_inferred
from shelfwise.demand.panel import Known, Panel
from shelfwise.demo import DemoShop, make_shop
from shelfwise.tables import dataset_from_frames

RESULTS = REPOSITORY / "benchmarks" / "results"
IMPUTATIONS = 200
SPEED_SHAPE = (3049, 10, 420)
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A panel of the demo shop and, on its buckets, the truth: units demanded, lost, and the share on sale."""

    panel: Panel
    demand: Doubles
    lost: Doubles
    on_sale: Doubles
    censored: npt.NDArray[np.bool_]


def make_case(shop: DemoShop, bucket: str, *, returns: bool, availability: bool) -> Case:
    """The shop's panel with its truth; see the module's text for what counts as demand."""
    tables = dict(shop.tables)
    sales = tables["sales"]
    if not returns:
        tables["sales"] = sales.filter((pl.col("status") != "returned") & (pl.col("channel") != "wholesale"))
    if not availability:
        del tables["availability"]
    # What the records alone tell; the methods that are compared do the rest.
    records = {"stockouts": "mask", "infer_stockouts": "off"}
    settings = {"series": {"bucket": bucket, "timezone": "Asia/Shanghai"}, "demand": records}
    truth = shop.truth
    panel = build_panel(dataset_from_frames(settings=settings, **tables), truth.end)
    if not panel.keys.equals(truth.keys):
        raise RuntimeError("the panel's series are not those of the truth")

    first = panel.bucket.index(panel.start)
    column = np.array(
        [
            panel.bucket.index(truth.start + timedelta(days=day)) - first
            for day in range(truth.demand.shape[1])
        ]
    )
    alive = np.isfinite(panel.sold)

    def in_buckets(daily: npt.NDArray[Any]) -> Doubles:
        sums = np.zeros((len(daily), panel.n_buckets + 1))
        np.add.at(sums.T, np.clip(column, 0, panel.n_buckets), daily.T)
        return np.where(alive, sums[:, :-1], 0.0)

    demand, lost, sold = (in_buckets(part) for part in (truth.demand, truth.lost, truth.sold))
    days = np.maximum(np.bincount(column, minlength=panel.n_buckets)[: panel.n_buckets], 1)
    if returns:
        extra = np.zeros(truth.demand.shape)
        for row in truth.wholesale.iter_rows(named=True):
            series = truth.keys.rows().index((row["sku"], row["location"]))
            extra[series, (row["date"] - truth.start).days] = row["quantity"]
        given_back = sold + in_buckets(extra) - np.nan_to_num(panel.sold)
        lost = lost * (1.0 - given_back.sum() / sold.sum())
        demand = sold - given_back + lost
    on_sale = in_buckets(truth.on_sale) / days
    return Case(panel, demand, lost, on_sale, alive & (in_buckets(truth.on_sale < 1) > 0))


def score(case: Case, estimate: npt.NDArray[Any]) -> dict[str, float]:
    """Bias of the total over all series and WAPE in the buckets out of stock."""
    units = np.nan_to_num(estimate.astype(np.float64), nan=0.0)
    short = case.censored
    return {
        "bias_percent": 100.0 * (units.sum() / case.demand.sum() - 1.0),
        "wape": float(np.abs(units - case.demand)[short].sum() / case.demand[short].sum()),
    }


def fills(case: Case) -> dict[str, npt.NDArray[Any]]:
    """(N, T) demand as each of the plain methods sees it."""
    panel = case.panel
    known = np.where(case.censored, np.nan, np.minimum(panel.sold, panel.demand))
    seen = np.isfinite(known).sum(axis=1)
    mean = (np.nansum(known, axis=1) / np.maximum(seen, 1))[:, None]
    # The wholesale order is capped for every method alike: it would decide the comparison alone.
    sold = np.fmin(panel.sold, np.where(np.isfinite(panel.demand), panel.demand, np.inf))
    filled = np.where(case.censored, np.maximum(mean, sold), sold)
    scaled = np.where(np.isnan(panel.demand), np.maximum(mean, sold), panel.demand)
    alive = np.isfinite(panel.sold)
    return {
        name: np.where(alive, v, np.nan)
        for name, v in (("raw", sold), ("series mean", filled), ("scaled", scaled))
    }


def coverage(case: Case, estimator: CensoredDemandEstimator) -> dict[str, float]:
    """How often the sum over a stock-out lies in the middle of its imputations, ties broken by chance."""
    unseen = estimator.censored & (case.panel.on_sale <= 0)
    row, column = np.nonzero(unseen)
    begins = np.ones(len(row), bool)
    begins[1:] = (np.diff(row) != 0) | (np.diff(column) != 1)
    run = np.cumsum(begins) - 1
    truth = np.bincount(run, weights=np.rint(case.demand[row, column]))
    below, equal = np.zeros(len(truth)), np.zeros(len(truth))
    imputed = estimator.impute(IMPUTATIONS, np.random.default_rng(0))
    for sample in imputed:
        total = np.bincount(run, weights=sample[row, column])
        below += total < truth
        equal += total == truth
    chance = np.random.default_rng(1).random(len(truth))
    rank = (below + chance * (equal + 1)) / (IMPUTATIONS + 1)
    return {f"coverage_{width}": float((np.abs(rank - 0.5) <= width / 200).mean()) for width in (90, 50)}


def recorded(shop: DemoShop, bucket: str, *, returns: bool) -> list[tuple[str, str, float]]:
    """Method, measure, value with the availability table."""
    case = make_case(shop, bucket, returns=returns, availability=True)
    estimator = CensoredDemandEstimator().fit(case.panel)
    estimates = fills(case) | {"censored": estimator.expected()}
    found = [(name, *pair) for name, values in estimates.items() for pair in score(case, values).items()]
    if not returns:
        found += [("censored", *pair) for pair in coverage(case, estimator).items()]
    return found


def inferred(shop: DemoShop, bucket: str) -> list[tuple[str, str, float]]:
    """Method, measure, value without the availability table; precision and recall in buckets and lost units."""
    case = make_case(shop, bucket, returns=False, availability=False)
    share, _ = infer_stockouts(case.panel, shop.tables["stock"], infer=True)
    alive = np.isfinite(case.panel.sold)
    marked, out = alive & (share <= 0), alive & (case.on_sale <= 0)
    masked = mask_inferred(case.panel, share)
    estimate = CensoredDemandEstimator().fit(masked).expected()
    pairs = [
        ("precision", float((marked & out).sum() / max(int(marked.sum()), 1))),
        ("recall", float((marked & out).sum() / out.sum())),
        ("recall_of_lost_units", float(case.lost[marked & out].sum() / case.lost[out].sum())),
    ]
    raw = score(case, case.panel.sold)["bias_percent"]
    censored = score(case, estimate)["bias_percent"]
    return [
        *(("censored", *pair) for pair in pairs),
        ("raw", "bias_percent", raw),
        ("censored", "bias_percent", censored),
    ]


def speed_panel(items: int, stores: int, buckets: int) -> Panel:
    """A panel of the size of M5: Poisson sales, prices that change once, promotions, one stock-out a series."""
    rng = np.random.default_rng(0)
    count = items * stores
    rate = np.repeat(rng.gamma(0.6, 2.0, items), stores) * rng.gamma(8.0, 1 / 8, count)
    cut = (rng.random((count, 1)) < 0.5) & (np.arange(buckets) >= buckets // 2)
    price = np.where(cut, 0.9, 1.0) * rng.uniform(1, 9, (count, 1))
    sold = rng.poisson(rate[:, None] * np.where(cut, 1.17, 1.0)).astype(np.float32)
    begin = rng.integers(0, buckets, (count, 1))
    out = (np.arange(buckets) >= begin) & (np.arange(buckets) < begin + rng.integers(1, 40, (count, 1)))
    promotion = np.zeros((3, buckets), np.float32)
    promotion[1, 50:60], promotion[2, 300:320] = 1, 1
    return Panel(
        keys=pl.DataFrame(
            {
                "sku": np.repeat([f"item-{item:05d}" for item in range(items)], stores),
                "location": np.tile([f"store-{store:02d}" for store in range(stores)], items),
            }
        ),
        bucket=Bucket("day"),
        start=date(2024, 1, 1),
        sold=np.where(out, 0, sold).astype(np.float32),
        on_sale=(~out).astype(np.float32),
        demand=np.where(out, np.nan, sold).astype(np.float32),
        known={
            "price": Known(price.astype(np.float32), np.arange(count, dtype=np.int32)),
            "promotion": Known(promotion, (np.arange(count) % 3).astype(np.int32)),
        },
        static=pl.DataFrame({"category": np.repeat(rng.integers(0, 7, items).astype(str), stores)}),
    )


def speed() -> float:
    """Seconds to fit and read off the means of 30,490 series of 420 days, kernels compiled before."""
    panel = speed_panel(*SPEED_SHAPE)
    CensoredDemandEstimator().fit(panel.take(np.arange(40))).expected()
    begun = time.perf_counter()
    CensoredDemandEstimator().fit(panel).expected()
    return time.perf_counter() - begun


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and append to `censoring.csv`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seed", type=int, action="append", help="of the demo shop; may be repeated (7, 8, 9)"
    )
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--days", type=int, default=730)
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    rows: list[dict[str, Cell]] = []

    def note(
        seed: int, bucket: str, case: str, returns: str, method: str, measure: str, value: float
    ) -> None:
        rows.append(
            {
                "seed": seed,
                "bucket": bucket,
                "case": case,
                "returns": returns,
                "method": method,
                "measure": measure,
                "value": round(value, 4),
            }
        )
        print(
            f"{seed:4d} {bucket:5s} {case:9s} {returns:9s} {method:12s} {measure:21s} {value:9.4f}",
            flush=True,
        )

    for seed in asked.seed or [7, 8, 9]:
        shop = make_shop(seed=seed, n_skus=asked.items, days=asked.days)
        for bucket, returns in (("day", False), ("day", True), ("week", False)):
            told = "netted" if returns else "left out"
            for found in recorded(shop, bucket, returns=returns):
                note(seed, bucket, "recorded", told, *found)
        for found in inferred(shop, "day"):
            note(seed, "day", "inferred", "left out", *found)
    if not asked.skip_speed:
        note(0, "day", "speed", "none", "censored", "seconds_30490x420", speed())
    append_rows(asked.results / "censoring.csv", rows)


if __name__ == "__main__":
    main()
