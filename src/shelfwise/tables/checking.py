"""Checks that need more than one cell: rows against rows, tables against tables and against settings.

Every check is a generator of problems over the tables that came in whole; one that lacks a table it
needs finds nothing, so one bad file does not bury its real fault under a hundred that follow from it.
"""

from __future__ import annotations

from shelfwise.errors import Problem
from shelfwise.tables.item_checks import dates_in_order, impossible_terms, short_shelf_lives
from shelfwise.tables.key_checks import repeated_keys, unknown_skus
from shelfwise.tables.money_checks import limits_without_source, money_without_source
from shelfwise.tables.place_checks import look_alike_locations, shop_closures, unlisted_locations
from shelfwise.tables.whole_shop import Shop

CHECKS = (
    repeated_keys,
    unknown_skus,
    impossible_terms,
    dates_in_order,
    short_shelf_lives,
    look_alike_locations,
    unlisted_locations,
    shop_closures,
    money_without_source,
    limits_without_source,
)


def check_tables(shop: Shop) -> list[Problem]:
    """Every problem that the checks find, in a fixed order."""
    return [problem for check in CHECKS for problem in check(shop)]
