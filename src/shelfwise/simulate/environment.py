"""`InventoryEnvironment`: the simulator as a Gymnasium environment, for people who bring their own agent."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import MissingExtra, UsageError
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.lots import round_lots
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms

try:
    import gymnasium
except ImportError as error:
    raise MissingExtra("gymnasium", "search") from error

Observation = npt.NDArray[np.float32]


class InventoryEnvironment(gymnasium.Env[Observation, Any]):
    """One series, one order a bucket; an episode is one demand path, drawn at random.

    The observation, in units of the mean demand of a bucket: on hand, backorders, what arrives in each of the
    next L buckets, the demand expected in each of the next L + 1 buckets (the mean over all paths), and the
    buckets until the next review. The reward is minus what the bucket cost, purchases included.

    Args:
        demand: (P, T) paths in units, for instance one series' scenarios.
        terms, costs: of this one series.
        state: stock at the start of every episode; None = nothing.
        max_order: units, the largest order the agent can express; None = four times the mean demand of a
            review period plus lead time, and never less than the MOQ.
        actions: ``"continuous"``: one number from -1 (nothing) to 1 (`max_order`); ``"discrete"``: a whole number
            of multiples.
        lead_times: (P, T) whole buckets an order takes that is placed in that bucket; None = the terms' own.

    Raises:
        MissingExtra: gymnasium is not installed (on import).
        UsageError: a shape does not fit, or terms, costs or state speak of more than one series.

    Literature: the interface is Gymnasium's (Towers et al. 2024); lost-sales inventory as a learning task
    after Gijsbrechts et al. (2022).

    Example:
        >>> demand = np.random.default_rng(0).poisson(5.0, (100, 50))
        >>> env = InventoryEnvironment(demand, SupplyTerms.same(1, lead_time_buckets=2),
        ...                            Costs.same(1, holding=1.0, shortage=4.0), max_order=60, actions="discrete")
        >>> start, _ = env.reset(seed=1)
        >>> start.shape, env.action_space.n.item()
        ((8,), 61)
        >>> _, reward, terminated, truncated, info = env.step(10)
        >>> reward == -info["cost"], terminated, truncated
        (True, False, False)
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - the type Gymnasium gives it

    def __init__(
        self,
        demand: npt.ArrayLike,
        terms: SupplyTerms,
        costs: Costs,
        state: StockState | None = None,
        *,
        max_order: float | None = None,
        actions: Literal["continuous", "discrete"] = "continuous",
        lead_times: npt.ArrayLike | None = None,
    ) -> None:
        paths = np.ascontiguousarray(demand, dtype=np.float32)
        if paths.ndim != 2 or 0 in paths.shape:
            raise UsageError(f"demand must be (P, T) paths of one series; got shape {np.shape(demand)}")
        if not (np.isfinite(paths).all() and (paths >= 0).all()):
            raise UsageError("demand must be numbers of at least 0; it holds others")
        self.start = StockState.empty(1) if state is None else state
        for name, given in (("terms", terms), ("costs", costs), ("state", self.start)):
            if given.n_series != 1:
                raise UsageError(f"{name} must describe one series; got {given.n_series}")
        if actions not in ("continuous", "discrete"):
            raise UsageError(f"actions must be continuous or discrete; got {actions!r}")
        self.paths, self.terms, self.costs = paths, terms, costs
        leads = np.broadcast_to(terms.lead_time_buckets[:, None], paths.shape)
        if lead_times is not None:
            leads = np.asarray(lead_times)
            if leads.shape != paths.shape or (leads < 0).any() or (leads != np.floor(leads)).any():
                raise UsageError(f"lead_times must be {paths.shape} whole buckets; got {leads.shape}")
        self._leads = np.ascontiguousarray(np.minimum(leads, paths.shape[1]), dtype=np.int32)
        # No episode is under way before the first reset.
        self._t: int = paths.shape[1]
        self._depth = int(max(self._leads.max(), self.start.pipeline.shape[1] - 1, 0))
        self._scale = max(float(paths.mean()), 1e-6)
        self._expected = paths.mean(axis=0)
        multiple, moq = float(terms.multiple[0]), float(terms.moq[0])
        if max_order is None:
            interval = int(self._leads.max()) + int(terms.review_period_buckets[0])
            max_order = max(4.0 * interval * self._scale, moq, multiple)
        if not (np.isfinite(max_order) and max_order > 0):
            raise UsageError(f"max_order must be a number above 0; got {max_order}")
        self.max_order = float(min(max_order, float(terms.max_quantity[0])))
        self._discrete = actions == "discrete"
        if self._discrete:
            self.action_space = gymnasium.spaces.Discrete(int(np.ceil(self.max_order / multiple)) + 1)
        else:
            self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
        width = 2 + self._depth + (self._depth + 1) + 1
        self.observation_space = gymnasium.spaces.Box(0.0, np.inf, (width,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """A new episode on a path drawn at random; `options={"path": p}` chooses it."""
        from shelfwise.simulate.kernels.inventory import new_books

        super().reset(seed=seed)
        chosen = (options or {}).get("path")
        self._path = int(self.np_random.integers(len(self.paths))) if chosen is None else int(chosen)
        self._t = 0
        self._books = new_books(self.start.on_hand, self.start.backorders, self.start.pipeline, 1)
        self._due = np.zeros(self._depth + 1)
        known = self.start.pipeline
        self._due[: known.shape[1]] = known[0]
        return self._observe(), {"path": self._path}

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Order, receive, serve, count: one bucket.

        Raises:
            UsageError: no episode is under way, or the one that was has been truncated.
        """
        from shelfwise.simulate.kernels import inventory as k

        if self._t >= self.paths.shape[1]:
            raise UsageError(
                f"step must be called within an episode, which reset begins and which lasts {self.paths.shape[1]} "
                "buckets; call reset"
            )
        book, terms = self._books[0, 0], self.terms
        before = book.copy()
        quantity = 0.0
        if self._buckets_to_review() == 0:
            lots = (terms.moq[0], terms.multiple[0], terms.max_quantity[0])
            quantity = float(round_lots(self._units(action), *lots))
        k.step(
            book,
            self._due,
            self._t % len(self._due),
            self._t,
            self.paths.shape[1],
            quantity,
            int(self._leads[self._path, self._t]),
            float(self.paths[self._path, self._t]),
            float(terms.lost_share[0]),
            True,
        )
        moved = book - before
        cost = float(
            self.costs.holding[0] * moved[k.ON_HAND_BUCKETS]
            + self.costs.shortage[0] * (moved[k.LOST] + moved[k.BACKORDER_BUCKETS])
            + self.costs.order[0] * moved[k.ORDERS]
            + self.costs.unit[0] * moved[k.ORDERED]
        )
        self._t += 1
        # The demand simply goes on after the last bucket: the episode is cut off, it does not come to an end.
        truncated = self._t >= self.paths.shape[1]
        info = {
            "cost": cost,
            "ordered": float(moved[k.ORDERED]),
            "served": float(moved[k.SERVED]),
            "lost": float(moved[k.LOST]),
            "on_hand": float(self._books[0, 0, k.ON_HAND]),
        }
        return self._observe(), -cost, False, truncated, info

    def _units(self, action: Any) -> float:
        if self._discrete:
            return float(action) * float(self.terms.multiple[0])
        share = (float(np.clip(np.asarray(action).item(), -1.0, 1.0)) + 1.0) / 2.0
        return share * self.max_order

    def _buckets_to_review(self) -> int:
        first, period = int(self.terms.first_review[0]), int(self.terms.review_period_buckets[0])
        return first - self._t if self._t < first else (first - self._t) % period

    def _observe(self) -> Observation:
        from shelfwise.simulate.kernels.inventory import BACKORDERS, ON_HAND

        n_slots = len(self._due)
        # Slot t holds what arrives in bucket t; the slot behind it, bucket t + depth, is empty until ordered.
        coming = np.roll(self._due, -(self._t % n_slots))[: self._depth]
        ahead: Floats = np.zeros(self._depth + 1)
        expected = self._expected[self._t : self._t + self._depth + 1]
        ahead[: len(expected)] = expected
        ahead[len(expected) :] = self._scale
        book = self._books[0, 0]
        stock = np.concatenate([[book[ON_HAND], book[BACKORDERS]], coming, ahead]) / self._scale
        return np.append(stock, self._buckets_to_review()).astype(np.float32)
