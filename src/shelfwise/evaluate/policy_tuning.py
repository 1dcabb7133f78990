"""`tune_policy`: the default policy's few factors, chosen by replaying the shop's latest known past."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.rolling import RollingForecast
from shelfwise.evaluate.starting_stock import warmed_up_stock
from shelfwise.evaluate.truth import replay_demand
from shelfwise.forecast.base import Forecaster
from shelfwise.messages import Said
from shelfwise.replenish.adaptation import CANDIDATES, Adaptation, choose_factors
from shelfwise.replenish.base import Policy
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.situation import Doubles
from shelfwise.simulate.lead_times import draw_lead_times
from shelfwise.simulate.ledger import Ledger

REVIEWS = 10
MOST_SERIES = 150
SAMPLES = 80
LEAD_TIMES_COVERED = 0.8
WINDOW = {"day": 28, "week": 13, "month": 6}


@dataclass(frozen=True)
class Tuned:
    """A policy ready to decide, what it was tuned on (None: it was not), and a sentence about it."""

    policy: Policy
    adaptation: Adaptation | None
    note: str | None


def tune_policy(
    policy: Policy,
    panel: Panel,
    shop: Shop,
    forecaster: Callable[[], Forecaster],
    *,
    horizon: int,
    seed: int = 0,
) -> Tuned:
    """The policy with the factors that the last reviews before the panel's end speak for.

    The last ten reviews are decided again with every candidate, on one and the same demand and
    from the same stock, with a model fitted on what came before them. Costs count from where the first of these
    orders could arrive. At most 150 series are replayed, spread evenly over the shop. Shared limits have no
    part in it. A policy without such factors, or one that aims at a service level, comes back as it is.

    The past stands as it was cleaned with the whole panel: estimates for stock-outs and capped spikes before a review
    may owe something to later buckets. What is demanded in the replay is told by the records alone.

    Args:
        panel: N series, all of it known when the policy is to decide.
        shop: their terms and costs.
        forecaster: makes a new, unfitted forecaster.
        horizon: buckets its scenarios must reach.

    Literature: simulation with common random numbers (Glasserman and Yao 1992); see `choose_factors` for when
    the default is left.
    """
    if not isinstance(policy, ScenarioOrderUpTo) or policy.objective == "service":
        return Tuned(policy, None, None)
    lead = np.asarray(shop.terms.lead_time_buckets)
    review = np.asarray(shop.terms.review_period_buckets)
    judged = np.asarray(policy.judged_cost(shop.costs, shop.margin))
    n_buckets, counted_from = _span(lead, review)
    begin = panel.n_buckets - n_buckets
    rows = _rows(panel, begin, (judged > 0) & (lead <= counted_from))
    if begin < n_buckets or len(rows) == 0:
        return Tuned(
            policy, None, Said("plan.tuning.too_short", buckets=panel.n_buckets, needed=2 * n_buckets)
        )
    some, shop = panel.take(rows), shop.take(rows)
    demand, _ = replay_demand(some, begin, panel.n_buckets)
    rolling = RollingForecast(
        lambda t: some.until(begin + t),
        forecaster,
        horizon=horizon,
        n_samples=SAMPLES,
        refit_every=n_buckets,
        seed=seed,
    )
    ledger = replay(
        demand,
        rolling,
        {str(factors): policy.with_factors(factors) for factors in CANDIDATES},
        Shop(shop.terms, shop.costs, shop.lead_time_sd, shop.margin),
        warmed_up_stock(some.until(begin), begin, shop.terms, WINDOW[panel.bucket.name]),
        _lead_times(shop, some, n_buckets, seed),
    )
    costs = _costs(ledger, shop, judged[rows])[:, counted_from:]
    first = panel.bucket.shift(panel.start, begin + counted_from)
    adaptation = choose_factors(CANDIDATES, costs, first, panel.as_of, len(rows))
    return Tuned(policy.with_factors(adaptation.factors), adaptation, adaptation.note)


def _span(lead: npt.NDArray[np.int32], review: npt.NDArray[np.int32]) -> tuple[int, int]:
    """Buckets to replay, and the bucket from which costs count: ten of the usual reviews after a lead time
    that most do not exceed; the few longer ones are left out."""
    if len(lead) == 0:
        return 1, 0
    counted_from = int(np.quantile(lead, LEAD_TIMES_COVERED, method="higher"))
    return counted_from + REVIEWS * int(np.median(review)), counted_from


def _rows(panel: Panel, begin: int, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """At most MOST_SERIES series that lived through the whole window, evenly spread."""
    lived = np.flatnonzero(usable & (panel.launched < begin) & (panel.ends >= panel.n_buckets))
    if len(lived) <= MOST_SERIES:
        return lived
    return lived[np.linspace(0, len(lived) - 1, MOST_SERIES).round().astype(np.intp)]


def _lead_times(shop: Shop, panel: Panel, n_buckets: int, seed: int) -> npt.NDArray[np.int32] | None:
    """(N, T) what the supplier really took, drawn where the terms give a spread."""
    if not (shop.lead_time_sd > 0).any():
        return None
    mean = shop.terms.lead_time_buckets.astype(np.float64)
    drawn = draw_lead_times(mean, shop.lead_time_sd, 1, n_buckets, seed=seed, series=panel.series_ids)
    return np.asarray(drawn[:, 0, :])


def _costs(ledger: Ledger, shop: Shop, judged: Doubles) -> Doubles:
    """(P, T) money of all series in each bucket: holding, shortage as the policy judges it, and orders."""
    assert ledger.buckets is not None  # `replay` records them
    book = ledger.buckets
    rates = (shop.costs.holding, judged, shop.costs.order)
    units = (book.on_hand_end, book.lost + book.backorders, book.ordered > 0)
    total = np.zeros(book.lost.shape[1:])
    for rate, unit in zip(rates, units, strict=True):
        total += np.einsum("n,npt->pt", np.asarray(rate, dtype=np.float64), unit.astype(np.float64))
    return total
