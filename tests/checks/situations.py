"""Small situations for tests: one built by hand, and a strategy that draws them."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import strategies as st

from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.situation import Situation
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.terms import SupplyTerms


def make_situation(
    paths, *, lead_time=1, review=1, on_hand=0.0, backorders=0.0, receipts=None, later=0.0, unmet="lost",
    moq=0.0, multiple=1.0, max_quantity=np.inf, holding=0.2, shortage=1.0, order_cost=0.0, unit_cost=0.0,
    lead_time_sd=0.0, margin=None, history=None, shelf_life=None,
):  # fmt: skip
    """A situation of N series from paths (N, S, H); everything else is one value for all or (N,)."""
    paths = np.asarray(paths, dtype=np.float32)
    n_series, _, horizon = paths.shape
    names = [f"s{row:03d}" for row in range(n_series)]
    keys = pl.DataFrame({"sku": names, "location": ["main"] * n_series})
    history = paths.mean(axis=1)[:, :1].repeat(8, axis=1) if history is None else history
    panel = Panel.from_arrays(history, keys=keys)

    def each(value):
        return np.array(np.broadcast_to(np.asarray(value, dtype=float), (n_series,)))

    return Situation(
        panel=panel,
        scenarios=Scenarios(panel.keys, panel.bucket, panel.as_of, paths),
        on_hand=each(on_hand),
        backorders=each(backorders),
        receipts=np.zeros((n_series, horizon)) if receipts is None else np.asarray(receipts, dtype=float),
        receipts_later=each(later),
        terms=SupplyTerms.same(
            n_series, lead_time_buckets=lead_time, review_period_buckets=review, moq=moq, multiple=multiple,
            max_quantity=max_quantity, unmet=unmet,
        ),
        costs=Costs.same(n_series, holding=holding, shortage=shortage, order=order_cost, unit=unit_cost),
        lead_time_sd=each(lead_time_sd),
        margin=None if margin is None else each(margin),
        shelf_life=None if shelf_life is None else each(shelf_life).astype(np.int32),
    )  # fmt: skip


@st.composite
def situations(draw, *, owed=True, expiring=False):
    """Up to three series of whole-number demand; `owed` = customers may be waiting at the start, `expiring` = goods may
    have a shelf life."""
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    n_series, n_samples = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    lead, review = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    spread = draw(st.sampled_from([0.0, 0.0, 0.6]))
    horizon = lead + review + int(np.ceil(3 * spread)) + draw(st.integers(0, 1))
    size = draw(st.sampled_from([0, 1, 4, 12]))
    multiple = draw(st.sampled_from([1.0, 1.0, 2.0, 5.0, 0.5]))
    return make_situation(
        rng.poisson(size, (n_series, n_samples, horizon)),
        lead_time=lead,
        review=review,
        on_hand=rng.integers(-2 if owed else 0, 3 * size + 3, n_series),
        backorders=rng.integers(0, 4, n_series) * rng.integers(0, 2, n_series) * owed,
        receipts=rng.integers(0, size + 1, (n_series, horizon)) * rng.integers(0, 2, (n_series, horizon)),
        later=rng.integers(0, 3, n_series),
        unmet=draw(st.sampled_from(["lost", "lost", "backorder", 0.5])) if owed else "lost",
        moq=draw(st.sampled_from([0.0, 0.0, 3.0, 20.0])),
        multiple=multiple,
        max_quantity=draw(st.sampled_from([np.inf, np.inf, 9.0, 30.0])),
        holding=draw(st.sampled_from([0.0, 0.2, 1.0])),
        shortage=draw(st.sampled_from([0.0, 0.5, 1.0, 9.0])),
        order_cost=draw(st.sampled_from([0.0, 0.0, 4.0])),
        unit_cost=rng.integers(0, 5, n_series),
        lead_time_sd=spread,
        history=rng.poisson(size, (n_series, 20)),
        shelf_life=draw(st.sampled_from([None, None, 1, 2, 5])) if expiring else None,
    )
