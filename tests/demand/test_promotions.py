from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.demand import build_panel
from shelfwise.demand.promotions import MAX_KINDS

AS_OF = date(2024, 1, 22)


def promotion(start: str, end: str, sku: str = "a", location: str = "*", **more) -> dict[str, object]:
    days = {"start": date.fromisoformat(start), "end": date.fromisoformat(end)}
    return {"sku": sku, "location": location, **days, **more}


def known_of(make_dataset, sale, promotions, bucket="week", horizon=1):
    sales = [sale("2024-01-01", 1, sku, location=place) for sku in "ab" for place in "xy"]
    return build_panel(make_dataset(bucket, sales=sales, promotions=promotions), AS_OF, horizon).known


def test_overlapping_promotions_count_each_day_once(make_dataset, sale):
    promotions = [promotion("2024-01-02", "2024-01-04"), promotion("2024-01-04", "2024-01-08")]
    found = known_of(make_dataset, sale, promotions)["promotion"].rows()
    assert found[0] == pytest.approx([6 / 7, 1 / 7, 0, 0])
    assert found[1] == pytest.approx(found[0])
    assert not found[2:].any()


def test_stars_and_places_reach_the_series_they_name(make_dataset, sale):
    promotions = [
        promotion("2024-01-01", "2024-01-01", "*", "*"),
        promotion("2024-01-08", "2024-01-08", "b", "*"),
        promotion("2024-01-15", "2024-01-15", "*", "y"),
        promotion("2024-01-22", "2024-01-22", "a", "x"),
    ]
    found = known_of(make_dataset, sale, promotions)["promotion"].rows() > 0
    assert found.astype(int).tolist() == [[1, 0, 0, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 1, 0]]


def test_the_largest_discount_in_force_counts_and_20_means_a_fifth(make_dataset, sale):
    promotions = [
        promotion("2024-01-01", "2024-01-09", discount=0.1),
        promotion("2024-01-08", "2024-01-08", discount=20.0),
        promotion("2024-01-22", "2024-01-22", discount=None),
    ]
    known = known_of(make_dataset, sale, promotions)
    assert known["discount"].rows()[0] == pytest.approx([0.1, 0.2, 0, 0])
    assert known["promotion"].rows()[0, 3] > 0


def test_discount_is_absent_when_nobody_names_one(make_dataset, sale):
    assert "discount" not in known_of(make_dataset, sale, [promotion("2024-01-01", "2024-01-02")])


def test_a_kind_with_two_promotions_has_its_own_covariate(make_dataset, sale):
    promotions = [
        promotion("2024-01-01", "2024-01-07", kind="flash"),
        promotion("2024-01-22", "2024-01-28", kind="flash"),
        promotion("2024-01-08", "2024-01-14", kind="banner"),
        promotion("2024-01-08", "2024-01-14", kind=None),
    ]
    known = known_of(make_dataset, sale, promotions)
    assert set(known) == {"promotion", "promotion:flash"}
    assert known["promotion:flash"].rows()[0].tolist() == [1, 0, 0, 1]


def test_a_promotion_listed_twice_is_one_of_its_kind(make_dataset, sale):
    promotions = [promotion("2024-01-01", "2024-01-07", kind="flash")] * 2
    assert set(known_of(make_dataset, sale, promotions)) == {"promotion"}


def test_promotions_beyond_the_horizon_change_nothing(make_dataset, sale):
    near = [promotion("2024-01-01", "2024-01-02", kind="flash", discount=None)]
    far = [promotion("2024-03-01", "2024-03-02", kind="flash", discount=0.5)]
    before, after = (known_of(make_dataset, sale, rows) for rows in (near, near + far))
    assert set(before) == set(after) == {"promotion"}
    assert before["promotion"].values.tobytes() == after["promotion"].values.tobytes()


def test_of_many_kinds_the_most_frequent_stay(make_dataset, sale):
    promotions = [
        promotion(f"2024-01-{day:02}", f"2024-01-{day:02}", kind=f"k{kind:02}")
        for kind in range(MAX_KINDS + 2)
        for day in range(1, 3 + (kind == MAX_KINDS + 1))
    ]
    kinds = [name for name in known_of(make_dataset, sale, promotions) if ":" in name]
    names = [f"k{kind:02}" for kind in (MAX_KINDS + 1, *range(MAX_KINDS - 1))]
    assert kinds == [f"promotion:{name}" for name in names]


def test_series_with_the_same_promotions_share_one_row(make_dataset, sale):
    sales = [sale("2024-01-01", 1, f"s{item:03}") for item in range(200)]
    promotions = [promotion("2024-01-02", "2024-01-04", f"s{item:03}") for item in range(0, 200, 2)]
    known = build_panel(make_dataset(sales=sales, promotions=promotions), AS_OF, 1).known["promotion"]
    assert known.values.shape == (2, 4)
    assert np.array_equal(known.rows()[:, 0] > 0, np.arange(200) % 2 == 0)
