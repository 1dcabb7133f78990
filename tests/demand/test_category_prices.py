"""An item's price beside those of its category, bucket by bucket, known ahead as far as prices are."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.demand import Known, Panel
from shelfwise.demand.category_prices import with_category_prices
from shelfwise.errors import UsageError


def priced(prices, categories, locations=None) -> Panel:
    values = np.array(prices, np.float32)
    keys = pl.DataFrame(
        {"sku": [f"s{row}" for row in range(len(values))], "location": locations or ["main"] * len(values)}
    )
    panel = Panel.from_arrays(
        np.ones((len(values), values.shape[1] - 1)),
        start=date(2024, 1, 1),
        known={"price": Known(values, np.arange(len(values), dtype=np.int32))},
        horizon=1,
        keys=keys,
    )
    return replace(panel, static=pl.DataFrame({"category": categories}))


def ratio(panel: Panel) -> np.ndarray:
    return np.exp(panel.known["price_in_category"].rows())


def test_each_bucket_of_history_and_horizon_has_its_own_middle():
    panel = with_category_prices(priced([[8, 8, 5], [10, 10, 10], [20, 10, 40]], ["tea"] * 3))
    np.testing.assert_allclose(ratio(panel), [[0.8, 0.8, 0.5], [1, 1, 1], [2, 1, 4]], rtol=1e-5)


def test_categories_and_places_are_kept_apart():
    panel = priced([[8, 8], [16, 16], [100, 100], [300, 300]], ["tea", "tea", "pot", "pot"])
    np.testing.assert_allclose(ratio(with_category_prices(panel))[:, 0], [2 / 3, 4 / 3, 0.5, 1.5], rtol=1e-5)
    apart = priced([[8, 8], [16, 16], [9, 9]], ["tea"] * 3, ["east", "east", "west"])
    found = ratio(with_category_prices(apart))
    assert np.isnan(found[2]).all()
    np.testing.assert_allclose(found[:2, 0], [2 / 3, 4 / 3], rtol=1e-5)


def test_an_unknown_price_is_unknown_beside_others_too():
    panel = with_category_prices(priced([[np.nan, 8], [0, 10], [20, 12]], ["tea"] * 3))
    np.testing.assert_allclose(ratio(panel), [[np.nan, 0.8], [np.nan, 1], [1, 1.2]], rtol=1e-5)


def test_without_prices_or_company_nothing_is_added():
    plain = Panel.from_arrays([[1.0, 2.0]])
    assert with_category_prices(plain) is plain
    alone = priced([[8, 8], [9, 9]], ["tea", "pot"])
    assert with_category_prices(alone) is alone


def test_an_unknown_category_is_refused():
    with pytest.raises(UsageError, match="kind"):
        with_category_prices(priced([[8, 8], [9, 9]], ["tea", "tea"]), "kind")
