"""`simulate`: check what is given, run it through the one inventory step, hand back a ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.ledger import BucketLedger, Float32s, Ledger
from shelfwise.simulate.levels import Levels
from shelfwise.simulate.per_series import Floats, Ints, require
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms

PATH_AXES = {2: ("series", "bucket"), 3: ("series", "path", "bucket")}

OrderRule = Callable[[int, Floats, Floats, Floats], npt.ArrayLike]
Policy = Levels | OrderRule | npt.NDArray[Any]


def simulate(
    demand: npt.ArrayLike,
    terms: SupplyTerms,
    costs: Costs,
    state: StockState,
    policy: Policy,
    *,
    lead_times: npt.ArrayLike | None = None,
    order_crossing: bool = True,
    record: Literal["totals", "ledger"] = "totals",
) -> Ledger:
    """Run N series along P demand paths of T buckets each.

    In every bucket: 1 the order is decided, 2 receipts due arrive, 3 backorders and then demand are
    served, 4 stock and backorders that are left are counted. An order of bucket t with lead time L arrives
    in step 2 of bucket t + L; what would arrive after the last bucket stays on order.

    Args:
        demand: (N, T), one path, or (N, P, T); units, at least 0; kept as float32.
        terms, costs, state: of the same N series. Every path starts from `state`.
        policy: one of
            `Levels`, run compiled;
            a callable ``policy(t, position, on_hand, on_order) -> wanted``, all (N, P) and seen before the
            bucket's receipts, called when some series is under review; series that are not are ignored,
            wishes are rounded by `round_lots`;
            an array (N, T) or (N, P, T) of orders placed as they are, without review or rounding.
        lead_times: (N, T) or (N, P, T) whole buckets, the lead time an order placed in each bucket would
            have, in place of `terms.lead_time_buckets`; see `draw_lead_times`.
        order_crossing: False = an order never arrives before an earlier one (it waits for it).
        record: ``"totals"``, or ``"ledger"`` to keep every bucket as well (24 bytes each).

    Returns:
        `Ledger`; the same bytes whatever the number of threads, and whichever road the policy takes.

    Raises:
        UsageError: shapes disagree or a value breaks its rule; names the series, path and bucket.

    Example:
        An order placed at the start of bucket 0 with lead time 2 is on sale from bucket 2 on:

        >>> run = simulate(np.full((1, 4), 5.0), SupplyTerms.same(1, lead_time_buckets=2),
        ...                Costs.same(1, holding=0.2, shortage=1.0), StockState(np.array([5.0])),
        ...                Levels.base_stock([15.0]), record="ledger")
        >>> run.buckets.ordered[0, 0].tolist(), run.buckets.received[0, 0].tolist()
        ([10.0, 5.0, 0.0, 5.0], [0.0, 0.0, 10.0, 5.0])
        >>> run.lost.item(), round(run.cost.item(), 6)
        (5.0, 7.0)
    """
    from shelfwise.simulate.kernels import inventory as kernel

    if record not in ("totals", "ledger"):
        raise UsageError(f"record must be 'totals' or 'ledger'; got {record!r}")
    paths = _paths_of_demand(demand)
    n_series, n_paths, n_buckets = paths.shape
    for name, n_given in (("terms", terms.n_series), ("costs", costs.n_series), ("state", state.n_series)):
        if n_given != n_series:
            raise UsageError(f"{name} must describe the {n_series} series of demand; got {n_given}")
    lead_time = _lead_times(lead_times, terms, paths.shape)
    longest = max(int(lead_time.max(initial=0)), state.pipeline.shape[1] - 1)
    n_slots = min(longest, n_buckets - 1) + 1
    job = _Job(
        paths,
        lead_time,
        terms,
        order_crossing,
        n_slots,
        books=kernel.new_books(state.on_hand, state.backorders, state.pipeline, n_paths),
        trace=np.zeros(
            (kernel.TRACE_ROWS, n_series, n_paths, n_buckets if record == "ledger" else 0), np.float32
        ),
    )
    if isinstance(policy, Levels):
        _check_levels(policy, paths.shape)
        _run_compiled(job, state, policy.columns(), np.zeros((n_series, 1, 0)))
    elif callable(policy):
        _run_callable(job, state, policy)
    else:
        idle = Levels.base_stock(np.zeros(n_series)).columns()
        _run_compiled(job, state, idle, _given_orders(policy, paths.shape))
    return _ledger(job, costs)


@dataclass(frozen=True, eq=False)
class _Job:
    """One run: what the kernels read and the books they write."""

    demand: Float32s
    lead_time: Ints
    terms: SupplyTerms
    order_crossing: bool
    n_slots: int
    books: Floats
    trace: Float32s

    def supply(self) -> tuple[Floats, Floats, Floats, Floats, bool]:
        """The kernel arguments about lots and unmet demand, in its order."""
        terms = self.terms
        return terms.moq, terms.multiple, terms.max_quantity, terms.lost_share, self.order_crossing


def _run_compiled(
    job: _Job, state: StockState, levels: tuple[Floats, Floats, Floats, Floats], orders: Floats
) -> None:
    from shelfwise.simulate.kernels.inventory import run_paths

    terms = job.terms
    run_paths(
        job.demand,
        job.lead_time,
        terms.review_period_buckets,
        terms.first_review,
        *job.supply(),
        state.pipeline,
        job.n_slots,
        *levels,
        orders,
        job.books,
        job.trace,
    )


def _run_callable(job: _Job, state: StockState, policy: OrderRule) -> None:
    from shelfwise.simulate.kernels.inventory import BACKORDERS, ON_HAND, ON_ORDER, run_bucket

    n_series, n_paths, n_buckets = job.demand.shape
    due = np.zeros((n_series, n_paths, job.n_slots))
    known = min(state.pipeline.shape[1], n_buckets)
    due[:, :, :known] = state.pipeline[:, None, :known]
    first, period = job.terms.first_review, job.terms.review_period_buckets
    nothing = np.zeros((n_series, n_paths))
    for t in range(n_buckets):
        reviewing = (t >= first) & ((t - first) % period == 0)
        wanted = nothing
        if reviewing.any():
            on_hand, on_order = job.books[:, :, ON_HAND].copy(), job.books[:, :, ON_ORDER].copy()
            position = on_hand + on_order - job.books[:, :, BACKORDERS]
            wanted = _wanted(policy(t, position, on_hand, on_order), reviewing, nothing.shape, t)
        run_bucket(t, reviewing, wanted, job.demand, job.lead_time, *job.supply(), due, job.books, job.trace)


def _wanted(
    answer: npt.ArrayLike, reviewing: npt.NDArray[np.bool_], shape: tuple[int, ...], t: int
) -> Floats:
    """The callable's answer as (N, P), checked where a series is under review."""
    wanted = np.asarray(answer, dtype=np.float64)
    try:
        wanted = np.array(np.broadcast_to(wanted, shape))
    except ValueError:
        raise UsageError(
            f"the policy must return quantities of shape {shape}; got {wanted.shape} in bucket {t}"
        ) from None
    good = np.isfinite(wanted) | ~reviewing[:, None]
    require(good, f"the policy's order in bucket {t}", "must be a finite number", wanted, ("series", "path"))
    return wanted


