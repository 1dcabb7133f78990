"""The trees: a log-link count model of demand relative to the series' level.

LightGBM (Ke et al. 2017) with the level as offset: score = log level + f(features). With a Poisson
deviance this weighs every unit of demand alike, whatever the size of the series that sold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.gbm.features import FeatureTable, Triples

Floats = npt.NDArray[np.float32]
FEWEST_ROWS = 60
MOST_GROWTH = 30.0
FAR_BEYOND = 60.0
PREDICT_ROWS = 400_000


@dataclass(frozen=True)
class TreeSettings:
    """LightGBM's knobs, scaled to the number of rows."""

    objective: str = "poisson"
    learning_rate: float = 0.1
    rounds: int = 250
    patience: int = 20
    extra: dict[str, Any] = field(default_factory=dict)

    def parameters(self, rows: int, seed: int) -> dict[str, Any]:
        """What is handed to LightGBM; more rows allow more leaves."""
        leaves = int(np.clip(rows / 6000, 8, 127))
        return {
            "objective": self.objective,
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
        held_out: Triples | None = None,
        rounds: int | None = None,
    ) -> Booster:
        """Fit on triples; with `held_out` triples the number of trees is what served them best."""
        triples = _with_target(table, triples)
        if len(triples) < FEWEST_ROWS or not np.any(table.target(triples) > 0):
            return cls(None, 0)
        import lightgbm as lgb

        parameters = settings.parameters(len(triples), seed)
        train = _lgb_data(lgb, table, triples, None)
        callbacks: list[Any] = []
        valid: list[Any] = []
        if held_out is not None:
            held_out = _with_target(table, held_out)
            if len(held_out) >= FEWEST_ROWS and np.any(table.target(held_out) > 0):
                valid = [_lgb_data(lgb, table, held_out, train)]
                callbacks = [lgb.early_stopping(settings.patience, verbose=False)]
        model = lgb.train(
            parameters,
            train,
            num_boost_round=rounds or settings.rounds,
            valid_sets=valid,
            callbacks=callbacks,
        )
        return cls(model, int(model.best_iteration or model.current_iteration()))

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


def _lgb_data(lgb: Any, table: FeatureTable, triples: Triples, reference: Any | None) -> Any:
    offset = table.offset(triples)
    level = np.exp(offset)
    # A single order far beyond a series' level must not bend the trees; the spread keeps it as a tail.
    label = np.minimum(table.target(triples), FAR_BEYOND * (level + 1.0))
    return lgb.Dataset(
        table.build(triples),
        label=label,
        init_score=offset,
        # Positions, not names: an event may be called anything, LightGBM refuses some characters.
        categorical_feature=[table.names.index(name) for name in table.categorical],
        reference=reference,
        free_raw_data=True,
        params={"verbosity": -1, "max_bin": 255, "deterministic": True, "force_col_wise": True},
    )
