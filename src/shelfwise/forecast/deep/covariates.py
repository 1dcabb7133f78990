"""What is known ahead and what was observed, as columns a network reads one bucket at a time.

A known covariate is read at the bucket that is forecast, and one bucket further for what buyers wait for. A
signal of behaviour ends at the origin: from there on its last value stands, with a column that says how old
it is. In training every window is cut off somewhere in the same way, so that a network learns to live with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Known, Panel

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]
MOST_FLAGS = 28
AWAITED = ("promotion", "event:any")
RATIO_BOUND = 3.0
# Trailing buckets of a price that buyers are used to, and of a signal now and usually.
USED_TO = {"day": 56, "week": 13, "month": 6}
RECENT = {"day": 7, "week": 2, "month": 1}
USUAL = {"day": 112, "week": 26, "month": 12}
# Actions a bucket added to both sides of a ratio, so that one visit to a forgotten page is no boom.
SMOOTHING = 0.1


@dataclass(frozen=True)
class CovariateNames:
    """The columns a fitted network reads, in their order.

    Attributes:
        flags: known covariate -> what its values are divided by.
        price: whether prices were known.
        signals: observed signals.
    """

    flags: dict[str, float] = field(default_factory=dict)
    price: bool = False
    signals: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, panel: Panel) -> CovariateNames:
        """Those that this panel's history has anything of, at most 28 flags, the most frequent ones."""
        in_force: dict[str, float] = {}
        largest: dict[str, float] = {}
        for name, known in panel.known.items():
            values = np.nan_to_num(known.values[:, : panel.n_buckets], nan=0.0)
            if name != "price" and (values != 0).any():
                in_force[name] = float((values != 0).mean())
                largest[name] = float(max(1.0, np.abs(values).max()))
        kept = sorted(sorted(in_force), key=lambda name: -in_force[name])[:MOST_FLAGS]
        return cls({name: largest[name] for name in kept}, "price" in panel.known, sorted(panel.observed))

    @property
    def columns(self) -> list[str]:
        """What the columns are."""
        ahead = [f"{name}[+1]" for name in AWAITED if name in self.flags]
        price = ["price_to_usual", "price_to_top"] if self.price else []
        age = ["signal_age"] if self.signals else []
        return [*self.flags, *ahead, *price, *self.signals, *age]


class Covariates:
    """Reads the columns named by `names` out of a panel; what the panel lacks is nowhere in force."""

    def __init__(self, panel: Panel, names: CovariateNames) -> None:
        self.names = names
        self._bucket = panel.bucket.name
        self._flags = {name: panel.known[name] for name in names.flags if name in panel.known}
        self._price = panel.known.get("price") if names.price else None
        if self._price is not None:
            seen = np.isfinite(self._price.values) & (self._price.values > 0)
            logs = np.where(seen, np.log(np.where(seen, self._price.values, 1.0)), 0.0)
            self._log_price = np.where(seen, logs, np.nan)
            self._price_sums = _running(logs), _running(seen)
            top = np.maximum.accumulate(np.where(seen, logs, -np.inf), axis=1)
            self._top = np.concatenate([np.full((len(top), 1), -np.inf), top], axis=1)
        self._signals = {name: panel.observed[name] for name in names.signals if name in panel.observed}
        self._signal_sums = {}
        for name, signal in self._signals.items():
            seen = np.isfinite(signal.values)
            self._signal_sums[name] = (_running(np.where(seen, signal.values, 0.0)), _running(seen))

    def read(self, rows: npt.NDArray[Any], steps: Steps, origins: Steps) -> Floats:
        """(n, L, columns) for these series at buckets `steps` (n, L), signals known up to `origins` (n,)."""
        out = np.zeros((*steps.shape, len(self.names.columns)), np.float32)
        columns = [self._flag(name, rows, steps) for name in self.names.flags]
        columns += [self._flag(name, rows, steps + 1) for name in AWAITED if name in self.names.flags]
        columns += self._price_columns(rows, steps)
        columns += self._signal_columns(rows, steps, origins)
        for at, column in enumerate(columns):
            out[:, :, at] = column
        return out

    def _flag(self, name: str, rows: npt.NDArray[Any], steps: Steps) -> npt.NDArray[Any]:
        if name not in self._flags:
            return np.zeros(steps.shape)
        known: Known = self._flags[name]
        width = known.values.shape[1]
        values = known.values[known.group[rows][:, None], np.clip(steps, 0, width - 1)]
        # Beyond the prepared horizon nobody has said that anything is planned.
        return np.where(steps < width, np.nan_to_num(values, nan=0.0), 0.0) / self.names.flags[name]

    def _price_columns(self, rows: npt.NDArray[Any], steps: Steps) -> list[npt.NDArray[Any]]:
        if not self.names.price:
            return []
        if self._price is None:
            return [np.zeros(steps.shape)] * 2
        group, width = self._price.group[rows][:, None], self._log_price.shape[1]
        at = np.clip(steps, 0, width - 1)
        now = self._log_price[group, at]
        total, count = _between(self._price_sums, group, at - USED_TO[self._bucket], at)
        with np.errstate(invalid="ignore", divide="ignore"):
            against = (now - total / count, now - np.where(at > 0, self._top[group, at], np.nan))
        return [np.clip(np.where(np.isfinite(x), x, 0.0), -RATIO_BOUND, RATIO_BOUND) for x in against]

    def _signal_columns(self, rows: npt.NDArray[Any], steps: Steps, origins: Steps) -> list[npt.NDArray[Any]]:
        if not self.names.signals:
            return []
        last = np.minimum(steps, origins[:, None])
        columns = []
        for name in self.names.signals:
            if name not in self._signals:
                columns.append(np.zeros(steps.shape))
                continue
            sums, group = self._signal_sums[name], self._signals[name].group[rows][:, None]
            now, now_count = _between(sums, group, last - RECENT[self._bucket], last)
            usual, usual_count = _between(sums, group, last - USUAL[self._bucket], last)
            with np.errstate(invalid="ignore", divide="ignore"):
                ratio = np.log((now / now_count + SMOOTHING) / (usual / usual_count + SMOOTHING))
            columns.append(np.clip(np.where(np.isfinite(ratio), ratio, 0.0), -RATIO_BOUND, RATIO_BOUND))
        return [*columns, np.log1p((steps - last) / RECENT[self._bucket])]


def _running(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(G, T + 1) running sum with a leading zero column."""
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1, dtype=np.float64)], axis=1)


def _between(
    sums: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], group: Any, start: Any, end: Any
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Total and count of the buckets in [start, end)."""
    start = np.maximum(start, 0)
    total, count = sums
    return total[group, end] - total[group, start], count[group, end] - count[group, start]
