"""M5 scores of a forecast: WRMSSE level by level, scaled pinball loss at level 12, coverage.

    python -m benchmarks.m5_score [FORECAST] [--source DIR] [--last-day 1913] [--weights window]

FORECAST is what ``shelfwise forecast`` writes. Without one, the seasonal naive forecast is scored, and our
own scales are set beside the official ones. A forecast of the 28 days after ``d_LAST`` must come from a
folder written with ``--last-day LAST``; this module alone reads the days after it, as the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.m5_data import HORIZON_DAYS, dates_of, read_calendar, read_sales
from benchmarks.m5_levels import Basis, compare_scales, scoring_basis
from benchmarks.raw_data import raw_folder, run_command
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ForecastArrays:
    """A forecast table as arrays, in the order of the scorer's series.

    Attributes:
        values: (N, H, C), one layer a column asked for; 0 where the table has no row.
        missing_series: series without any row; an item not yet launched has none.
    """

    values: Floats
    missing_series: int


def _same_shape(forecast: npt.ArrayLike, actual: npt.ArrayLike, basis: Basis) -> tuple[Floats, Floats]:
    """Both as float64 (N, H), finite."""
    wanted, truth = np.asarray(forecast, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if wanted.shape != truth.shape or truth.ndim != 2 or len(truth) != len(basis.keys):
        raise UsageError(
            f"forecast and actual must both be ({len(basis.keys)}, H), rows as basis.keys; "
            f"got {wanted.shape} and {truth.shape}"
        )
    if not (np.isfinite(wanted).all() and np.isfinite(truth).all()):
        raise UsageError("forecast and actual must be finite numbers; NaN or infinity found")
    return wanted, truth


def wrmsse(
    forecast: npt.ArrayLike,
    actual: npt.ArrayLike,
    basis: Basis,
    levels: Sequence[int] | None = None,
    *,
    leave_out_unscaled: bool = False,
) -> dict[int, float]:
    """Weighted root mean squared scaled error of each level; the lower the better.

    Args:
        forecast, actual: (N, H) units, rows as `basis.keys`. Aggregates are the sums of the series.
        levels: by default all of the basis.
        leave_out_unscaled: let groups with weight but without a scale count nothing, as the pinball loss
            does; `unscaled_weight` tells how much that is.

    Raises:
        UsageError: wrong shapes, values not finite, or a level whose scales the basis does not have: a
            group without a scale counts nothing, which must not befall a group that has weight, unless
            `leave_out_unscaled`.

    Example:
        >>> import polars as pl
        >>> from benchmarks.m5_levels import Level, group_series
        >>> keys = pl.DataFrame({"item_id": ["a", "b"]})
        >>> total = Level(*group_series(keys, 1), np.ones(1), np.array([2.0]))
        >>> basis = Basis("window", 0, keys, {1: total}, np.ones(2))
        >>> wrmsse([[1.0, 1.0], [1.0, 1.0]], [[2, 4], [1, 3]], basis)
        {1: 1.8027756377319946}
    """
    wanted, truth = _same_shape(forecast, actual, basis)
    scores: dict[int, float] = {}
    for number in levels or list(basis.levels):
        level = basis.levels.get(number)
        if level is None:
            raise UsageError(f"the basis has levels {sorted(basis.levels)}; got {number}")
        unscaled = np.isnan(level.scale) & (level.weight > 0)
        if unscaled.any() and not leave_out_unscaled:
            raise UsageError(
                f"every group with weight must have a scale; level {number} of the {basis.weights} basis "
                f"lacks {int(unscaled.sum())} of {len(level.scale)}. Score it with weights='window'"
            )
        error = np.sqrt(np.mean((level.adds @ (wanted - truth)) ** 2, axis=1))
        scaled = np.divide(error, level.scale, out=np.zeros_like(error), where=~np.isnan(level.scale))
        scores[number] = float(level.weight @ scaled)
    return scores


def unscaled_weight(basis: Basis) -> dict[int, float]:
    """Weight of the groups without a scale, level by level: what sold in the last days only, say."""
    return {
        number: float(level.weight[np.isnan(level.scale)].sum()) for number, level in basis.levels.items()
    }


@dataclass(frozen=True)
class PinballScore:
    """Weighted scaled pinball loss of level 12.

    Attributes:
        mean: over the quantiles, the competition's WSPL of this level.
        by_quantile: one score a quantile.
        unscored_weight: weight of the series that have no scale and were left out.
    """

    mean: float
    by_quantile: dict[float, float]
    unscored_weight: float


def _quantile_arrays(
    quantiles: npt.ArrayLike, levels: Sequence[float], actual: npt.ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """(N, H, Q), (Q,) and (N, H, 1), checked."""
    values, truth = np.asarray(quantiles, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    share = np.asarray(levels, dtype=np.float64)
    if values.ndim != 3 or values.shape != (*truth.shape, len(share)):
        raise UsageError(
            f"quantiles must be (N, H, Q) beside actual (N, H) and Q levels; got {values.shape}, "
            f"{truth.shape} and {len(share)} levels"
        )
    if not ((share > 0) & (share < 1)).all():
        raise UsageError(f"quantile levels must lie between 0 and 1; got {list(levels)}")
    if not (np.isfinite(values).all() and np.isfinite(truth).all()):
        raise UsageError("quantiles and actual must be finite numbers; NaN or infinity found")
    return values, share, truth[..., None]


def scaled_pinball_level12(
    quantiles: npt.ArrayLike, levels: Sequence[float], actual: npt.ArrayLike, basis: Basis
) -> PinballScore:
    """Scaled pinball loss of every item-store series, weighted by dollars.

    The scale is the mean absolute one-step change of the series from its first sale to the basis' last
    day. A series without one (no sale, or never a change) cannot be scored; its weight is reported.

    Args:
        quantiles: (N, H, Q) units, rows as `basis.keys`.
        levels: Q shares between 0 and 1.
        actual: (N, H) units.

    Raises:
        UsageError: wrong shapes or levels, values not finite, or a basis without level 12.

    Literature: Makridakis et al. (2022), M5 uncertainty competition, IJF 38(4).
    """
    values, share, truth = _quantile_arrays(quantiles, levels, actual)
    if 12 not in basis.levels:
        raise UsageError(f"the basis must have level 12; it has {sorted(basis.levels)}")
    level = basis.levels[12]
    weight = level.weight @ level.adds
    if len(weight) != len(values):
        raise UsageError(f"quantiles must have the {len(weight)} series of the basis; got {len(values)}")
    short = truth - values
    loss = np.maximum(share * short, (share - 1.0) * short).mean(axis=1)
    known = ~np.isnan(basis.naive_change)
    scaled = np.divide(loss, basis.naive_change[:, None], out=np.zeros_like(loss), where=known[:, None])
    scores = weight @ scaled
    return PinballScore(
        mean=float(scores.mean()),
        by_quantile={float(level): float(score) for level, score in zip(levels, scores, strict=True)},
        unscored_weight=float(weight[~known].sum()),
    )


def coverage(
    quantiles: npt.ArrayLike, levels: Sequence[float], actual: npt.ArrayLike
) -> dict[float, tuple[float, float]]:
    """For each quantile the share of actuals below it, and at or below it.

    Counts tie with their quantiles: a well calibrated one has its level between the two shares.

    Example:
        >>> coverage([[[1.0], [1.0], [1.0], [1.0]]], [0.5], [[0, 1, 1, 2]])
        {0.5: (0.25, 0.75)}
    """
    values, _, truth = _quantile_arrays(quantiles, levels, actual)
    below, within = (truth < values).mean(axis=(0, 1)), (truth <= values).mean(axis=(0, 1))
    return {float(level): (float(b), float(w)) for level, b, w in zip(levels, below, within, strict=True)}


def forecast_arrays(
    forecast: pl.DataFrame, basis: Basis, source: Path, columns: Sequence[str] = ("mean",)
) -> ForecastArrays:
    """The forecast table's 28 days after the basis' last day, as arrays.

    Raises:
        UsageError: a column is missing, a row is there twice, or a series lacks some of the days.
    """
    if missing := {"sku", "location", "date", *columns} - set(forecast.columns):
        raise UsageError(f"the forecast must have columns {sorted(missing)}; it has {forecast.columns}")
    first = basis.last_day + 1
    dates = pl.DataFrame({"date": dates_of(read_calendar(source), first, basis.last_day + HORIZON_DAYS)})
    rows = basis.keys.select(sku="item_id", location="store_id").with_row_index("row")
    placed = (
        forecast.select("sku", "location", pl.col("date").cast(pl.Date), *columns)
        .join(rows, on=["sku", "location"])
        .join(dates.with_row_index("column"), on="date")
    )
    held = placed.group_by("row").agg(days=pl.len(), different=pl.col("column").n_unique())
    wrong = held.filter((pl.col("days") != len(dates)) | (pl.col("different") != len(dates)))
    if len(wrong):
        key = rows.row(int(wrong["row"].min()))  # type: ignore[arg-type]
        raise UsageError(
            f"each series must have one row for each of {HORIZON_DAYS} days from {dates['date'][0]}; "
            f"{len(wrong)} have not, the first is {key[1]}@{key[2]}"
        )
    values = np.zeros((len(rows), len(dates), len(columns)))
    values[placed["row"], placed["column"]] = placed.select(columns).cast(pl.Float64).to_numpy()
    return ForecastArrays(values, len(rows) - len(held))


def seasonal_naive(history: npt.ArrayLike, season: int = 7) -> Floats:
    """(N, 28) the last season, repeated."""
    last = np.asarray(history, dtype=np.float64)[:, -season:]
    return np.tile(last, -(-HORIZON_DAYS // season))[:, :HORIZON_DAYS]


def _print_scores(forecast: Floats, actual: npt.ArrayLike, basis: Basis) -> None:
    scores = wrmsse(forecast, actual, basis)
    for level, score in scores.items():
        print(f"WRMSSE level {level:2d}  {score:.4f}")
    print(f"mean of levels {min(scores)} to {max(scores)}: {np.mean(list(scores.values())):.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="M5 scores of a forecast of the 28 days after d_LAST")
    parser.add_argument("forecast", type=Path, nargs="?")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--last-day", type=int, default=1913)
    parser.add_argument("--weights", choices=["official", "window"], default="window")
    options = parser.parse_args()
    source, last = raw_folder("m5", options.source), options.last_day
    basis = scoring_basis(source, last_day=last, weights=options.weights)
    actual = read_sales(source, first_day=last + 1, last_day=last + HORIZON_DAYS).values
    print(f"d_{last + 1} to d_{last + HORIZON_DAYS}, weights and scales: {options.weights}")
    if options.forecast is None:
        ratios = compare_scales(source)
        spread = ratios.group_by("level", maintain_order=True).agg(
            lowest=pl.col("ratio").min(), median=pl.col("ratio").median(), highest=pl.col("ratio").max()
        )
        print("our scale / official scale (ours from the first day held, the official from d_1):")
        for row in spread.iter_rows():
            print("  level {}: {:.3f} … {:.3f} … {:.3f}".format(*row))
        print("seasonal naive:")
        _print_scores(seasonal_naive(read_sales(source, last_day=last).values), actual, basis)
        return
    read = pl.read_parquet if options.forecast.suffix == ".parquet" else pl.read_csv
    table = read(options.forecast).with_columns(pl.col("date").cast(pl.Date))
    names = [name for name in table.columns if name.startswith("q")]
    arrays = forecast_arrays(table, basis, source, ["mean", *names])
    print(f"{arrays.missing_series} series without a forecast count as 0")
    _print_scores(arrays.values[:, :, 0], actual, basis)
    if not names:
        return
    shares = [float(name[1:]) for name in names]
    basis12 = (
        basis
        if 12 in basis.levels
        else scoring_basis(source, last_day=last, weights=options.weights, levels=[12])
    )
    pinball = scaled_pinball_level12(arrays.values[:, :, 1:], shares, actual, basis12)
    print(f"scaled pinball level 12: {pinball.mean:.4f} (weight left out: {pinball.unscored_weight:.4f})")
    for share, (below, within) in coverage(arrays.values[:, :, 1:], shares, actual).items():
        loss = pinball.by_quantile[share]
        print(f"  q{share:g}: loss {loss:.4f}, below {below:.3f}, at or below {within:.3f}")


if __name__ == "__main__":
    run_command(main)
