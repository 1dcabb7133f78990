"""`forecast --save-model` and `--model-file`: the same bytes without learning again, and never from the future."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contract.shops import AS_OF

LATER = AS_OF + timedelta(weeks=2)


def forecast(shelfwise, folder, as_of, *more):
    asked = ("forecast", folder, "--as-of", as_of, "--horizon", 3, "--quantiles", "0.1,0.9")
    return shelfwise(*asked, *more, "-o", "-")


@pytest.mark.parametrize("name", ["moving_average", "gbm", "tsb"])
def test_a_kept_model_forecasts_the_same_bytes(shelfwise, full, tmp_path, name):
    kept = tmp_path / "shop.model"
    fitted = forecast(shelfwise, full, AS_OF, "--model", name, "--save-model", kept)
    resumed = forecast(shelfwise, full, AS_OF, "--model-file", kept)
    assert (fitted.code, resumed.code) == (0, 0)
    assert resumed.out == fitted.out


def test_a_kept_model_goes_on_with_new_weeks(shelfwise, full, tmp_path):
    kept, later = tmp_path / "shop.model", tmp_path / "later.model"
    forecast(shelfwise, full, AS_OF, "--model", "tsb", "--save-model", kept)
    resumed = forecast(shelfwise, full, LATER, "--model-file", kept, "--save-model", later)
    # A model that learns from nothing but history says what it would say fitted anew.
    assert resumed.out == forecast(shelfwise, full, LATER, "--model", "tsb").out
    assert resumed.out == forecast(shelfwise, full, LATER, "--model-file", later).out


def test_a_model_that_has_seen_the_future_is_refused(shelfwise, full, tmp_path):
    kept = tmp_path / "shop.model"
    forecast(shelfwise, full, LATER, "--model", "tsb", "--save-model", kept)
    told = forecast(shelfwise, full, AS_OF, "--model-file", kept)
    assert told.code == 2
    assert told.out == b""
    assert f"has seen everything before {LATER}" in told.err


def test_what_cannot_be_used_or_written_is_said_before_any_work(shelfwise, full, tmp_path):
    missing = forecast(shelfwise, full, AS_OF, "--model-file", tmp_path / "nowhere")
    assert (missing.code, "no model file" in missing.err) == (2, True)
    both = forecast(shelfwise, full, AS_OF, "--model-file", tmp_path / "a", "--model", "gbm")
    assert (both.code, "not both" in both.err) == (2, True)
    nowhere = forecast(shelfwise, full, AS_OF, "--model", "tsb", "--save-model", tmp_path / "no" / "a")
    assert (nowhere.code, "no folder" in nowhere.err) == (2, True)
    (tmp_path / "sales.csv").write_text("sku,date,quantity\n")
    wrong = forecast(shelfwise, full, AS_OF, "--model-file", tmp_path / "sales.csv")
    assert (wrong.code, wrong.out) == (1, b"")
