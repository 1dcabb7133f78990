"""The twelve M5 levels: which series add up to what, and the scales and weights of every aggregate.

Two bases to score on, never to be mixed up:

- ``official``: the given weights and scales. Both are those of the competition's last 28 days, d_1942 to
  d_1969: weights are the dollars of d_1914 to d_1941, scales use every day from d_1 to d_1941. Scales are
  given for levels 1 to 9 only. For an earlier window, such as d_1914 to d_1941, they have seen the window
  itself; that biases no forecast, but it is not what the competition's public board showed.
- ``window``: computed here from what came before the window: dollars of the 28 days before it, scales of
  the days held (from d_1495) up to it. All twelve levels.

A scale is the root of the mean squared one-step change from the first sale on, the naive forecast's own
error; the files give it as the root too. A series without a change since its first sale has no scale.

Literature: Makridakis, Spiliotis and Assimakopoulos (2022), M5 accuracy competition, IJF 38(4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from benchmarks.m5_data import HORIZON_DAYS, PRICES_FILE, M5Sales, read_calendar, read_sales
from benchmarks.raw_data import raw_file
from shelfwise.errors import ShelfwiseError, UsageError

WEIGHTS_FILE = "weights_evaluation.parquet"
SCALES_FILE = "rmsse_scale_L1_L9.parquet"
LEVELS: dict[int, tuple[str, ...]] = {
    1: (),
    2: ("state_id",),
    3: ("store_id",),
    4: ("cat_id",),
    5: ("dept_id",),
    6: ("state_id", "cat_id"),
    7: ("state_id", "dept_id"),
    8: ("store_id", "cat_id"),
    9: ("store_id", "dept_id"),
    10: ("item_id",),
    11: ("state_id", "item_id"),
    12: ("item_id", "store_id"),
}
OFFICIAL_LEVELS = tuple(range(1, 10))
WeightsName = Literal["official", "window"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Level:
    """One level of aggregation.

    Attributes:
        groups: G rows `key1`, `key2`, named as the official files name them.
        adds: (G, N) sparse matrix that sums series to groups.
        weight: (G,) share of dollars, sums to 1.
        scale: (G,) root mean squared one-step change, NaN where there is none.
    """

    groups: pl.DataFrame
    adds: sparse.csr_array
    weight: Floats
    scale: Floats


@dataclass(frozen=True)
class Basis:
    """What a forecast of the 28 days after `last_day` is scored with.

    Attributes:
        weights: ``official`` or ``window``, see the module's text.
        keys: N series in the order that forecasts and actuals must have.
        levels: by number.
        naive_change: (N,) mean absolute one-step change of each series from its first sale to `last_day`,
            the scale of the pinball loss; NaN where there is none.
    """

    weights: WeightsName
    last_day: int
    keys: pl.DataFrame
    levels: Mapping[int, Level]
    naive_change: Floats


def naive_scale(history: npt.ArrayLike, *, power: Literal[1, 2]) -> Floats:
    """Mean one-step change from the first sale on: absolute (1), or the root of the mean square (2).

    Args:
        history: (G, T) units.

    Returns:
        (G,), NaN where a row has fewer than two values from its first sale on, or no change among them.

    Example:
        >>> naive_scale([[0, 0, 1, 3, 3]], power=1), naive_scale([[0, 0, 0, 0, 5]], power=1)
        (array([1.]), array([nan]))
    """
    units = np.asarray(history, dtype=np.float64)
    change = np.abs(np.diff(units, axis=1))
    started = np.logical_or.accumulate(units != 0, axis=1)[:, :-1]
    total = np.where(started, change**power, 0.0).sum(axis=1)
    count = started.sum(axis=1)
    mean = np.divide(total, count, out=np.full(len(units), np.nan), where=(count > 0) & (total > 0))
    root: Floats = mean if power == 1 else np.sqrt(mean)
    return root


def group_series(keys: pl.DataFrame, level: int) -> tuple[pl.DataFrame, sparse.csr_array]:
    """The groups of a level as `key1`, `key2`, sorted, and the (G, N) matrix that sums series to them."""
    columns = LEVELS[level]
    first = pl.col(columns[0]) if columns else pl.lit("Total")
    second = pl.col(columns[1]) if len(columns) > 1 else pl.lit("")
    named = keys.with_columns(key1=first, key2=second).select("key1", "key2")
    groups = named.unique().sort("key1", "key2").with_row_index("row")
    rows = named.join(groups, on=["key1", "key2"], how="left", maintain_order="left")["row"].to_numpy()
    ones = np.ones(len(keys))
    adds = sparse.csr_array((ones, (rows, np.arange(len(keys)))), shape=(len(groups), len(keys)))
    return groups.drop("row"), adds


def dollars(source: Path, sales: M5Sales) -> Floats:
    """(N,) money of each series over the days of `sales`, at the price of each day's week."""
    calendar = read_calendar(source).filter(pl.col("day").is_between(sales.first_day, sales.last_day))
    weeks = calendar["wm_yr_wk"].to_numpy()
    prices = (
        pl.scan_parquet(raw_file(source, PRICES_FILE))
        .filter(pl.col("wm_yr_wk").is_between(int(weeks.min()), int(weeks.max())))
        .collect()
    )
    total = np.zeros(len(sales.keys))
    for week in np.unique(weeks):
        of_week = prices.filter(pl.col("wm_yr_wk") == int(week)).drop("wm_yr_wk")
        price = sales.keys.join(of_week, on=["store_id", "item_id"], how="left", maintain_order="left")
        units = sales.values[:, weeks == week].sum(axis=1, dtype=np.float64)
        total += units * price["sell_price"].fill_null(0.0).to_numpy()
    return total


