"""Which sales lines count: cancelled ones are left out, lines repeated under one key count once.

A line's key is (`source`, `order_id`, `line_id`) as far as these columns exist. Lines without a key that
look alike are kept: two customers may well have bought the same thing on the same day.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.errors import Problem

# Compared after lower-casing and dropping blanks, hyphens, underscores and WooCommerce's "wc-".
LEFT_OUT_STATUSES = frozenset(
    {
        "abandoned", "aborted", "cancel", "canceled", "cancelled", "declined", "failed", "paymentfailed",
        "refund", "refunded", "reversed", "test", "trash", "void", "voided", "交易关闭", "交易取消",
        "交易失败", "付款失败", "作废", "全额退款", "关闭", "取消", "已作废", "已关闭", "已取消",
        "已退款", "支付失败", "测试", "测试订单", "订单关闭", "订单取消", "退款", "退款完成", "退款成功",
    }
)  # fmt: skip
KEY_COLUMNS = ("source", "order_id", "line_id")
CONTENT_COLUMNS = (
    "sku", "location", "date", "quantity", "price", "net_amount", "currency", "status", "channel", "customer",
)  # fmt: skip
SHOWN_CONFLICTS = 20


@dataclass(frozen=True, slots=True)
class SalesLines:
    """The lines that count, and what was found on the way."""

    frame: pl.DataFrame
    problems: tuple[Problem, ...]


def countable_lines(sales: pl.DataFrame, file: str) -> SalesLines:
    """Leave out cancelled lines and repeats; keep everything else, large orders and returns included.

    Args:
        sales: the `sales` table in canonical columns.
        file: its name, for the problems.

    Returns:
        The lines that count and the problems found: `sales.conflicting_lines` is an error, all
        others are warnings that carry a count.

    Example:
        >>> lines = pl.DataFrame({"sku": ["a", "a"], "quantity": [1.0, 2.0], "status": ["paid", "Canceled"]})
        >>> countable_lines(lines, "sales.csv").frame["quantity"].to_list()
        [1.0]
    """
    frame, repeat_problems = _without_repeats(sales, file)
    frame, status_problems = _without_cancelled(frame, file)
    return SalesLines(frame, (*repeat_problems, *status_problems, *_currency_problems(frame, file)))


def _without_cancelled(sales: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Problem]]:
    if "status" not in sales.columns:
        return sales, []
    plain = pl.col("status").str.to_lowercase().str.replace_all(r"[\s_\-]", "").str.strip_prefix("wc")
    left_out = plain.is_in(sorted(LEFT_OUT_STATUSES)).fill_null(False)
    dropped = sales.filter(left_out)
    if dropped.is_empty():
        return sales, []
    problem = Problem(
        code="sales.cancelled_left_out",
        rule="lines whose status says cancelled, refunded, voided, failed or test are left out",
        fix="Nothing to do, unless such a status means a real sale in your shop: then rename it",
        severity="warning",
        file=file,
        column="status",
        value=", ".join(dropped["status"].unique().sort().head(5).to_list()),
        count=dropped.height,
    )
    return sales.filter(~left_out), [problem]


def _without_repeats(sales: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Problem]]:
    keyed = {"order_id", "line_id"} <= set(sales.columns)
    has_key = pl.col("order_id").is_not_null() & pl.col("line_id").is_not_null() if keyed else pl.lit(False)
    problems: list[Problem] = []
    if keyed:
        key = [name for name in KEY_COLUMNS if name in sales.columns]
        content = [name for name in CONTENT_COLUMNS if name in sales.columns]
        repeated = sales.filter(has_key & pl.struct(key).is_duplicated())
        if not repeated.is_empty():
            problems += _conflicts(repeated.unique([*key, *content], maintain_order=True), key, content, file)
            # Only keyed rows may collapse, so the others get a running number that keeps them apart.
            apart = pl.when(~has_key).then(pl.int_range(pl.len()))
            kept = sales.with_columns(apart.alias("__apart")).unique(
                [*key, *content, "__apart"], keep="first", maintain_order=True
            )
            collapsed = sales.height - kept.height
            sales = kept.drop("__apart")
            if collapsed:
                problems.append(_collapsed(collapsed, file))
    # An order column that says the same for both lines is no key, so alike means alike in every column.
    keyless = sales.filter(~has_key)
    alike = keyless.height - keyless.unique().height
    if alike:
        problems.append(_alike(alike, file))
    return sales, problems


def _conflicts(repeated: pl.DataFrame, key: list[str], content: list[str], file: str) -> list[Problem]:
    """One problem for each key that stands for different lines, the first ones in full."""
    clash = (
        repeated.group_by(key, maintain_order=True)
        .agg(pl.struct(content).alias("lines"))
        .filter(pl.col("lines").list.len() > 1)
    )
    problems = []
    for row in clash.head(SHOWN_CONFLICTS).iter_rows(named=True):
        first, second = row["lines"][0], row["lines"][1]
        differing = [name for name in content if first[name] != second[name]]
        named = "/".join(str(row[name]) for name in key if row[name] is not None)
        values = " | ".join(
            ", ".join(f"{name}={line[name]}" for name in differing) for line in (first, second)
        )
        problems.append(_conflict(f"{named}: {values}", differing[0], 1, file))
    if clash.height > SHOWN_CONFLICTS:
        more = clash.height - SHOWN_CONFLICTS
        problems.append(_conflict(f"{more} more keys", None, more, file))
    return problems


def _conflict(value: str, column: str | None, count: int, file: str) -> Problem:
    return Problem(
        code="sales.conflicting_lines",
        rule="two lines with the same source, order_id and line_id must be the same line",
        fix="Keep the line that is right, or give the two lines different line_id",
        file=file,
        column=column,
        value=value,
        count=count,
    )


def _collapsed(count: int, file: str) -> Problem:
    return Problem(
        code="sales.repeats_collapsed",
        rule="a line repeated under the same source, order_id and line_id counts once",
        fix="Nothing to do; overlapping exports look like this",
        severity="warning",
        file=file,
        count=count,
    )


def _alike(count: int, file: str) -> Problem:
    return Problem(
        code="sales.identical_rows",
        rule="identical rows without a line key are all counted",
        fix="If they are repeats of one sale, remove them or add order_id and line_id",
        severity="warning",
        file=file,
        count=count,
    )


def _currency_problems(sales: pl.DataFrame, file: str) -> list[Problem]:
    if "currency" not in sales.columns:
        return []
    found = sales["currency"].drop_nulls().str.strip_chars().str.to_uppercase().unique().sort()
    if found.len() < 2:
        return []
    return [
        Problem(
            code="sales.mixed_currencies",
            rule="money in different currencies is never summed",
            fix="Convert prices to one currency to use sales prices; quantities are not touched",
            severity="warning",
            file=file,
            column="currency",
            value=", ".join(found.head(10).to_list()),
            count=found.len(),
        )
    ]
