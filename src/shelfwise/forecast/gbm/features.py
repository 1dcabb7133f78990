"""Features of a (series, origin, step) triple: what was known at the origin, and what is known of the target.

Every quantity in units is divided by the series' level at the origin, so one model serves an item that
sells one a month and one that sells a thousand a day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.forecast.gbm.covariates import StepCovariates
from shelfwise.forecast.gbm.groups import GroupHistory, group_labels
from shelfwise.forecast.gbm.history import History
from shelfwise.forecast.gbm.level import levels, newcomer_level
from shelfwise.forecast.gbm.signals import OriginSignals
from shelfwise.forecast.gbm.windows import Windows, windows_for

Floats = npt.NDArray[np.float32]
MAX_CATEGORIES = 256
# With less, last year is known for the latest targets alone, and having one would say which date it is.
YEARS_TO_LOOK_BACK = 1.25
# Between these, a coming week of the year was seen about once: trees would take that week's chance for its season.
YEARS_OF_ONE_OF_EACH_WEEK = (1.0, 2.0)


@dataclass(frozen=True)
class Triples:
    """M (series, origin, step) triples; the target bucket is origin + step."""

    rows: npt.NDArray[np.intp]
    origins: npt.NDArray[np.int32]
    steps: npt.NDArray[np.int32]

    @property
    def targets(self) -> npt.NDArray[np.int32]:
        return self.origins + self.steps

    def __len__(self) -> int:
        return len(self.rows)


class FeatureTable:
    """Builds the feature matrix of a panel's triples. `names` and `categorical` describe the columns.

    With `like`, the table of another panel, the columns are that table's: what trees fitted on it read.
    """

    def __init__(self, panel: Panel, like: FeatureTable | None = None) -> None:
        self.panel = panel
        self.windows: Windows = windows_for(panel.bucket)
        self.history = History.of_panel(panel, self.windows.season)
        self.prior = newcomer_level(panel.demand, self.history.first)
        self.level = levels(panel.demand, self.windows.half_life, self.prior)
        labels = group_labels(panel)
        if like is not None:
            labels = {name: labels.get(name, panel.keys["sku"]) for name in like.groups}
        self.groups: dict[str, GroupHistory] = {
            name: GroupHistory.of(panel, label, self.windows.season) for name, label in labels.items()
        }
        self.covariates: StepCovariates = StepCovariates(
            panel, trailing=self.windows.means[-2], like=None if like is None else like.covariates
        )
        self.signals: OriginSignals = OriginSignals(panel, None if like is None else like.signals)
        self.week_tells: bool = _week_tells(panel) if like is None else like.week_tells
        self.calendar = _calendar(panel, self.week_tells)
        self.categories: dict[str, list[str]] = _categories(panel) if like is None else like.categories
        self._codes = _codes(panel, self.categories)
        self.names = self._names()
        self.categorical = list(self.categories)

    def _names(self) -> list[str]:
        w = self.windows
        names = ["step", "log_level", "age", "known_share", "sale_share", "since_sale", "spread"]
        names += [f"mean_{length}" for length in w.means]
        names += [f"lag_{lag}" for lag in range(1, w.lags + 1)]
        names += [f"phase_{depth}" for depth in w.phase_depths] + ["year", "year_growth"]
        for group in self.groups:
            names += [f"{group}_trend", f"{group}_burst", f"{group}_year"]
            names += [f"{group}_phase"] if w.season > 1 else []
        names += list(self.calendar) + self.covariates.names + self.signals.names
        return names + list(self.categories)

    def target(self, triples: Triples) -> Floats:
        """(M,) demand in the target buckets (NaN where unknown)."""
        return self.panel.demand[triples.rows, triples.targets]

    def offset(self, triples: Triples) -> Floats:
        """(M,) log level at the origin, what the model's score is added to."""
        return np.log(self.level[triples.rows, triples.origins])

    def build(self, triples: Triples) -> Floats:
        """(M, F) float32 features."""
        matrix = np.empty((len(triples), len(self.names)), dtype=np.float32)
        columns = self._origin_columns(triples) + self._seasonal_columns(triples)
        for group in self.groups.values():
            columns += self._group_columns(group, triples)
        step = np.clip(triples.targets, 0, len(next(iter(self.calendar.values()))) - 1)
        columns += [values[step] for values in self.calendar.values()]
        columns += self.covariates.build(triples.rows, triples.origins, triples.targets)
        level = self.level[triples.rows, triples.origins]
        columns += self.signals.build(triples.rows, triples.origins, level)
        columns += [codes[triples.rows] for codes in self._codes]
        for at, column in enumerate(columns):
            matrix[:, at] = column
        return matrix

    def _origin_columns(self, triples: Triples) -> list[Any]:
        w, past = self.windows, self.history
        rows, origins = triples.rows, triples.origins
        level = self.level[rows, origins]
        reach = origins - w.spread
        latest = np.maximum(origins - 1, 0)
        columns: list[Any] = [
            triples.steps,
            np.log(level),
            # Older is not told apart: most series begin with the panel, so their age would be the date.
            np.minimum(origins - past.first[rows], w.means[3]),
            (past.count[rows, origins] - past.count[rows, np.maximum(reach, 0)]) / w.spread,
            past.sale_share(rows, reach, origins),
            np.where(past.last_sale[rows, latest] >= 0, origins - past.last_sale[rows, latest], np.nan),
            past.window_sd(rows, reach, origins) / level,
        ]
        columns += [past.window_mean(rows, origins - length, origins) / level for length in w.means]
        columns += [
            past.window_mean(rows, origins - lag, origins - lag + 1) / level for lag in range(1, w.lags + 1)
        ]
        return columns

    def _seasonal_columns(self, triples: Triples) -> list[Any]:
        w, past = self.windows, self.history
        rows, origins, targets = triples.rows, triples.origins, triples.targets
        level = self.level[rows, origins]
        same_phase = targets - w.season * (triples.steps // w.season + 1)
        columns = [past.phase_mean(rows, same_phase, depth) / level for depth in w.phase_depths]
        around_last_year = past.window_mean(rows, *self._year_ago(triples))
        before_last_year = past.window_mean(rows, origins - w.year - w.means[2], origins - w.year)
        with np.errstate(invalid="ignore", divide="ignore"):
            growth = around_last_year / (before_last_year + 0.1 * level)
        return [*columns, around_last_year / level, growth]

    def _year_ago(self, triples: Triples) -> tuple[Any, Any]:
        """The window around the target a year before; an empty one while hardly any target has such a past."""
        w = self.windows
        middle = triples.targets - w.year
        if self.panel.n_buckets < YEARS_TO_LOOK_BACK * w.year:
            return middle, middle
        return middle - w.around, np.minimum(middle + w.around + 1, triples.origins)

    def _group_columns(self, group: GroupHistory, triples: Triples) -> list[Any]:
        w = self.windows
        rows, origins, targets = triples.rows, triples.origins, triples.targets
        year_ago = self._year_ago(triples)
        columns = [
            group.ratio(rows, (origins - w.means[2], origins), (origins - w.means[4], origins)),
            group.ratio(rows, (origins - w.means[0], origins), (origins - w.means[2], origins)),
            group.ratio(rows, year_ago, (origins - w.year - w.means[2], origins - w.year)),
        ]
        if w.season > 1:
            same_phase = targets - w.season * (triples.steps // w.season + 1)
            depth = w.phase_depths[-1]
            code = group.group[rows]
            profile = group.history.phase_mean(code, same_phase, depth)
            usual = group.history.window_mean(code, origins - depth * w.season, origins)
            with np.errstate(invalid="ignore", divide="ignore"):
                columns.append(np.where(usual > 0, profile / usual, np.nan).astype(np.float32))
        return columns


def _calendar(panel: Panel, week_tells: bool) -> dict[str, Floats]:
    """Calendar columns over the T + H buckets (and a year more, for horizons nobody prepared)."""
    dates = pl.Series(panel.bucket.dates(panel.start, panel.n_buckets + panel.horizon + 400), dtype=pl.Date)
    columns = {"month": dates.dt.month()}
    if panel.bucket.name != "month":
        columns["week"] = dates.dt.week() if week_tells else pl.repeat(np.nan, len(dates), eager=True)
    if panel.bucket.name == "day":
        columns["weekday"] = dates.dt.weekday()
        columns["day_of_month"] = dates.dt.day()
    return {name: values.to_numpy().astype(np.float32) for name, values in columns.items()}


def _week_tells(panel: Panel) -> bool:
    """Whether a week of the year is more than the one time it was seen."""
    least, most = (years * windows_for(panel.bucket).year for years in YEARS_OF_ONE_OF_EACH_WEEK)
    return panel.bucket.name != "week" or not least <= panel.n_buckets < most


def _categories(panel: Panel) -> dict[str, list[str]]:
    """Attributes with few enough values to split on, and those values in order."""
    columns = {
        "location": panel.keys["location"],
        **{name: panel.static[name] for name in panel.static.columns},
    }
    kept: dict[str, list[str]] = {}
    for name, column in columns.items():
        if column.dtype.is_float():
            continue
        values = sorted(set(column.cast(pl.String).drop_nulls().to_list()))
        if 2 <= len(values) <= MAX_CATEGORIES:
            kept[name] = values
    return kept


def _codes(panel: Panel, categories: dict[str, list[str]]) -> list[Floats]:
    """(N,) codes of each attribute; a value not seen in fitting is missing."""
    codes = []
    for name, values in categories.items():
        if name != "location" and name not in panel.static.columns:
            codes.append(np.full(panel.n_series, np.nan, np.float32))
            continue
        column = panel.keys["location"] if name == "location" else panel.static[name]
        place = {value: float(code) for code, value in enumerate(values)}
        text = column.cast(pl.String)
        codes.append(
            text.replace_strict(place, default=None, return_dtype=pl.Float32).to_numpy().astype(np.float32)
        )
    return codes
