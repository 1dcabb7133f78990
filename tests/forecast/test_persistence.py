"""Every fitted forecaster goes into a file and comes back as itself; found by the register, not by a list."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import shelfwise.forecast
from checks.forecaster_checks import draw, same
from checks.forecaster_checks import shop as plain_shop
from shelfwise.demand.behaviour import Observed
from shelfwise.demand.panel import Known, Panel
from shelfwise.demand.shortages import Shortages
from shelfwise.errors import MissingExtra, ShelfwiseError, UsageError
from shelfwise.forecast import FORECASTERS, Forecaster, make_forecaster
from shelfwise.forecast.auto import AutoForecaster
from shelfwise.forecast.calibration import Calibrated
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.newcomers import NewItemForecaster
from shelfwise.forecast.persistence import NotSavable, allow, describe, load, load_safe, resume, save
from shelfwise.forecast.persistence.classes import CLASSES, tag_of
from shelfwise.forecast.reconcile import Reconciled

BUCKETS, HORIZON = 84, 8


def shop(buckets: int = BUCKETS) -> Panel:
    """Everything a panel may hold: gaps, newcomers, prices, events, signals, attributes with nulls."""
    rng = np.random.default_rng(7)
    panel = plain_shop(n=16, buckets=BUCKETS + 6, horizon=HORIZON)
    demand = panel.demand.copy()
    demand[3] = np.nan
    short, when = np.array([0, 5, 5]), np.array([40, 3, 70])
    demand[short, when] = 4.0
    guessed = np.array([4.5, 3.0, 2.5], np.float32)
    shortages = Shortages(short, when, guessed, np.array([2.0, np.nan, 1.0], np.float32), short > 0)
    event = np.zeros((1, BUCKETS + 6 + HORIZON), np.float32)
    event[0, ::9] = 1.0
    everyone, n = np.zeros(16, np.int32), panel.n_series
    static = pl.DataFrame(
        {
            "category": ["tea", None, "coffee", "茶"] * 4,
            "size": [1.5, None, float("nan"), 2.0] * 4,
            "pack": pl.Series([6, 12, None, 1] * 4, dtype=pl.Int16),
        }
    )
    views = rng.poisson(20, (n, BUCKETS + 6)).astype(np.float32)
    return replace(
        panel,
        demand=demand,
        known={**panel.known, "promotion": Known(event, everyone), "event:fair": Known(event, everyone)},
        observed={"views": Observed(views, np.arange(n, dtype=np.int32))},
        static=static,
        shortages=shortages,
    ).until(buckets)


def quick_auto() -> Forecaster:
    return AutoForecaster(models=["moving_average", "theta", "gbm"], horizon=4)


def made_by_hand() -> Forecaster:
    models = {"a": partial(MovingAverage, window=5), "b": lambda: MovingAverage(seasonal=True)}
    return AutoForecaster(models=models, horizon=4)


WRAPPED: dict[str, Callable[[], Forecaster]] = {
    "moving_average seasonal": partial(make_forecaster, "moving_average", seasonal=True),
    "newcomers": NewItemForecaster,
    "auto": quick_auto,
    "auto of the caller's own": made_by_hand,
    "calibrated": partial(Calibrated, MovingAverage, horizon=4, intervals=[(0, 3)]),
    "calibrated gbm": partial(Calibrated, partial(make_forecaster, "gbm", horizon=4), horizon=4),
    "reconciled": partial(Reconciled, "moving_average", "ets", ["total", "category"], "mint_shrink"),
    "reconciled gbm": partial(Reconciled, "gbm", "theta", ["total"]),
}
KINDS = {**{name: partial(make_forecaster, name) for name in FORECASTERS}, **WRAPPED}


class Fitted(dict):
    """Each kind fitted when first asked for; `pop` hands it on to somebody who changes it."""

    def __missing__(self, kind: str) -> Forecaster:
        self[kind] = KINDS[kind]().fit(shop())
        return self[kind]

    def pop(self, kind: str) -> Forecaster:
        model = self[kind]
        del self[kind]
        return model


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    return Fitted()


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_is_the_model(kind, fitted, tmp_path):
    model = fitted[kind]
    told = save(model, tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert type(again) is type(model)
    assert same(draw(model, seed=3), draw(again, seed=3))
    assert same(draw(model, seed=3, horizon=11, samples=7), draw(again, seed=3, horizon=11, samples=7))
    assert draw(model).models.tolist() == draw(again).models.tolist()
    assert again.failures == model.failures
    assert (told.model, told.as_of, told.series) == (model.name, model.panel.as_of, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_saved_again_it_is_the_same_file_whatever_was_drawn_between(kind, fitted, tmp_path):
    model = fitted[kind]
    model.save(tmp_path / "first")
    again = load(tmp_path / "first")
    draw(again), draw(model, horizon=9)
    again.save(tmp_path / "second")
    model.save(tmp_path / "third")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert (tmp_path / "first").read_bytes() == (tmp_path / "third").read_bytes()


def test_another_process_draws_the_same_bytes(fitted, tmp_path):
    kinds = ("moving_average", "gbm", "auto", "reconciled")
    for kind in kinds:
        fitted[kind].save(tmp_path / kind)
    code = (
        "import hashlib, sys, numpy as np\n"
        "from shelfwise.forecast.persistence import load\n"
        "for path in sys.argv[1:]:\n"
        "    paths = load(path).sample(4, 60, np.random.default_rng(5)).paths\n"
        "    print(hashlib.sha256(paths.tobytes()).hexdigest())\n"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, *(str(tmp_path / kind) for kind in kinds)],
        capture_output=True,
        text=True,
        check=True,
    )
    import hashlib

    here = [hashlib.sha256(draw(fitted[kind], seed=5).paths.tobytes()).hexdigest() for kind in kinds]
    assert there.stdout.split() == here


def test_a_panel_comes_back_as_it_was(fitted, tmp_path):
    fitted["gbm"].save(tmp_path / "kept")
    panel, again = shop(), load(tmp_path / "kept").panel
    for name in ("sold", "on_sale", "demand", "launched", "ends", "series_ids"):
        assert getattr(panel, name).tobytes() == getattr(again, name).tobytes()
        assert getattr(panel, name).dtype == getattr(again, name).dtype
    assert again.static.equals(panel.static, null_equal=True)
    assert again.static.schema == panel.static.schema
    assert again.keys.equals(panel.keys)
    assert list(again.known) == list(panel.known)
    assert again.expected.tobytes() == panel.expected.tobytes()
    assert (again.as_of, again.bucket, again.horizon) == (panel.as_of, panel.bucket, panel.horizon)


def test_what_is_shared_stays_shared_and_is_kept_once(fitted, tmp_path):
    fitted["reconciled"].save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert again.panel is again.leaf.panel
    assert again.leaf._pool._demand is again.leaf._demand


def test_a_safe_forecast_keeps_its_last_resort(tmp_path):
    safe = SafeForecast("tsb", shop())
    save(safe, tmp_path / "kept")
    again = load_safe(tmp_path / "kept")
    rows = np.arange(16)
    assert same(safe.sample(rows, 4, 60, 1), again.sample(rows, 4, 60, 1))
    assert (again.notes, again.named_failures) == (safe.notes, safe.named_failures)
    assert again.last_resort.name == "moving_average"
    assert load(tmp_path / "kept").name == "tsb"


def test_a_bare_model_gets_a_last_resort(fitted, tmp_path):
    fitted["moving_average"].save(tmp_path / "kept")
    safe = load_safe(tmp_path / "kept")
    assert same(
        safe.sample(np.arange(16), 4, 60, 1),
        SafeForecast("moving_average", shop()).sample(np.arange(16), 4, 60, 1),
    )
    assert safe.notes == SafeForecast("moving_average", shop()).notes


def test_resumed_it_forecasts_from_the_new_history(fitted, tmp_path):
    fitted["gbm"].save(tmp_path / "kept")
    later = shop(BUCKETS + 2)
    fresh = KINDS["gbm"]().fit(shop()).update(later)
    resumed = resume(tmp_path / "kept", later)
    assert same(
        resumed.model.sample(4, 60, np.random.default_rng(1)), fresh.sample(4, 60, np.random.default_rng(1))
    )
    assert resumed.panel is later


def test_a_model_that_has_seen_the_future_is_refused(fitted, tmp_path):
    fitted["gbm"].save(tmp_path / "kept")
    with pytest.raises(UsageError, match="must not know"):
        resume(tmp_path / "kept", shop(BUCKETS - 1))
    with pytest.raises(UsageError, match=r"forecasts weeks and the data come in days"):
        resume(tmp_path / "kept", Panel.from_arrays(np.ones((2, 900)), bucket=type(shop().bucket)("day")))


def forecaster_classes() -> Iterator[type[Forecaster]]:
    for module in pkgutil.walk_packages(shelfwise.forecast.__path__, "shelfwise.forecast."):
        try:
            importlib.import_module(module.name)
        except MissingExtra:
            continue
    met = [Forecaster]
    while met:
        kind = met.pop()
        met += kind.__subclasses__()
        concrete = not getattr(kind, "__abstractmethods__", None) and hasattr(kind, "name")
        if kind.__module__.startswith("shelfwise.") and concrete:
            yield kind


def test_no_forecaster_of_ours_is_forgotten():
    assert [kind for kind in forecaster_classes() if tag_of(kind) is None] == []


@pytest.mark.parametrize("tag", CLASSES)
def test_every_name_leads_to_its_class(tag):
    assert tag_of(CLASSES[tag].load()) == tag


def test_a_function_stays_behind_and_says_so(fitted, tmp_path):
    Calibrated(lambda: MovingAverage(4), horizon=4).fit(shop()).save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert draw(again).paths.shape == (16, 60, 4)
    with pytest.raises(ShelfwiseError, match=r"was left out.*make a new one"):
        again.fit(shop())
    again.save(tmp_path / "again")
    assert same(draw(load(tmp_path / "again")), draw(again))


class Judge:
    """Holds tables, as who judges orders does."""

    horizon = 4

    def __init__(self) -> None:
        self.tables = object()

    def __call__(self, origin, scenarios):
        return np.abs(scenarios.mean()[:, 0] - 5.0).astype(np.float64)


def test_who_judged_orders_stays_behind(tmp_path):
    def auto() -> Forecaster:
        return AutoForecaster(
            models=["moving_average", "theta"], horizon=4, by="cost", judge=lambda panel: Judge()
        )

    model = auto().fit(shop())
    model.save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert same(draw(model), draw(again))
    assert str(again.report()) == str(model.report())
    with pytest.raises(UsageError, match="needs a judge"):
        again.fit(shop())


def test_what_can_be_made_again_is_fitted_anew(fitted, tmp_path):
    def auto() -> Forecaster:
        return AutoForecaster(models=["moving_average", "theta"], horizon=4)

    fitted["calibrated"].save(tmp_path / "calibrated")
    auto().fit(shop()).save(tmp_path / "auto")
    for kind, fresh in (("calibrated", KINDS["calibrated"]()), ("auto", auto())):
        assert same(draw(load(tmp_path / kind).fit(shop(80))), draw(fresh.fit(shop(80))))


@allow
class Halved(MovingAverage):
    name = "halved"

    def __init__(self, by: float = 2.0) -> None:
        super().__init__()
        self.by = by

    def _sample_rows(self, rows, horizon, n_samples, root):
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return paths / np.float32(self.by), expected / np.float32(self.by)


class NotAllowed(MovingAverage):
    name = "not_allowed"


@allow
class WithHook(MovingAverage):
    """Holds what a file cannot, as a network would be."""

    name = "with_hook"

    def fit(self, panel):
        super().fit(panel)
        self.network = (weight * 2.0 for weight in [1.0])
        return self

    def saved_state(self):
        return {"panel": self.panel, "weights": {"layer": np.float32(2.0)}}

    def restore_state(self, state):
        self.__init__()
        self.fit(state["panel"])
        self.weights = state["weights"]


def test_a_class_of_the_callers_own_once_it_is_allowed(tmp_path):
    model = Halved(by=4.0).fit(shop())
    model.save(tmp_path / "kept")
    assert same(draw(model), draw(load(tmp_path / "kept")))
    with pytest.raises(NotSavable, match=r"NotAllowed.*allow"):
        NotAllowed().fit(shop()).save(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_hook_decides_what_is_kept(tmp_path):
    model = WithHook().fit(shop())
    model.save(tmp_path / "kept")
    again = load(tmp_path / "kept")
    assert same(draw(model), draw(again))
    assert again.weights == {"layer": np.float32(2.0)}
    assert type(again.weights["layer"]) is np.float32


def test_what_cannot_be_saved_is_named_with_its_place(tmp_path):
    model = MovingAverage().fit(shop())
    model.extra = [{"deep": object()}]
    with pytest.raises(NotSavable, match=r"MovingAverage\.extra\[0\]\['deep'\] is a builtins\.object"):
        model.save(tmp_path / "kept")
    assert list(tmp_path.iterdir()) == []


def test_only_what_is_fitted_goes_into_a_folder_that_is_there(tmp_path):
    with pytest.raises(UsageError, match="not been fitted"):
        MovingAverage().save(tmp_path / "kept")
    with pytest.raises(UsageError, match="no folder"):
        MovingAverage().fit(shop()).save(tmp_path / "nowhere" / "kept")
    with pytest.raises(UsageError, match="no model file"):
        load(tmp_path / "kept")


def test_a_file_tells_of_itself_without_being_loaded(fitted, tmp_path):
    told = save(fitted["gbm"], tmp_path / "kept")
    assert describe(tmp_path / "kept") == told
    assert (told.model, told.bucket, told.series) == ("gbm", "week", 16)
    assert told.shelfwise == shelfwise.__version__
    assert "lightgbm" in told.libraries
    assert describe(tmp_path / "kept").digest != save(fitted["ets"], tmp_path / "other").digest


@pytest.mark.parametrize("kind", KINDS)
def test_a_loaded_model_takes_new_buckets_as_the_model_does(kind, fitted, tmp_path):
    later = shop(BUCKETS + 3)
    # Fewer series, another order, and nothing known of promotions any more.
    fewer = later.take(np.array([5, 3, 0, 1]))
    fewer = replace(fewer, known={"price": fewer.known["price"]}, static=fewer.static.drop("size"))
    if "reconciled" not in kind:
        later = fewer
    model = fitted.pop(kind)
    model.save(tmp_path / "kept")
    again = load(tmp_path / "kept").update(later)
    assert same(draw(model.update(later)), draw(again))
    # And once more, with what was updated saved in between.
    again.save(tmp_path / "kept")
    assert same(draw(again, seed=8), draw(load(tmp_path / "kept"), seed=8))


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parent / "kept_models").glob("*.model")), ids=lambda p: p.stem
)
def test_a_file_of_an_earlier_version_still_loads(path):
    said = load(path).sample(3, 200, np.random.default_rng(0)).mean()
    # Other processors round the last digit otherwise.
    np.testing.assert_allclose(said, np.load(path.with_suffix(".npy"), allow_pickle=False), rtol=1e-4)


def test_there_are_files_of_an_earlier_version():
    kept = {path.stem for path in (Path(__file__).parent / "kept_models").glob("*.model")}
    assert kept >= {"gbm", "ets", "moving_average"}


@pytest.mark.parametrize(("strangers", "told"), [(8, False), (9, True)])
def test_a_model_of_few_of_the_series_says_so(tmp_path, strangers, told):
    panel = shop()
    save(MovingAverage().fit(panel), tmp_path / "kept")
    names = [f"new{row}" if row < strangers else sku for row, sku in enumerate(panel.keys["sku"])]
    other = replace(panel, keys=panel.keys.with_columns(sku=pl.Series(names)))
    notes = resume(tmp_path / "kept", other).notes
    assert any(f"knows {16 - strangers} of these 16 series" in note for note in notes) == told
