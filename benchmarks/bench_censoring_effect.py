"""What the settings of `[demand]` do to forecasts and costs: stock-outs estimated, masked, or read as zeros.

    python -m benchmarks.bench_censoring_effect [--shop vn2 --shop demo --shop m5] [--demo-seed 7 --demo-seed 8]
                                                [--m5-series 1500] [--results DIR]

Models and policies are the shop's own defaults (`gbm`, `order_up_to`); only `demand.stockouts` and
`demand.infer_stockouts` differ, and everything is judged by one truth that no setting touches:

- `vn2`: the six folds of `vn2_folds` with the shop's in-stock table. `cost`: weeks 3-8 as there. `pinball_sum`: loss of
  the 0.833 quantile of three weeks' demand, over origins and series in stock in all three. `bias_percent` likewise.
- `demo`: the demo shop in weeks, true demand known (returns and the wholesale order left out, as in `bench_censoring`).
  Four origins, four weeks each: `wape`, `bias_percent`, `pinball` (mean of seven quantiles of a week), `pinball_sum`
  (of the four weeks' sum). `cost`: eight weeks replayed on the true demand, those from the third on counted; lead time
  two weeks, holding 0.2, shortage 1. `unrecorded` leaves the availability table out.
- `m5`: series spread evenly over the file, three windows, no in-stock table, so that inference alone is at work;
  scores as in `bench_m5` on what was sold: stock-outs of the window count as zeros there, against whoever looks past
  them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks import vn2_folds
from benchmarks.bench_m5 import QUANTILES, fewer_series, score_forecast
from benchmarks.bench_vn2 import weekly_cost
from benchmarks.m5_data import HORIZON_DAYS, dates_of, read_calendar
from benchmarks.m5_folder import write_m5_folder
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, Cell, append_rows
from benchmarks.vn2_folder import read_history, write_vn2_folder
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.demo import make_shop
from shelfwise.evaluate.metrics import pinball_loss
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.rolling import RollingForecast, aligned
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.register import make_policy
from shelfwise.simulate import Costs, SupplyTerms
from shelfwise.simulate.state import StockState
from shelfwise.tables import Dataset, Settings, dataset_from_frames, read_folder

RESULTS = REPOSITORY / "benchmarks" / "results"
MODEL, POLICY = "gbm", "order_up_to"
SAMPLES = 300
LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
SUM_LEVELS = (0.5, 0.75, 0.9, 0.95)
SERVICE = vn2_folds.SHORTAGE / (vn2_folds.SHORTAGE + vn2_folds.HOLDING)
PLANNED = 4
DEMO_ORIGINS = (0, 28, 56, 84)
REPLAYED_WEEKS = 8
M5_WINDOWS = (1857, 1885, 1913)
RECORDED = (("raw", "off"), ("mask", "off"), ("censored", "off"))
INFERRED = (("raw", "off"), ("mask", "on"), ("censored", "on"))
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A shop whose demand is known: (N, T) truth, its first bucket, and the stock a replay begins with."""

    dataset: Dataset
    keys: list[tuple[str, str]]
    truth: Doubles
    begin: date


def asked(dataset: Dataset, stockouts: str, infer: str) -> Dataset:
    """The shop with other settings of `[demand]`."""
    given = dataset.settings.model_dump(exclude_none=True)
    given["demand"] = {**given["demand"], "stockouts": stockouts, "infer_stockouts": infer}
    return replace(dataset, settings=Settings.from_mapping(given))


def replayed(
    world: World, dataset: Dataset, first: int, weeks: int, start: StockState
) -> tuple[Doubles, Any]:
    """(T,) cost of the weeks from `first` on, and what was forecast at each: (week, scenarios)."""
    said: list[tuple[int, Scenarios]] = []

    def panel_at(t: int) -> Panel:
        day = world.dataset.bucket.shift(world.begin, first + t)
        return aligned(build_panel(dataset.until(day), day, PLANNED), world.keys)

    rolling = RollingForecast(panel_at, lambda: make_forecaster(MODEL), horizon=PLANNED, n_samples=SAMPLES)

    def knowledge(t: int) -> tuple[Panel, Scenarios | None]:
        panel, scenarios = rolling(t)
        assert scenarios is not None  # a model was given
        said.append((first + t, scenarios))
        return panel, scenarios

    n = len(world.keys)
    terms = SupplyTerms.same(n, lead_time_buckets=vn2_folds.LEAD_TIME_WEEKS)
    shop = Shop(terms, Costs.same(n, holding=vn2_folds.HOLDING, shortage=vn2_folds.SHORTAGE), np.zeros(n))
    demand = world.truth[:, first : first + weeks].astype(np.float32)
    ledger = replay(demand, knowledge, {POLICY: make_policy(POLICY)}, shop, start)
    return weekly_cost(ledger)[0], said


