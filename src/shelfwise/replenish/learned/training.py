"""Training an `OrderNetwork` by differentiating through the simulator (extra `deep`)."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from shelfwise.errors import MissingExtra, UsageError
from shelfwise.progress import Progress, silent
from shelfwise.replenish.learned.context import COLUMNS, context_of
from shelfwise.replenish.learned.fitting import rule_parameters
from shelfwise.replenish.learned.network import OrderNetwork
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.terms import SupplyTerms

STAGE = "train"


class Trained(NamedTuple):
    """The network and its mean cost a bucket, in units of mean demand times holding cost, at every step."""

    network: OrderNetwork
    costs: Floats


def train_orders(
    demand: Floats,
    terms: SupplyTerms,
    costs: Costs,
    *,
    steps: int = 800,
    batch: int = 512,
    hidden: tuple[int, ...] = (48, 48),
    learning_rate: float = 4e-3,
    seed: int = 0,
    start: OrderNetwork | None = None,
    progress: Progress = silent,
) -> Trained:
    """One network for all N series, trained on demand paths.

    Every step simulates a batch of paths, drawn from all series, through the stock equations and follows the
    gradient of their mean cost: the chain rule goes through every bucket, so no reward has to be guessed. Stock is
    continuous in training; orders are rounded to lots when the network is used. Order costs have no gradient and
    are refused; lots and maxima are left to that rounding.

    Args:
        demand: (N, S, T) paths in units, T at least three times lead time plus review period of every series.
        terms, costs: of the N series; the order cost must be 0.
        steps: gradient steps; batch: paths a step; learning_rate: of Adam, falling to a hundredth.
        hidden: widths of the hidden layers.
        seed: of the weights and the batches.
        start: a network to go on from.

    Raises:
        MissingExtra: torch is not installed.
        UsageError: paths are too short, or an order costs something.

    Literature: hindsight differentiable policy optimisation, Madeka et al. (2022) and Alvo et al. (2023).

    Example:
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=1), Costs.same(1, holding=1.0, shortage=9.0)
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 64, 24))
        >>> trained = train_orders(demand, terms, costs, steps=3, batch=32)
        >>> trained.costs.shape, bool(np.isfinite(trained.costs).all())
        ((3,), True)
    """
    try:
        torch = import_module("torch")
    except ImportError as error:
        raise MissingExtra("torch", "deep") from error
    paths = np.asarray(demand, dtype=np.float64)
    lead, review = np.asarray(terms.lead_time_buckets), np.asarray(terms.review_period_buckets)
    reach = int((lead + review).max(initial=1))
    if paths.ndim != 3 or paths.shape[0] != terms.n_series or paths.shape[2] < 3 * reach:
        raise UsageError(f"demand must be ({terms.n_series}, S, T >= {3 * reach}); got shape {paths.shape}")
    if (np.asarray(costs.order) > 0).any():
        raise UsageError("train_orders cannot learn from an order cost; use order_up_to, or set it to 0")
    known = context_of(paths, terms, costs, paths.shape[2])
    n_slots = int(lead.max(initial=0)) + 1
    first = start or OrderNetwork.initial(len(COLUMNS), n_slots, hidden, seed)
    if (first.n_slots, first.n_context) != (n_slots, len(COLUMNS)):
        raise UsageError(
            f"the network to go on from has {first.n_slots} slots of stock; these terms need {n_slots}"
        )
    generator = np.random.default_rng(seed)
    weights = [torch.tensor(w, dtype=torch.float32, requires_grad=True) for w in first.weights]
    biases = [torch.tensor(b, dtype=torch.float32, requires_grad=True) for b in first.biases]
    optimiser = torch.optim.Adam([*weights, *biases], lr=learning_rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=learning_rate / 100.0)
    scaled = paths / known.scale[:, None, None]
    # Series with dear and cheap shortages weigh alike: their costs are told relative to a yardstick of their own.
    shortage_ratio = np.asarray(costs.shortage) / np.maximum(np.asarray(costs.holding), 1e-9)
    yardstick = np.maximum(known.values[:, :, 3].mean(axis=1) * (1.0 + np.log1p(shortage_ratio)), 0.05)
    history = np.zeros(steps)
    for step in range(steps):
        progress(STAGE, step + 1, steps)
        rows = generator.integers(0, paths.shape[0], batch)
        columns = generator.integers(0, paths.shape[1], batch)

        def tensor(values: Any) -> Any:
            return torch.as_tensor(np.asarray(values), dtype=torch.float32)

        level, slots, cap = rule_parameters(torch, weights, biases, tensor(known.values[rows]), n_slots)
        cost = _mean_cost(
            torch,
            tensor(scaled[rows, columns]),
            (level, slots, cap),
            torch.as_tensor(lead[rows].astype(np.int64)),
            torch.as_tensor(review[rows].astype(np.int64)),
            tensor(shortage_ratio[rows]),
            tensor(np.asarray(terms.lost_share)[rows]),
            n_slots,
            warm_up=2 * reach,
        )
        loss = (cost / tensor(yardstick[rows])).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*weights, *biases], 1.0)
        optimiser.step()
        falling.step()
        history[step] = float(cost.mean().detach())
    return Trained(
        OrderNetwork(
            tuple(w.detach().numpy().astype(np.float64) for w in weights),
            tuple(b.detach().numpy().astype(np.float64) for b in biases),
            n_slots,
        ),
        history,
    )


def _mean_cost(
    torch: Any,
    demand: Any,
    rule: tuple[Any, Any, Any],
    lead: Any,
    review: Any,
    shortage_ratio: Any,
    lost_share: Any,
    n_slots: int,
    warm_up: int,
) -> Any:
    """(B,) holding and shortage a bucket, holding costing 1, over the buckets after the warm-up."""
    level, slots, cap = rule
    n_batch, n_buckets = demand.shape
    arrives = torch.nn.functional.one_hot(lead, n_slots).to(demand.dtype)
    on_hand = level[:, 0].amin(dim=2).amax(dim=1).detach().clamp(min=0.0)
    # Slot d holds what is due in d buckets; slot 0 is what is on the shelf.
    stock = torch.zeros(n_batch, n_slots)
    stock[:, 0] = on_hand
    owed = torch.zeros(n_batch)
    total = torch.zeros(n_batch)
    for t in range(n_buckets):
        seen = stock - torch.nn.functional.one_hot(torch.zeros_like(lead), n_slots) * owed[:, None]
        planes = level[:, t] - (slots[:, t] * seen[:, None, None, :]).sum(dim=3)
        order = torch.minimum(planes.amin(dim=2).amax(dim=1).clamp(min=0.0), cap[:, t])
        order = torch.where(t % review == 0, order, torch.zeros_like(order))
        stock = stock + arrives * order[:, None]
        wanted = demand[:, t] + owed
        left = torch.relu(stock[:, 0] - wanted)
        unmet = torch.relu(wanted - stock[:, 0])
        # Of what was owed already nothing is lost any more.
        fresh = torch.minimum(unmet, demand[:, t])
        lost = fresh * lost_share
        owed = unmet - lost
        if t >= warm_up:
            total = total + left + shortage_ratio * (lost + owed)
        on_shelf = left + stock[:, 1] if n_slots > 1 else left
        coming = torch.cat([stock[:, 2:], torch.zeros(n_batch, min(1, n_slots - 1))], dim=1)
        stock = torch.cat([on_shelf[:, None], coming], dim=1)
    return total / (n_buckets - warm_up)
