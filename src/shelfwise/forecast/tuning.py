"""`tune`: the best options of any forecaster, by grid, at random or by Bayesian search, on held-out buckets.

Which options a trial tries is a function of the seed, its number and the trials before it, so a search that
was cut off and resumed from its storage ends where it would have ended.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.forecast.auto.held_out import (
    Metric,
    checked_metric,
    held_out_forecasts,
    held_out_horizon,
    rolling_origins,
    series_losses,
)
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.search_space import Between, Method, Search, Space
from shelfwise.progress import Progress, silent

__all__ = ["Between", "TuningResult", "tune"]

STAGE = "tuning"


@dataclass(frozen=True)
class TuningResult:
    """What a search found.

    Attributes:
        best: options with the least score; `make(**best)` is the forecaster to use.
        score: its held-out loss over held-out demand.
        table: a row a trial in order, `trial, score, error`, then a column an option (as text where it is no
            number); score is null where the trial failed.
        resumed: trials that were read from storage and not run again.
    """

    best: dict[str, Any]
    score: float
    table: pl.DataFrame
    resumed: int


def tune(
    make: Callable[..., Forecaster],
    space: Space,
    panel: Panel,
    *,
    method: Method = "random",
    trials: int | None = None,
    horizon: int | None = None,
    origins: int = 3,
    metric: Metric = "pinball",
    n_samples: int = 100,
    seed: int = 0,
    storage: str | Path | None = None,
    progress: Progress = silent,
) -> TuningResult:
    """Search `space` for the options of `make` that forecast held-out buckets best.

    Args:
        make: the forecaster as a function of its options: a class, or `functools.partial` of `make_forecaster`.
        space: option -> list of choices, or `Between` two numbers.
        method: `grid` tries every combination of choices; `random` draws them (Bergstra & Bengio 2012); `bayes`
            learns where to look (tree-structured Parzen estimator, Bergstra et al. 2011; Optuna).
        trials: how many; None = the whole grid, else 20.
        horizon, origins, n_samples: of the held-out forecasts; see `rolling_origins`.
        metric: `pinball` or `wape`, over demand.
        storage: a JSON-lines file; trials found there are not run again, new ones are added as they end.

    Raises:
        UsageError: an impossible space, too little history, or a storage of another search.
        MissingExtra: `bayes` without Optuna.
        ShelfwiseError: no trial got through; says why the first did not.

    Example:
        >>> import numpy as np
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> rising = np.tile(np.arange(60.0), (5, 1))
        >>> result = tune(MovingAverage, {"window": [1, 8, 26]}, Panel.from_arrays(rising), method="grid")
        >>> result.best, len(result.table)
        ({'window': 1}, 3)
    """
    search = Search(space, method, trials, seed)
    checked_metric(metric)
    steps = held_out_horizon(panel, horizon)
    stretches = rolling_origins(panel.n_buckets, steps, origins)
    if not stretches:
        raise UsageError(f"tuning needs at least 3 buckets of history; got {panel.n_buckets}")
    header = {
        "search": search.described(),
        "judged": [list(stretches), steps, metric, n_samples],
        "panel": _fingerprint(panel),
    }
    record = _Record(None if storage is None else Path(storage), header)
    known = {tuple(sorted(trial["point"].items())): trial for trial in record.trials}
    resumed = len(record.trials)
    for number in range(search.trials):
        progress(STAGE, number, search.trials)
        if number < len(record.trials):
            continue
        point = search.point(number, record.trials)
        seen = known.get(tuple(sorted(point.items())))
        if seen is None:
            score, error = _score(
                make, search.options(point), panel, stretches, steps, metric, n_samples, seed
            )
        else:
            score, error = seen["score"], seen["error"]
        trial = {"trial": number, "point": point, "score": score, "error": error}
        record.add(trial)
        known[tuple(sorted(point.items()))] = trial
    progress(STAGE, search.trials, search.trials)
    return _result(search, record.trials[: search.trials], min(resumed, search.trials))


class _Record:
    """The trials so far, in memory and, if asked for, in a file: a line that says which search, then one a trial."""

    def __init__(self, path: Path | None, header: Mapping[str, Any]) -> None:
        self._path = path
        self.trials: list[dict[str, Any]] = []
        if path is None:
            return
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        entries = [entry for entry in map(_parsed, lines) if entry is not None]
        if entries and entries[0] != header:
            differing = [name for name in header if entries[0].get(name) != header[name]]
            raise UsageError(
                f"{path} holds another search ({', '.join(differing)} differ); name another file or remove it"
            )
        self.trials = entries[1:]
        # Written anew, so that a line cut off in the middle is gone before the next one is added.
        beside = path.with_name(path.name + ".part")
        beside.write_text("".join(map(_line, [header, *self.trials])), encoding="utf-8")
        beside.replace(path)

    def add(self, trial: dict[str, Any]) -> None:
        self.trials.append(trial)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(trial))


def _parsed(line: str) -> dict[str, Any] | None:
    """An entry, or None for a line that was cut off."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True) + "\n"


def _fingerprint(panel: Panel) -> str:
    digest = hashlib.blake2b(digest_size=8)
    digest.update(repr((panel.n_series, panel.bucket, panel.start)).encode())
    digest.update(panel.series_ids.tobytes() + panel.demand.tobytes())
    if len(panel.shortages):
        digest.update(panel.recorded.tobytes())
    return digest.hexdigest()


def _score(
    make: Callable[..., Forecaster],
    options: dict[str, Any],
    panel: Panel,
    origins: list[int],
    horizon: int,
    metric: Metric,
    n_samples: int,
    seed: int,
) -> tuple[float | None, str | None]:
    """(held-out loss over demand, None), or (None, why not)."""
    loss = demand = 0.0
    try:
        for held in held_out_forecasts(make(**options), panel, origins, horizon, n_samples, seed):
            lost, demanded = series_losses(held, metric)
            loss, demand = loss + float(lost.sum()), demand + float(demanded.sum())
    except Exception as error:  # options that break the model are a result of the search, not its end
        return None, f"{type(error).__name__}: {error}"
    score = loss / demand if demand > 0 else loss
    return (score, None) if math.isfinite(score) else (None, f"the score is {score}")


def _result(search: Search, trials: list[dict[str, Any]], resumed: int) -> TuningResult:
    scored = [trial for trial in trials if trial["score"] is not None]
    if not scored:
        raise ShelfwiseError(f"none of {len(trials)} trials got through; the first: {trials[0]['error']}")
    best = min(scored, key=lambda trial: trial["score"])
    options = [search.options(trial["point"]) for trial in trials]
    columns: dict[str, Any] = {
        "trial": [trial["trial"] for trial in trials],
        "score": pl.Series([trial["score"] for trial in trials], dtype=pl.Float64),
        "error": pl.Series([trial["error"] for trial in trials], dtype=pl.String),
    }
    for name in search.space:
        values = [chosen[name] for chosen in options]
        plain = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        columns[name] = values if plain else [str(value) for value in values]
    return TuningResult(
        search.options(best["point"]), best["score"], pl.DataFrame(columns, strict=False), resumed
    )