def vn2(source: Path | None, work: Path) -> Iterator[tuple[str, str, str, str, float]]:
    """Window, stock-outs, inference, measure, value of each fold."""
    raw = raw_folder("vn2", source)
    history = read_history(raw)
    dataset = read_folder(write_vn2_folder(raw, work / "vn2"))
    begin = dataset.table("sales")["date"].min()
    assert isinstance(begin, date)
    world = World(dataset, list(history.keys.iter_rows()), vn2_folds.filled_demand(history), begin)
    for fold in vn2_folds.folds(history):
        for how, infer in RECORDED:
            cost, said = replayed(
                world, asked(dataset, how, infer), fold.first_week, vn2_folds.FOLD_WEEKS, fold.start
            )
            losses, forecast, wanted = [], 0.0, 0.0
            for week, scenarios in said:
                seen = history.in_stock[:, week : week + 3]
                if seen.shape[1] < 3:
                    continue
                judged = seen.all(axis=1)
                actual = history.sold[:, week : week + 3].sum(axis=1)[judged].astype(np.float64)
                totals = scenarios.total(0, 3)[judged].astype(np.float64)
                losses.append(
                    float(pinball_loss(actual, np.quantile(totals, SERVICE, axis=1), SERVICE).mean())
                )
                forecast, wanted = forecast + totals.mean(axis=1).sum(), wanted + actual.sum()
            window = f"week {fold.first_week}"
            yield window, how, infer, "cost", float(cost[vn2_folds.COMPARED].sum())
            yield window, how, infer, "pinball_sum", float(np.mean(losses))
            yield window, how, infer, "bias_percent", 100.0 * (forecast / wanted - 1.0)


def demo(seed: int) -> Iterator[tuple[str, str, str, str, float]]:
    """The same of the demo shop; `recorded` has its availability table, `unrecorded` has not."""
    shop = make_shop(seed=seed)
    truth, tables = shop.truth, dict(shop.tables)
    kept = (pl.col("status") != "returned") & (pl.col("channel") != "wholesale")
    tables["sales"] = tables["sales"].filter(kept)
    settings = {"series": {"bucket": "week", "timezone": "Asia/Shanghai"}}
    daily = np.concatenate([truth.demand, truth.future_demand], axis=1).astype(np.float64)
    skipped = (-truth.start.weekday()) % 7
    weeks = (daily.shape[1] - skipped) // 7
    weekly = daily[:, skipped : skipped + 7 * weeks].reshape(len(daily), weeks, 7).sum(axis=2)
    begin = truth.start + timedelta(days=skipped)
    place = {key: row for row, key in enumerate(truth.keys.iter_rows())}
    for case, cases in (("recorded", RECORDED), ("unrecorded", INFERRED)):
        if case == "unrecorded":
            del tables["availability"]
        dataset = dataset_from_frames(settings=settings, **tables)
        for how, infer in cases:
            chosen = asked(dataset, how, infer)
            for back in DEMO_ORIGINS:
                day = dataset.bucket.floor(truth.end - timedelta(days=back))
                first = (day - begin).days // 7
                panel = build_panel(chosen.until(day), day, PLANNED)
                rows = np.array([place[key] for key in panel.keys.iter_rows()])
                gone = (day - truth.start).days
                alive = (truth.launched[rows] < gone) & (truth.ends[rows] >= gone + 7 * PLANNED)
                scenarios = (
                    make_forecaster(MODEL).fit(panel).sample(PLANNED, SAMPLES, np.random.default_rng(0))
                )
                actual = weekly[rows, first : first + PLANNED][alive]
                for measure, value in scores(scenarios.take(np.flatnonzero(alive)), actual).items():
                    yield f"{case} seed {seed} {day}", how, infer, measure, value
            first = (dataset.bucket.floor(truth.end) - begin).days // 7 - REPLAYED_WEEKS
            day = dataset.bucket.shift(begin, first)
            known = build_panel(dataset.until(day), day)
            gone = (day - truth.start).days
            going = [
                key
                for key in known.keys.iter_rows()
                if truth.launched[place[key]] < gone and truth.ends[place[key]] >= gone + 7 * REPLAYED_WEEKS
            ]
            world = World(dataset, going, weekly[[place[key] for key in going]], begin)
            stock = StockState(np.ceil(PLANNED * world.truth[:, first - 13 : first].mean(axis=1)))
            cost, _ = replayed(world, chosen, first, REPLAYED_WEEKS, stock)
            compared = float(cost[vn2_folds.LEAD_TIME_WEEKS :].sum())
            yield f"{case} seed {seed} replay", how, infer, "cost", compared