def _paths_of_demand(demand: npt.ArrayLike) -> Float32s:
    """Demand as contiguous float32 (N, P, T), every value finite and not negative."""
    paths = np.ascontiguousarray(demand, dtype=np.float32)
    if paths.ndim not in (2, 3) or paths.ndim < np.ndim(demand):
        raise UsageError(f"demand must be (N, T) or (N, P, T); got shape {np.shape(demand)}")
    if paths.shape[-1] == 0 or (paths.ndim == 3 and paths.shape[1] == 0):
        raise UsageError(f"demand needs at least one bucket and one path; got shape {paths.shape}")
    # Two fast passes for the usual case; the slow search for the culprit only if there is one.
    if not (paths.min(initial=0) >= 0 and paths.max(initial=0) < np.inf):
        good = np.isfinite(paths) & (paths >= 0)
        require(good, "demand", "must be a number of at least 0", paths, PATH_AXES[paths.ndim])
    return paths if paths.ndim == 3 else paths[:, None, :]


def _over_paths(name: str, values: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """(N, T) or (N, P, T) as (N, 1 or P, T), or a refusal."""
    array = values[:, None, :] if values.ndim == 2 else values
    n_series, n_paths, n_buckets = shape
    if array.shape not in {(n_series, 1, n_buckets), shape}:
        raise UsageError(
            f"{name} must be ({n_series}, {n_buckets}) or ({n_series}, {n_paths}, {n_buckets}), as demand; "
            f"got {values.shape}"
        )
    return array


def _lead_times(draws: npt.ArrayLike | None, terms: SupplyTerms, shape: tuple[int, ...]) -> Ints:
    """Lead times as int32 (N, 1 or P, 1 or T)."""
    if draws is None:
        return terms.lead_time_buckets[:, None, None]
    array = _over_paths("lead_times", np.asarray(draws), shape)
    if array.dtype.kind not in "iu":
        require(array == np.floor(array), "lead_times", "must be whole buckets", array, PATH_AXES[3])
    require(array >= 0, "lead_times", "must be at least 0", array, PATH_AXES[3])
    # A lead time past the run never arrives, however long: cut there, int32 holds it.
    return np.ascontiguousarray(np.minimum(array, shape[2]), dtype=np.int32)


def _given_orders(orders: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """Given orders as float64 (N, 1 or P, T), finite and not negative."""
    array = _over_paths("orders", np.asarray(orders, dtype=np.float64), shape)
    good = np.isfinite(array) & (array >= 0)
    require(good, "orders", "must be a number of at least 0", array, PATH_AXES[3])
    return np.ascontiguousarray(array)


def _check_levels(levels: Levels, shape: tuple[int, ...]) -> None:
    """Levels must speak of the series and buckets of the demand."""
    n_series, _, n_buckets = shape
    for name in ("order_up_to", "reorder_point"):
        array = getattr(levels, name)
        if array is not None and array.shape not in {(n_series,), (n_series, n_buckets)}:
            raise UsageError(f"{name} must be ({n_series},) or ({n_series}, {n_buckets}); got {array.shape}")


def _ledger(job: _Job, costs: Costs) -> Ledger:
    """Price the units in the books."""
    from shelfwise.simulate.kernels import inventory as k

    def column(index: int) -> Floats:
        return job.books[:, :, index].copy()

    def priced(rate: Floats, units: Floats) -> Floats:
        money: Floats = rate[:, None] * units
        return money

    lost, waiting, left = column(k.LOST), column(k.BACKORDER_BUCKETS), column(k.ON_HAND_BUCKETS)
    ordered, orders = column(k.ORDERED), column(k.ORDERS)
    return Ledger(
        n_buckets=job.demand.shape[2],
        demand=column(k.DEMAND),
        served=column(k.SERVED),
        served_late=column(k.SERVED_LATE),
        lost=lost,
        ordered=ordered,
        orders=orders,
        received=column(k.RECEIVED),
        on_hand_unit_buckets=left,
        backorder_unit_buckets=waiting,
        stockout_buckets=column(k.STOCKOUT_BUCKETS),
        cycles=column(k.CYCLES),
        stockout_cycles=column(k.STOCKOUT_CYCLES),
        end_on_hand=column(k.ON_HAND),
        end_backorders=column(k.BACKORDERS),
        end_on_order=column(k.ON_ORDER),
        holding_cost=priced(costs.holding, left),
        shortage_cost=priced(costs.shortage, lost + waiting),
        order_cost=priced(costs.order, orders),
        purchase_cost=priced(costs.unit, ordered),
        buckets=BucketLedger(*job.trace) if job.trace.shape[3] else None,
    )
