"""Which features earn their place: judged on held-out buckets, every dropped one with a reason.

A feature is dropped if no tree ever split on it, if it says the same as another one, or if shuffling
it among held-out rows makes the forecast no worse (permutation importance: Breiman 2001, "Random
forests"; on data the trees have not seen, as Molnar 2022, "Interpretable machine learning", section 8.5, asks).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.forecast.gbm.booster import FEWEST_ROWS, MOST_GROWTH, Booster, TreeSettings
from shelfwise.forecast.gbm.features import FeatureTable, Triples
from shelfwise.forecast.gbm.sampling import every_step, training_triples

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
JUDGED_ROWS = 20_000
SHUFFLES = 3
# A rise of the held-out deviance within this many standard errors of zero is noise.
NOISE = 1.0


@dataclass(frozen=True)
class Selection:
    """What was kept, what was dropped and why.

    Attributes:
        table: a row a feature: `feature`, `kept`, `gain` (share of all trees' gain), `loss` (rise of the
            held-out Poisson deviance when shuffled, as a share of it), `reason`.
        held_out_rows: how many rows the loss was judged on.
    """

    table: pl.DataFrame
    held_out_rows: int

    @property
    def kept(self) -> list[str]:
        """The features that stay, in the table's order."""
        return self.table.filter("kept")["feature"].to_list()

    @property
    def dropped(self) -> dict[str, str]:
        """Reason by dropped feature."""
        return dict(self.table.filter(~pl.col("kept")).select("feature", "reason").iter_rows())

    def trees(self, settings: TreeSettings | None = None) -> TreeSettings:
        """LightGBM settings under which the dropped features cannot be split on.

        The columns stay where they are, so a model fitted with them is saved, loaded and explained
        like any other.
        """
        settings = settings or TreeSettings()
        weights = [1.0 if kept else 0.0 for kept in self.table["kept"]]
        return replace(settings, extra={**settings.extra, "feature_contri": weights})


def select_features(
    panel: Panel,
    horizon: int,
    *,
    keep: Iterable[str] = (),
    trees: TreeSettings | None = None,
    max_rows: int = 200_000,
    seed: int = 0,
) -> Selection:
    """Judge the boosted model's features on the last `horizon` buckets of history, which are held out.

    Args:
        panel: N series over T buckets; without enough of them nothing is dropped.
        horizon: steps learnt and judged.
        keep: features to keep whatever the verdict.
        trees: LightGBM settings of the trial.
        max_rows: about how many training rows.
        seed: of the sample, the trees and the shuffles.

    Example:
        >>> from shelfwise.forecast.gbm.forecaster import GradientBoosting
        >>> demand = np.random.default_rng(1).poisson(5, (20, 60))
        >>> selection = select_features(Panel.from_arrays(demand), horizon=4)
        >>> model = GradientBoosting(horizon=4, trees=selection.trees()).fit(Panel.from_arrays(demand))
        >>> model.sample(4, 10, np.random.default_rng(0)).paths.shape
        (20, 10, 4)
    """
    table = FeatureTable(panel.take(np.argsort(panel.series_ids, kind="stable")))
    cut = panel.n_buckets - horizon
    rng = np.random.default_rng(seed)
    known = np.isfinite(table.panel.demand)
    held = _held_out(known, cut, horizon, rng) if cut > 1 else None
    if held is None or len(held) < FEWEST_ROWS:
        return _all_kept(table, "too little history to judge by")
    triples = training_triples(known[:, :cut], horizon, table.windows.means[1], max_rows, rng)
    booster = Booster.train(table, triples, trees or TreeSettings(), seed)
    if booster.model is None:
        return _all_kept(table, "too little history to judge by")
    gain = booster.model.feature_importance("gain", iteration=booster.rounds)
    gain = gain / max(gain.sum(), 1e-12)
    features = table.build(held)
    loss, noise = _permutation_loss(booster, table, features, held, gain > 0, rng)
    twins = _twins(features, table.names, gain)
    verdicts = [
        _verdict(name, gain[at], loss[at], noise[at], twins.get(name), name in set(keep))
        for at, name in enumerate(table.names)
    ]
    return Selection(
        pl.DataFrame(
            {
                "feature": table.names,
                "kept": [kept for kept, _ in verdicts],
                "gain": gain.astype(np.float64),
                "loss": loss,
                "reason": [reason for _, reason in verdicts],
            }
        ),
        len(held),
    )


