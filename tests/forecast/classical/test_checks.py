"""The classical forecasters keep every promise of the shared checks, whether registered or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from checks.forecaster_checks import CHECKS, Make
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.classical.ets import ETS
from shelfwise.forecast.classical.intermittent import ADIDA, IMAPA, SBA, TSB, Croston
from shelfwise.forecast.classical.theta import Theta

MAKERS: dict[str, Callable[[], Forecaster]] = {
    "ets": ETS,
    "ets with season": partial(ETS, season=7),
    "theta": Theta,
    "theta, standard, with season": partial(Theta, season=7, variant="standard"),
    "croston": Croston,
    "croston, optimised": partial(Croston, smoothing=None),
    "sba": SBA,
    "tsb": TSB,
    "adida": ADIDA,
    "imapa": IMAPA,
}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_promise(name: str, check: Callable[[Make], None]) -> None:
    check(MAKERS[name])
