"""Items: hard SKUs, all kinds, launches and ends, and a lower bound that is said."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.demo import make_shop
from shelfwise.demo.calendar import Window
from shelfwise.demo.catalogue import KINDS, NEVER, make_catalogue
from shelfwise.errors import UsageError

WINDOW = Window(date(2026, 6, 1), 730)


@pytest.mark.parametrize("count", [12, 13, 37, 200, 1000])
def test_every_kind_is_there_and_skus_are_unique(count):
    catalogue = make_catalogue(count, WINDOW, np.random.default_rng(0))
    assert len(catalogue) == count
    assert set(catalogue.kind) == set(KINDS)
    assert catalogue.items["sku"].n_unique() == count
    assert catalogue.items["sku"].is_sorted()


def test_shares_of_kinds_at_size():
    kind = make_catalogue(1000, WINDOW, np.random.default_rng(0)).kind
    assert {name: int((kind == name).sum()) for name in KINDS} == {
        name: round(1000 * share) for name, (share, _) in KINDS.items()
    }


def test_skus_that_careless_readers_spoil(shop):
    skus = shop.tables["items"]["sku"].to_list()
    assert "0017" in skus
    assert any(len(sku) == 13 and sku.isdigit() for sku in skus)
    assert any("E" in sku and sku.replace("E", "").isdigit() for sku in skus)


def test_items_have_names_in_both_scripts_and_sound_money(shop):
    items = shop.tables["items"]
    chinese = items["name"].str.contains(r"\p{Han}")
    assert 0.3 < chinese.mean() < 0.9
    assert items["name_en"].str.contains(r"^[ -~]+$").all()
    assert (items["unit_cost"] < items["price"]).all()
    assert (items["volume"] > 0).all()
    assert items["category"].n_unique() == 5
    assert items.group_by("category_2").agg(pl.col("category").n_unique())["category"].max() == 1


def test_launches_and_ends_lie_within_and_beyond_the_window(any_shop):
    truth = any_shop.truth
    days = truth.demand.shape[1]
    launched, ends = truth.launched[truth.kind == "new"], truth.ends[truth.kind == "ended"]
    assert ((launched > 0) & (launched < days)).any()
    assert (launched >= days).any()
    assert ((ends > 0) & (ends < days)).any()
    assert (ends >= days).any()
    assert (truth.ends[truth.kind != "ended"] == NEVER).all()


def test_item_dates_are_those_of_the_truth(any_shop):
    truth = any_shop.truth
    dates = truth.keys.join(any_shop.tables["items"], on="sku", how="left", maintain_order="left")
    for launched, ends, first, last in zip(
        truth.launched, truth.ends, dates["launched"], dates["ends"], strict=True
    ):
        assert first is None or first == truth.start + timedelta(days=int(launched))
        assert (last is None) == (ends == NEVER)
        assert last is None or last == truth.start + timedelta(days=int(ends))
    assert dates.filter(pl.Series(truth.launched > 0))["launched"].null_count() == 0


def test_too_few_items_or_days_are_refused():
    with pytest.raises(UsageError, match=r"at least 12.*got 5"):
        make_shop(n_skus=5)
    with pytest.raises(UsageError, match=r"at least 150.*got 30"):
        make_shop(n_skus=12, days=30)
