"""What each series would sell in each bucket: level x season x response x common shocks x local level.

Every factor is fitted on the exposure seen, given all others, and drawn towards what is common as far as
it is noise. Dividing units by exposure, not by buckets, is what keeps a shop that runs out on its best days
from looking like one that sells little.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from shelfwise.demand.kernels.local_level import level_scores, local_levels, series_totals, squared_errors
from shelfwise.demand.kernels.pooling import Grouping, common_shocks, credible_ratio, spread_of_ratio
from shelfwise.demand.kernels.response import fit_response, phase_totals, response_factor

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

ROUNDS = 2
WHOLE = 0.999
LEAST_MEAN = 1e-6
# Units of prior weight a family's noise has against a series' own.
NOISE_UNITS = 10.0
LEAST_NOISE = 0.05
LEVEL_SPREAD = (0.05, 4.0)
# Squared coefficients of variation of 1, 6, 25 and 100 %.
LOCAL_PRIORS = np.array([100.0, 16.0, 4.0, 1.0])


@dataclass(frozen=True)
class Rhythm:
    """What the series of a panel have in common.

    Attributes:
        phase: (T,) the bucket's place in the season, below `phases`; `phases` 1 = no season.
        nested: label arrays (N,) from the widest to the narrowest, over which the season is pooled.
        family: (N,) number of the family whose mean a series without sales is given.
        neighbours: (grouping, decay): who shares shocks, at the time (0) or around it.
        features: (G, T) covariates; `row` (K, N) the row that holds covariate k of series i.
        decays: (C,) weights lost a bucket that a local level may have.
        gap: buckets between an unseen bucket and the seen ones around it, typically.
    """

    phase: Index
    phases: int
    nested: tuple[Index, ...]
    family: Index
    neighbours: tuple[tuple[Grouping, float], ...]
    features: Floats
    row: Index
    decays: Doubles
    gap: int


@dataclass(frozen=True)
class Rates:
    """Units expected of a whole bucket and how sure that is.

    Attributes:
        mean: (N, T) float32 units a whole bucket.
        certainty: (N, T) float32 shape of the gamma posterior of the level: 1 / certainty is its squared
            coefficient of variation.
        noise: (N,) variance over mean of a bucket's units.
        without_local: (N, T) float32 `mean` before the local level.
        decay, prior: (N,) weight the local level loses a bucket, shape of its gamma prior.
    """

    mean: Floats
    certainty: Floats
    noise: Doubles
    without_local: Floats
    decay: Doubles
    prior: Doubles

    def take(self, rows: npt.NDArray[np.intp]) -> Rates:
        """The series in `rows`, in that order."""
        return Rates(*(getattr(self, part.name)[rows] for part in fields(self)))


def fit_rates(
    observed: Floats,
    exposure: Floats,
    whole_units: npt.NDArray[np.bool_],
    rhythm: Rhythm,
    chosen: tuple[Doubles, Doubles] | None = None,
) -> Rates:
    """Fit the rates of N series.

    Args:
        observed: (N, T) units seen, 0 where nothing was.
        exposure: (N, T) share of the bucket seen; 0 where nothing was.
        whole_units: (N,) whether a series sells whole units alone; others may vary less than counts do.
        rhythm: what the series have in common.
        chosen: (N,) decay and (N,) prior of the local levels, where they are known from a fit before.
    """
    noise = np.ones(len(observed))
    decay, prior = (noise, noise) if chosen is None else chosen
    profile = np.ones((len(observed), rhythm.phases), np.float32)
    coefficients = np.zeros(len(rhythm.row))
    seasonal = response_factor(rhythm.features, rhythm.row, coefficients, profile, rhythm.phase)
    common, local = np.ones_like(observed), np.ones_like(observed)
    level, shape = _levels(observed, seasonal, exposure, noise, rhythm.family)
    certainty, mean, without_local = local, seasonal, seasonal
    for step in range(ROUNDS):
        rest = level[:, None] * common * local
        if len(coefficients):
            season_alone = response_factor(
                rhythm.features, rhythm.row, 0 * coefficients, profile, rhythm.phase
            )
            coefficients = fit_response(
                observed, rest * season_alone, exposure, noise, rhythm.features, rhythm.row, coefficients
            )
        if rhythm.phases > 1:
            flat = np.ones_like(profile)
            response = response_factor(rhythm.features, rhythm.row, coefficients, flat, rhythm.phase)
            profile = _profile(observed, rest * response, exposure, noise, rhythm)
        seasonal = response_factor(rhythm.features, rhythm.row, coefficients, profile, rhythm.phase)
        level, _ = _levels(observed, seasonal, exposure, noise, rhythm.family)
        common = np.ones_like(observed)
        for grouping, memory in rhythm.neighbours:
            rate = level[:, None] * seasonal * common
            common_shocks(common, observed, rate, exposure, noise, grouping, memory)
        seasonal *= common
        level, shape = _levels(observed, seasonal, exposure, noise, rhythm.family)
        without_local = level[:, None] * seasonal
        # Chosen once: it is the dearest step, and the second round hardly moves it.
        if step == 0 and chosen is None:
            decay, prior = _choose(observed, without_local, exposure, noise, rhythm)
        local, certainty = local_levels(observed, without_local, exposure, noise, decay, prior)
        mean = without_local * local
        noise = _noise(observed, mean, exposure, whole_units, rhythm.family)
    # A level known from few units is unsure as a whole, besides how it moves.
    certainty = (1.0 / (1.0 / certainty + 1.0 / shape[:, None])).astype(np.float32)
    return Rates(mean, certainty, noise, without_local, decay, prior)


def _levels(
    observed: Floats, factor: Floats, exposure: Floats, noise: Doubles, family: Index
) -> tuple[Floats, Doubles]:
    """(N,) units a whole ordinary bucket, drawn to the family's mean, and the shape of their gamma posterior."""
    seen, mean = series_totals(observed, factor, exposure)
    count = int(family.max(initial=0)) + 1
    units, exposed = (np.bincount(family, weights=part, minlength=count) for part in (seen, mean))
    shop = units.sum() / max(exposed.sum(), LEAST_MEAN)
    # One bucket's worth of the shop's mean keeps a family never seen from having none.
    typical = np.maximum((units + shop) / (exposed + 1.0), LEAST_MEAN)[family]
    spread = np.clip(spread_of_ratio(seen, typical * mean, noise * typical * mean), *LEVEL_SPREAD)
    shape = 1.0 / spread + seen / noise
    return (shape / (1.0 / (spread * typical) + mean / noise)).astype(np.float32), shape


