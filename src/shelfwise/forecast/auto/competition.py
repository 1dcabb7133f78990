"""The competition: every candidate forecasts the same held-out buckets, and what came of it is kept.

In a large shop a sample of its series competes: enough to tell models apart, and the winners learn from all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra
from shelfwise.forecast.auto.blend import POOL_LEVELS, Doubles, pool_gram, shares
from shelfwise.forecast.auto.budget import Budget, Job
from shelfwise.forecast.auto.candidates import Candidate
from shelfwise.forecast.auto.demand_classes import CLASS_NAMES, demand_classes
from shelfwise.forecast.auto.held_out import HORIZON, held_out_forecasts, held_out_horizon, rolling_origins
from shelfwise.forecast.auto.judge import ChooseBy, CostJudge
from shelfwise.forecast.scenarios import Floats, Scenarios
from shelfwise.messages import said_of

Rows = npt.NDArray[np.intp]
CLASSES = len(CLASS_NAMES)
SAMPLES = 100
MOST_SCORED_A_CLASS = 500
MOST_COMPETING = 3000
# Few series say little at one origin, so small shops look back from more of them; and a short horizon says little
# of what half a year brings.
ORIGINS_BY_SERIES = ((200, 4), (2000, 3))
FEWEST_ORIGINS, MOST_ORIGINS = 2, 6
LOOKED_BACK = {"day": 84, "week": 26, "month": 12}
LARGEST_SHARE = 20.0
BlendCost = Callable[[int, Rows, Doubles], Doubles]


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
            counts for; means: (M, n, H) expected demand of every model; costs: (M, n) what orders decided on it
            came to, None where nobody judged that.
    """

    actual: Floats
    classes: npt.NDArray[np.int8]
    weight: Doubles
    means: Floats
    costs: Doubles | None = None


@dataclass(frozen=True)
class Evidence:
    """What a competition leaves behind.

    Attributes:
        labels: the M models that forecast every origin.
        rounds: one an origin; folds: (rounds, n) the fold of each series, at least two in all.
        grams: (F, CLASSES, M, M) pool matrices by fold and class; see `pool_gram`.
        losses: (F, CLASSES, M) sums of the loss that models are ranked by.
        demand: (CLASSES,) what was demanded; cells: (CLASSES,) held-out buckets; series: (CLASSES,) held-out
            series, counted once an origin.
        horizon: buckets judged from each origin.
        competing: series that took part; by: what models were ranked by.
    """

    labels: tuple[str, ...]
    rounds: tuple[Round, ...]
    folds: tuple[npt.NDArray[np.intp], ...]
    grams: Doubles
    losses: Doubles
    demand: Doubles
    cells: npt.NDArray[np.int64]
    series: npt.NDArray[np.int64]
    horizon: int
    competing: int
    by: ChooseBy


@dataclass(frozen=True)
class Said:
    """What a model said at one origin: mean (n, H), quantiles (n, H, K), and, judged by cost, what orders came to
    (n,) and the paths (n, S, judge's horizon) a blend is made of."""

    mean: Floats
    quantiles: Floats
    cost: Doubles | None = None
    scenarios: Scenarios | None = None


