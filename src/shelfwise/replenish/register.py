"""Names to policies: one small register that lists the choices on a miss."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from shelfwise.errors import UsageError
from shelfwise.replenish.base import Policy

# name -> "module:class"; modules load when the name is asked for, so that importing stays light.
POLICIES: dict[str, str] = {
    "order_up_to": "shelfwise.replenish.order_up_to:ScenarioOrderUpTo",
    "reorder_point": "shelfwise.replenish.reorder_point:ReorderPoint",
    "days_of_cover": "shelfwise.replenish.days_of_cover:DaysOfCover",
    "textbook": "shelfwise.replenish.textbook:Textbook",
    "none": "shelfwise.replenish.never:NeverOrder",
}
DEFAULT_POLICY = "order_up_to"
# A trained network is a policy too; it is named by its file, so it is not in the list.
LEARNED = "learned:"


def policy_names() -> list[str]:
    """All names `make_policy` knows, the default first."""
    return list(POLICIES)


def make_policy(name: str = DEFAULT_POLICY, **options: Any) -> Policy:
    """A new policy by name, with its own options; ``learned:FILE`` is the trained network in that file.

    Raises:
        UsageError: an unknown name, an option the policy does not have, or a file without a network in it.

    Example:
        >>> make_policy("days_of_cover", cover_buckets=4).name
        'days_of_cover'
    """
    if name.startswith(LEARNED):
        from shelfwise.replenish.learned import Learned

        return Learned(name.removeprefix(LEARNED), **options)
    if name not in POLICIES:
        close = difflib.get_close_matches(name, POLICIES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"unknown policy {name!r}; the choices are {', '.join(POLICIES)} and {LEARNED}FILE.{hint}"
        )
    module, _, attribute = POLICIES[name].partition(":")
    maker: Callable[..., Policy] = getattr(import_module(module), attribute)
    try:
        return maker(**options)
    except TypeError as error:
        raise UsageError(f"policy {name!r} does not take these options: {error}") from error
