"""From evidence to a choice: for each class of demand the best model, or a blend of the best if that pays.

Small shops have little evidence on each class, so a class leans on the whole shop's losses by how few of
its series were held out (partial pooling). Whether a blend pays is told on folds its weights have not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.auto.blend import Doubles, pool_weights
from shelfwise.forecast.auto.competition import CLASSES, BlendCost, Evidence, Round

Rows = npt.NDArray[np.intp]
TRUSTED_SERIES = 20
CLOSE = 0.10
MOST_MEMBERS = 4
LEAST_GAIN = 0.01
LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class Choice:
    """What a class of demand is forecast with.

    Attributes:
        weights: (M,) non-negative, sum one.
        best: the model with the least loss.
        losses: (M,) losses the models were ranked by, relative to their mean.
        gain: share by which the blend of the best beat the best alone on folds its weights had not seen;
            None where nobody came near the best.
        trust: 0 … 1, how much of this rests on the class itself and not on the whole shop.
    """

    weights: Doubles
    best: int
    losses: Doubles
    gain: float | None
    trust: float


def choose(evidence: Evidence, blend_cost: BlendCost | None = None) -> tuple[Choice, ...]:
    """A choice for each class of `CLASS_NAMES`, those without any evidence included.

    Args:
        blend_cost: what `compete` gives for it, where models are ranked by cost.
    """
    trust = evidence.series / (evidence.series + TRUSTED_SERIES)
    losses = evidence.losses.sum(axis=0)
    losses = _pooled(losses, losses.mean(axis=1), evidence.series, trust)
    scale = np.einsum("fcmm->fcm", evidence.grams).sum(axis=0).mean(axis=1)
    # (F, CLASSES, M, M), each fold leaning on the same fold of the whole shop.
    grams = np.stack([_pooled(fold, scale, evidence.series, trust) for fold in evidence.grams])
    return tuple(
        _choose_one(evidence, blend_cost, c, losses[c], grams, float(trust[c])) for c in range(CLASSES)
    )


def _pooled(values: Doubles, scale: Doubles, series: Any, trust: Any) -> Doubles:
    """(CLASSES, …) values over their class's scale, leaning on the shop's mean where there is little trust."""
    shape = (-1,) + (1,) * (values.ndim - 1)
    relative = values / np.where(scale > 0, scale, 1.0).reshape(shape)
    shop = (relative * series.reshape(shape)).sum(axis=0) / max(int(series.sum()), 1)
    share = trust.reshape(shape)
    return np.asarray(share * relative + (1.0 - share) * shop)


def _choose_one(
    evidence: Evidence, blend_cost: BlendCost | None, c: int, losses: Doubles, grams: Doubles, trust: float
) -> Choice:
    best = int(np.argmin(losses))
    ranked = np.argsort(losses, kind="stable")
    near = ranked[losses[ranked] <= (1.0 + CLOSE) * losses[best]][:MOST_MEMBERS]
    alone = np.zeros(len(losses))
    alone[best] = 1.0
    if len(near) < 2 or losses[best] <= 0.0:
        return Choice(alone, best, losses, None, trust)
    gain = _gain(evidence, blend_cost, c, near, best, grams)
    if gain < LEAST_GAIN:
        return Choice(alone, best, losses, gain, trust)
    return Choice(_readable(_weights(grams[:, c].sum(axis=0), near)), best, losses, gain, trust)


def _weights(gram: Doubles, near: Rows) -> Doubles:
    weights = np.zeros(len(gram))
    weights[near] = pool_weights(gram[np.ix_(near, near)])
    return weights


def _readable(weights: Doubles) -> Doubles:
    """Weights in hundredths; crumbs, which would cost a whole fit each, go to the others."""
    kept = np.where(weights >= LEAST_WEIGHT, weights, 0.0)
    rounded = np.round(kept / kept.sum(), 2)
    rounded[np.argmax(rounded)] += 1.0 - rounded.sum()
    return np.asarray(np.round(rounded, 2))


def _gain(
    evidence: Evidence, blend_cost: BlendCost | None, c: int, near: Rows, best: int, grams: Doubles
) -> float:
    """1 - loss of the blend / loss of the best, each fold judged with weights fitted on the others."""
    blended, alone = 0.0, 0.0
    total = grams[:, c].sum(axis=0)
    for f, fold in enumerate(grams[:, c]):
        weights = _readable(_weights(total - fold, near))
        if evidence.by == "pinball":
            blended += float(weights @ fold @ weights)
            alone += float(fold[best, best])
            continue
        alone += float(evidence.losses[f, c, best])
        for number, (held, folds) in enumerate(zip(evidence.rounds, evidence.folds, strict=True)):
            rows = np.flatnonzero((held.classes == c) & (folds == f))
            if len(rows) and blend_cost is not None:
                blended += float(blend_cost(number, rows, weights) @ held.weight[rows])
            elif len(rows):
                blended += _absolute_error(held, rows, weights)
    return 1.0 - blended / alone if alone > 0 else 0.0


def _absolute_error(held: Round, rows: Rows, weights: Doubles) -> float:
    """Summed absolute error of the blended means of some rows."""
    mean = np.tensordot(weights, held.means[:, rows], axes=1)
    gaps = np.nan_to_num(np.abs(mean - held.actual[rows]), nan=0.0)
    return float((gaps.sum(axis=1) * held.weight[rows]).sum())
