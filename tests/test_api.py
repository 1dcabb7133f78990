"""The Python door: five verbs on frames, results a notebook can show, and nothing else exported."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

import shelfwise
from contract.shops import AS_OF, full_shop, plain_shop
from shelfwise.tables.settings import Settings

ASKED = {"as_of": AS_OF, "model": "moving_average"}
SOURCE = Path(shelfwise.__file__).parent.parent


@pytest.fixture(scope="module")
def sales() -> pl.DataFrame:
    return plain_shop().tables["sales"]


@pytest.fixture(scope="module")
def stock() -> pl.DataFrame:
    return plain_shop().tables["stock"]


def test_exported_names_are_sorted_and_all_there():
    assert list(shelfwise.__all__) == sorted(shelfwise.__all__)
    assert set(shelfwise.__all__) >= {
        "check",
        "forecast",
        "plan",
        "backtest",
        "explain",
        "DataRejected",
        "UsageError",
    }
    for name in shelfwise.__all__:
        assert callable(getattr(shelfwise, name))
    assert set(dir(shelfwise)) >= {*shelfwise.__all__, "__version__"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'shelfwise' has no attribute 'predict'"):
        shelfwise.predict  # noqa: B018


@pytest.mark.parametrize("verb", ["check", "forecast", "plan", "backtest", "explain"])
def test_every_verb_is_a_function_whichever_was_called_first(verb):
    """`shelfwise.forecast` is also a package, and must not take the verb's place once it is imported."""
    names = "(getattr(shelfwise, name) for name in shelfwise.__all__)"
    code = f"import shelfwise; shelfwise.{verb}; assert all(map(callable, {names}))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SOURCE)


def test_check_counts(sales):
    summary = shelfwise.check(sales)
    assert (summary.series, summary.skus, summary.locations) == (4, 4, 1)
    assert "4" in summary.to_text("en")
    assert summary.to_dict()["first_sale"] == sales["date"].min().isoformat()


def test_forecast(sales):
    result = shelfwise.forecast(sales, horizon=3, quantiles=[0.1, 0.9], **ASKED)
    assert result.model == "moving_average"
    assert result.table.columns == ["sku", "location", "date", "mean", "q0.1", "q0.9"]
    assert result.table.height == 12
    assert result.failures == ()


def test_plan_and_its_explanation(sales, stock):
    plan = shelfwise.plan(sales, stock=stock, **ASKED)
    assert plan.table.height == 4
    assert plan.orders.height <= 4
    told = plan.explain("0017")
    assert told.reason == plan.table["reason"][0]
    assert shelfwise.explain(sales, "0017", stock=stock, **ASKED) == told
    assert told.to_dict()["sku"] == "0017"
    assert plan.to_frame("zh")["reason"].to_list() != plan.to_frame("en")["reason"].to_list()


def test_explain_names_a_location_after_the_sign():
    tables = dict(full_shop().tables)
    told = shelfwise.explain(tables.pop("sales"), "TEA-1@west", **tables, **ASKED)
    assert (told.sku, told.location) == ("TEA-1", "west")


def test_a_sku_may_hold_the_sign_itself():
    sales = plain_shop(skus=("a@b", "c")).tables["sales"]
    assert shelfwise.explain(sales, "a@b", **ASKED).sku == "a@b"
    assert shelfwise.explain(sales, "a@b@main", **ASKED).sku == "a@b"


def test_backtest(sales):
    board = shelfwise.backtest(
        sales,
        start="2024-11-25",
        end=AS_OF,
        policies=["order_up_to", "days_of_cover"],
        model="moving_average",
    )
    assert set(board.table["policy"]) == {"order_up_to", "days_of_cover"}
    assert board.table["cost"].is_sorted()
    assert board.series.height == 8
    by_policy = board.series.group_by("policy").agg(pl.col("cost").sum())
    for policy, cost in by_policy.rows():
        total = board.table.filter(pl.col("policy") == policy)["cost"].item()
        assert cost == pytest.approx(total)