def _official(source: Path, level: int, groups: pl.DataFrame) -> tuple[Floats, Floats]:
    """Given weights and scales in the order of `groups`; scales NaN where the file has none."""
    weights = (
        pl.read_parquet(raw_file(source, WEIGHTS_FILE))
        .filter(pl.col("Level_id") == f"Level{level}")
        .select(key1="Agg_Level_1", key2=pl.col("Agg_Level_2").replace("X", ""), weight="weight")
    )
    scales = pl.read_parquet(raw_file(source, SCALES_FILE)).filter(pl.col("level") == level).drop("level")
    joined = groups.join(weights, on=["key1", "key2"], how="left", maintain_order="left")
    joined = joined.join(scales, on=["key1", "key2"], how="left", maintain_order="left")
    if joined["weight"].null_count() or len(weights) != len(groups):
        raise ShelfwiseError(
            f"{WEIGHTS_FILE} must have one weight for each of the {len(groups)} groups of level {level}; "
            f"it has {len(weights)}, and {joined['weight'].null_count()} groups have none"
        )
    return joined["weight"].to_numpy(), joined["scale"].cast(pl.Float64).fill_null(np.nan).to_numpy()


def scoring_basis(
    source: Path,
    *,
    last_day: int = 1913,
    weights: WeightsName = "window",
    levels: Sequence[int] | None = None,
) -> Basis:
    """Weights and scales to score the 28 days after `last_day`.

    Args:
        levels: by default 1 to 9 for ``official`` and all twelve for ``window``. Level 12 may be asked
            for with ``official`` weights too: it serves the pinball loss, whose scale is ours.

    Raises:
        UsageError: an unknown level or name of weights.
    """
    if weights not in ("official", "window"):
        raise UsageError(f"weights must be 'official' or 'window'; got {weights!r}")
    by_default = OFFICIAL_LEVELS if weights == "official" else tuple(LEVELS)
    chosen = by_default if levels is None else tuple(levels)
    if unknown := set(chosen) - set(LEVELS):
        raise UsageError(f"levels must be among 1 to 12; got {sorted(unknown)}")
    history = read_sales(source, last_day=last_day)
    before = M5Sales(history.keys, last_day - HORIZON_DAYS + 1, history.values[:, -HORIZON_DAYS:])
    money = dollars(source, before) if weights == "window" else np.zeros(0)
    units = history.values.astype(np.float64)
    made: dict[int, Level] = {}
    for level in chosen:
        groups, adds = group_series(history.keys, level)
        if weights == "official":
            weight, scale = _official(source, level, groups)
        else:
            weight, scale = adds @ money / money.sum(), naive_scale(adds @ units, power=2)
        made[level] = Level(groups, adds, weight, scale)
    return Basis(weights, last_day, history.keys, made, naive_scale(units, power=1))


def compare_scales(source: Path) -> pl.DataFrame:
    """`level`, `key1`, `key2`, `official`, `own`, `ratio` = own / official, over all days held.

    The official scales begin with d_1, ours with the first day held, so a ratio tells how much livelier
    the last part is, not an error.
    """
    history = read_sales(source)
    units = history.values.astype(np.float64)
    parts = []
    for level in OFFICIAL_LEVELS:
        groups, adds = group_series(history.keys, level)
        _, official = _official(source, level, groups)
        own = naive_scale(adds @ units, power=2)
        parts.append(groups.with_columns(level=pl.lit(level), official=official, own=own))
    order = ["level", "key1", "key2", "official", "own"]
    return pl.concat(parts).select(order).with_columns(ratio=pl.col("own") / pl.col("official"))
