"""What is planned for step 3 shows in step 3, and elsewhere only through features that say so.

A forecaster that reads the first step's covariates for the whole horizon looks right in every backtest
without promotions; here the promotion is moved and taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Self

import numpy as np
import numpy.typing as npt
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import MissingExtra
from shelfwise.forecast import FORECASTERS, Forecaster, make_forecaster
from shelfwise.forecast.gbm.forecaster import GradientBoosting

SERIES, HISTORY, HORIZON = 30, 104, 6
LIFT = 4.0
Steps = Mapping[str, tuple[int, ...]]


def promoted(ahead: Steps) -> Panel:
    """Weekly counts that promotions quadruple and low prices double, with these steps planned ahead."""
    rng = np.random.default_rng(5)
    width = HISTORY + HORIZON
    flag = (rng.random((SERIES, width)) < 0.12).astype(np.float32)
    price = rng.choice([8.0, 8.0, 8.0, 5.0], (SERIES, width)).astype(np.float32)
    flag[:, HISTORY:], price[:, HISTORY:] = 0.0, 8.0
    flag[:, [HISTORY + step for step in ahead.get("promotion", ())]] = 1.0
    price[:, [HISTORY + step for step in ahead.get("price", ())]] = 5.0
    event = (np.arange(width) % 9 == 4).astype(np.float32)[None, :]
    event[:, HISTORY:] = 0.0
    event[:, [HISTORY + step for step in ahead.get("event", ())]] = 1.0
    mean = rng.uniform(8, 30, (SERIES, 1)) * LIFT**flag * 2.0 ** (price < 8) * 3.0**event
    every, one = np.arange(SERIES, dtype=np.int32), np.zeros(SERIES, np.int32)
    known = {
        "promotion": Known(flag, every),
        "price": Known(price, every),
        "event:fair": Known(event, one),
        "event:any": Known(event, one),
    }
    demand = np.random.default_rng(6).poisson(mean[:, :HISTORY])
    return Panel.from_arrays(demand, bucket=Bucket("week"), known=known, horizon=HORIZON)


@cache
def fitted(name: str) -> Forecaster:
    try:
        return make_forecaster(name).fit(promoted({}))
    except MissingExtra as error:
        pytest.skip(str(error))


def mean_after(model: Forecaster, ahead: Steps) -> npt.NDArray[np.float32]:
    """(N, H) the fitted model's mean when these steps are planned; nothing is learnt anew."""
    return model.update(promoted(ahead)).sample(HORIZON, 8, np.random.default_rng(0)).mean().copy()


def uses_covariates(model: Forecaster) -> bool:
    everything = {name: tuple(range(HORIZON)) for name in ("promotion", "price", "event")}
    return not np.array_equal(mean_after(model, everything), mean_after(model, {}))


def check_per_step(model: Forecaster) -> None:
    for name in ("promotion", "price", "event"):
        calm = mean_after(model, {name: ()})
        total = calm.sum(axis=0)
        for step in (0, 2, 4):
            planned = mean_after(model, {name: (step,)})
            lift = planned.sum(axis=0) / total
            assert lift.argmax() == step, f"{name} of step {step} peaks in step {lift.argmax()}"
            assert lift[step] > 1.4, f"{name} of step {step} lifts it {lift[step]:.2f} times"
            # `promotion[+1]` and `[-1]` are the features that mention a neighbour; a price has none.
            reach = 0 if name == "price" else 1
            # A model that says it is recursive hands on what it made of a step; the past stays the past.
            last = HORIZON if getattr(model, "recursive", False) else step + reach + 1
            far = [other for other in range(HORIZON) if not step - reach <= other < last]
            np.testing.assert_array_equal(planned[:, far], calm[:, far], err_msg=f"{name} of step {step}")


@pytest.mark.parametrize("name", FORECASTERS)
def test_what_is_planned_shows_in_its_own_step(name):
    model = fitted(name)
    if uses_covariates(model):
        assert not getattr(model, "local", False)
        check_per_step(model)


def test_the_boosted_model_is_among_those_that_are_checked():
    assert uses_covariates(fitted("gbm"))


class ReadsTheFirstStep(GradientBoosting):
    """The mistake: the covariates of step 1 stand for the whole horizon."""

    def update(self, panel: Panel) -> Self:
        frozen = {}
        for name, known in panel.known.items():
            values = known.values.copy()
            values[:, panel.n_buckets :] = values[:, panel.n_buckets][:, None]
            frozen[name] = Known(values, known.group)
        return super().update(replace(panel, known=frozen))


class SmearsPromotions(GradientBoosting):
    """A subtler one: a planned promotion raises every step a little."""

    def update(self, panel: Panel) -> Self:
        promotion = panel.known["promotion"]
        values = promotion.values.copy()
        ahead = values[:, panel.n_buckets :]
        ahead += 0.05 * ahead.max(axis=1, keepdims=True)
        return super().update(
            replace(panel, known={**panel.known, "promotion": Known(values, promotion.group)})
        )


@pytest.mark.parametrize("broken", [ReadsTheFirstStep, SmearsPromotions])
def test_the_mistake_is_caught(broken):
    model = broken().fit(promoted({}))
    assert uses_covariates(model)
    with pytest.raises(AssertionError):
        check_per_step(model)


def test_the_columns_of_a_fitted_model_stay_where_they_were():
    """An update may bring events that are now more frequent, fewer attributes or no prices at all."""
    panel = promoted({})
    model = GradientBoosting(horizon=HORIZON).fit(panel)
    names = model._table.names
    calm = mean_after(model, {})
    rare = panel.known["event:fair"]
    often = np.ones_like(rare.values)
    more = {"event:new": Known(often, rare.group), **panel.known}
    model.update(replace(panel, known=more))
    assert model._table.names == names
    np.testing.assert_array_equal(model.sample(HORIZON, 8, np.random.default_rng(0)).mean(), calm)
    fewer = {name: known for name, known in panel.known.items() if name != "price"}
    model.update(replace(panel, known=fewer))
    assert model._table.names == names
    assert np.isfinite(model.sample(HORIZON, 8, np.random.default_rng(0)).mean()).all()


@pytest.mark.parametrize("row", [0, 7])
def test_a_promotion_of_one_item_leaves_the_others_alone(row):
    model = GradientBoosting(horizon=HORIZON).fit(promoted({}))
    calm, panel = mean_after(model, {}), promoted({})
    panel.known["promotion"].values[row, HISTORY + 2] = 1.0
    planned = model.update(panel).sample(HORIZON, 8, np.random.default_rng(0)).mean()
    others = np.arange(SERIES) != row
    np.testing.assert_array_equal(planned[others], calm[others])
    assert planned[row, 2] > 1.4 * calm[row, 2]