class Tags(HTMLParser):
    """Checks that every tag that opens closes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("br", "hr", "img", "meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("verb", ["check", "forecast", "plan", "explain", "backtest"])
def test_results_show_themselves_in_a_notebook(verb):
    sales = plain_shop(skus=("<b>bold", "c")).tables["sales"]
    result = {
        "check": lambda: shelfwise.check(sales),
        "forecast": lambda: shelfwise.forecast(sales, horizon=1, **ASKED),
        "plan": lambda: shelfwise.plan(sales, **ASKED),
        "explain": lambda: shelfwise.explain(sales, "<b>bold", **ASKED),
        "backtest": lambda: shelfwise.backtest(sales, start="2024-12-16", end=AS_OF, model="moving_average"),
    }[verb]()
    html = result._repr_html_()
    assert "<b>bold" not in html
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert str(result)


@pytest.mark.parametrize("as_of", ["2025-01-06", date(2025, 1, 6), datetime(2025, 1, 6, 15, 30)])
def test_a_date_comes_in_any_of_three_ways(sales, as_of):
    plan = shelfwise.plan(sales, as_of=as_of, model="moving_average")
    assert plan.as_of == AS_OF


def test_wrong_calls_say_what_is_wrong(sales, tmp_path):
    with pytest.raises(shelfwise.UsageError, match="YYYY-MM-DD"):
        shelfwise.plan(sales, as_of="yesterday")
    with pytest.raises(shelfwise.UsageError, match="unknown table 'stocks'"):
        shelfwise.plan(sales, as_of=AS_OF, stocks=sales)
    with pytest.raises(shelfwise.UsageError, match=r"shelfwise\.toml"):
        shelfwise.plan(tmp_path, as_of=AS_OF, settings=Settings())
    with pytest.raises(shelfwise.UsageError, match="a folder has its own files"):
        shelfwise.plan(tmp_path, as_of=AS_OF, stock=sales)
    with pytest.raises(shelfwise.UsageError, match="sales must be a Polars or pandas frame"):
        shelfwise.plan([1, 2, 3], as_of=AS_OF)
    with pytest.raises(shelfwise.UsageError, match="strictly between 0 and 1"):
        shelfwise.forecast(sales, horizon=1, quantiles=[1.5], **ASKED)
    with pytest.raises(shelfwise.UsageError, match="strictly between 0 and 1"):
        shelfwise.forecast(sales, horizon=1, quantiles=[float("nan")], **ASKED)
    for seed in (-1, 0.5, "7", True):
        with pytest.raises(shelfwise.UsageError, match="seed must be a whole number"):
            shelfwise.forecast(sales, horizon=1, seed=seed, **ASKED)
        with pytest.raises(shelfwise.UsageError, match="seed must be a whole number"):
            shelfwise.plan(sales, seed=seed, **ASKED)
    with pytest.raises(shelfwise.UsageError, match="1 to 1500"):
        shelfwise.forecast(sales, horizon=0, **ASKED)
    with pytest.raises(shelfwise.DataRejected) as caught:
        shelfwise.plan(sales.with_columns(quantity=float("nan")), **ASKED)
    assert [problem.column for problem in caught.value.problems if problem.severity == "error"] == [
        "quantity"
    ]
    assert issubclass(shelfwise.DataRejected, shelfwise.ShelfwiseError)


def test_progress_is_told_of_every_stage(sales):
    seen: dict[str, tuple[int, int]] = {}

    def watch(stage: str, done: int, total: int) -> None:
        seen[stage] = (done, total)

    shelfwise.plan(sales, progress=watch, **ASKED)
    shelfwise.backtest(sales, start="2024-12-16", end=AS_OF, model="moving_average", progress=watch)
    assert set(seen) >= {"read", "fit", "orders", "replay"}
    assert seen["orders"] == (4, 4)
    assert seen["replay"][0] == seen["replay"][1]
