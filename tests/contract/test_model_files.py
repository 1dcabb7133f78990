"""`forecast --save-model` and `--model-file`: the same bytes without learning again, and never from the future."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contract.shops import AS_OF, plain_shop

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


def plan(shelfwise, folder, *more):
    return shelfwise("plan", folder, "--as-of", AS_OF, "--no-tune", *more, "-o", "-")


def test_a_plan_of_a_kept_model_is_the_same_bytes(shelfwise, full, tmp_path):
    kept = tmp_path / "shop.model"
    forecast(shelfwise, full, AS_OF, "--model", "tsb", "--save-model", kept)
    made, resumed = plan(shelfwise, full, "--model", "tsb"), plan(shelfwise, full, "--model-file", kept)
    assert (made.code, resumed.code) == (0, 0)
    assert resumed.out == made.out
    told = shelfwise("explain", full, "17@east", "--as-of", AS_OF, "--no-tune", "--model-file", kept)
    assert (told.code, b"tsb" in told.out) == (0, True)
    both = plan(shelfwise, full, "--model", "tsb", "--model-file", kept)
    assert (both.code, "not both" in both.err) == (2, True)


@pytest.mark.parametrize(
    "verb", [plan, lambda shelfwise, folder, *more: forecast(shelfwise, folder, AS_OF, *more)]
)
def test_a_model_of_other_series_or_buckets_is_refused(shelfwise, written, full, tmp_path, verb):
    kept = tmp_path / "shop.model"
    forecast(shelfwise, full, AS_OF, "--model", "tsb", "--save-model", kept)
    other = verb(shelfwise, written(plain_shop(skus=("X", "Y"))), "--model-file", kept)
    assert (other.code, other.out) == (2, b"")
    assert "knows none of these 2 series" in other.err
    daily = verb(shelfwise, full, "--set", "series.bucket=day", "--model-file", kept)
    assert (daily.code, daily.out) == (2, b"")
    assert "weeks" in daily.err


def test_what_cannot_be_used_or_written_is_said_before_any_work(shelfwise, full, tmp_path):
    missing = forecast(shelfwise, full, AS_OF, "--model-file", tmp_path / "nowhere")
    assert (missing.code, "no model file" in missing.err) == (2, True)
    both = forecast(shelfwise, full, AS_OF, "--model-file", tmp_path / "a", "--model", "gbm")
    assert (both.code, "not both" in both.err) == (2, True)
    unused = shelfwise(
        "plan", full, "--as-of", AS_OF, "--policy", "days_of_cover", "--model-file", tmp_path / "a", "-o", "-"
    )
    assert (unused.code, "forecasts nothing" in unused.err) == (2, True)
    nowhere = forecast(shelfwise, full, AS_OF, "--model", "tsb", "--save-model", tmp_path / "no" / "a")
    assert (nowhere.code, "no folder" in nowhere.err) == (2, True)
    (tmp_path / "sales.csv").write_text("sku,date,quantity\n")
    wrong = forecast(shelfwise, full, AS_OF, "--model-file", tmp_path / "sales.csv")
    assert (wrong.code, wrong.out) == (1, b"")
