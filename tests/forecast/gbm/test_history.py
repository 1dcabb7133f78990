"""The running sums and features of the boosted model against plain loops."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.forecast.gbm.features import FeatureTable, Triples
from shelfwise.forecast.gbm.history import History
from shelfwise.forecast.gbm.level import levels
from shelfwise.forecast.gbm.sampling import training_triples

RNG = np.random.default_rng(5)
DEMAND = RNG.poisson(3, (4, 60)).astype(np.float32)
DEMAND[RNG.random(DEMAND.shape) < 0.2] = np.nan
DEMAND[3, :50] = np.nan


@pytest.mark.parametrize(("start", "end"), [(0, 60), (10, 17), (40, 80), (-5, 3), (20, 20)])
def test_windows_are_means_of_what_is_known(start, end):
    past = History.of(DEMAND, 7)
    rows = np.arange(4)
    cut = DEMAND[:, max(start, 0) : max(end, 0)]
    with np.errstate(invalid="ignore"):
        mean = [np.nanmean(row) if np.isfinite(row).any() else np.nan for row in cut]
        sd = [np.nanstd(row, ddof=1) if np.isfinite(row).sum() > 1 else np.nan for row in cut]
    assert past.window_mean(rows, start, end) == pytest.approx(np.array(mean), rel=1e-5, nan_ok=True)
    assert past.window_sd(rows, start, end) == pytest.approx(np.array(sd), rel=1e-4, nan_ok=True)


def test_a_phase_is_the_same_weekday():
    past = History.of(DEMAND, 7)
    for last in (3, 20, 59):
        same = [DEMAND[:, at] for at in range(last, -1, -7)][:4]
        table = np.stack(same, axis=1)
        mean = [np.nanmean(row) if np.isfinite(row).any() else np.nan for row in table]
        ours = past.phase_mean(np.arange(4), np.full(4, last), 4)
        assert ours == pytest.approx(np.array(mean), rel=1e-5, nan_ok=True)


def test_a_level_never_sees_its_own_bucket_or_later():
    changed = DEMAND.copy()
    changed[:, 30:] = 99.0
    assert (levels(DEMAND, 8.0, 2.0)[:, :31] == levels(changed, 8.0, 2.0)[:, :31]).all()
    assert (levels(DEMAND, 8.0, 2.0)[:3, 40] != levels(changed, 8.0, 2.0)[:3, 40]).all()


def panel_with_promotion(demand: np.ndarray, horizon: int = 14) -> Panel:
    promotion = np.zeros((len(demand), demand.shape[1] + horizon), np.float32)
    promotion[:, ::9] = 1.0
    known = {"promotion": Known(promotion, np.arange(len(demand), dtype=np.int32))}
    return Panel.from_arrays(
        demand, start=date(2024, 1, 1), bucket=Bucket("day"), known=known, horizon=horizon
    )


def test_features_of_an_origin_do_not_change_with_what_comes_later():
    later = DEMAND.copy()
    # Row 3 is launched later: its first sales shape the prior of all, and stay as they are.
    later[:3, 40:] = 77.0
    triples = Triples(np.arange(4), np.full(4, 40, np.int32), np.array([0, 3, 7, 13], np.int32))
    before = FeatureTable(panel_with_promotion(DEMAND))
    after = FeatureTable(panel_with_promotion(later))
    ours, theirs = before.build(triples), after.build(triples)
    assert np.array_equal(ours[:3], theirs[:3], equal_nan=True)


def test_each_step_sees_its_own_promotion():
    table = FeatureTable(panel_with_promotion(DEMAND))
    steps = np.arange(14, dtype=np.int32)
    triples = Triples(np.zeros(14, np.intp), np.full(14, 60, np.int32), steps)
    column = table.build(triples)[:, table.names.index("promotion")]
    assert column.tolist() == [1.0 if (60 + step) % 9 == 0 else 0.0 for step in steps]


def test_training_targets_lie_inside_what_may_be_seen():
    known = np.isfinite(DEMAND)
    triples = training_triples(known[:, :45], 6, 7, 10_000, np.random.default_rng(0))
    assert len(triples) > 100
    assert triples.targets.max() < 45
    assert known[triples.rows, triples.targets].all()
    few = training_triples(known[:, :45], 6, 7, 50, np.random.default_rng(0))
    assert 10 < len(few) < 120
