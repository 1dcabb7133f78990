"""Which lines count: statuses, repeats under a key, identical rows without one, currencies."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.tables.sales_lines import countable_lines


def lines(**columns):
    height = max(len(values) for values in columns.values())
    base = {"sku": ["a"] * height, "quantity": [1.0] * height}
    return pl.DataFrame({**base, **columns})


def codes(result):
    return {problem.code: problem.count for problem in result.problems}


@pytest.mark.parametrize(
    "status",
    ["cancelled", "Canceled", "REFUNDED", "voided", "failed", "test", "wc-cancelled", " 已取消 ", "已退款",
     "交易关闭", "退款成功", "payment_failed"],
)  # fmt: skip
def test_left_out_statuses_are_counted(status):
    result = countable_lines(lines(status=[status, "paid"]), "sales.csv")
    assert result.frame["status"].to_list() == ["paid"]
    assert codes(result) == {"sales.cancelled_left_out": 1}


@pytest.mark.parametrize(
    "status", ["paid", "partially_refunded", "shipped", "交易成功", "anything", "", None]
)
def test_unknown_statuses_are_kept(status):
    frame = lines(status=[status, "refunded"], quantity=[2.0, 1.0])
    assert countable_lines(frame, "sales.csv").frame["quantity"].to_list() == [2.0]


def test_a_repeat_under_the_same_key_counts_once():
    frame = lines(order_id=["1", "1", "1"], line_id=["1", "1", "2"])
    result = countable_lines(frame, "sales.csv")
    assert result.frame["line_id"].to_list() == ["1", "2"]
    assert codes(result) == {"sales.repeats_collapsed": 1}


def test_the_source_is_part_of_the_key():
    frame = lines(source=["x", "y"], order_id=["1", "1"], line_id=["1", "1"], quantity=[1.0, 2.0])
    result = countable_lines(frame, "sales.csv")
    assert result.frame.height == 2
    assert not result.problems


def test_the_same_key_with_other_content_names_both():
    frame = lines(order_id=["7", "7"], line_id=["1", "1"], quantity=[1.0, 5.0])
    (problem,) = countable_lines(frame, "sales.csv").problems
    assert (problem.code, problem.severity) == ("sales.conflicting_lines", "error")
    assert problem.value == "7/1: quantity=1.0 | quantity=5.0"


def test_many_conflicts_are_cut_short_but_counted():
    keys = [str(number) for number in range(50)] * 2
    frame = lines(order_id=keys, line_id=["1"] * 100, quantity=[float(number) for number in range(100)])
    problems = countable_lines(frame, "sales.csv").problems
    assert len(problems) == 21
    assert sum(problem.count for problem in problems) == 50


def test_identical_rows_without_a_key_are_kept_with_a_warning():
    result = countable_lines(lines(order_id=["1", "1", "1"]), "sales.csv")
    assert result.frame.height == 3
    assert codes(result) == {"sales.identical_rows": 2}


def test_rows_whose_key_is_blank_have_no_key():
    frame = lines(order_id=["1", None, None, "1"], line_id=["1", "1", "1", "1"])
    result = countable_lines(frame, "sales.csv")
    assert result.frame.height == 3
    assert codes(result) == {"sales.repeats_collapsed": 1, "sales.identical_rows": 1}


def test_currencies_are_told_apart_whatever_their_case():
    assert not countable_lines(lines(currency=["EUR", "eur "], quantity=[1.0, 2.0]), "s").problems
    (problem,) = countable_lines(lines(currency=["EUR", "USD"]), "s").problems
    assert (problem.code, problem.value) == ("sales.mixed_currencies", "EUR, USD")


def test_large_orders_and_returns_stay():
    frame = lines(quantity=[80995.0, -80995.0])
    assert countable_lines(frame, "s").frame.equals(frame)


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("12"), st.sampled_from("ab")), max_size=12))
def test_reading_a_file_twice_changes_nothing(keys):
    rows = {key: index for index, key in enumerate(keys)}
    frame = pl.DataFrame(
        {
            "sku": [key[2] for key in rows],
            "order_id": [key[0] + key[2] for key in rows],
            "line_id": [key[1] for key in rows],
            "quantity": [float(index) for index in rows.values()],
        },
        schema={"sku": pl.String, "order_id": pl.String, "line_id": pl.String, "quantity": pl.Float64},
    )
    assert countable_lines(pl.concat([frame, frame]), "s").frame.equals(frame)
