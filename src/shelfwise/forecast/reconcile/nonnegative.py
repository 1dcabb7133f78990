"""Reconciled leaves that are not negative: the constrained least squares problem, solved in its dual.

With a diagonal covariance the leaves are max(0, b + D A' m), and m, one number a node, solves the smooth
equation V m + A max(0, b + D A' m) = a. Newton's method on it is the primal-dual active set method
(Hintermüller, Ito & Kunisch 2002, SIAM Journal on Optimization 13(3)), the block pivoting that
Wickramasuriya, Turlach & Hyndman 2020, "Optimal non-negative forecast reconciliation", Statistics and
Computing 30, found fastest. Steps are found by conjugate gradients, all columns at once, with the
unconstrained system as preconditioner, so nothing is factored anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from shelfwise.forecast.reconcile.least_squares import Floats, LeastSquares

TOLERANCE = 1e-9
MOST_STEPS = 60
MOST_INNER_STEPS = 200
MOST_HALVINGS = 30
DECREASE = 1e-4


def nonnegative_leaves(system: LeastSquares, leaves: Floats, nodes: Floats) -> Floats:
    """(N, H) the non-negative leaves nearest to the base forecasts, by the system's diagonal covariance.

    Args:
        system: factored; a covariance that errors share is not looked at.
        leaves: (N, H) base forecasts.
        nodes: (M, H) base forecasts.
    """
    dual = system.solve_diagonal(system.gap(leaves, nodes))
    found = _primal(system, leaves, dual)
    open_columns = np.flatnonzero((found < 0).any(axis=0))
    np.maximum(found, 0.0, out=found)
    for _ in range(MOST_STEPS):
        if not len(open_columns):
            break
        base, wanted = leaves[:, open_columns], nodes[:, open_columns]
        at = dual[:, open_columns]
        primal = _primal(system, base, at)
        missing = _missing(system, primal, wanted, at)
        size = np.abs(wanted).max(axis=0) + np.abs(base).max(axis=0)
        small = np.abs(missing).max(axis=0) <= TOLERANCE * size
        found[:, open_columns] = np.maximum(primal, 0.0)
        if small.all():
            break
        go = np.flatnonzero(~small)
        open_columns, base, wanted, at = open_columns[go], base[:, go], wanted[:, go], at[:, go]
        free_variance = np.where(primal[:, go] > 0, system.leaf_variance, 0.0)
        step = _conjugate_gradients(system, free_variance, missing[:, go])
        slope = (step * missing[:, go]).sum(axis=0)
        dual[:, open_columns] = _descend(partial(_cost, system, base, wanted), at, step, slope)
    return found


def _primal(system: LeastSquares, leaves: Floats, dual: Floats) -> Floats:
    return np.asarray(leaves + system.leaf_variance * (system.adds_back @ dual))


def _missing(system: LeastSquares, primal: Floats, nodes: Floats, dual: Floats) -> Floats:
    """(M, H) what the equation lacks; minus the gradient of the cost."""
    return np.asarray(nodes - system.node_variance * dual - system.adds @ np.maximum(primal, 0.0))


def _cost(system: LeastSquares, leaves: Floats, nodes: Floats, dual: Floats) -> Floats:
    """(H,) the convex function whose minimum is sought."""
    kept = np.maximum(_primal(system, leaves, dual), 0.0)
    own = 0.5 * (system.node_variance * dual**2).sum(axis=0) - (nodes * dual).sum(axis=0)
    return np.asarray(own + 0.5 * (kept**2 / system.leaf_variance).sum(axis=0))


def _descend(cost: Callable[[Floats], Floats], at: Floats, step: Floats, slope: Floats) -> Floats:
    """Full steps; halved, column by column, until the cost falls as the slope promises."""
    length = np.ones(at.shape[1])
    before = cost(at)
    # At the solution the promised fall drowns in rounding, which is no reason to halve.
    slack = 1e-13 * np.abs(before)
    for _ in range(MOST_HALVINGS):
        tried = at + length * step
        poor = cost(tried) > before - DECREASE * length * slope + slack
        if not poor.any():
            break
        length = np.where(poor, 0.5 * length, length)
    return at + length * step


def _conjugate_gradients(system: LeastSquares, free_variance: Floats, right: Floats) -> Floats:
    """(M, K) solutions of (V + A D_free A') x = right, one column each, preconditioned."""
    found = np.zeros_like(right)
    left = right.copy()
    towards = system.solve_diagonal(left)
    direction = towards.copy()
    power = (left * towards).sum(axis=0)
    # Newton itself forgives steps that are a little off, and has the last word on accuracy.
    enough = 1e-6 * np.maximum(power, 1e-300)
    for _ in range(MOST_INNER_STEPS):
        pushed = system.node_variance * direction + system.adds @ (
            free_variance * (system.adds_back @ direction)
        )
        bent = (direction * pushed).sum(axis=0)
        length = np.divide(power, bent, out=np.zeros_like(power), where=bent > 0)
        found += length * direction
        left -= length * pushed
        towards = system.solve_diagonal(left)
        now = (left * towards).sum(axis=0)
        if (now <= enough).all():
            break
        direction = towards + np.divide(now, power, out=np.zeros_like(now), where=power > 0) * direction
        power = now
    return found
