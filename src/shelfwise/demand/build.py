"""`build_panel`: from a shop's tables to demand as it should have been, as of a date."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand import aggregation, launch
from shelfwise.demand.availability import share_on_sale, uncensor
from shelfwise.demand.behaviour import Observed, behaviour_signals
from shelfwise.demand.capping import cap_spikes
from shelfwise.demand.closures import closed_buckets
from shelfwise.demand.covariates import attributes, countries, known_ahead
from shelfwise.demand.coverage import day_edges
from shelfwise.demand.holidays import calendar_covariates
from shelfwise.demand.panel import Panel
from shelfwise.demand.report import DemandReport
from shelfwise.demand.returns import place_returns
from shelfwise.errors import UsageError

if TYPE_CHECKING:
    from shelfwise.tables.dataset import Dataset

Floats = npt.NDArray[np.float32]


def build_panel(dataset: Dataset, as_of: date, horizon: int = 0) -> Panel:
    """Demand of every series over all buckets before `as_of`, and what is known of the next `horizon` ones.

    Args:
        dataset: the shop's tables; rows dated on or after `as_of` are not looked at, except prices,
            promotions and events.
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
    return build_panel_with_report(dataset, as_of, horizon)[0]


def build_panel_with_report(dataset: Dataset, as_of: date, horizon: int = 0) -> tuple[Panel, DemandReport]:
    """`build_panel`, with a report of what was netted, masked, scaled, closed and capped."""
    if horizon < 0:
        raise UsageError(f"horizon must be 0 or more buckets; got {horizon}")
    bucket = dataset.bucket
    asked, as_of = as_of, bucket.floor(as_of)
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
    closed = closed_buckets(launch.dense_rows(rows, first, first + n_buckets), bucket)
    sold[dead] = np.nan
    sold[:, closed] = np.nan

    on_sale = _on_sale(dataset, keys, as_of, first, sold.shape)
    found = uncensor(sold, on_sale)
    on_sale[np.isnan(sold)] = 0.0
    start = bucket.from_index(first)
    edges = day_edges(bucket, start, n_buckets + horizon)
    calendar = calendar_covariates(edges, keys["location"].to_list(), countries(dataset))
    known = known_ahead(dataset, keys, edges) | calendar.known
    demand, spikes = cap_spikes(found.demand, sold, lines, keys, known.get("promotion"), bucket, first)
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
    returned = lines.filter(pl.col("micro") < 0)
    report = DemandReport(
        as_of=as_of,
        asked=asked,
        lines=lines.height,
        net_units=_units(lines["micro"]),
        return_lines=returned.height,
        return_units=_units(returned["micro"].abs()),
        returns_netted=netted,
        carried_units=carried / aggregation.MICRO,
        remainder_units=dropped / aggregation.MICRO,
        outside_life_units=outside_units,
        masked_buckets=found.masked,
        scaled_buckets=found.scaled,
        contradicted_buckets=found.contradicted,
        closures=tuple(bucket.from_index(first + int(step)) for step in np.flatnonzero(closed)),
        spikes=spikes,
        calendar=calendar.notes(),
    )
    return panel, report


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
