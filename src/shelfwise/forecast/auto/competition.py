"""The competition: every candidate forecasts the same held-out buckets, and what came of it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra
from shelfwise.forecast.auto.blend import POOL_LEVELS, Doubles, pool_gram
from shelfwise.forecast.auto.budget import Budget, Job
from shelfwise.forecast.auto.candidates import Candidate
from shelfwise.forecast.auto.demand_classes import CLASS_NAMES, demand_classes
from shelfwise.forecast.auto.held_out import held_out_forecasts, held_out_horizon, rolling_origins
from shelfwise.forecast.scenarios import Floats

CLASSES = len(CLASS_NAMES)
SAMPLES = 100
MOST_SCORED_A_CLASS = 500
# Few series say little at one origin, so small shops look back from more of them.
ORIGINS_BY_SERIES = ((200, 4), (2000, 3))
FEWEST_ORIGINS = 2
LARGEST_SHARE = 20.0


@dataclass(frozen=True)
class LeftOut:
    """Why a candidate has no score: a message code under ``auto.left_out`` and what fills it."""

    code: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Round:
    """What happened after one origin.

    Attributes:
        actual: (n, H) NaN unknown; classes: (n,) as they stood at the origin; weight: (n,) what a series
            counts for; means: (M, n, H) expected demand of every model.
    """

    actual: Floats
    classes: npt.NDArray[np.int8]
    weight: Doubles
    means: Floats


@dataclass(frozen=True)
class Evidence:
    """What a competition leaves behind.

    Attributes:
        labels: the M models that forecast every origin.
        rounds: one an origin; folds: (rounds, n) the fold of each series, at least two in all.
        grams: (F, CLASSES, M, M) pool matrices by fold and class; see `pool_gram`.
        absolute: (F, CLASSES, M) summed absolute errors of the means.
        demand: (CLASSES,) what was demanded; cells: (CLASSES,) held-out buckets; series: (CLASSES,) held-out
            series, counted once an origin.
        horizon: buckets judged from each origin.
    """

    labels: tuple[str, ...]
    rounds: tuple[Round, ...]
    folds: tuple[npt.NDArray[np.intp], ...]
    grams: Doubles
    absolute: Doubles
    demand: Doubles
    cells: npt.NDArray[np.int64]
    series: npt.NDArray[np.int64]
    horizon: int


def compete(
    panel: Panel, candidates: list[Candidate], horizon: int | None, seed: int, budget: Budget
) -> tuple[Evidence | None, dict[str, LeftOut]]:
    """Let all candidates forecast the same rolling origins.

    Args:
        panel: its series sorted by `series_ids`, so that sums do not hang on the order of rows.
        candidates: cheap ones first: under a budget the dear ones are those not started.

    Returns:
        What was learnt, None if there is nothing to hold out or nobody got through; and who was left
        out, and why.
    """
    steps = held_out_horizon(panel, horizon)
    origins = rolling_origins(panel.n_buckets, steps, _origin_count(panel.n_series))
    scored = _scored_rows(panel, origins[0]) if origins else np.zeros(0, np.intp)
    if not len(scored):
        return None, {}
    job = Job(panel, scored, tuple(origins), steps, SAMPLES)
    entries: dict[str, list[tuple[Floats, Floats]]] = {}
    left_out: dict[str, LeftOut] = {}
    for candidate in candidates:
        try:
            refused = budget.refuses(candidate, job)
            if refused:
                predicted, left = refused
                values: dict[str, object] = {"predicted": f"{predicted:.1f}", "left": f"{left:.1f}"}
                left_out[candidate.label] = LeftOut("budget", values)
                continue
            entries[candidate.label] = _forecasts(candidate, job, seed)
        except MissingExtra as error:
            left_out[candidate.label] = LeftOut("missing", {"error": str(error)})
        except Exception as error:  # one model that breaks must not end the competition of the others
            told = f"{type(error).__name__}: {error}"
            left_out[candidate.label] = LeftOut("failed", {"error": told})
    return (_judge(job, entries) if entries else None), left_out


def _origin_count(n_series: int) -> int:
    return next((count for most, count in ORIGINS_BY_SERIES if n_series < most), FEWEST_ORIGINS)


def _scored_rows(panel: Panel, first_origin: int) -> npt.NDArray[np.intp]:
    """Rows with anything known since the first origin, at most 500 a class, evenly spread."""
    alive = np.flatnonzero(np.isfinite(panel.demand[:, first_origin:]).any(axis=1))
    classes = demand_classes(panel.demand[alive], panel.bucket)
    kept = []
    for number in range(CLASSES):
        mine = alive[classes == number]
        kept.append(mine[:: max(1, -(-len(mine) // MOST_SCORED_A_CLASS))])
    return np.sort(np.concatenate(kept))


def _forecasts(candidate: Candidate, job: Job, seed: int) -> list[tuple[Floats, Floats]]:
    """(mean (n, H), quantiles (n, H, K)) at each origin.

    A local model needs nothing but the series that are judged.
    """
    model = candidate.make()
    alone = bool(getattr(model, "local", False))
    panel = job.panel.take(job.scored) if alone else job.panel
    rows = np.arange(len(job.scored)) if alone else job.scored
    said = []
    for held in held_out_forecasts(model, panel, job.origins, job.horizon, job.n_samples, seed, rows):
        mean, quantiles = held.scenarios.mean(), held.scenarios.quantile(POOL_LEVELS)
        if not (np.isfinite(mean).all() and np.isfinite(quantiles).all() and (quantiles >= 0).all()):
            raise ValueError(f"paths from bucket {held.origin} on are not all finite and non-negative")
        said.append((mean, quantiles))
    return said


def _judge(job: Job, entries: dict[str, list[tuple[Floats, Floats]]]) -> Evidence:
    members = len(entries)
    single = len(job.origins) == 1
    n_folds = 2 if single else len(job.origins)
    grams = np.zeros((n_folds, CLASSES, members, members))
    absolute = np.zeros((n_folds, CLASSES, members))
    demand, cells = np.zeros(CLASSES), np.zeros(CLASSES, np.int64)
    series = np.zeros(CLASSES, np.int64)
    rounds, folds = [], []
    for number, origin in enumerate(job.origins):
        history = job.panel.demand[job.scored, :origin]
        actual = job.panel.demand[job.scored, origin : origin + job.horizon]
        classes = demand_classes(history, job.panel.bucket)
        weight = _weights(history, actual, classes)
        means = np.stack([said[number][0] for said in entries.values()])
        fold = np.arange(len(actual)) % 2 if single else np.full(len(actual), number)
        known = np.isfinite(actual)
        for c in range(CLASSES):
            series[c] += int((known.any(axis=1) & (classes == c)).sum())
            for f in range(n_folds):
                cell = known & ((classes == c) & (fold == f))[:, None]
                if not cell.any():
                    continue
                counts = np.broadcast_to(weight[:, None], cell.shape)[cell]
                quantiles = np.stack([said[number][1][cell] for said in entries.values()])
                grams[f, c] += pool_gram(actual[cell], quantiles, counts)
                absolute[f, c] += (np.abs(means[:, cell] - actual[cell]) * counts).sum(axis=1)
                demand[c] += float((actual[cell] * counts).sum())
                cells[c] += int(cell.sum())
        rounds.append(Round(actual, classes, weight, means))
        folds.append(fold)
    return Evidence(
        tuple(entries), tuple(rounds), tuple(folds), grams, absolute, demand, cells, series, job.horizon
    )


def _weights(history: Floats, actual: Floats, classes: npt.NDArray[Any]) -> Doubles:
    """(n,) 1, but less for a series more than 20 times as large as the middle one of its class.

    Losses are in units, so that large sellers count for more; no single one may decide for all.
    """
    size = np.maximum(_mean(history), _mean(actual))
    weight = np.ones(len(size))
    for c in range(CLASSES):
        mine = classes == c
        positive = size[mine & (size > 0)]
        if len(positive):
            limit = LARGEST_SHARE * float(np.median(positive))
            weight[mine] = np.minimum(1.0, limit / np.maximum(size[mine], limit))
    return weight


def _mean(demand: Floats) -> Doubles:
    known = np.isfinite(demand)
    total = np.where(known, demand, 0.0).sum(axis=1, dtype=np.float64)
    return np.asarray(np.maximum(total, 0.0) / np.maximum(known.sum(axis=1), 1))
