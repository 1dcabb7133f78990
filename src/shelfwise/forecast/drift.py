"""`DriftMonitor`: tells when forecast errors are no longer what they were, for which series and since when.

Two-sided CUSUM (Page 1954) on self-started scores (Hawkins 1987): each error is compared with the mean and
spread of the series' own earlier ones, so that no error level has to be known in advance, and a bias that was
always there is no drift. Under steady normal errors the scores are standard normal and independent, which
fixes how often a false alarm is raised.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.calibration.kernels import uniforms
from shelfwise.forecast.scenarios import Scenarios

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SLACK = 0.5
LARGEST_SCORE = 3.0
WARM_UP = 8
SCHEMA = {
    "sku": pl.String,
    "location": pl.String,
    "drifted": pl.Boolean,
    "direction": pl.String,
    "since": pl.Date,
    "alarm": pl.Date,
    "statistic": pl.Float64,
    "observed": pl.Int64,
}


class DriftMonitor:
    """Watches the errors of N series bucket by bucket, and their mean for the shop as a whole.

    A series that drifted stays drifted until `reset`. `since` is the bucket after the one in which the alarming sum
    was last zero. A change within the first 8 observed buckets cannot be told from the series' usual errors.

    Args:
        keys: N rows `sku`, `location`.
        run_length_buckets: mean buckets between two false alarms of one series; its rate is one over that. It
            holds for errors that are independent from bucket to bucket, so of one and the same step ahead, and near
            to normal, as those of `observe` are; errors that follow each other raise several times as many.
        seed: of the ranks of counts.

    Raises:
        UsageError: a run length below 20 buckets, within which hardly anything can be told.

    Example:
        >>> import polars as pl
        >>> from datetime import timedelta
        >>> monitor = DriftMonitor(pl.DataFrame({"sku": ["a", "b"], "location": ["main", "main"]}))
        >>> rng = np.random.default_rng(0)
        >>> for t in range(40):
        ...     shift = np.array([0.0, 3.0 if t >= 30 else 0.0])
        ...     monitor.observe_errors(date(2024, 1, 1) + timedelta(days=t), rng.normal(size=2) + shift)
        >>> monitor.report().filter("drifted").select("sku", "direction", "since").rows()
        [('b', 'above', datetime.date(2024, 1, 31))]
    """

    def __init__(self, keys: pl.DataFrame, run_length_buckets: float = 1000.0, seed: int = 0) -> None:
        if not run_length_buckets >= 20:
            raise UsageError(f"run_length_buckets must be at least 20; got {run_length_buckets}")
        self.keys, self.run_length_buckets, self.seed = keys, run_length_buckets, seed
        self._ids = Panel.from_arrays(np.zeros((len(keys), 1)), keys=keys).series_ids
        self.threshold = cusum_threshold(run_length_buckets)
        self._series, self._shop = _Cusum(len(keys), self.threshold), _Cusum(1, self.threshold)
        self._days: list[date] = []

    @property
    def drifted(self) -> Flags:
        """(N,) the series that drifted."""
        return self._series.alarm >= 0

    @property
    def shop_drifted(self) -> bool:
        """Whether the shop as a whole did."""
        return bool(self._shop.alarm[0] >= 0)

    @property
    def expected_false_alarms(self) -> float:
        """False alarms to be expected so far, had nothing drifted: observed buckets after warm-up over run length."""
        watched = np.maximum(self._series.count - WARM_UP, 0).sum()
        return float(watched) / self.run_length_buckets

    def observe(self, actual: npt.ArrayLike, scenarios: Scenarios, step: int = 0) -> None:
        """What happened in a bucket, beside the scenarios that had been made for it.

        The error is the normal score of the outcome's rank among the paths, at random within the step of a count:
        standard normal where the forecast is calibrated, for rare sales as for large numbers.

        Args:
            actual: (N,) demand, NaN unknown.
            scenarios: of these series; `step` is the bucket of their horizon.

        Raises:
            UsageError: scenarios of other series, or no such step.
        """
        from scipy.special import ndtri

        if not scenarios.keys.equals(self.keys):
            raise UsageError("scenarios must be of the monitor's series, in its order")
        if not 0 <= step < scenarios.horizon:
            raise UsageError(f"step must lie in 0 … {scenarios.horizon - 1}; got {step}")
        outcome = np.asarray(actual, np.float64)
        paths = scenarios.paths[:, :, step]
        below, equal = (paths < outcome[:, None]).sum(axis=1), (paths == outcome[:, None]).sum(axis=1)
        day = scenarios.dates[step]
        lots = uniforms(self._ids, np.uint64(self.seed ^ day.toordinal()), 1, 1)[:, 0, 0].astype(np.float64)
        rank = (below + lots * (equal + 1)) / (scenarios.n_samples + 1)
        self.observe_errors(day, np.where(np.isfinite(outcome), ndtri(rank), np.nan))

    def observe_errors(self, day: date, errors: npt.ArrayLike) -> None:
        """(N,) errors of a bucket in any unit that stays the same, actual minus forecast, NaN unknown.

        Raises:
            UsageError: another number of series, or a bucket not after the last one.
        """
        values = np.asarray(errors, np.float64)
        if values.shape != (len(self.keys),):
            raise UsageError(f"errors must be ({len(self.keys)},); got {values.shape}")
        if self._days and day <= self._days[-1]:
            raise UsageError(f"buckets must come in order; got {day} after {self._days[-1]}")
        self._days.append(day)
        now = len(self._days) - 1
        # The usual error of a series must not decide how much it has to say about the shop.
        scores = self._series.observe(values, now)
        known = np.isfinite(scores)
        if known.any():
            self._shop.observe(np.array([scores[known].mean()]), now)

    def reset(self, rows: npt.NDArray[Any] | None = None) -> None:
        """Start anew, for all series and the shop or only for the series in `rows`: after a refit."""
        if rows is None:
            self._series, self._shop = _Cusum(len(self.keys), self.threshold), _Cusum(1, self.threshold)
        else:
            self._series.reset(np.asarray(rows))

    def report(self) -> pl.DataFrame:
        """A row a series: `sku, location, drifted, direction, since, alarm, statistic, observed`.

        `direction` is `above` where more is demanded than forecast; `statistic` is to be compared with `threshold`.
        """
        return self._told(self._series, self.keys["sku"].to_list(), self.keys["location"].to_list())

    def shop_report(self) -> pl.DataFrame:
        """The same for the shop as a whole: one row, without a key."""
        return self._told(self._shop, [None], [None])

    def _told(self, cusum: _Cusum, skus: list[Any], locations: list[Any]) -> pl.DataFrame:
        drifted = cusum.alarm >= 0
        days = pl.Series(self._days, dtype=pl.Date)

        def day_of(at: npt.NDArray[np.int64]) -> pl.Series:
            return days.gather(pl.Series(at).set(pl.Series(~drifted), None))

        return pl.DataFrame(
            {
                "sku": skus,
                "location": locations,
                "drifted": drifted,
                "direction": pl.Series(np.where(cusum.side == 0, "above", "below")).set(
                    pl.Series(~drifted), None
                ),
                "since": day_of(cusum.since),
                "alarm": day_of(cusum.alarm),
                "statistic": cusum.sums.max(axis=0),
                "observed": cusum.count,
            },
            schema=SCHEMA,
        )


class _Cusum:
    """Two sums a series, up and down; stopped once one has passed the threshold."""

    def __init__(self, n: int, threshold: float) -> None:
        self.threshold = threshold
        self.count = np.zeros(n, np.int64)
        self.sums = np.zeros((2, n))
        self.alarm, self.since = np.full(n, -1), np.zeros(n, np.int64)
        self.side = np.zeros(n, np.int64)
        self._mean, self._squares = np.zeros(n), np.zeros(n)
        self._start = np.zeros((2, n), np.int64)

    def reset(self, rows: npt.NDArray[Any]) -> None:
        fresh = _Cusum(len(rows), self.threshold)
        for name in ("count", "alarm", "since", "side", "_mean", "_squares"):
            getattr(self, name)[rows] = getattr(fresh, name)
        self.sums[:, rows], self._start[:, rows] = 0.0, 0

    def observe(self, errors: Doubles, now: int) -> Doubles:
        """(n,) scores of the errors, NaN where unknown or still warming up."""
        watched = np.isfinite(errors) & (self.alarm < 0)
        scores = np.where(np.isfinite(errors), self._scores(errors), np.nan)
        rated = watched & np.isfinite(scores)
        # One freak bucket is no drift.
        step = np.clip(np.where(rated, scores, 0.0), -LARGEST_SCORE, LARGEST_SCORE)
        for side, sign in enumerate((1.0, -1.0)):
            idle = rated & (self.sums[side] == 0.0)
            self._start[side, idle] = now
            self.sums[side] = np.where(
                rated, np.maximum(self.sums[side] + sign * step - SLACK, 0.0), self.sums[side]
            )
        over = rated & (self.sums.max(axis=0) > self.threshold)
        self.side[over] = self.sums[:, over].argmax(axis=0)
        self.since[over] = self._start[self.side[over], over]
        self.alarm[over] = now
        self._learn(errors, watched)
        return np.asarray(scores)

    def _scores(self, errors: Doubles) -> Doubles:
        """Errors against the earlier ones: Student's t of a next observation, as a normal score."""
        from scipy.special import ndtri, stdtr

        n = np.maximum(self.count, 2).astype(np.float64)
        spread = np.sqrt(self._squares / (n - 1.0))
        gap = np.where(np.isfinite(errors), errors - self._mean, 0.0)
        # Errors that never differed: the first that does is as far out as can be.
        t = np.where(spread > 0, gap / np.where(spread > 0, spread, 1.0), np.copysign(np.inf, gap))
        t = np.where(gap == 0.0, 0.0, t * np.sqrt(n / (n + 1.0)))
        # Through the tail that is not 1, where both functions are exact.
        score = -np.sign(t) * ndtri(np.maximum(stdtr(n - 1.0, -np.abs(t)), 1e-300))
        return np.where(self.count >= WARM_UP, score, np.nan)

    def _learn(self, errors: Doubles, watched: Flags) -> None:
        """Mean and squares go on (Welford 1962) until the alarm."""
        self.count += watched
        gap = np.where(watched, errors - self._mean, 0.0)
        self._mean += gap / np.maximum(self.count, 1)
        self._squares += gap * np.where(watched, errors - self._mean, 0.0)


def cusum_threshold(run_length_buckets: float) -> float:
    """The threshold whose two-sided CUSUM of standard normal scores raises an alarm once in so many buckets.

    By Siegmund's approximation (1985, "Sequential Analysis") for slack ½, which is good to a few percent.

    Example:
        >>> round(cusum_threshold(465), 1)
        5.0
    """
    low, high = 0.0, 100.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        reach = 2.0 * SLACK * (middle + 1.166)
        if (np.exp(reach) - 1.0 - reach) / (2.0 * SLACK**2) / 2.0 < run_length_buckets:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