def scores(scenarios: Scenarios, actual: Doubles) -> dict[str, float]:
    """Errors of (n, H) scenarios against the demand that was."""
    mean, quantile = scenarios.mean(), scenarios.quantile(LEVELS)
    totals, wanted = scenarios.total(0, scenarios.horizon).astype(np.float64), actual.sum(axis=1)
    by_level = [pinball_loss(actual, quantile[:, :, q], level).mean() for q, level in enumerate(LEVELS)]
    of_sum = [pinball_loss(wanted, np.quantile(totals, level, axis=1), level).mean() for level in SUM_LEVELS]
    return {
        "wape": float(np.abs(mean - actual).sum() / actual.sum()),
        "bias_percent": float(100.0 * (mean.sum() / actual.sum() - 1.0)),
        "pinball": float(np.mean(by_level)),
        "pinball_sum": float(np.mean(of_sum)),
    }


def m5(source: Path | None, work: Path, series: int) -> Iterator[tuple[str, str, str, str, float]]:
    """The same of M5 without any record of stock."""
    raw = fewer_series(raw_folder("m5", source), work / "m5", series)
    for last_day in M5_WINDOWS:
        dataset = read_folder(write_m5_folder(raw, work / f"d_{last_day}", last_day=last_day))
        day = dates_of(read_calendar(raw), last_day + 1, last_day + 1)[0]
        for how, infer in INFERRED:
            panel = build_panel(asked(dataset, how, infer).until(day), day, HORIZON_DAYS)
            scenarios = (
                make_forecaster(MODEL).fit(panel).sample(HORIZON_DAYS, SAMPLES, np.random.default_rng(0))
            )
            found = score_forecast(scenarios.to_frame(QUANTILES), raw, last_day, official=False)[0]
            for measure in ("wrmsse_1_9", "wrmsse_12", "pinball_12"):
                yield f"d_{last_day}", how, infer, measure, float(found[measure])


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and append to `censoring_effect.csv`; the mean over the windows of a shop comes last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shop", action="append", choices=["vn2", "demo", "m5"], help="all if left out")
    parser.add_argument(
        "--demo-seed", type=int, action="append", help="of the demo shop; 7 and 8 if left out"
    )
    parser.add_argument("--m5-series", type=int, default=1500)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        runs = {
            "vn2": lambda: vn2(None, work),
            "demo": lambda: (row for seed in chosen.demo_seed or [7, 8] for row in demo(seed)),
            "m5": lambda: m5(None, work, chosen.m5_series),
        }
        for shop in chosen.shop or list(runs):
            rows: list[dict[str, Cell]] = []
            # Window by window, so that a run that is cut off keeps what it has measured.
            for _, found in groupby(runs[shop](), key=lambda row: row[0]):
                part = [row_of(shop, *one) for one in found]
                append_rows(chosen.results / "censoring_effect.csv", part)
                rows += part
            append_rows(chosen.results / "censoring_effect.csv", means(rows))


def row_of(shop: str, window: str, stockouts: str, infer: str, measure: str, value: float) -> dict[str, Cell]:
    """A row of the results, printed as it comes."""
    print(f"{shop:4s} {window:32s} {stockouts:8s} {infer:3s} {measure:12s} {value:10.4f}", flush=True)
    return {
        "shop": shop,
        "window": window,
        "stockouts": stockouts,
        "infer": infer,
        "measure": measure,
        "value": round(value, 4),
    }


def means(rows: Sequence[dict[str, Cell]]) -> list[dict[str, Cell]]:
    """The mean over windows of each setting and measure, records and no records apart."""
    frame = pl.DataFrame(rows).with_columns(
        window=pl.format(
            "mean{}",
            pl.col("window").str.extract(r"^(recorded|unrecorded)").fill_null("").str.replace(r"^(.)", " $1"),
        )
    )
    key = ["shop", "window", "stockouts", "infer", "measure"]
    found = frame.group_by(key, maintain_order=True).agg(pl.col("value").mean().round(4))
    return [dict(row) for row in found.iter_rows(named=True)]


if __name__ == "__main__":
    run_command(main)