def _verdict(
    name: str, gain: float, loss: float, noise: float, twin: str | None, asked: bool
) -> tuple[bool, str]:
    if asked:
        return True, "asked for"
    if gain <= 0:
        return False, "no tree split on it"
    if twin is not None:
        return False, f"says the same as {twin}, which the trees used more"
    if loss <= NOISE * noise:
        return False, (
            f"held-out deviance changes by {loss:+.3%} (noise {noise:.3%}) when it is shuffled: no loss without it"
        )
    return True, f"held-out deviance rises by {loss:.3%} when it is shuffled"


def _permutation_loss(
    booster: Booster,
    table: FeatureTable,
    features: Floats,
    held: Triples,
    used: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[Doubles, Doubles]:
    """(F,) rise of the deviance when a column is shuffled, and its standard error, as shares of it."""
    actual = table.target(held).astype(np.float64)
    offset = table.offset(held).astype(np.float64)
    whole = _deviance(actual, _score(booster, features) + offset)
    base = max(float(whole.mean()), 1e-12)
    loss, noise = np.zeros(len(table.names)), np.zeros(len(table.names))
    for column in np.flatnonzero(used):
        kept = features[:, column].copy()
        rise = np.zeros(len(held))
        for _ in range(SHUFFLES):
            features[:, column] = rng.permutation(kept)
            rise += (_deviance(actual, _score(booster, features) + offset) - whole) / SHUFFLES
        features[:, column] = kept
        loss[column] = rise.mean() / base
        noise[column] = rise.std() / np.sqrt(len(rise)) / base
    return loss, noise


def _score(booster: Booster, features: Floats) -> Doubles:
    assert booster.model is not None  # judged only once trees were grown
    raw = booster.model.predict(features, raw_score=True, num_iteration=booster.rounds)
    return np.asarray(np.clip(raw, -12.0, np.log(MOST_GROWTH)), np.float64)


def _deviance(actual: Doubles, log_mean: Doubles) -> Doubles:
    """(M,) Poisson deviance of each row."""
    mean = np.exp(log_mean)
    logs = np.log(np.maximum(actual, 1e-12)) - log_mean
    return np.asarray(2.0 * (np.where(actual > 0, actual * logs, 0.0) - (actual - mean)))


def _twins(features: Floats, names: list[str], gain: npt.NDArray[Any]) -> dict[str, str]:
    """Features whose column equals that of another one with more gain (or as much, and earlier)."""
    leaders: dict[bytes, str] = {}
    twins: dict[str, str] = {}
    for column in np.argsort(-gain, kind="stable"):
        content = np.ascontiguousarray(features[:, column]).tobytes()
        leader = leaders.setdefault(content, names[column])
        if leader != names[column]:
            twins[names[column]] = leader
    return twins


def _held_out(
    known: npt.NDArray[np.bool_], cut: int, horizon: int, rng: np.random.Generator
) -> Triples | None:
    """Known targets of all steps from the cut on, of series seen before it; a sample if there are many."""
    rows = np.flatnonzero(known[:, :cut].any(axis=1))
    triples = every_step(rows, cut, horizon)
    place = np.flatnonzero(known[triples.rows, triples.targets])
    if len(place) > JUDGED_ROWS:
        place = np.sort(rng.choice(place, JUDGED_ROWS, replace=False))
    if not len(place):
        return None
    return Triples(triples.rows[place], triples.origins[place], triples.steps[place])


def _all_kept(table: FeatureTable, reason: str) -> Selection:
    empty = np.zeros(len(table.names))
    columns = {"feature": table.names, "kept": [True] * len(table.names), "gain": empty, "loss": empty}
    return Selection(pl.DataFrame({**columns, "reason": [reason] * len(table.names)}), 0)
