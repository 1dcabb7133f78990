"""Weekly retail data as forecasting tasks: an origin, the series that are scored, and what they then sold.

`online_retail`: the weeks of both years of invoices, 4 origins of 8 weeks that end with the last whole week. Series:
SKUs that sold something in the 13 weeks before the origin. Truth as in `bench_online_retail`; the shop tells no
promotions.

`complete_journey`: 52 weeks of one year, 4 origins of 6 weeks, the last ends with the year. Series: products bought
in at least 20 of the 28 weeks before the origin. Each task can be had with the promotions and without.

Which series are scored is decided on weeks before the origin alone, and every model learns from these series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.bench_online_retail import (
    ACTIVE_WEEKS,
    HELD_BACK_WEEKS,
    active_skus,
    end_of_whole_weeks,
    weekly_demand,
)
from benchmarks.complete_journey_folder import (
    END,
    package_data,
    read_purchases,
    write_complete_journey_folder,
)
from benchmarks.online_retail_folder import write_online_retail_folder
from benchmarks.online_retail_lines import read_lines
from benchmarks.raw_data import raw_folder
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.tables import read_folder

ORIGINS = 4
JOURNEY_HORIZON, JOURNEY_WEEKS_LOOKED_AT, JOURNEY_LEAST_WEEKS = 6, 28, 20
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """One origin of one data set.

    Attributes:
        data: name of the data set.
        origin: first week that is to be forecast.
        selection: which series are scored, in words.
        panel: N series of history, promotions of history and horizon among what is known, if there are any.
        without: the same panel by people who know of no promotion; None where there are none to know of.
        actual: (N, H) units that were then sold.
    """

    data: str
    origin: date
    selection: str
    panel: Panel
    without: Panel | None
    actual: Floats

    @property
    def horizon(self) -> int:
        """H, weeks ahead."""
        return int(self.actual.shape[1])

    @property
    def promoted(self) -> npt.NDArray[np.bool_]:
        """(N, H) whether anything of the week is under promotion."""
        promotion = self.panel.known.get("promotion")
        if promotion is None:
            return np.zeros(self.actual.shape, bool)
        first = self.panel.n_buckets
        return np.asarray(promotion.rows()[:, first : first + self.horizon] > 0)


def chosen(panel: Panel, skus: pl.DataFrame) -> Panel:
    """The panel of these `sku` alone.

    Raises:
        UsageError: there is one the panel does not have.
    """
    rows = panel.keys.with_row_index("row").join(skus, on="sku", how="semi")["row"].to_numpy()
    if len(rows) != len(skus):
        raise UsageError(f"every chosen series must be in the panel; {len(skus) - len(rows)} are not")
    return panel.take(rows)


def truth(keys: pl.DataFrame, weekly: pl.DataFrame, origin: date, horizon: int) -> Floats:
    """(N, H) net units of `weekly` (`sku`, `week`, `net`) in the order of `keys`, never below zero."""
    ahead = weekly.with_columns(step=(pl.col("week") - origin).dt.total_days() // 7).filter(
        pl.col("step").is_between(0, horizon - 1)
    )
    rows = keys.with_row_index("row").select("row", "sku").join(ahead, on="sku")
    actual = np.zeros((len(keys), horizon))
    actual[rows["row"].to_numpy(), rows["step"].to_numpy()] = rows["net"].to_numpy()
    return np.maximum(actual, 0.0)


def online_retail_tasks(source: Path | None, work: Path, origins: int = ORIGINS) -> Iterator[Task]:
    """The earliest origin first."""
    raw = raw_folder("online_retail", source)
    lines = read_lines(raw)
    end = end_of_whole_weeks(lines)
    weekly = weekly_demand(lines, end)
    for back in range(origins, 0, -1):
        origin = end - timedelta(weeks=HELD_BACK_WEEKS * back)
        folder = write_online_retail_folder(raw, work / f"online_retail_{origin}", as_of=origin)
        skus = active_skus(folder, origin)
        panel = chosen(build_panel(read_folder(folder), origin, HELD_BACK_WEEKS), skus)
        actual = truth(panel.keys, weekly, origin, HELD_BACK_WEEKS)
        yield Task("online_retail", origin, f"sold in the {ACTIVE_WEEKS} weeks before", panel, None, actual)


def regular_skus(sales: pl.DataFrame, origin: date) -> pl.DataFrame:
    """`sku`, sorted: bought in at least 20 of the 28 weeks before `origin`."""
    recent = sales.filter(
        pl.col("date").is_between(origin - timedelta(weeks=JOURNEY_WEEKS_LOOKED_AT), origin, closed="left")
    )
    weeks = recent.group_by("sku").agg(weeks=pl.col("date").dt.truncate("1w").n_unique())
    return weeks.filter(pl.col("weeks") >= JOURNEY_LEAST_WEEKS).select("sku").sort("sku")


def complete_journey_tasks(source: Path | None, work: Path, origins: int = ORIGINS) -> Iterator[Task]:
    """The earliest origin first."""
    raw = package_data(source)
    sales = read_purchases(raw)
    week = pl.col("date").dt.truncate("1w").alias("week")
    weekly = sales.group_by("sku", week).agg(net=pl.col("quantity").sum())
    for back in range(origins, 0, -1):
        origin = END - timedelta(weeks=JOURNEY_HORIZON * back)
        folder = write_complete_journey_folder(raw, work / f"complete_journey_{origin}", as_of=origin)
        skus = regular_skus(sales, origin)
        dataset = read_folder(folder)
        # The other 60,000 products would be read, cleaned and thrown away.
        tables = {**dataset.tables, "sales": dataset.table("sales").join(skus, on="sku", how="semi")}
        panel = chosen(build_panel(replace(dataset, tables=tables), origin, JOURNEY_HORIZON), skus)
        del tables["promotions"]
        without = chosen(build_panel(replace(dataset, tables=tables), origin, JOURNEY_HORIZON), skus)
        selection = f"bought in {JOURNEY_LEAST_WEEKS} of the {JOURNEY_WEEKS_LOOKED_AT} weeks before"
        actual = truth(panel.keys, weekly, origin, JOURNEY_HORIZON)
        yield Task("complete_journey", origin, selection, panel, without, actual)


TASKS: dict[str, Callable[[Path | None, Path, int], Iterator[Task]]] = {
    "online_retail": online_retail_tasks,
    "complete_journey": complete_journey_tasks,
}
