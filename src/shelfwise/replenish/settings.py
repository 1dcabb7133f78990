"""What the shop's settings mean for a policy."""

from __future__ import annotations

from typing import Any

from shelfwise.tables.settings import Settings


def policy_options(name: str, settings: Settings, seed: int) -> dict[str, Any]:
    """Options for `make_policy`; the rules of thumb take none, they know no objective.

    Example:
        >>> policy_options("order_up_to", Settings(), seed=0)["objective"]
        'cost'
    """
    if name != "order_up_to":
        return {}
    objective = settings.objective
    return {
        "objective": objective.minimise,
        "service_level": objective.service_level,
        "kind": objective.kind,
        "seed": seed,
    }
