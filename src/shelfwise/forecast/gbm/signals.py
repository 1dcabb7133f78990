"""What visitors had done up to the origin, against what they usually do: never a bucket of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel

Floats = npt.NDArray[np.float32]
# Trailing windows in buckets, and the longer one that says what is usual.
SPANS: dict[str, tuple[int, ...]] = {"day": (1, 7, 28), "week": (1, 4), "month": (1, 3)}
USUAL = {"day": 112, "week": 26, "month": 12}
COUNTS = ("views", "carts", "wishes")
# Actions a bucket added to both sides of a ratio, so that one visit to a forgotten page is no boom.
SMOOTHING = 0.1


class OriginSignals:
    """Columns of the observed signals for (series, origin) pairs.

    Each signal enters as the ratio of its last few buckets to its usual level (a rating as it stands),
    and counts also relative to the level of demand, which tells most where sales are still to come.
    """

    def __init__(self, panel: Panel, like: OriginSignals | None = None) -> None:
        self.signals: list[str] = sorted(panel.observed) if like is None else like.signals
        self.spans = SPANS[panel.bucket.name]
        self.usual = USUAL[panel.bucket.name]
        self._group: dict[str, npt.NDArray[Any]] = {}
        self._total: dict[str, npt.NDArray[np.float64]] = {}
        self._count: dict[str, npt.NDArray[np.int64]] = {}
        for name in set(self.signals) & set(panel.observed):
            values = panel.observed[name].values
            start = np.zeros((len(values), 1))
            seen = np.isfinite(values)
            filled = np.where(seen, values, 0.0)
            self._group[name] = panel.observed[name].group
            self._total[name] = np.hstack([start, np.cumsum(filled, axis=1, dtype=np.float64)])
            self._count[name] = np.hstack([start.astype(np.int64), np.cumsum(seen, axis=1)])
        self.names = [column for name in self.signals for column in self._columns_of(name)]

    def _columns_of(self, name: str) -> list[str]:
        if name == "rating":
            return ["rating"]
        ratios = [f"{name}_{span}_to_usual" for span in self.spans]
        return [*ratios, f"{name}_to_level"] if name in COUNTS else ratios

    def build(self, rows: Any, origins: Any, level: Floats) -> list[Floats]:
        """One (M,) column a name; `level` (M,) is the demand level at the origin."""
        columns: list[Floats] = []
        for name in self.signals:
            if name not in self._total:
                columns += [np.full(len(rows), np.nan, np.float32)] * len(self._columns_of(name))
                continue
            usual = self._mean(name, rows, origins, self.usual)
            if name == "rating":
                columns.append(usual)
                continue
            smoothing = SMOOTHING if name in COUNTS else 0.01
            for span in self.spans:
                recent = self._mean(name, rows, origins, span)
                columns.append(np.asarray((recent + smoothing) / (usual + smoothing), np.float32))
            if name in COUNTS:
                columns.append(self._mean(name, rows, origins, self.spans[-1]) / level)
        return columns

    def _mean(self, name: str, rows: Any, origins: Any, span: int) -> Floats:
        """(M,) mean of the recorded buckets in the `span` before the origin; NaN if there is none."""
        group, start = self._group[name][rows], np.maximum(origins - span, 0)
        count = self._count[name][group, origins] - self._count[name][group, start]
        total = self._total[name][group, origins] - self._total[name][group, start]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, total / count, np.nan).astype(np.float32)
