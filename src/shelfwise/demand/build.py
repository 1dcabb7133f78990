"""`build_panel`: from a shop's tables to demand as it should have been, as of a date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand import aggregation, launch
from shelfwise.demand.availability import share_on_sale, uncensor
from shelfwise.demand.behaviour import Observed, behaviour_signals
from shelfwise.demand.bots import BotBurst, without_bots
from shelfwise.demand.capping import cap_spikes
from shelfwise.demand.cleaning import CleaningReport, Shift, Spike
from shelfwise.demand.closures import closed_buckets
from shelfwise.demand.covariates import attributes, countries, known_ahead
from shelfwise.demand.coverage import day_edges
from shelfwise.demand.holidays import calendar_covariates
from shelfwise.demand.level_shifts import find_level_shifts
from shelfwise.demand.panel import Panel
from shelfwise.demand.report import DemandReport
from shelfwise.demand.returns import place_returns
from shelfwise.demand.stockouts import settle_stockouts
from shelfwise.errors import UsageError

if TYPE_CHECKING:
    from shelfwise.tables.dataset import Dataset

Floats = npt.NDArray[np.float32]


def build_panel(dataset: Dataset, as_of: date, horizon: int = 0) -> Panel:
    """Demand of every series over all buckets before `as_of`, and what is known of the next `horizon` ones.

    Args:
        dataset: the shop's tables; rows dated on or after `as_of` are not looked at, except prices,
            promotions and events. Its settings say how stock-outs, spikes and bot orders are dealt with.
        as_of: any day of the first bucket that is not known.
        horizon: H, buckets after `as_of` the covariates reach.

    Returns:
        A panel of N series (in sales before `as_of`, in stock or inbound; sorted) over T >= 1 buckets.

    Raises:
        UsageError: `horizon` is negative.

    Example:
        >>> from shelfwise.tables.dataset import Dataset
        >>> from shelfwise.tables.settings import Settings
        >>> sales = pl.DataFrame({"sku": ["a", "a"], "location": ["main", "main"], "quantity": [3.0, 2.0],
        ...                       "date": [date(2024, 1, 3), date(2024, 1, 16)]})
        >>> panel = build_panel(Dataset(Settings(), {"sales": sales}), date(2024, 1, 24), horizon=2)
        >>> panel.start, panel.as_of, panel.demand.tolist()
        (datetime.date(2024, 1, 1), datetime.date(2024, 1, 22), [[3.0, 0.0, 2.0]])
    """
    return _build(dataset, as_of, horizon)[0]


def build_panel_with_report(dataset: Dataset, as_of: date, horizon: int = 0) -> tuple[Panel, DemandReport]:
    """`build_panel`, with a report of what was netted, estimated, closed, capped and left out."""
    panel, report = _build(dataset, as_of, horizon)
    return panel, replace(report, cleaning=replace(report.cleaning, level_shifts=_level_shifts(panel)))


def _build(dataset: Dataset, as_of: date, horizon: int) -> tuple[Panel, DemandReport]:
    if horizon < 0:
        raise UsageError(f"horizon must be 0 or more buckets; got {horizon}")
    bucket, asked = dataset.bucket, dataset.settings.demand
    day, as_of = as_of, bucket.floor(as_of)
    sales = aggregation.happened_before(dataset.table("sales"), as_of)
    keys = aggregation.series_keys(sales, dataset.table("stock"), dataset.table("inbound"))
    lines = aggregation.sales_lines(sales, keys, bucket)
    placed, netted = place_returns(lines)
    cells = aggregation.cells(placed)
    rows = aggregation.rows_per_bucket(lines)
    launched, ends = launch.life(keys, dataset.table("items"), cells, bucket, as_of)
    first = launch.first_bucket(launched, rows, bucket, as_of)
    n_buckets = bucket.index(as_of) - first
    launched = np.clip(launched - first, 0, Panel.NEVER)
    ends = np.clip(ends - first, 0, Panel.NEVER)

    outside = cells.filter(pl.col("bucket") < first)
    cells = cells.filter(pl.col("bucket") >= first)
    sold, carried, dropped = aggregation.net_matrix(cells, len(keys), first, n_buckets)
    column = np.arange(n_buckets)
    dead = (column < launched[:, None]) | (column >= ends[:, None])
    outside_units = _units(outside["micro"]) + float(sold[dead].sum(dtype=np.float64))
    lifeless = np.flatnonzero((dead & (sold > 0)).any(axis=1))
    lifeless = np.union1d(lifeless, outside["series"].unique().to_numpy())
    closed = closed_buckets(launch.dense_rows(rows, first, first + n_buckets), bucket)
    sold[dead] = np.nan
    sold[:, closed] = np.nan

    wanted, bots = _without_bots(lines, keys, sold, first) if asked.bots else (sold, ())
    on_sale = _on_sale(dataset, keys, as_of, first, sold.shape)
    found = uncensor(wanted, on_sale)
    # Where a burst of bot orders emptied the shelf, they are no bound of what people wanted.
    demand = np.where(np.isnan(found.demand) & (wanted < sold), wanted, found.demand)
    on_sale[np.isnan(sold)] = 0.0
    start = bucket.from_index(first)
    edges = day_edges(bucket, start, n_buckets + horizon)
    calendar = calendar_covariates(
        edges, keys["location"].to_list(), countries(dataset, keys["location"].to_list())
    )
    known = known_ahead(dataset, keys, edges) | calendar.known
    spikes: tuple[Spike, ...] = ()
    if asked.spikes:
        demand, spikes = cap_spikes(demand, sold, lines, keys, known, bucket, first)
    panel = Panel(
        keys=keys,
        bucket=bucket,
        start=start,
        sold=sold,
        on_sale=on_sale,
        demand=demand,
        known=known,
        observed=_observed(dataset, keys, as_of, start, n_buckets),
        static=attributes(dataset, keys),
        launched=launched.astype(np.int32),
        ends=ends.astype(np.int32),
        horizon=horizon,
    )
    infer = asked.infer_stockouts == "on" or (
        # Without a stock record nothing is ordered, and a forecast is held against sales.
        asked.infer_stockouts == "auto" and dataset.has("stock") and not dataset.has("availability")
    )
    panel, stockouts = settle_stockouts(panel, asked.stockouts, infer, dataset.table("stock"))
    returned = lines.filter(pl.col("micro") < 0)
    return panel, DemandReport(
        as_of=as_of,
        asked=day,
        lines=lines.height,
        net_units=_units(lines["micro"]),
        return_lines=returned.height,
        return_units=_units(returned["micro"].abs()),
        returns_netted=netted,
        carried_units=carried / aggregation.MICRO,
        remainder_units=dropped / aggregation.MICRO,
        outside_life_units=outside_units,
        outside_life=tuple(keys.select(aggregation.SERIES)[lifeless.astype(np.intp)].rows()),
        masked_buckets=found.masked,
        scaled_buckets=found.scaled,
        contradicted_buckets=found.contradicted,
        closures=tuple(bucket.from_index(first + int(step)) for step in np.flatnonzero(closed)),
        stockouts=stockouts,
        cleaning=CleaningReport(bots, spikes),
        calendar=calendar.notes(),
    )


def _without_bots(
    lines: pl.DataFrame, keys: pl.DataFrame, sold: Floats, first: int
) -> tuple[Floats, tuple[BotBurst, ...]]:
    """(N, T) what was sold but for bot orders and what came back of them, and which these were."""
    people, bots = without_bots(lines, keys)
    if not bots:
        return sold, ()
    cells = aggregation.cells(place_returns(people)[0]).filter(pl.col("bucket") >= first)
    without = aggregation.net_matrix(cells, len(keys), first, sold.shape[1])[0]
    place = {key: row for row, key in enumerate(keys.select(aggregation.SERIES).iter_rows())}
    rows = sorted({place[bot.sku, bot.location] for bot in bots})
    wanted = sold.copy()
    # `minimum` keeps what is not known unknown, and returns that find another sale now add none.
    wanted[rows] = np.minimum(sold[rows], without[rows])
    return wanted, bots


def _level_shifts(panel: Panel) -> tuple[Shift, ...]:
    return tuple(
        Shift(
            panel.keys["sku"][shift.row],
            panel.keys["location"][shift.row],
            panel.bucket.shift(panel.start, shift.column),
            shift.before,
            shift.after,
        )
        for shift in find_level_shifts(panel.recorded, panel.bucket)
    )


def _units(micro: pl.Series) -> float:
    return int(micro.sum()) / aggregation.MICRO


def _observed(
    dataset: Dataset, keys: pl.DataFrame, as_of: date, start: date, n_buckets: int
) -> dict[str, Observed]:
    if not dataset.has("behaviour"):
        return {}
    rows = dataset.table("behaviour").filter(pl.col("timestamp").dt.date() < as_of)
    return behaviour_signals(rows, keys, dataset.bucket, start, n_buckets)


def _on_sale(dataset: Dataset, keys: pl.DataFrame, as_of: date, first: int, shape: tuple[int, int]) -> Floats:
    if not dataset.has("availability"):
        return np.ones(shape, np.float32)
    rows = aggregation.happened_before(dataset.table("availability"), as_of)
    return share_on_sale(aggregation.with_series(rows, keys), dataset.bucket, first, shape)
