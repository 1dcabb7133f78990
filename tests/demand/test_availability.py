from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.demand import build_panel_with_report

NAN = np.nan
# What the records alone say; `test_stockouts` has what is made of it.
MASK = {"stockouts": "mask"}


def on_sale(day: str, share: float, sku: str = "a") -> dict[str, object]:
    return {"sku": sku, "date": date.fromisoformat(day), "in_stock": share}


@pytest.mark.parametrize(
    ("sold", "share", "demand"),
    [
        (6, 1.0, 6),
        (6, 0.9995, 6),
        (6, 0.75, 8),
        (0, 0.5, 0),
        (6, 0.4, 15),
        (0, 0.4, NAN),
        (6, 0.25, 24),
        (6, 0.2, NAN),
        (0, 0.0, NAN),
        (6, 0.0, 6),
    ],
)
def test_demand_of_a_bucket_partly_on_sale(make_dataset, sale, sold, share, demand):
    sales = [sale("2024-01-01", 1), sale("2024-01-08", sold)]
    data = make_dataset(sales=sales, availability=[on_sale("2024-01-08", share)], demand=MASK)
    panel, report = build_panel_with_report(data, date(2024, 1, 15))
    assert panel.demand[0, 1] == pytest.approx(demand, nan_ok=True)
    assert panel.sold.tolist() == [[1, sold]]
    assert panel.on_sale[0, 1] == pytest.approx(share)
    assert report.masked_buckets == int(np.isnan(demand))
    assert report.contradicted_buckets == int(share == 0 and sold > 0)
    assert report.scaled_buckets == int(0 < share < 0.999 and not np.isnan(demand))


def test_bucket_rows_are_shares_of_buckets(make_dataset, sale):
    availability = [on_sale("2024-01-01", 0.5), on_sale("2024-01-15", 0.8)]
    data = make_dataset(sales=[sale("2024-01-01", 2)], availability=availability)
    panel, _ = build_panel_with_report(data, date(2024, 1, 22))
    assert panel.on_sale[0] == pytest.approx([0.5, 1, 0.8])


def test_day_rows_are_averaged_over_all_days_of_the_bucket(make_dataset, sale):
    availability = [on_sale("2024-01-01", 0), on_sale("2024-01-03", 0.5), on_sale("2024-01-09", 0)]
    data = make_dataset(sales=[sale("2024-01-01", 2)], availability=availability)
    panel, _ = build_panel_with_report(data, date(2024, 1, 15))
    assert panel.on_sale[0] == pytest.approx([1 - 1.5 / 7, 6 / 7])


def test_february_of_a_leap_year_has_29_days(make_dataset, sale):
    availability = [on_sale(f"2024-02-{day:02}", 0) for day in range(1, 30)]
    data = make_dataset("month", sales=[sale("2024-01-01", 2)], availability=availability, demand=MASK)
    panel, _ = build_panel_with_report(data, date(2024, 3, 1))
    assert panel.on_sale.tolist() == [[1, 0]]
    assert np.isnan(panel.demand[0, 1])


def test_repeated_rows_of_a_day_count_as_their_mean(make_dataset, sale):
    availability = [on_sale("2024-01-01", 0), on_sale("2024-01-01", 1), on_sale("2024-01-02", 1)]
    data = make_dataset("day", sales=[sale("2024-01-01", 2)], availability=availability)
    panel, _ = build_panel_with_report(data, date(2024, 1, 3))
    assert panel.on_sale.tolist() == [[0.5, 1]]


def test_availability_from_as_of_on_is_not_looked_at(make_dataset, sale):
    # Read with its last row, the table would be one of days.
    availability = [on_sale("2024-01-01", 0.5), on_sale("2024-01-09", 0)]
    data = make_dataset(sales=[sale("2024-01-01", 2)], availability=availability, demand=MASK)
    panel, _ = build_panel_with_report(data, date(2024, 1, 8))
    assert panel.on_sale.tolist() == [[0.5]]
    assert panel.demand.tolist() == [[4]]


def test_without_the_table_everything_was_on_sale(make_dataset, sale):
    panel, report = build_panel_with_report(make_dataset(sales=[sale("2024-01-01", 2)]), date(2024, 1, 15))
    assert panel.on_sale.tolist() == [[1, 1]]
    assert (report.masked_buckets, report.scaled_buckets) == (0, 0)
