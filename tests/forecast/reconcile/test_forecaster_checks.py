"""`Reconciled` keeps every promise of a forecaster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from checks.forecaster_checks import CHECKS, Make
from shelfwise.forecast.reconcile import Reconciled

VARIANTS = {
    "wls_variance": partial(Reconciled, "moving_average", "ets", ("total",), "wls_variance"),
    "mint_shrink": partial(
        Reconciled, "moving_average", "moving_average", ("total", "location"), "mint_shrink"
    ),
    "default": Reconciled,
    "top_down": partial(Reconciled, "moving_average", "moving_average", ("total",), "top_down_forecasts"),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_reconciled(variant: str, check: Callable[[Make], None]) -> None:
    check(VARIANTS[variant])
