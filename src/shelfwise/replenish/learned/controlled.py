"""Deep controlled learning: cost every order near the rule's own by roll-outs, fit the rule, repeat (extra `deep`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.progress import Progress, silent
from shelfwise.replenish.learned.context import COLUMNS, context_of
from shelfwise.replenish.learned.fitting import Answers, Fitter
from shelfwise.replenish.learned.network import OrderNetwork
from shelfwise.replenish.learned.question import Question, Rule
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.terms import SupplyTerms

STAGE = "roll-outs"
HIDDEN = (48, 48)
JUDGED_PATHS = 2000
# Of what a lot costs to hold.
SMALL_COST = 0.05


@dataclass(frozen=True)
class Effort:
    """How much is simulated and fitted.

    Args:
        rounds: of roll-outs and fitting. states: decisions costed a round, for every supplier, over all series.
        futures: demand paths each decision is rolled out on; horizon: buckets of each.
        warm_up: buckets before the first decision that is costed.
        reach: candidates lie up to so many steps to either side of the rule's own order. A step is a lot, or about
            a tenth of mean demand where lots are smaller.
        stray: share of the orders on the way to a state that are shifted, so that the rule knows what to do where
            it would not go by itself.
        batch: decisions a gradient step; passes: over all decisions of a round.
        learning_rate: of Adam, falling to a hundredth.
        softness: of gradients in the first round, in units of mean demand, falling to 0 in two thirds of the rounds.

    Raises:
        UsageError: a value that leaves nothing to simulate or to fit.
    """

    rounds: int = 16
    states: int = 48_000
    futures: int = 8
    horizon: int = 32
    warm_up: int = 12
    reach: int = 2
    stray: float = 0.1
    batch: int = 512
    passes: int = 4
    learning_rate: float = 4e-3
    softness: float = 0.3

    def __post_init__(self) -> None:
        for name in ("rounds", "states", "futures", "horizon", "reach", "batch", "passes"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1; got {getattr(self, name)}")
        if self.warm_up < 0:
            raise UsageError(f"warm_up must be at least 0; got {self.warm_up}")
        if self.batch > self.states:
            raise UsageError(f"batch must not be above states; got {self.batch} and {self.states}")

    @property
    def buckets(self) -> int:
        """Buckets of context that walks and roll-outs need."""
        return 2 * self.warm_up + self.horizon


class Controlled(NamedTuple):
    """The network of least simulated cost; the cost after 0, 1, … rounds, a share of the first, mean over series."""

    network: OrderNetwork
    costs: Floats


def control_orders(
    demand: Floats,
    terms: SupplyTerms,
    costs: Costs,
    *,
    effort: Effort | None = None,
    seed: int = 0,
    start: OrderNetwork | None = None,
    progress: Progress = silent,
) -> Controlled:
    """One network for all N series by approximate policy iteration: the second road beside `train_orders`.

    In every round the rule is followed to many states. Each order near its own is tried there, whole lots as in
    use, and simulated on with the rule itself on common random numbers; then the network is fitted to what the orders
    turned out to cost. Unlike `train_orders` it sees whole units, and so it comes closer where demand is a few
    units a bucket.

    Args:
        demand: (N, S, T) paths in units. T is at least `effort.buckets` plus lead time and review period.
        terms, costs: of the N series; the order cost must be 0. Lots are learned with, minima and maxima are left
            to the rounding when the network is used.
        effort: how much is simulated; seed: of weights, states and futures.
        start: a network to go on from; a fresh one, its planes spread, if None.

    Raises:
        MissingExtra: torch is not installed.
        UsageError: paths are too short, or an order costs something.

    Literature: Temizöz, Imdahl, Dijkman, Lamghari-Idrissi and van Jaarsveld (2025), "Deep controlled learning for
    inventory control", European Journal of Operational Research 324(1).

    Example:
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=1), Costs.same(1, holding=1.0, shortage=9.0)
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 64, 64))
        >>> found = control_orders(demand, terms, costs, effort=Effort(rounds=2, states=256, batch=64))
        >>> found.costs.shape, bool(found.costs.min() <= 1.0)
        ((3,), True)
    """
    effort = effort or Effort()
    paths, n_buckets = checked_paths(demand, (terms,), costs, effort)
    n_slots = int(np.asarray(terms.lead_time_buckets).max(initial=0)) + 1
    if start is not None and (start.n_slots, start.n_context) != (n_slots, len(COLUMNS)):
        raise UsageError(
            f"the network to go on from has {start.n_slots} slots of stock; these terms need {n_slots}"
        )
    question = Question(
        paths,
        terms,
        costs,
        (context_of(paths, terms, costs, n_buckets),),
        np.asarray(terms.lead_time_buckets, dtype=np.int64)[None],
        np.zeros((1, terms.n_series)),
    )
    first = start or OrderNetwork.initial(len(COLUMNS), n_slots, HIDDEN, seed, spread=1.0)
    networks, history = improve(question, [first], effort, seed, progress)
    return Controlled(networks[0], history)


def checked_paths(
    demand: Floats, suppliers: Sequence[SupplyTerms], costs: Costs, effort: Effort
) -> tuple[Floats, int]:
    """Demand as float64 (N, S, T), and the buckets whose context can be told without leaving the paths."""
    paths = np.asarray(demand, dtype=np.float64)
    windows = [np.asarray(terms.lead_time_buckets) + terms.review_period_buckets for terms in suppliers]
    reach = int(np.max(windows, initial=1))
    n_series = suppliers[0].n_series
    if paths.ndim != 3 or paths.shape[0] != n_series or paths.shape[2] < effort.buckets + reach:
        raise UsageError(
            f"demand must be ({n_series}, S, T >= {effort.buckets + reach}); got shape {paths.shape}"
        )
    if (np.asarray(costs.order) > 0).any():
        raise UsageError("control_orders cannot learn from an order cost; use order_up_to, or set it to 0")
    return paths, paths.shape[2] - reach


def improve(
    question: Question,
    networks: Sequence[OrderNetwork],
    effort: Effort,
    seed: int,
    progress: Progress = silent,
) -> tuple[list[OrderNetwork], Floats]:
    """The networks of the round whose simulated cost was least, and that cost after every round."""
    from shelfwise.replenish.learned.kernels.rollouts import mean_costs

    generator = np.random.default_rng(seed)
    fitters = [Fitter(network) for network in networks]
    n_paths = question.paths.shape[1]
    judged = generator.choice(n_paths, min(n_paths, JUDGED_PATHS), replace=False)
    rule = question.rule(networks)
    stock = question.first_stock(rule)
    best, history = list(networks), np.ones(effort.rounds + 1)
    least = np.maximum(SMALL_COST * np.asarray(question.costs.holding * question.terms.multiple), 1e-9)
    begun = least
    for number in range(effort.rounds + 1):
        progress(STAGE, number, effort.rounds)
        current = [fitter.network for fitter in fitters]
        rule = question.rule(current)
        each = mean_costs(question.paths, rule, question.kernel_terms(), stock, judged, effort.warm_up)
        # Series with dear and cheap shortages weigh alike; one that costs next to nothing has little to teach.
        begun = np.maximum(each, least) if number == 0 else begun
        history[number] = float((each / begun).mean())
        if history[number] < history[:number].min(initial=np.inf):
            best = current
        if number == effort.rounds:
            break
        for supplier, fitter in enumerate(fitters):
            found = answers(question, rule, stock, begun, supplier, effort, generator)
            count = effort.states // effort.batch
            order = [
                generator.permutation(effort.states)[: count * effort.batch] for _ in range(effort.passes)
            ]
            batches = np.concatenate(order).reshape(-1, effort.batch)
            done = (number + np.arange(len(batches)) / len(batches)) / effort.rounds
            rates = effort.learning_rate * (0.01 + 0.99 * 0.5 * (1.0 + np.cos(np.pi * done)))
            softness = effort.softness * max(0.0, 1.0 - 1.5 * number / effort.rounds)
            fitter.fit(found, batches, rates, softness)
    return best, history


def answers(
    question: Question,
    rule: Rule,
    first: Floats,
    unit: Floats,
    supplier: int,
    effort: Effort,
    generator: np.random.Generator,
) -> Answers:
    """Roll-outs of every candidate order at decisions of one supplier.

    Args:
        first: (N, D) the stock that walks begin with. unit: (N,) the cost that costs are told in.
    """
    from shelfwise.replenish.learned.kernels.rollouts import rollouts, walk

    m, last = effort.states, question.n_buckets - effort.horizon
    n_series = len(question.scale)
    series = np.arange(m) % n_series if n_series <= m else generator.choice(n_series, m, replace=False)
    n_paths = question.paths.shape[1]
    path = generator.integers(0, n_paths, m)
    stop = generator.integers(effort.warm_up, last + 1, m)
    stop -= stop % np.asarray(question.terms.review_period_buckets)[series]
    ways = (m, last + 1, len(question.contexts))
    strays = generator.random(ways, dtype=np.float32) < effort.stray
    shift = np.where(strays, generator.integers(-effort.reach, effort.reach + 1, ways, dtype=np.int8), 0)
    step, scale = question.step[series], question.scale[series]
    terms, stock, own = question.kernel_terms(), first[series], np.zeros(m)
    walk(question.paths, rule, terms, series, path, stop, supplier, shift, step, stock, own)
    # The future is drawn afresh: the rule cannot know which path it is on.
    future = generator.integers(0, n_paths, (m, effort.futures))
    lowest = np.maximum(own - effort.reach * step, 0.0)
    candidates = lowest[:, None] + step[:, None] * np.arange(2 * effort.reach + 1)
    found = np.zeros(candidates.shape)
    rollouts(
        question.paths, rule, terms, series, future, stop, supplier, stock, candidates, effort.horizon, found
    )
    return Answers(
        question.contexts[supplier].values[series, stop],
        stock / scale[:, None],
        lowest / scale,
        step / scale,
        (found - found.min(axis=1, keepdims=True)) / unit[series, None],
    )
