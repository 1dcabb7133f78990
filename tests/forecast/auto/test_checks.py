"""`auto` with cheap members keeps every promise of the shared checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from checks.forecaster_checks import CHECKS, Make
from shelfwise.forecast.auto import AutoForecaster

make = partial(AutoForecaster, models=["moving_average", "tsb"])


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_promise(check: Callable[[Make], None]) -> None:
    check(make)
