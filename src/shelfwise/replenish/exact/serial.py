"""Serial systems: stock passes through stages, each supplied by the next one up. Optimal echelon base-stock levels.

Literature: Clark and Scarf (1960), "Optimal policies for a multi-echelon inventory problem", Management Science 6(4);
Chen and Zheng (1994), "Lower bounds for multi-echelon stochastic inventory systems", Management Science 40(11); Snyder
and Shen (2019), *Fundamentals of Supply Chain Theory*, chapter 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats

SPREADS = 9.0
STEPS_A_SD = 200


@dataclass(frozen=True, eq=False)
class SerialLevels:
    """Echelon base-stock levels, stage 1 (downstream) first, in units, and the average cost per unit of time."""

    echelon_levels: Floats
    cost: float


def serial_system(
    echelon_holding_costs: Sequence[float],
    lead_times: Sequence[float],
    backorder_cost: float,
    demand_mean: float,
    demand_sd: float | None = None,
    *,
    review: str = "continuous",
    echelon_levels: Sequence[float] | None = None,
) -> SerialLevels:
    """The optimal echelon base-stock levels of a serial system, or the cost of given ones.

    Stage by stage from the customer up: the cost of an echelon position is its own holding plus what its shortage does
    to the stages below, which act on min(position, their level).

    Args:
        echelon_holding_costs: (J,) per unit and time, value added by each stage, stage 1 next to the customer; above 0.
        lead_times: (J,) from the next stage up (from outside for the last); above 0, or at least 0 under periodic review.
        backorder_cost: per unit owed to a customer and time; above 0.
        demand_mean, demand_sd: of one unit of time, normal and independent; sd None = Poisson.
        review: ``"continuous"``: costs accrue at all times. ``"periodic"``: orders at the start, costs at the end of
            each bucket, so that a bucket's demand comes on top of the lead time of stage 1 and holding everywhere.
        echelon_levels: (J,) evaluate these instead of the best; whole numbers for Poisson demand.

    Raises:
        UsageError: lengths differ or a value breaks its rule.

    Example:
        >>> best = serial_system([0.25] * 4, [0.25] * 4, 9.0, demand_mean=16.0)
        >>> best.echelon_levels.tolist(), round(best.cost, 3)
        ([8.0, 13.0, 18.0, 22.0], 12.688)
    """
    h = np.asarray(echelon_holding_costs, dtype=np.float64)
    lead = np.asarray(lead_times, dtype=np.float64)
    _check(h, lead, backorder_cost, demand_mean, demand_sd, review, echelon_levels)
    extra = 1.0 if review == "periodic" else 0.0
    grid = _grid(float(lead.sum()) + extra, demand_mean, demand_sd)
    step = grid[1] - grid[0]
    # Slope of the cost below all levels: every unit short costs this much.
    steepness = backorder_cost + h.sum()
    induced = steepness * np.maximum(-grid, 0.0)
    levels, total = [], 0.0
    for stage in range(len(h)):
        time = lead[stage] + (extra if stage == 0 else 0.0)
        expected = _expected(grid, induced, steepness, *_demand(time, demand_mean, demand_sd, step))
        cost = h[stage] * (grid - demand_mean * (lead[stage] + extra)) + expected
        if echelon_levels is not None:
            level = float(echelon_levels[stage])
            if not grid[0] <= level <= grid[-1]:
                raise UsageError(
                    f"echelon level {level:g} of stage {stage + 1} is out of all proportion to demand; levels that "
                    f"make sense lie between {grid[0]:g} and {grid[-1]:g}"
                )
            total = float(np.interp(level, grid, cost))
        else:
            level, total = _lowest(grid, cost, demand_sd is not None)
        levels.append(level)
        induced = np.where(grid <= level, cost, total)
        steepness -= h[stage]
    return SerialLevels(np.array(levels), total)


def _check(
    h: Floats,
    lead: Floats,
    backorder_cost: float,
    mean: float,
    sd: float | None,
    review: str,
    levels: Sequence[float] | None,
) -> None:
    if review not in ("continuous", "periodic"):
        raise UsageError(f"review must be 'continuous' or 'periodic'; got {review!r}")
    if h.ndim != 1 or len(h) == 0 or h.shape != lead.shape or (levels is not None and len(levels) != len(h)):
        raise UsageError(
            f"every stage needs one holding cost, lead time and level; got {h.shape}, {lead.shape} and "
            f"{None if levels is None else len(levels)}"
        )
    good_lead = (lead > 0).all() if review == "continuous" else (lead >= 0).all()
    if not ((h > 0).all() and good_lead and np.isfinite(h).all() and np.isfinite(lead).all()):
        raise UsageError(
            f"holding costs and lead times must be finite and above 0 (lead times may be 0 under periodic review); got "
            f"{h.tolist()} and {lead.tolist()}"
        )
    for name, value in (("backorder_cost", backorder_cost), ("demand_mean", mean)):
        if not (np.isfinite(value) and value > 0):
            raise UsageError(f"{name} must be a number above 0; got {value}")
    if sd is not None and not (np.isfinite(sd) and sd > 0):
        raise UsageError(f"demand_sd must be a number above 0, or None for Poisson demand; got {sd}")


def _grid(time: float, mean: float, sd: float | None) -> Floats:
    """Positions wide enough that what happens beyond them has no weight."""
    if sd is None:
        spread = SPREADS * np.sqrt(mean * time) + 12.0
        return np.arange(-np.ceil(spread), np.ceil(mean * time + spread) + 1.0)
    spread = SPREADS * sd * np.sqrt(time)
    step = sd * min(1.0, np.sqrt(time)) / STEPS_A_SD
    places = np.arange(-np.ceil(spread / step), np.ceil((mean * time + spread) / step) + 1.0)
    return np.asarray(step * places)


def _demand(time: float, mean: float, sd: float | None, step: float) -> tuple[Floats, float]:
    """Chances of the demand of so much time at `first`, `first` + step, …"""
    from scipy.special import ndtr
    from scipy.stats import poisson

    if time == 0:
        return np.ones(1), 0.0
    if sd is None:
        most = int(poisson.isf(1e-15, mean * time))
        return np.asarray(poisson.pmf(np.arange(most + 1), mean * time)), 0.0
    spread = sd * np.sqrt(time)
    first = np.floor((mean * time - SPREADS * spread) / step) * step
    at = first + step * np.arange(np.ceil(2 * SPREADS * spread / step) + 2)
    # The chances of a linear interpolation's nodes, so that a piecewise linear cost is integrated without error.
    z = (np.concatenate([[at[0] - step], at, [at[-1] + step]]) - mean * time) / spread
    integral = spread * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi))
    return np.asarray(np.diff(integral, n=2) / step), float(first)


def _expected(grid: Floats, values: Floats, steepness: float, chances: Floats, first: float) -> Floats:
    """(Y,) expected `values` at each position less demand; below the grid they rise by `steepness` a unit."""
    from scipy.signal import fftconvolve

    step = grid[1] - grid[0]
    shift = round(first / step)
    longest = len(chances) - 1 + max(shift, 0)
    below = values[0] + steepness * step * np.arange(longest, 0, -1.0)
    # What lies above the grid is only met by positions near its end, far above any level.
    above = np.full(max(-shift, 0), values[-1])
    padded = np.concatenate([below, values, above])
    # An FFT's error is a share of the largest value, so the straight part is taken out and added again.
    line = -steepness * (np.arange(len(padded)) - longest) * step
    bent = fftconvolve(padded - line, chances, mode="full")
    start = longest - shift
    demand_mean = first + step * float(chances @ np.arange(len(chances)))
    straight = -steepness * (grid - grid[0] - demand_mean)
    return np.asarray(bent[start : start + len(grid)] + straight)


def _lowest(grid: Floats, cost: Floats, smooth: bool) -> tuple[float, float]:
    """Where the cost is least and how much it is; between grid points by a parabola where it is smooth."""
    at = int(np.argmin(cost))
    if not smooth or at in (0, len(grid) - 1):
        return float(grid[at]), float(cost[at])
    left, middle, right = cost[at - 1 : at + 2]
    bend = left - 2.0 * middle + right
    move = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(grid[at] + move * (grid[1] - grid[0])), float(middle - 0.25 * (left - right) * move)
