"""What made a boosted forecast: additive contributions in units that sum to its mean.

TreeSHAP (Lundberg et al. 2020, "From local explanations to global understanding with explainable AI for
trees") splits the score, log(mean / level), into one term a feature; terms are added up by part. The way
from log terms to units is the path on which all parts grow together (Aumann & Shapley 1974; the additive
decomposition LMDI-I of Ang 2004): a part with log term p gets p (mean - level) / (sum of all p). It does not
depend on an order of the parts, keeps their signs, and leaves no rest.

What a shop plans is told against not planning it: the terms of promotion, price and events are those of the
forecast less those of the same forecast with no promotion, the regular price and no event; the level takes the
difference. So a step without a promotion has exactly nothing from promotions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.errors import UsageError
from shelfwise.forecast.gbm.booster import MOST_GROWTH
from shelfwise.forecast.gbm.features import FeatureTable, Triples
from shelfwise.forecast.gbm.forecaster import GradientBoosting
from shelfwise.forecast.gbm.sampling import every_step

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
# In the order they are told; the level comes first and everything else is added to it.
PARTS = (
    "level", "season", "trend", "price", "promotion", "events", "stock_age", "neighbours", "behaviour", "other",
)  # fmt: skip
PLANNED = np.isin(PARTS, ("price", "promotion", "events"))
LEAST_SCORE = -12.0
EXPLAINED_ROWS = 20_000


def part_of(feature: str, table: FeatureTable) -> str:
    """The part a feature's contribution belongs to.

    ``level`` also holds what says how large and how regular a series is; ``trend`` is its own recent past
    against that level, with how much of it was promoted; ``neighbours`` are the totals of its family and
    of the item elsewhere, but for their rhythm, which is ``season``.
    """
    if feature in table.categories:
        return "other"
    if feature in table.signals.names:
        return "behaviour"
    for group in table.groups:
        if feature.startswith(f"{group}_"):
            return "season" if feature in (f"{group}_phase", f"{group}_year") else "neighbours"
    for part, beginnings in _BEGINNINGS:
        if feature.startswith(beginnings):
            return part
    return "season" if feature in table.calendar else "other"


def _unplanned(features: Floats, table: FeatureTable, some: Triples) -> Floats:
    """The same rows with no promotion and no event ahead, and at the regular price."""
    place = {name: column for column, name in enumerate(table.names)}
    neutral = features.copy()
    for name, column in place.items():
        if part_of(name, table) in ("promotion", "events"):
            neutral[:, column] = np.nan if name.startswith("days_") else 0.0
    if "price_to_usual" in place:
        ratio = _to_regular_price(table, some)
        for name in ("price_to_usual", "price_to_last", "price_to_top"):
            neutral[:, place[name]] /= ratio
        neutral[:, place["log_price"]] -= np.log(ratio)
    return neutral


def _to_regular_price(table: FeatureTable, some: Triples) -> Floats:
    """(M,) price at the target over the regular one, the median of the series' recent past; 1 if unknown."""
    price = table.covariates.price
    assert price is not None  # asked for only where the table has price columns
    origin = int(some.origins[0])
    recent = price.values[:, max(origin - table.covariates.trailing, 0) : origin]
    # The median of the prices that were, not between two of them: a price nobody asked would be no neutral one.
    ordered = np.sort(recent, axis=1)
    middle = np.maximum(np.isfinite(recent).sum(axis=1) - 1, 0) // 2
    regular = ordered[np.arange(len(ordered)), middle]
    group = price.group[some.rows]
    now = price.values[group, np.minimum(some.targets, price.values.shape[1] - 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = now / regular[group]
    return np.where(np.isfinite(ratio) & (ratio > 0), ratio, np.float32(1.0))


_BEGINNINGS = (
    ("level", ("log_level", "sale_share", "spread")),
    ("season", ("phase_", "year")),
    ("trend", ("mean_", "lag_", "since_sale", "promotion_recently")),
    ("price", ("price", "log_price")),
    ("promotion", ("promotion", "discount")),
    ("events", ("event", "holiday:", "shopping_day:", "days_to", "days_since")),
    ("stock_age", ("age", "known_share")),
)


def explain_forecast(
    forecaster: GradientBoosting, rows: Sequence[int] | npt.NDArray[Any] | None, horizon: int
) -> pl.DataFrame:
    """Contributions to the expected demand of these series (all, if None), in units.

    Returns:
        One row a series, bucket and part: `sku`, `location`, `date`, `part` (see `PARTS`), `units`. The units of a
        series and bucket sum to its mean forecast; a part without a feature contributes 0. A series
        without history, forecast from launches like it, is all ``neighbours``.

    Raises:
        UsageError: a row that the panel does not have, or a horizon below 1.

    Example:
        >>> from shelfwise.demand.panel import Panel
        >>> demand = np.random.default_rng(1).poisson(5, (20, 60))
        >>> model = GradientBoosting(horizon=4).fit(Panel.from_arrays(demand))
        >>> parts = explain_forecast(model, [3], horizon=4)
        >>> parts.columns, parts.height == 4 * len(PARTS)
        (['sku', 'location', 'date', 'part', 'units'], True)
    """
    panel = forecaster.panel
    chosen = np.arange(panel.n_series) if rows is None else np.asarray(rows, np.intp)
    if chosen.size and (chosen.min() < 0 or chosen.max() >= panel.n_series):
        raise UsageError(f"rows must be 0 to {panel.n_series - 1}; got {chosen.min()} to {chosen.max()}")
    mean = forecaster.sample(horizon, 1, np.random.default_rng(0), rows=chosen).mean().astype(np.float64)
    terms = _log_terms(forecaster, chosen, horizon)
    units = additive_units(mean, terms)
    borrowed = np.isin(chosen, sorted(forecaster.failures))
    units[borrowed] = 0.0
    units[borrowed, :, PARTS.index("neighbours")] = mean[borrowed]
    cells = len(chosen) * horizon
    keys = panel.keys[np.repeat(chosen, horizon * len(PARTS))].select("sku", "location")
    dates = panel.bucket.dates(panel.as_of, horizon)
    return keys.with_columns(
        date=pl.Series(np.tile(np.repeat(np.array(dates, "datetime64[D]"), len(PARTS)), len(chosen))),
        part=pl.Series(list(PARTS) * cells, dtype=pl.Enum(PARTS)),
        units=pl.Series(units.ravel()),
    )


def additive_units(mean: Doubles, terms: Doubles) -> Doubles:
    """Units of each part from the log terms of all parts but the first, which is the level.

    Args:
        mean: (N, H) expected demand.
        terms: (N, H, P - 1), mean = level x exp(sum of terms).

    Returns:
        (N, H, P) units; they sum to the mean.

    Example:
        >>> additive_units(np.array([[8.0]]), np.log([[[2.0, 2.0]]])).round(6).tolist()
        [[[2.0, 3.0, 3.0]]]
    """
    total = terms.sum(axis=2)
    # (mean - level) / total, without loss where the total is next to nothing.
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = mean * np.where(np.abs(total) > 1e-12, -np.expm1(-total) / total, 1.0)
    added = terms * rate[:, :, None]
    level = mean - added.sum(axis=2)
    return np.concatenate([level[:, :, None], added], axis=2)


def _log_terms(forecaster: GradientBoosting, rows: npt.NDArray[np.intp], horizon: int) -> Doubles:
    """(len(rows), horizon, P - 1) what each part but the level adds to the log of the mean."""
    table, booster = forecaster._table, forecaster.booster
    terms = np.zeros((len(rows) * horizon, len(PARTS)))
    if booster.model is None:
        return terms.reshape(len(rows), horizon, -1)[:, :, 1:]
    member = np.zeros((len(table.names), len(PARTS)))
    member[np.arange(len(table.names)), [PARTS.index(part_of(name, table)) for name in table.names]] = 1.0
    every = every_step(forecaster._place[rows], forecaster.panel.n_buckets, horizon)
    for first in range(0, len(every), EXPLAINED_ROWS):
        part = slice(first, first + EXPLAINED_ROWS)
        some = Triples(every.rows[part], every.origins[part], every.steps[part])
        features = table.build(some)
        shap = booster.model.predict(features, pred_contrib=True, num_iteration=booster.rounds)
        plain = booster.model.predict(
            _unplanned(features, table, some), pred_contrib=True, num_iteration=booster.rounds
        )
        own = shap[:, :-1] @ member - (plain[:, :-1] @ member) * PLANNED
        score = shap.sum(axis=1)
        # A score beyond the bounds of growth was cut; its terms are cut in proportion.
        kept = np.clip(score, LEAST_SCORE, np.log(MOST_GROWTH))
        with np.errstate(invalid="ignore", divide="ignore"):
            shrink = np.where(score == kept, 1.0, (kept - shap[:, -1]) / (score - shap[:, -1]))
        terms[part] = own * shrink[:, None]
    # What the level's own features say belongs to the level, which is all that is left of the mean.
    return terms.reshape(len(rows), horizon, -1)[:, :, 1:]
