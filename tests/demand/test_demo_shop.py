"""The demo shop knows its true demand; the panel must come closer to it than raw sales do."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.demand import build_panel_with_report
from shelfwise.demo import make_shop
from shelfwise.tables import dataset_from_frames


@pytest.fixture(scope="module")
def shop():
    return make_shop(seed=11, n_skus=30, days=420)


@pytest.fixture(scope="module")
def built(shop):
    settings = {"series": {"bucket": "day", "timezone": "Asia/Shanghai"}}
    return build_panel_with_report(dataset_from_frames(settings=settings, **shop.tables), shop.truth.end)


def test_the_panel_covers_the_shop_from_its_first_day(shop, built):
    panel, _ = built
    assert panel.keys.equals(shop.truth.keys)
    assert (panel.start, panel.as_of) == (shop.truth.start, shop.truth.end)


def test_sold_is_what_was_sold_less_what_came_back(shop, built):
    panel, report = built
    wholesale = shop.truth.wholesale["quantity"].sum()
    gap = shop.truth.sold.sum() + wholesale - np.nansum(panel.sold, dtype=np.float64)
    assert report.return_units > 0
    assert gap == pytest.approx(report.return_units - report.remainder_units + report.outside_life_units)
    assert report.returns_netted >= 0.95 * report.return_lines


def test_the_wholesale_order_is_the_only_spike(shop, built):
    _, report = built
    order = shop.truth.wholesale.row(0, named=True)
    found = [(spike.sku, spike.location, spike.date) for spike in report.spikes]
    assert found == [(order["sku"], order["location"], order["date"])]


def test_mean_demand_is_closer_to_the_truth_than_mean_sales(shop, built):
    panel, report = built
    assert report.masked_buckets > 0
    lives = np.isfinite(panel.sold)
    counted = (np.isfinite(panel.demand).sum(axis=1) > 30)[:, None] & lives
    days = counted.sum(axis=1)
    chosen = days > 0
    truth = np.where(counted, shop.truth.demand, 0).sum(axis=1)[chosen] / days[chosen]
    raw = np.nanmean(panel.sold[chosen], axis=1)
    found = np.nanmean(panel.demand[chosen], axis=1)
    # The wholesale order would decide the comparison alone, so its series is left out.
    spiked = [panel.keys.rows().index((spike.sku, spike.location)) for spike in report.spikes]
    kept = ~np.isin(np.flatnonzero(chosen), spiked)
    assert np.abs(found - truth)[kept].sum() < 0.8 * np.abs(raw - truth)[kept].sum()
    assert abs(found[kept].sum() - truth[kept].sum()) < 0.5 * abs(raw[kept].sum() - truth[kept].sum())
