"""The trees: a log-link count model of demand relative to the series' level.

LightGBM (Ke et al. 2017) with the level as offset: score = log level + f(features). With a Poisson
deviance this weighs every unit of demand alike, whatever the size of the series that sold it; a Tweedie
deviance (Jorgensen 1987) trusts large values less, squared error trusts them more.

The number of trees is fixed. Held-out buckets of one stretch of time share its weather: stopping by them
gave anything from 1 to 233 trees on nearly the same data, while the best number hardly depends on the shop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.forecast.gbm.features import FeatureTable, Triples

Floats = npt.NDArray[np.float32]
OBJECTIVES = ("poisson", "tweedie", "l2")
FEWEST_ROWS = 60
MOST_GROWTH = 30.0
FAR_BEYOND = 60.0
LEAST_CURVATURE = 1e-6
PREDICT_ROWS = 400_000


@dataclass(frozen=True)
class TreeSettings:
    """LightGBM's knobs, scaled to the number of rows.

    Attributes:
        objective: ``poisson``, ``tweedie`` or ``l2`` (squared error in units over the series' level); all three
            fit the mean, on the log scale.
        variance_power: of Tweedie, between 1 (Poisson) and 2 (gamma).
        rounds: how many trees.
        extra: LightGBM parameters that go before ours.

    Raises:
        UsageError: an unknown objective, no trees, or a power outside its bounds.
    """

    objective: str = "poisson"
    variance_power: float = 1.1
    learning_rate: float = 0.1
    rounds: int = 100
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise UsageError(f"objective must be one of {', '.join(OBJECTIVES)}; got {self.objective!r}")
        if self.rounds < 1:
            raise UsageError(f"rounds must be at least 1; got {self.rounds}")
        if not 1.0 < self.variance_power < 2.0:
            raise UsageError(f"variance_power must lie strictly between 1 and 2; got {self.variance_power}")

    def parameters(self, rows: int, seed: int) -> dict[str, Any]:
        """What is handed to LightGBM; more rows allow more leaves."""
        leaves = int(np.clip(rows / 6000, 8, 127))
        return {
            "objective": self.objective,
            **({"tweedie_variance_power": self.variance_power} if self.objective == "tweedie" else {}),
            "learning_rate": self.learning_rate,
            "num_leaves": leaves,
            "min_data_in_leaf": int(np.clip(rows / 5000, 10, 200)),
            "feature_fraction": 0.6,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "max_bin": 255,
            "cat_smooth": 20.0,
            "max_cat_to_onehot": 8,
            "verbosity": -1,
            "seed": seed % (2**31 - 1),
            "deterministic": True,
            "force_col_wise": True,
            "boost_from_average": False,
            **self.extra,
        }


class Booster:
    """A fitted set of trees, or none where there was too little to learn from."""

    def __init__(self, model: Any | None, rounds: int) -> None:
        self.model = model
        self.rounds = rounds

    @classmethod
    def train(
        cls,
        table: FeatureTable,
        triples: Triples,
        settings: TreeSettings,
        seed: int,
        step_weights: Floats | None = None,
    ) -> Booster:
        """Fit on triples whose target is known; `step_weights` (H,) says how much each step counts."""
        triples = _with_target(table, triples)
        if len(triples) < FEWEST_ROWS or not np.any(table.target(triples) > 0):
            return cls(None, 0)
        import lightgbm as lgb

        parameters = settings.parameters(len(triples), seed)
        if settings.objective == "l2":
            parameters["objective"] = _squared_error_of_log_mean(np.exp(table.offset(triples)))
        weight = None if step_weights is None else step_weights[triples.steps]
        model = lgb.train(parameters, _lgb_data(lgb, table, triples, weight), num_boost_round=settings.rounds)
        return cls(model, int(model.current_iteration()))

    def mean(self, table: FeatureTable, triples: Triples) -> Floats:
        """(M,) expected demand of each triple; growth over the level is bounded."""
        out = np.empty(len(triples), dtype=np.float32)
        for first in range(0, len(triples), PREDICT_ROWS):
            part = slice(first, first + PREDICT_ROWS)
            some = Triples(triples.rows[part], triples.origins[part], triples.steps[part])
            score = np.zeros(len(some))
            if self.model is not None:
                score = self.model.predict(table.build(some), raw_score=True, num_iteration=self.rounds)
            growth = np.exp(np.clip(score, -12.0, np.log(MOST_GROWTH)))
            out[part] = growth * np.exp(table.offset(some))
        return out


def _with_target(table: FeatureTable, triples: Triples) -> Triples:
    keep = np.isfinite(table.target(triples))
    return Triples(triples.rows[keep], triples.origins[keep], triples.steps[keep])


def _squared_error_of_log_mean(level: Floats) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Gradient and Gauss-Newton curvature of (y - exp(score))² / (2 level) in the score."""

    def objective(score: Any, data: Any) -> tuple[Any, Any]:
        mean = np.exp(np.minimum(score, np.log(MOST_GROWTH * level)))
        weight = data.get_weight()
        scale = mean / level if weight is None else mean / level * weight
        return (mean - data.get_label()) * scale, mean * scale + LEAST_CURVATURE

    return objective


def _lgb_data(lgb: Any, table: FeatureTable, triples: Triples, weight: Floats | None) -> Any:
    offset = table.offset(triples)
    level = np.exp(offset)
    # A single order far beyond a series' level must not bend the trees; the spread keeps it as a tail.
    label = np.minimum(table.target(triples), FAR_BEYOND * (level + 1.0))
    return lgb.Dataset(
        table.build(triples),
        label=label,
        weight=weight,
        init_score=offset,
        # Positions, not names: an event may be called anything, LightGBM refuses some characters.
        categorical_feature=[table.names.index(name) for name in table.categorical],
        free_raw_data=True,
        params={"verbosity": -1, "max_bin": 255, "deterministic": True, "force_col_wise": True},
    )
