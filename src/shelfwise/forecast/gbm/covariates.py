"""What is known ahead, read at the target's own step: step 3 sees the promotion of step 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Known, Panel

Floats = npt.NDArray[np.float32]
MAX_FLAGS = 28


class StepCovariates:
    """Covariate columns for (series, origin, target) triples.

    A price enters as its ratio to what the buyer was used to at the origin, to the last price before
    it, and to the highest ever; everything else as its value at the target and one bucket to each side.
    """

    def __init__(self, panel: Panel, trailing: int, like: StepCovariates | None = None) -> None:
        # Trees fitted on other columns read these by position: what they knew then, and in that order.
        self.known: dict[str, Known] = dict(panel.known) if like is None else _as_in(panel, like.known)
        self.trailing = trailing
        self.flags: list[str] = _worth_having(panel) if like is None else like.flags
        self.neighbours = [name for name in ("promotion", "event:any") if name in self.known]
        self.price = self.known.get("price")
        self.promotion = self.known.get("promotion")
        if self.price is not None:
            self._price_sum, self._price_count, self._price_top = _price_history(self.price)
        if self.promotion is not None:
            filled = np.nan_to_num(self.promotion.values, nan=0.0)
            self._promotion_sum = np.concatenate(
                [np.zeros((len(filled), 1)), np.cumsum(filled, axis=1, dtype=np.float64)], axis=1
            )
        self.names = self._names()

    def _names(self) -> list[str]:
        names = list(self.flags)
        names += [f"{name}[{side:+d}]" for name in self.neighbours for side in (-1, 1)]
        if self.promotion is not None:
            names.append("promotion_recently")
        if self.price is not None:
            names += ["price_to_usual", "price_to_last", "price_to_top", "log_price"]
        return names

    def build(self, rows: Any, origins: Any, targets: Any) -> list[Floats]:
        """One (M,) column a name."""
        columns = [_at(self.known[name], rows, targets, _outside(name)) for name in self.flags]
        columns += [
            _at(self.known[name], rows, targets + side, _outside(name))
            for name in self.neighbours
            for side in (-1, 1)
        ]
        if self.promotion is not None:
            group = self.promotion.group[rows]
            start = np.maximum(origins - self.trailing, 0)
            gone = self._promotion_sum[group, origins] - self._promotion_sum[group, start]
            columns.append((gone / np.maximum(origins - start, 1)).astype(np.float32))
        if self.price is not None:
            columns += self._price_columns(self.price, rows, origins, targets)
        return columns

    def _price_columns(self, price: Known, rows: Any, origins: Any, targets: Any) -> list[Floats]:
        group = price.group[rows]
        now = price.values[group, np.clip(targets, 0, price.values.shape[1] - 1)]
        before = np.maximum(origins - 1, 0)
        start = np.maximum(origins - self.trailing, 0)
        count = self._price_count[group, origins] - self._price_count[group, start]
        total = self._price_sum[group, origins] - self._price_sum[group, start]
        with np.errstate(invalid="ignore", divide="ignore"):
            usual = total / count
            columns = [now / usual, now / price.values[group, before], now / self._price_top[group, before]]
            return [np.where(np.isfinite(c), c, np.nan).astype(np.float32) for c in columns] + [
                np.log(np.maximum(now, 1e-6)).astype(np.float32)
            ]


def _outside(name: str) -> float:
    """What a covariate is where nobody has said: nothing planned; a price or distance is unknown, not zero."""
    return np.nan if name == "price" or name.startswith("days_") else 0.0


def _as_in(panel: Panel, fitted: Mapping[str, Known]) -> dict[str, Known]:
    """The covariates that were there in fitting; one that this panel lacks is nowhere in force."""
    shape, everyone = (1, panel.n_buckets + panel.horizon), np.zeros(panel.n_series, np.int32)
    known = {name: panel.known[name] for name in fitted if name in panel.known}
    for name in fitted.keys() - known.keys():
        known[name] = Known(np.full(shape, _outside(name), np.float32), everyone)
    return known


def _at(known: Known, rows: Any, step: Any, outside: float) -> Floats:
    """Value at a step, and `outside` where the step is not among the columns."""
    width = known.values.shape[1]
    value = known.values[known.group[rows], np.clip(step, 0, width - 1)]
    return np.where((step >= 0) & (step < width), value, np.float32(outside))


def _worth_having(panel: Panel) -> list[str]:
    """Covariates other than price, the ones most often in force first."""
    names = [name for name in panel.known if name != "price"]
    history = panel.n_buckets
    seen = {name: float(np.nansum(panel.known[name].values[:, :history] != 0)) for name in names}
    used = [name for name in names if seen[name] > 0]
    return sorted(sorted(used), key=lambda name: -seen[name])[:MAX_FLAGS]


def _price_history(price: Known) -> tuple[Any, Any, Floats]:
    known = np.isfinite(price.values)
    filled = np.where(known, price.values, 0.0)
    zero = np.zeros((len(filled), 1))
    total = np.concatenate([zero, np.cumsum(filled, axis=1, dtype=np.float64)], axis=1)
    count = np.concatenate([zero.astype(np.int32), np.cumsum(known, axis=1, dtype=np.int32)], axis=1)
    return total, count, np.maximum.accumulate(filled, axis=1)
