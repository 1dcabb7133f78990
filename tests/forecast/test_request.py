"""What is asked for goes before the settings, and the settings before the default."""

from __future__ import annotations

import pytest

from checks.forecaster_checks import draw, same, shop
from shelfwise.errors import UsageError
from shelfwise.forecast import ModelRequest, make_forecaster
from shelfwise.forecast.auto import AutoForecaster
from shelfwise.forecast.auto.effort import Effort
from shelfwise.forecast.calibration import Calibrated
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.register import DEFAULT_MODEL
from shelfwise.tables.settings import ForecastSettings


def test_the_order_of_precedence():
    settings = ForecastSettings(model="ets", calibrate=True)
    assert ModelRequest().settled(ForecastSettings()).name == DEFAULT_MODEL
    assert ModelRequest().settled(settings).name == "ets"
    assert ModelRequest.of("tsb").settled(settings) == ModelRequest("tsb", None, "pinball", True)
    assert ModelRequest.of(ModelRequest("tsb", calibrate=False)).settled(settings).calibrate is False


def test_auto_gets_its_options_and_others_refuse_them():
    settings = ForecastSettings(model="auto", budget_seconds=9.0, choose_by="wape")
    made = ModelRequest().settled(settings).maker()()
    assert isinstance(made, AutoForecaster)
    assert (made.by, made.time_budget_seconds) == ("wape", 9.0)
    with pytest.raises(UsageError, match="auto"):
        ModelRequest("ets", budget_seconds=3.0).settled(ForecastSettings())
    with pytest.raises(UsageError, match="judge"):
        ModelRequest("auto", choose_by="cost").settled(ForecastSettings()).maker()()


def test_calibrate_wraps_the_model_and_keeps_its_name():
    made = (
        ModelRequest("moving_average", calibrate=True).settled(ForecastSettings()).maker(intervals=[(0, 2)])()
    )
    assert isinstance(made, Calibrated)
    fitted = made.fit(shop())
    assert set(draw(fitted).models) == {"moving_average"}
    assert "Calibration" in fitted.told()[-1]


def test_what_was_chosen_is_told_and_not_chosen_again():
    safe = SafeForecast(lambda: AutoForecaster(models=["moving_average", "tsb", "sba"]), shop())
    assert any("competed" in note for note in safe.notes)
    again = safe.again()()
    assert isinstance(again, AutoForecaster)
    assert again._fixed is not None
    assert same(draw(again.fit(shop())), draw(safe.model))
    assert SafeForecast("tsb", shop()).again()().name == "tsb"
    assert safe.choice() is not None
    assert SafeForecast("tsb", shop()).choice() is None


def test_auto_is_a_name_like_any_other():
    assert isinstance(make_forecaster("auto"), AutoForecaster)


def test_effort_grows_with_the_data_and_no_further_than_it_says():
    effort = Effort(start=1.0, fit=10.0, update=1.0, draw=0.1, most=1e6)
    assert effort.fitting(100, 100) == pytest.approx(1.1)
    assert effort.fitting(10_000, 1000) == effort.fitting(1000, 1000) == pytest.approx(11.0)
    assert effort.refits(100, 100)
    assert not effort.refits(1000, 1000)
    # Three fits where fitting is cheap; one and two updates where it is dear.
    assert effort.competing(100, 0, 100, 1, 1, 3) == pytest.approx(3.3)
    assert effort.competing(1000, 0, 1000, 1, 1, 3) == pytest.approx(13.0)


def test_a_budget_tells_the_same_models_whatever_the_clock_says():
    panel = shop()
    tight = AutoForecaster(time_budget_seconds=0.5, clock=lambda: 1 / 0).fit(panel)
    again = AutoForecaster(time_budget_seconds=0.5, clock=lambda: 1 / 0).fit(panel)
    assert tight.report().table.equals(again.report().table)
    out = tight.report().table.filter(tight.report().table["score"].is_null())
    assert out["why"].str.contains("predicted").any()
