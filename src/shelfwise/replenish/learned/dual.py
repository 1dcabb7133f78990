"""Learned orders at two suppliers, one slow and cheap, one quick and dear: a network for each."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.progress import Progress, silent
from shelfwise.replenish.learned.context import COLUMNS, Context, context_of
from shelfwise.replenish.learned.controlled import HIDDEN, Effort, checked_paths, improve
from shelfwise.replenish.learned.network import LARGEST_FILE, OrderNetwork, member
from shelfwise.replenish.learned.question import Question
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.terms import SupplyTerms

EXPRESS, REGULAR = "express.orders", "regular.orders"
DUAL_COLUMNS = 2 * len(COLUMNS) + 1


@dataclass(frozen=True, eq=False)
class DualOrders:
    """Two networks that are asked one after the other: express first, then regular, which sees the express order.

    Args:
        express, regular: networks over the same slots of stock, with the contexts of `dual_contexts`.

    Raises:
        UsageError: the networks do not fit each other.
    """

    express: OrderNetwork
    regular: OrderNetwork

    def __post_init__(self) -> None:
        shapes = {(network.n_slots, network.n_context) for network in (self.express, self.regular)}
        if len(shapes) != 1:
            raise UsageError(f"two networks of one rule must have the same slots and context; got {shapes}")

    def orders(
        self,
        stock: Floats,
        express: Context,
        regular: Context,
        express_lead_time_buckets: int,
        lot: float = 1.0,
    ) -> tuple[Floats, Floats]:
        """Express and regular orders (M,) in whole lots, units, of one series.

        Args:
            stock: (M, D) units: net stock with what arrives now, then what is due in 1 … D - 1 buckets.
            express, regular: contexts of the series, (1, T, C); those of bucket 0 are used.
            lot: units.
        """
        scale = float(express.scale[0])

        def whole_lots(network: OrderNetwork, known: Context, seen: Floats) -> Floats:
            context = np.broadcast_to(known.values[0, 0], (len(seen), known.values.shape[2]))
            return np.asarray(np.rint(network.orders(seen / scale, context) * scale / lot) * lot)

        seen = np.array(stock, dtype=np.float64)
        quick = whole_lots(self.express, express, seen)
        seen[:, express_lead_time_buckets] += quick
        return quick, whole_lots(self.regular, regular, seen)

    def save(self, path: str | Path) -> None:
        """Write both networks to one file; no code is stored."""
        with zipfile.ZipFile(path, "w") as file:
            for name, network in ((EXPRESS, self.express), (REGULAR, self.regular)):
                buffer = io.BytesIO()
                network.save(buffer)
                file.writestr(member(name), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> DualOrders:
        """Read a file of `save`.

        Raises:
            UsageError: the file is missing, of another kind or damaged.
        """
        try:
            with zipfile.ZipFile(path) as file:
                if sum(entry.file_size for entry in file.infolist()) > LARGEST_FILE:
                    raise UsageError("it is larger than such a rule can be")
                networks = [OrderNetwork.load(io.BytesIO(file.read(name))) for name in (EXPRESS, REGULAR)]
        except (OSError, zipfile.BadZipFile, KeyError, UsageError) as error:
            raise UsageError(
                f"{path} is not a readable rule for two suppliers ({error}); train one with control_dual_orders and "
                "save it"
            ) from error
        return cls(*networks)


class ControlledDual(NamedTuple):
    """The rule of least simulated cost, and the cost after 0, 1, … rounds as in `Controlled`."""

    orders: DualOrders
    costs: Floats


def dual_contexts(
    paths: Floats, express: SupplyTerms, regular: SupplyTerms, costs: Costs, premium: Floats, n_starts: int
) -> tuple[Context, Context]:
    """What each network is told: its own supplier's context, the other's, and the premium in holding cost, logged."""
    own = [context_of(paths, terms, costs, n_starts) for terms in (express, regular)]
    extra = np.log1p(np.asarray(premium) / np.maximum(np.asarray(costs.holding), 1e-9))
    wide = np.broadcast_to(extra[:, None, None], (*own[0].values.shape[:2], 1))
    first, second = (
        Context(np.concatenate([mine.values, other.values, wide], axis=2), mine.scale)
        for mine, other in ((own[0], own[1]), (own[1], own[0]))
    )
    return first, second


def control_dual_orders(
    demand: Floats,
    express: SupplyTerms,
    regular: SupplyTerms,
    costs: Costs,
    premium: Floats,
    *,
    effort: Effort | None = None,
    seed: int = 0,
    start: DualOrders | None = None,
    progress: Progress = silent,
) -> ControlledDual:
    """One pair of networks for all N series, by the roll-outs of `control_orders`.

    Args:
        demand: (N, S, T) paths in units. T is at least `effort.buckets` plus the longest lead time and review period.
        express, regular: terms of the N series at each supplier; they differ in lead time alone.
        costs: holding and shortage of the N series; the order cost must be 0.
        premium: (N,) what a unit costs more at the express supplier. In the long run every unit served is bought once,
            so the price of the regular supplier changes no decision where unmet demand waits; where it is
            lost, count the price as part of the shortage.
        effort, seed, start, progress: as in `control_orders`.

    Raises:
        MissingExtra: torch is not installed.
        UsageError: paths are too short, an order costs something, the express supplier is not the quicker one, or
            terms differ in more than the lead time.

    Literature: see `control_orders`; the problem is that of Whittemore and Saunders (1977).

    Example:
        >>> quick, slow = (SupplyTerms.same(1, lead_time_buckets=b, unmet="backorder") for b in (0, 2))
        >>> demand = np.random.default_rng(0).integers(0, 5, (1, 64, 64))
        >>> small = Effort(rounds=1, states=256, batch=64)
        >>> money = Costs.same(1, holding=5.0, shortage=495.0)
        >>> control_dual_orders(demand, quick, slow, money, np.array([10.0]), effort=small).costs.shape
        (2,)
    """
    effort = effort or Effort()
    extra = np.asarray(premium, dtype=np.float64)
    _check_suppliers(express, regular, extra)
    paths, n_buckets = checked_paths(demand, (express, regular), costs, effort)
    lead = np.stack([express.lead_time_buckets, regular.lead_time_buckets]).astype(np.int64)
    n_slots = int(lead.max()) + 1
    if start is not None and (start.express.n_slots, start.express.n_context) != (n_slots, DUAL_COLUMNS):
        raise UsageError(
            f"the networks to go on from have {start.express.n_slots} slots of stock; these terms need {n_slots}"
        )
    contexts = dual_contexts(paths, express, regular, costs, extra, n_buckets)
    question = Question(paths, express, costs, contexts, lead, np.stack([extra, np.zeros_like(extra)]))
    first = start or DualOrders(
        *(OrderNetwork.initial(DUAL_COLUMNS, n_slots, HIDDEN, seed + each, spread=1.0) for each in range(2))
    )
    networks, history = improve(question, [first.express, first.regular], effort, seed, progress)
    return ControlledDual(DualOrders(*networks), history)


def _check_suppliers(express: SupplyTerms, regular: SupplyTerms, premium: Floats) -> None:
    n_series = express.n_series
    if regular.n_series != n_series or premium.shape != (n_series,):
        raise UsageError(
            f"both suppliers and the premium must speak of the same series; got {n_series}, {regular.n_series} and "
            f"shape {premium.shape}"
        )
    if not (np.isfinite(premium) & (premium >= 0)).all():
        raise UsageError(f"premium must be a number of at least 0; got {premium.min()}")
    slower = np.asarray(express.lead_time_buckets) >= np.asarray(regular.lead_time_buckets)
    if slower.any():
        row = int(np.argmax(slower))
        raise UsageError(
            f"the express lead time must be below the regular one; series {row} has "
            f"{express.lead_time_buckets[row]} and {regular.lead_time_buckets[row]}"
        )
    for name in ("review_period_buckets", "multiple", "lost_share"):
        if (np.asarray(getattr(express, name)) != np.asarray(getattr(regular, name))).any():
            raise UsageError(f"{name} must be the same at both suppliers; only lead times may differ")