def compete(
    panel: Panel,
    candidates: list[Candidate],
    horizon: int | None,
    seed: int,
    budget: Budget,
    by: ChooseBy = "pinball",
    judge: CostJudge | None = None,
) -> tuple[Evidence | None, dict[str, LeftOut], BlendCost | None]:
    """Let all candidates forecast the same rolling origins.

    Args:
        panel: its series sorted by `series_ids`, so that sums do not hang on the order of rows.
        candidates: cheap ones first: under a budget the dear ones are those not started.
        by: what models are ranked by; judge: needed for ``cost``.

    Returns:
        What was learnt, None if there is nothing to hold out or nobody got through; who was left out, and why;
        and, by cost, (round, its rows, weights) -> what orders decided on a blend came to. Where history is too
        short for an order to be judged, models are ranked by pinball loss, which `Evidence.by` then says.
    """
    # What few series need to look far ahead for says nothing of the rest.
    steps = held_out_horizon(panel, horizon or min(panel.horizon, HORIZON[panel.bucket.name]) or None)
    if by == "cost" and judge is not None:
        steps = max(steps, min(judge.horizon, panel.n_buckets // 3))
        by = "cost" if steps >= judge.horizon else "pinball"
    origins = rolling_origins(panel.n_buckets, steps, _origin_count(panel, steps))
    scored = _scored_rows(panel, origins[0]) if origins else np.zeros(0, np.intp)
    if not len(scored):
        return None, {}, None
    competing = _competing_rows(panel.n_series, scored)
    job = Job(
        panel.take(competing),
        np.searchsorted(competing, scored),
        tuple(origins),
        steps,
        SAMPLES,
        panel.n_series,
    )
    entries: dict[str, list[Said]] = {}
    left_out: dict[str, LeftOut] = {}
    for candidate in candidates:
        spent = budget.spent
        try:
            refused = budget.refuses(candidate, job)
            if refused:
                predicted, left = refused
                values: dict[str, object] = {"predicted": f"{predicted:.1f}", "left": f"{left:.1f}"}
                left_out[candidate.label] = LeftOut("budget", values)
                continue
            entries[candidate.label] = _forecasts(candidate, job, seed, judge if by == "cost" else None)
        except MissingExtra as error:
            # What cannot be started costs nothing.
            budget.spent = spent
            left_out[candidate.label] = LeftOut("missing", {"error": said_of(error)})
        except Exception as error:  # one model that breaks must not end the competition of the others
            left_out[candidate.label] = LeftOut("failed", {"error": said_of(error)})
    if not entries:
        return None, left_out, None
    blend_cost = partial(_blend_cost, job, list(entries.values()), judge) if by == "cost" else None
    return _judge(job, entries, by), left_out, blend_cost


def _origin_count(panel: Panel, horizon: int) -> int:
    by_series = next((count for most, count in ORIGINS_BY_SERIES if panel.n_series < most), FEWEST_ORIGINS)
    by_reach = -(-LOOKED_BACK[panel.bucket.name] // max(horizon, 1))
    return max(by_series, min(by_reach, MOST_ORIGINS))


def _scored_rows(panel: Panel, first_origin: int) -> npt.NDArray[np.intp]:
    """Rows with anything recorded since the first origin, at most 500 a class, evenly spread."""
    alive = np.flatnonzero(np.isfinite(panel.recorded[:, first_origin:]).any(axis=1))
    classes = demand_classes(panel.demand[alive], panel.bucket)
    kept = []
    for number in range(CLASSES):
        mine = alive[classes == number]
        kept.append(mine[:: max(1, -(-len(mine) // MOST_SCORED_A_CLASS))])
    return np.sort(np.concatenate(kept))


def _competing_rows(n_series: int, scored: Rows) -> Rows:
    """The scored rows, and as many of the others, evenly spread, as global models may learn from."""
    room = MOST_COMPETING - len(scored)
    others = np.setdiff1d(np.arange(n_series), scored)
    if len(others) > max(room, 0):
        others = others[np.linspace(0, len(others) - 1, max(room, 0)).astype(np.intp)]
    return np.sort(np.concatenate([scored, others]))


def _forecasts(candidate: Candidate, job: Job, seed: int, judge: CostJudge | None) -> list[Said]:
    """What a candidate says at each origin.

    A local model needs nothing but the series that are judged.
    """
    model = candidate.make()
    alone = bool(getattr(model, "local", False))
    panel = job.panel.take(job.scored) if alone else job.panel
    rows = np.arange(len(job.scored)) if alone else job.scored
    effort = candidate.effort
    refit = effort is not None and effort.refits(panel.n_series, panel.n_buckets)
    said = []
    for held in held_out_forecasts(model, panel, job.origins, job.horizon, job.n_samples, seed, rows, refit):
        mean, quantiles = held.scenarios.mean(), held.scenarios.quantile(POOL_LEVELS)
        if not (np.isfinite(mean).all() and np.isfinite(quantiles).all() and (quantiles >= 0).all()):
            raise ValueError(f"paths from bucket {held.origin} on are not all finite and non-negative")
        if judge is None:
            said.append(Said(mean, quantiles))
        else:
            scenarios = replace(held.scenarios, paths=held.scenarios.paths[:, :, : judge.horizon].copy())
            said.append(Said(mean, quantiles, judge(held.origin, scenarios), scenarios))
    return said


def _blend_cost(
    job: Job, said: list[list[Said]], judge: CostJudge | None, number: int, rows: Rows, weights: Doubles
) -> Doubles:
    """(len(rows),) what orders came to that were decided on paths of all members, in proportion to weights."""
    parts = [member[number].scenarios for member in said]
    first = parts[int(np.argmax(weights))]
    assert judge is not None  # where models are ranked by cost, there is one, and every model kept its paths
    assert first is not None
    member_of = shares(weights, first.n_samples, 0.5)
    paths = first.paths[rows]
    for m in np.flatnonzero(weights):
        part = parts[m]
        assert part is not None
        mine = np.flatnonzero(member_of == m)
        paths[:, mine] = part.paths[rows][:, mine]
    blend = replace(first.take(rows), paths=paths, expected=None)
    return judge(job.origins[number], blend)


def _judge(job: Job, entries: dict[str, list[Said]], by: ChooseBy) -> Evidence:
    members = len(entries)
    single = len(job.origins) == 1
    n_folds = 2 if single else len(job.origins)
    grams = np.zeros((n_folds, CLASSES, members, members))
    losses = np.zeros((n_folds, CLASSES, members))
    demand, cells = np.zeros(CLASSES), np.zeros(CLASSES, np.int64)
    series = np.zeros(CLASSES, np.int64)
    rounds, folds = [], []
    recorded = job.panel.recorded
    for number, origin in enumerate(job.origins):
        history = job.panel.demand[job.scored, :origin]
        actual = recorded[job.scored, origin : origin + job.horizon]
        classes = demand_classes(history, job.panel.bucket)
        weight = _weights(history, actual, classes)
        round_ = _round(actual, classes, weight, [said[number] for said in entries.values()])
        fold = np.arange(len(actual)) % 2 if single else np.full(len(actual), number)
        known = np.isfinite(actual)
        for c in range(CLASSES):
            series[c] += int((known.any(axis=1) & (classes == c)).sum())
            for f in range(n_folds):
                rows = (classes == c) & (fold == f)
                cell = known & rows[:, None]
                if not cell.any():
                    continue
                counts = np.broadcast_to(weight[:, None], cell.shape)[cell]
                quantiles = np.stack([said[number].quantiles[cell] for said in entries.values()])
                grams[f, c] += pool_gram(actual[cell], quantiles, counts)
                if by == "wape":
                    losses[f, c] += (np.abs(round_.means[:, cell] - actual[cell]) * counts).sum(axis=1)
                elif round_.costs is not None:
                    losses[f, c] += round_.costs[:, rows] @ weight[rows]
                demand[c] += float((actual[cell] * counts).sum())
                cells[c] += int(cell.sum())
        rounds.append(round_)
        folds.append(fold)
    if by == "pinball":
        losses = np.einsum("fcmm->fcm", grams).copy()
    return Evidence(
        tuple(entries),
        tuple(rounds),
        tuple(folds),
        grams,
        losses,
        demand,
        cells,
        series,
        job.horizon,
        job.panel.n_series,
        by,
    )


def _round(actual: Floats, classes: npt.NDArray[np.int8], weight: Doubles, said: list[Said]) -> Round:
    costs = [one.cost for one in said if one.cost is not None]
    means = np.stack([one.mean for one in said])
    return Round(actual, classes, weight, means, np.stack(costs) if costs else None)


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
