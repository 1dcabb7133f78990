"""Held-out forecasts: what a forecaster says at past origins, beside what then happened.

The model is fitted at the first origin and takes the later ones as new history (`Forecaster.update`),
as it would between two fits. No record after an origin reaches it but what is known ahead. Demand before an origin
stands as it was cleaned with all history, though: how an estimate for a bucket out of stock, an inferred stock-out or
a capped spike came out may owe something to later buckets. A backtest cleans anew at every origin.

Judged is by what the records say (`Panel.recorded`): to come near a draw that was made up is no merit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.scenarios import Floats, Scenarios

Metric = Literal["pinball", "wape"]
METRICS: tuple[Metric, ...] = ("pinball", "wape")
HORIZON = {"day": 28, "week": 13, "month": 6}
LEVELS = tuple((np.arange(19) + 1) / 20)


@dataclass(frozen=True)
class HeldOut:
    """Forecasts of n series from one origin.

    Attributes:
        origin: the first bucket they did not know.
        rows: (n,) the series.
        actual: (n, H) float32 what happened, NaN where the records do not tell.
        scenarios: what had been said.
    """

    origin: int
    rows: npt.NDArray[np.intp]
    actual: Floats
    scenarios: Scenarios


def held_out_horizon(panel: Panel, asked: int | None = None) -> int:
    """Buckets to judge: what is asked for, else what the panel prepares, else 28 days, 13 weeks, 6 months.

    Never more than a third of history; 0 where there is too little history to hold anything out.
    """
    if asked is not None and asked < 1:
        raise UsageError(f"horizon must be at least 1 bucket; got {asked}")
    return min(asked or panel.horizon or HORIZON[panel.bucket.name], panel.n_buckets // 3)


def rolling_origins(n_buckets: int, horizon: int, count: int) -> list[int]:
    """Up to `count` origins, rising, whose `horizon` buckets lie in history and before which half of it lies.

    They stand a horizon apart, or closer where history is short.

    Example:
        >>> rolling_origins(104, 13, 3), rolling_origins(12, 4, 3), rolling_origins(2, 0, 3)
        ([65, 78, 91], [6, 7, 8], [])
    """
    if count < 1:
        raise UsageError(f"origins must be at least 1; got {count}")
    if horizon < 1:
        return []
    last = n_buckets - horizon
    room = last - max(n_buckets // 2, 1)
    apart = min(horizon, room // max(count - 1, 1))
    number = count if apart >= 1 else 1
    return [last - apart * back for back in reversed(range(number))]


def known_at(panel: Panel, origin: int, horizon: int) -> Panel:
    """The panel up to an origin, cleaned as it is, known ahead no further than `horizon` buckets."""
    cut = panel.until(origin)
    ahead = min(horizon, cut.horizon)
    known = {name: values.until(origin + ahead) for name, values in cut.known.items()}
    return replace(cut, horizon=ahead, known=known)


def held_out_forecasts(
    model: Forecaster,
    panel: Panel,
    origins: Sequence[int],
    horizon: int,
    n_samples: int,
    seed: int,
    rows: npt.NDArray[np.intp] | None = None,
    refit: bool = False,
) -> Iterator[HeldOut]:
    """What `model`, unfitted, says at each origin about all series, or about those in `rows`.

    With `refit` it is fitted anew at every origin.
    """
    chosen = np.arange(panel.n_series) if rows is None else rows
    recorded = panel.recorded
    for number, origin in enumerate(origins):
        then = known_at(panel, origin, horizon)
        model = model.update(then) if number and not refit else model.fit(then)
        rng = np.random.default_rng([seed, origin])
        said = model.sample(horizon, n_samples, rng, rows=chosen)
        yield HeldOut(origin, chosen, recorded[chosen, origin : origin + horizon], said)


def series_losses(held: HeldOut, metric: Metric) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """(n,) summed losses of the known buckets and (n,) what was demanded in them.

    `pinball` is the mean pinball loss over the 19 levels 0.05 … 0.95 (Koenker & Bassett 1978), `wape` the
    absolute error of the mean. Loss over demand, summed, is the score.
    """
    known = np.isfinite(held.actual)
    actual = np.where(known, held.actual, 0.0).astype(np.float64)
    if metric == "wape":
        loss = np.abs(actual - held.scenarios.mean())
    else:
        error = actual[:, :, None] - held.scenarios.quantile(LEVELS)
        loss = np.maximum(np.asarray(LEVELS) * error, (np.asarray(LEVELS) - 1.0) * error).mean(axis=2)
    return np.where(known, loss, 0.0).sum(axis=1), actual.sum(axis=1)


def checked_metric(metric: str, argument: str = "metric") -> Metric:
    """`metric` if it is one of ours.

    Raises:
        UsageError: it is not.
    """
    for known in METRICS:
        if metric == known:
            return known
    raise UsageError(f"{argument} must be one of {', '.join(METRICS)}; got {metric!r}")
