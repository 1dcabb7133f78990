"""Charts: what the data say is what the SVG draws, whatever their length, gaps or size."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import date

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.evaluate.report.charts.bars import PolicyBar, policy_bars
from shelfwise.evaluate.report.charts.coverage import Coverage, coverage_chart
from shelfwise.evaluate.report.charts.fan import Fan, fan_chart
from shelfwise.evaluate.report.charts.stock import StockAhead, stock_chart
from shelfwise.evaluate.report.charts.svg import MOST_POINTS, element, line, round_steps, thin
from shelfwise.evaluate.report.wording import Wording

WORDS = Wording("en", "CNY")


def parsed(markup):
    return ElementTree.fromstring(str(markup))


def of_class(root, name):
    return [part for part in root.iter() if part.get("class") == name]


def points(path):
    return [tuple(float(v) for v in pair) for pair in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def fan(history=60, horizon=14, sold=None):
    sold = np.full(history, 4.0) if sold is None else sold
    return Fan(
        dates=Bucket("day").dates(date(2026, 1, 1), history + horizon),
        sold=sold,
        demand=sold.copy(),
        on_sale=np.ones(history),
        mean=np.linspace(2, 6, horizon),
        bands=np.outer(np.linspace(2, 6, horizon), [0.2, 0.6, 1.4, 2.0]),
    )


def draw(data):
    return parsed(fan_chart(data, WORDS, "f", "Sales <1>", "a & b"))


def test_title_and_summary_are_there_and_escaped():
    root = draw(fan())
    assert [part.text for part in root[:2]] == ["Sales <1>", "a & b"]
    assert root.get("aria-labelledby") == "f-t f-d"


def test_a_bar_for_every_bucket_with_a_sale():
    sold = np.array([0.0, 3.0, np.nan, 5.0, 0.0])
    bars = of_class(draw(fan(sold=sold, history=5)), "sold")
    assert bars[0].get("d").count("M") == 2


def test_demand_beyond_sales_stands_on_top_of_them():
    data = fan(history=3, sold=np.array([2.0, 2.0, 2.0]))
    data.demand[1] = 5.0
    root = draw(data)
    (missed,) = of_class(root, "missed")
    assert missed.get("d").count("M") == 1
    sold_top = float(re.search(r"V([\d.]+)", of_class(root, "sold")[0].get("d")).group(1))
    assert missed.get("d").endswith(f"V{sold_top}Z")


def test_each_run_of_empty_shelf_is_one_shaded_stretch():
    data = fan(history=10)
    data.on_sale[[2, 3, 7]] = 0.0
    widths = [float(part.get("width")) for part in of_class(draw(data), "empty")]
    assert len(widths) == 2
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.02)


def test_bands_enclose_the_mean():
    root = draw(fan())
    mean = points(of_class(root, "forecast")[0].get("d"))
    for kind in ("band50", "band80"):
        area = points(of_class(root, kind)[0].get("d"))
        assert len(area) == 2 * len(mean)
        for (x, y), (_, top), (_, low) in zip(mean, area, reversed(area[len(mean) :]), strict=False):
            assert top <= y <= low, x


@pytest.mark.parametrize(("history", "horizon"), [(5000, 60), (300, 300), (1, 1), (730, 28)])
def test_long_series_are_thinned(history, horizon):
    root = draw(fan(history, horizon))
    bars = of_class(root, "sold")[0].get("d").count("M")
    assert bars + len(points(of_class(root, "forecast")[0].get("d"))) <= MOST_POINTS


@pytest.mark.parametrize("value", [0.0, np.nan, 1e9, 0.01])
def test_odd_histories_still_make_a_finite_chart(value):
    root = draw(fan(history=20, sold=np.full(20, value)))
    assert not re.search(r"nan|inf", ElementTree.tostring(root, encoding="unicode"))


def test_stock_chart_has_a_second_line_only_with_an_order():
    dates = Bucket("week").dates(date(2026, 1, 5), 6)
    falling = np.array([30.0, 20, 10, 0, 0, 0])
    kept = np.array([30.0, 20, 10, 25, 18, 9])
    ahead = StockAhead(dates, falling, kept, kept * 0.7, kept * 1.2, arrival=3, due=(1,))
    root = parsed(stock_chart(ahead, WORDS, "s", "t", "d"))
    with_order, without = (
        points(of_class(root, f"stock-{kind}")[0].get("d")) for kind in ("with", "without")
    )
    assert with_order[3][1] < without[3][1]
    assert len(of_class(root, "arrival")) == len(of_class(root, "due")) == 1
    idle = StockAhead(dates, falling, None, falling * 0.7, falling * 1.2, arrival=None)
    root = parsed(stock_chart(idle, WORDS, "s", "t", "d"))
    assert not of_class(root, "stock-with")
    assert not of_class(root, "arrival")


def test_stacked_widths_are_the_costs():
    bars = [PolicyBar("a", (50.0, 30.0, 20.0)), PolicyBar("b", (100.0, 100.0, 0.0))]
    root = parsed(policy_bars(bars, 60.0, WORDS, "w", "t", "d"))
    width = {
        kind: [float(part.get("width")) for part in of_class(root, kind)]
        for kind in ("holding", "shortage", "order")
    }
    assert width["holding"][1] == pytest.approx(2 * width["holding"][0], abs=0.2)
    first, second = (sum(part[row] for part in width.values()) for row in (0, 1))
    assert second == pytest.approx(2 * first, abs=0.3)
    assert [part.text for part in of_class(root, "value")] == ["CNY\u00a0100", "CNY\u00a0200"]


def test_no_policy_and_no_cost_still_draw():
    assert parsed(policy_bars([], 0.0, WORDS, "w", "t", "d")) is not None
    assert parsed(policy_bars([PolicyBar("a", (0.0, 0.0, 0.0))], 0.0, WORDS, "w", "t", "d")) is not None


def test_coverage_marks_what_is_met_by_shape_and_class():
    shares = [Coverage(0.5, 0.4, 0.6), Coverage(0.9, 0.6, 0.7)]
    root = parsed(coverage_chart(shares, WORDS, "c", "t", "d"))
    met, unmet = of_class(root, "met"), of_class(root, "unmet")
    assert (len(met), len(unmet)) == (1, 1)
    assert float(met[0].get("height")) == pytest.approx(2 * float(unmet[0].get("height")), rel=0.02)


def test_a_count_forecast_is_met_when_the_level_lies_on_its_step():
    assert Coverage(0.1, 0.0, 0.7).met
    assert not Coverage(0.1, 0.2, 0.7).met


@pytest.mark.parametrize("high", [1e-6, 0.3, 1.0, 7.0, 37.0, 99.9, 12345.0, 1e12])
def test_round_steps_reach_the_top_without_waste(high):
    steps = round_steps(high)
    assert steps[0] == 0.0
    assert steps[-1] >= high * 0.999999
    assert len(steps) <= 6
    assert steps[-1] - high <= steps[1]


def test_thinning_keeps_the_mean_and_the_gaps():
    values = np.arange(1000.0)
    short = thin(values, 100)
    assert len(short) == 100
    assert short.mean() == pytest.approx(values.mean())
    assert np.isnan(thin(np.array([np.nan] * 4 + [1.0, 3.0]), 3)).tolist() == [True, True, False]


def test_a_gap_lifts_the_pen():
    assert line([0, 1, 2, 3], [1.0, np.nan, 2.0, 3.0]) == "M0.0 1.0M2.0 2.0L3.0 3.0"


def test_elements_escape_attributes_and_text():
    made = str(element("text", {"data_x": '"><script>'}, "<b>\u202e"))
    assert made == '<text data-x="&#34;&gt;&lt;script&gt;">&lt;b&gt;\ufffd</text>'