def _profile(observed: Floats, rate: Floats, exposure: Floats, noise: Doubles, rhythm: Rhythm) -> Floats:
    """(N, P) factor of each phase, from the whole shop's down to the series' own deviation."""
    seen, mean = phase_totals(observed, rate, exposure, rhythm.phase, rhythm.phases)
    # Levels apart: only how a series spreads over the season counts here.
    mean *= (seen.sum(axis=1) / np.maximum(mean.sum(axis=1), LEAST_MEAN))[:, None]
    profile = np.ones_like(mean)
    for label in rhythm.nested:
        totals = np.zeros((3, int(label.max(initial=0)) + 1, rhythm.phases))
        for part, values in enumerate((seen, mean, noise[:, None] * mean)):
            np.add.at(totals[part], label, values)
        ratio = credible_ratio(totals[0], totals[1], totals[2])[label]
        profile *= ratio
        mean *= ratio
    return profile.astype(np.float32)


def _choose(
    observed: Floats, rate: Floats, exposure: Floats, noise: Doubles, rhythm: Rhythm
) -> tuple[Doubles, Doubles]:
    """(N,) decay and (N,) prior of each series' local level: those that tell its own buckets best."""
    scores = level_scores(observed, rate, exposure, noise, rhythm.decays, LOCAL_PRIORS, rhythm.gap)
    flat = scores.reshape(len(scores), len(rhythm.decays) * len(LOCAL_PRIORS))
    # What the shop's series mostly choose is the prior of each: a short series says little itself.
    votes = np.bincount(flat.argmax(axis=1), minlength=flat.shape[1]) + 1.0
    chosen = (flat + np.log(votes / votes.sum())).argmax(axis=1)
    which_decay, which_prior = np.divmod(chosen, len(LOCAL_PRIORS))
    return rhythm.decays[which_decay], LOCAL_PRIORS[which_prior]


def _noise(
    observed: Floats, rate: Floats, exposure: Floats, whole_units: npt.NDArray[np.bool_], family: Index
) -> Doubles:
    """(N,) variance over mean, drawn to the family's; at least that of a Poisson count for whole units."""
    errors, means = squared_errors(observed, rate, exposure, WHOLE)
    error, mean = (np.bincount(family, weights=part) for part in (errors, means))
    typical = ((error + NOISE_UNITS) / (mean + NOISE_UNITS))[family]
    own = (errors + NOISE_UNITS * typical) / (means + NOISE_UNITS)
    return np.maximum(own, np.where(whole_units, 1.0, LEAST_NOISE))
