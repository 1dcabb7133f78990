"""`explain`: what a forecast is made of, for any fitted model, in units that add up to its mean.

- The boosted model is taken apart exactly (`gbm.explain`).
- A model that looks at nothing but history has a mean path of level, trend and season, read off that path.
- Any other model is asked again without what is planned: without promotions, at its usual price, without events.
  What changes is theirs, in that order; the rest is read off the path.
- A blend has the parts of its members, by weight; a calibrated forecast those of its model, and what was corrected.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Floats, Known, Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.parts import PARTS, Doubles, ForecastParts

Rows = npt.NDArray[np.intp]
# The same luck for every question, so that answers differ by what was asked alone.
ROOT = 0
MEAN_SAMPLES = 100
PLANNED = (("promotion", ("promotion", "discount")), ("price", ("price",)), ("events", ("event",)))


def explain(
    model: Forecaster, horizon: int, rows: Sequence[int] | npt.NDArray[Any] | None = None
) -> ForecastParts:
    """The parts of the expected demand of these series (all, if None) in the next `horizon` buckets.

    Raises:
        UsageError: a row that the panel does not have, or a horizon below 1.

    Example:
        >>> from shelfwise.buckets import Bucket
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> weekend = np.tile([4.0, 4.0, 4.0, 4.0, 4.0, 9.0, 6.0], 12)
        >>> panel = Panel.from_arrays(weekend, bucket=Bucket("day"))
        >>> parts = explain(MovingAverage(seasonal=True).fit(panel), horizon=7)
        >>> print(parts.tell(0, 5, 6))
        Expected demand (days: 1): 8.8 units = 4.9 level + 3.9 season.
    """
    panel = model.panel
    chosen = np.arange(panel.n_series) if rows is None else np.asarray(rows, np.intp)
    if horizon < 1:
        raise UsageError(f"horizon must be at least 1 bucket; got {horizon}")
    if chosen.size and (chosen.min() < 0 or chosen.max() >= panel.n_series):
        raise UsageError(f"rows must be 0 to {panel.n_series - 1}; got {chosen.min()} to {chosen.max()}")
    units = _units(model, chosen, horizon)
    units *= _alive(panel, chosen, horizon)[:, :, None]
    names = model.sample(1, 1, np.random.default_rng(ROOT), rows=chosen).models
    assert names is not None  # every forecaster names the model of each series
    return ForecastParts(
        panel.keys[chosen].select("sku", "location"), panel.bucket, panel.as_of, units, names
    )


def _units(model: Forecaster, rows: Rows, horizon: int) -> Doubles:
    """(n, H, P) by whatever takes this model apart."""
    take_apart = _SPECIAL.get(model.name)
    if take_apart is not None:
        return take_apart(model, rows, horizon)
    if getattr(model, "local", False) or model.name in _HISTORY_ALONE:
        return _path_parts(_mean(model, rows, horizon + model.panel.bucket.season), horizon, model.panel)
    return _without_plans(model, rows, horizon)


def _mean(model: Forecaster, rows: Rows, horizon: int) -> Doubles:
    """(n, H) the mean, as it is before items end."""
    paths, expected = model._sample_rows(rows, horizon, MEAN_SAMPLES, ROOT)
    return np.asarray(paths.mean(axis=1) if expected is None else expected, dtype=np.float64)


def _path_parts(mean: Doubles, horizon: int, panel: Panel) -> Doubles:
    """(n, horizon, P) level, trend and season of mean paths that are a season longer than the horizon.

    The mean over a whole season has no season in it and moves with the trend; what a path is off from that line is
    its season. The level is where the line begins, one bucket before the horizon.
    """
    season = mean.shape[1] - horizon
    total = np.cumsum(np.pad(mean, ((0, 0), (1, 0))), axis=1)
    over_season = (total[:, season:] - total[:, :-season]) / season
    slope = np.diff(over_season, axis=1)
    line = over_season[:, :horizon] - slope[:, :horizon] * (season - 1) / 2.0
    level = line[:, :1] - slope[:, :1]
    units = np.zeros((*line.shape, len(PARTS)))
    units[:, :, PARTS.index("level")] = level
    units[:, :, PARTS.index("trend")] = line - level
    units[:, :, PARTS.index("season")] = mean[:, :horizon] - line
    return units


def _without_plans(model: Forecaster, rows: Rows, horizon: int) -> Doubles:
    """(n, H, P): what a model expects less of, asked again without each kind of plan."""
    asked, panel = copy.copy(model), model.panel
    mean = _mean(model, rows, horizon)
    units = np.zeros((*mean.shape, len(PARTS)))
    for part, beginnings in PLANNED:
        names = [name for name in panel.known if name.startswith(beginnings)]
        if not names:
            continue
        panel = replace(panel, known={**panel.known, **{name: _neutral(panel, name) for name in names}})
        asked = copy.copy(asked).update(panel)
        plain = _mean(asked, rows, horizon)
        units[:, :, PARTS.index(part)] = mean - plain
        mean = plain
    longer = _mean(asked, rows, horizon + panel.bucket.season)
    longer[:, :horizon] = mean
    return units + _path_parts(longer, horizon, panel)


def _neutral(panel: Panel, name: str) -> Known:
    """A covariate as it is in the horizon where nothing is planned: the last known price, none of anything else."""
    known = panel.known[name]
    values = known.values.copy()
    ahead = slice(panel.n_buckets, None)
    values[:, ahead] = _usual(known.values[:, : panel.n_buckets]) if name == "price" else 0.0
    return Known(values, known.group)


def _usual(price: Floats) -> Floats:
    """(G, 1) the median of the prices of the last quarter of history, NaN where none is known."""
    recent = price[:, -max(price.shape[1] // 4, 1) :]
    ordered = np.sort(recent, axis=1)
    middle = np.maximum(np.isfinite(recent).sum(axis=1) - 1, 0) // 2
    return np.asarray(ordered[np.arange(len(ordered)), middle][:, None])


def _boosted(model: Any, rows: Rows, horizon: int) -> Doubles:
    from shelfwise.forecast.gbm.explain import PARTS as BOOSTED
    from shelfwise.forecast.gbm.explain import explain_forecast

    told = (
        explain_forecast(model, rows, horizon)["units"].to_numpy().reshape(len(rows), horizon, len(BOOSTED))
    )
    units = np.zeros((len(rows), horizon, len(PARTS)))
    units[:, :, [PARTS.index(part) for part in BOOSTED]] = told
    return units


def _blended(model: Any, rows: Rows, horizon: int) -> Doubles:
    """The parts of the members, by the weights of each series' class."""
    weights = model.member_weights(rows)
    units = np.zeros((len(rows), horizon, len(PARTS)))
    for m, member in enumerate(model.members):
        mine = np.flatnonzero(weights[:, m] > 0)
        if len(mine):
            units[mine] += weights[mine, m][:, None, None] * _units(member, rows[mine], horizon)
    return units


def _calibrated(model: Any, rows: Rows, horizon: int) -> Doubles:
    units = _units(model.model, rows, horizon)
    moved = _mean(model, rows, horizon) - _mean(model.model, rows, horizon)
    units[:, :, PARTS.index("calibration")] += moved
    return units


def _alive(panel: Panel, rows: Rows, horizon: int) -> npt.NDArray[np.bool_]:
    """(n, H) whether an item is on sale in each bucket ahead."""
    step = panel.n_buckets + np.arange(horizon)[None, :]
    return np.asarray((step < panel.ends[rows][:, None]) & (step >= panel.launched[rows][:, None]))


_SPECIAL: dict[str, Callable[[Any, Rows, int], Doubles]] = {
    "gbm": _boosted,
    "auto": _blended,
    "calibrated": _calibrated,
}
# `moving_average` with a season leans on the whole shop's, and still on its history alone.
_HISTORY_ALONE = ("moving_average",)
