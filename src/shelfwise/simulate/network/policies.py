"""Standard policies of a network, as callables for `simulate_network`."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.network.run import NetworkPolicy
from shelfwise.simulate.network.state import NetworkView
from shelfwise.simulate.per_series import Floats


def order_up_to(
    levels: npt.ArrayLike,
    cap: npt.ArrayLike = np.inf,
    position: Literal["installation", "echelon"] = "installation",
) -> NetworkPolicy:
    """Base-stock at every node: each arc lifts its node's position to its level, at most `cap` at once.

    Where a node has several arcs in, each counts what the others have already been asked for: the first arc
    orders first.

    Args:
        levels: (N, A) or (A,) units.
        cap: (N, A), (A,) or one value, units.
        position: ``"installation"``: the node's own; ``"echelon"``: with all that it supplies (Clark and Scarf 1960).

    Example:
        >>> order_up_to([[3.0, 6.0]]).__name__
        'policy'
    """
    if position not in ("installation", "echelon"):
        raise UsageError(f"position must be installation or echelon; got {position!r}")
    wanted_levels, most = np.asarray(levels, float), np.asarray(cap, float)

    def policy(view: NetworkView) -> Floats:
        now = view.position() if position == "installation" else view.echelon_position()
        n_items, n_paths = now.shape[:2]
        n_arcs = len(view.destination)
        target = np.broadcast_to(wanted_levels, (n_items, n_arcs))
        limit = np.broadcast_to(most, (n_items, n_arcs))
        wanted = np.zeros((n_items, n_paths, n_arcs))
        for arc, node in enumerate(view.destination):
            order = np.clip(target[:, arc, None] - now[:, :, node], 0.0, limit[:, arc, None])
            wanted[:, :, arc] = order
            now[:, :, node] += order
        return wanted

    return policy


def dual_index(
    express_level: npt.ArrayLike,
    regular_level: npt.ArrayLike,
    express_lead_time_buckets: int,
    regular_cap: npt.ArrayLike = np.inf,
) -> NetworkPolicy:
    """Two suppliers of one stock, arc 0 regular and arc 1 express.

    The express order lifts what arrives within its lead time to `express_level`; the regular order then lifts
    the whole position to `regular_level`, at most `regular_cap` at once.

    Args:
        express_level, regular_level, regular_cap: one value or (N,) units.
        express_lead_time_buckets: whole buckets.

    Literature: Veeraraghavan and Scheller-Wolf (2008); the cap after Sun and Van Mieghem (2019).

    Example:
        >>> dual_index(3.0, 9.0, 0).__name__
        'policy'
    """
    fast, slow, most = (
        np.asarray(v, float).reshape(-1, 1) for v in (express_level, regular_level, regular_cap)
    )

    def policy(view: NetworkView) -> Floats:
        soon = view.position(within_buckets=express_lead_time_buckets)[:, :, 0]
        express = np.maximum(fast - soon, 0.0)
        regular = np.clip(slow - view.position()[:, :, 0] - express, 0.0, most)
        return np.stack([regular, express], axis=2)

    return policy
