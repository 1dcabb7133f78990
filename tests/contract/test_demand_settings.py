"""The settings that steer demand, from the file and from the command line, and what the commands tell of them."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from contract.shops import AS_OF, FIRST, Shop, full_shop, plain_shop

FAST = ("--as-of", AS_OF, "--horizon", 3, "--model", "moving_average", "-o", "-")


def silent_shop() -> Shop:
    """No availability table, and a best seller without a row for five weeks."""
    shop = plain_shop()
    sales = shop.tables["sales"]
    silent = pl.col("date").is_between(
        FIRST + timedelta(weeks=43), FIRST + timedelta(weeks=48), closed="left"
    )
    return shop.with_table("sales", sales.filter(~((pl.col("sku") == "茶-2") & silent)))


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    return silent_shop().write(tmp_path_factory.mktemp("silent") / "shop")


def test_check_plan_and_forecast_tell_what_was_estimated(shelfwise, full):
    estimated = "demand there was estimated"
    assert estimated in shelfwise("check", full).out.decode()
    assert estimated in shelfwise("forecast", full, *FAST).err
    plan = ("--as-of", AS_OF, "--model", "moving_average", "-o", "-")
    assert estimated in shelfwise("plan", full, *plan).err
    assert "需求为估计值" in shelfwise("plan", full, *plan, "--lang", "zh").err


def test_stockouts_nobody_recorded_are_told_and_can_be_taken_for_zeros(shelfwise, silent):
    found = shelfwise("forecast", silent, *FAST)
    assert "5 buckets of 1 series look like stock-outs nobody recorded" in found.err
    off = shelfwise("forecast", silent, *FAST, "--set", "demand.infer_stockouts=off")
    assert "nobody recorded" not in off.err

    def mean_of(told):
        return pl.read_csv(told.out).filter(pl.col("sku") == "茶-2")["mean"][0]

    assert mean_of(found) > 1.3 * mean_of(off)


@pytest.mark.parametrize("how", ["mask", "raw"])
def test_an_option_goes_before_the_file_and_does_the_same(shelfwise, written, full, how):
    asked = shelfwise("forecast", full, *FAST, "--set", f"demand.stockouts={how}")
    in_file = shelfwise(
        "forecast", written(full_shop().with_settings(f'[demand]\nstockouts = "{how}"\n')), *FAST
    )
    assert asked.out == in_file.out
    assert asked.out != shelfwise("forecast", full, *FAST).out
    both = written(full_shop().with_settings('[demand]\nstockouts = "censored"\nbots = false\n'))
    assert shelfwise("forecast", both, *FAST, "--set", f"demand.stockouts={how}").out == asked.out


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("demand.stockouts=nonsense", 'one of "censored", "mask", "raw"'),
        ("demand.stockout=mask", "Did you mean stockouts?"),
        ("stockouts=mask", "SECTION.KEY=VALUE"),
        ("demand.stockouts", "SECTION.KEY=VALUE"),
        ("demand.spikes=maybe", "demand.spikes must be true or false"),
    ],
)
def test_a_wrong_option_is_wrong_usage(shelfwise, full, pair, said):
    told = shelfwise("check", full, "--set", pair)
    assert told.code == 2
    assert said in told.err


def test_what_lies_ahead_has_no_say_in_what_is_inferred(shelfwise, written, silent):
    shop = silent_shop()
    sales = shop.tables["sales"]
    before = sales.filter(pl.col("date") < AS_OF)
    ahead = pl.DataFrame(
        {
            "sku": ["茶-2"] * 40 + ["NEW"] * 5,
            "date": [AS_OF + timedelta(days=day) for day in range(45)],
            "quantity": [900] * 45,
        }
    )
    expected = shelfwise("forecast", silent, *FAST)
    assert expected.code == 0
    for changed in (before, pl.concat([before, ahead])):
        assert shelfwise("forecast", written(shop.with_table("sales", changed)), *FAST).out == expected.out
