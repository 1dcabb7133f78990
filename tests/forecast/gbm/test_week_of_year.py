"""A week of the year seen once is no season; trees read it where a second year confirms or no year repeats it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.gbm.features import FeatureTable
from shelfwise.forecast.gbm.forecaster import GradientBoosting
from shelfwise.forecast.gbm.sampling import every_step
from shelfwise.forecast.persistence import load


def shop(buckets: int, bucket: str = "week") -> Panel:
    demand = np.random.default_rng(2).poisson(6.0, (12, buckets))
    return Panel.from_arrays(demand, start=date(2022, 1, 3), bucket=Bucket(bucket), horizon=4)


def weeks(table: FeatureTable, buckets: int) -> np.ndarray:
    return table.build(every_step(np.array([0]), buckets, 4))[:, table.names.index("week")]


@pytest.mark.parametrize(
    ("bucket", "buckets", "told"),
    [
        ("week", 51, True),
        ("week", 52, False),
        ("week", 103, False),
        ("week", 104, True),
        ("day", 400, True),
        ("day", 728, True),
    ],
)
def test_a_week_is_told_unless_it_was_seen_once(bucket: str, buckets: int, told: bool) -> None:
    table = FeatureTable(shop(buckets, bucket))
    assert np.isfinite(weeks(table, buckets)).all() == told


def test_what_trees_were_fitted_on_goes_on_when_weeks_are_added() -> None:
    young, old = FeatureTable(shop(100)), FeatureTable(shop(104))
    assert np.isnan(weeks(FeatureTable(shop(104), like=young), 104)).all()
    assert np.isfinite(weeks(FeatureTable(shop(104).until(60), like=old), 60)).all()


def test_a_saved_model_knows_whether_its_trees_read_weeks(tmp_path) -> None:
    model = GradientBoosting().fit(shop(103))
    model.save(tmp_path / "kept")
    later = shop(105)
    again = load(tmp_path / "kept").update(later)
    assert np.isnan(weeks(again._table, 105)).all()
    said = [m.sample(4, 50, np.random.default_rng(0)).paths for m in (model.update(later), again)]
    assert np.array_equal(*said)
