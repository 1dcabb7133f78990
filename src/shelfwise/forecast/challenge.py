"""`champion_and_challenger`: whether another forecaster should take the place of the one in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.auto.held_out import (
    Metric,
    checked_metric,
    held_out_forecasts,
    held_out_horizon,
    rolling_origins,
    series_losses,
)
from shelfwise.forecast.base import Forecaster

DRAWS = 2000
Reason = Literal["switch", "no_better", "gain_too_small", "not_certain", "not_steady"]


@dataclass(frozen=True)
class Decision:
    """Whether to switch, and what speaks for it.

    Attributes:
        switch: whether the challenger should take over.
        reason: `switch`, or the first rule it failed: `no_better` (it lost), `gain_too_small`, `not_certain`
            (the interval of the gain reaches zero), `not_steady` (it won at no more than half of the origins).
        gain: share of the champion's loss that the challenger saves; low, high: its interval.
        champion, challenger: held-out loss over demand.
        origins_won: origins at which the challenger had the lower loss, out of `origins`.
        series: series that were judged.
    """

    switch: bool
    reason: Reason
    gain: float
    low: float
    high: float
    champion: float
    challenger: float
    origins_won: int
    origins: int
    series: int


def champion_and_challenger(
    champion: Callable[[], Forecaster],
    challenger: Callable[[], Forecaster],
    panel: Panel,
    *,
    horizon: int | None = None,
    origins: int = 4,
    metric: Metric = "pinball",
    least_gain: float = 0.01,
    level: float = 0.95,
    n_samples: int = 200,
    seed: int = 0,
) -> Decision:
    """Let both forecast the same rolling origins; switch only for a gain that is worth it, certain and steady.

    Certain: the lower end of a bootstrap interval (Efron 1979) over series, which keeps pairs and all origins of a
    series together, is above zero. That takes series as independent; a shift common to all of them at one origin
    is what the count of origins won is for.

    Args:
        champion, challenger: make new, unfitted forecasters.
        panel: history to judge on; horizon, origins, n_samples: see `held_out_forecasts`.
        least_gain: share of the loss below which a switch is not worth its trouble.
        level: of the interval.

    Raises:
        UsageError: too little history to hold anything out, or no demand in what was held out.

    Example:
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> from shelfwise.forecast.naive import SeasonalNaive
        >>> demand = np.random.default_rng(0).poisson(9, (40, 80))
        >>> decision = champion_and_challenger(
        ...     lambda: SeasonalNaive(7), MovingAverage, Panel.from_arrays(demand), horizon=6
        ... )
        >>> decision.switch, decision.gain > 0.05
        (True, True)
    """
    checked_metric(metric)
    if not 0.0 < level < 1.0 or least_gain < 0.0:
        raise UsageError(
            f"level must lie in (0, 1) and least_gain be at least 0; got {level} and {least_gain}"
        )
    steps = held_out_horizon(panel, horizon)
    stretches = rolling_origins(panel.n_buckets, steps, origins)
    if not stretches:
        raise UsageError(f"a challenge needs at least 3 buckets of history; got {panel.n_buckets}")
    order = np.argsort(panel.series_ids, kind="stable")
    losses = np.zeros((2, len(stretches), panel.n_series))
    demand = np.zeros(panel.n_series)
    for side, make in enumerate((champion, challenger)):
        forecasts = held_out_forecasts(make(), panel, stretches, steps, n_samples, seed, order)
        for number, held in enumerate(forecasts):
            losses[side, number], demanded = series_losses(held, metric)
            demand += demanded if side == 0 else 0.0
    seen = np.isfinite(panel.recorded[order, stretches[0] :]).any(axis=1)
    by_origin, by_series = losses.sum(axis=2), losses.sum(axis=1)[:, seen]
    total = by_series.sum(axis=1)
    if not (demand.sum() > 0 and total[0] > 0):
        raise UsageError(
            "nothing was demanded in the held-out buckets, or nothing was missed: there is no gain"
        )
    low, high = _interval(by_series, level, seed)
    gain = 1.0 - float(total[1] / total[0])
    won = int((by_origin[1] < by_origin[0]).sum())
    reason = _reason(gain, low, won, len(stretches), least_gain)
    scores = total / demand.sum()
    return Decision(
        reason == "switch",
        reason,
        gain,
        low,
        high,
        float(scores[0]),
        float(scores[1]),
        won,
        len(stretches),
        int(seen.sum()),
    )


def _reason(gain: float, low: float, won: int, origins: int, least_gain: float) -> Reason:
    if gain <= 0.0:
        return "no_better"
    if gain < least_gain:
        return "gain_too_small"
    if low <= 0.0:
        return "not_certain"
    return "switch" if 2 * won > origins else "not_steady"


def _interval(
    losses: np.ndarray[tuple[int, int], np.dtype[np.float64]], level: float, seed: int
) -> tuple[float, float]:
    """Bootstrap interval of the gain from (2, n) losses of champion and challenger."""
    rng = np.random.default_rng(seed)
    n = losses.shape[1]
    gains = np.empty(DRAWS)
    for draw in range(DRAWS):
        champion, challenger = losses[:, rng.integers(0, n, n)].sum(axis=1)
        gains[draw] = 1.0 - challenger / champion if champion > 0 else 0.0
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(gains, [tail, 1.0 - tail])
    return float(low), float(high)
