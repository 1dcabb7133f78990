"""What the series of a panel have in common, and the rates that follow from it.

From a `Panel` to the arrays of `kernels/expected_rate.py`: what was seen of each bucket, the season, families and
neighbours, promotions and prices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.availability import FULL
from shelfwise.demand.kernels.expected_rate import Rates, Rhythm, fit_rates
from shelfwise.demand.kernels.pooling import Grouping
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Parts of a year: a week, two, four, eight, sixteen.
HALF_LIVES_PER_YEAR = (52.0, 26.0, 13.0, 6.5, 3.25)
LEAST_HALF_LIFE = 1.0
TREND_HALF_LIVES_PER_YEAR = 26.0
SEASONS_NEEDED = 2
# With fewer, a bucket would mostly be told from itself.
SEASONS_FOR_OWN = 8
LARGEST_LOG_PRICE = 1.0
LONGEST_GAP = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """`units` (N, T) seen in the share `exposure` (N, T) of each bucket, and which buckets are `alive`."""

    units: Floats
    exposure: Floats
    alive: Flags

    @classmethod
    def of(cls, panel: Panel) -> Seen:
        """What a panel's sales say: all of a bucket on sale, a lower bound of one partly on sale.

        A bucket sold in while marked as never on sale counts as sold, a capped spike as capped.
        """
        column = np.arange(panel.n_buckets)
        alive = np.isfinite(panel.sold)
        alive &= (column >= panel.launched[:, None]) & (column < panel.ends[:, None])
        sold = np.where(alive, panel.sold, 0).astype(np.float32)
        known = np.isfinite(panel.demand)
        share = np.clip(panel.on_sale, 0.0, 1.0)
        capped = known & (panel.demand < sold)
        whole = alive & ((known & (share >= FULL)) | ((share <= 0) & (sold > 0)) | capped)
        exposure = np.where(whole, 1.0, np.where(alive & (share < FULL), share, 0.0)).astype(np.float32)
        units = np.where(whole & known, panel.demand, sold).astype(np.float32)
        return cls(units, exposure, alive)


def whole_units(seen: Seen) -> Flags:
    """(N,) which series sell whole units alone.

    Example:
        >>> whole_units(Seen.of(Panel.from_arrays([[1.0, 2.0], [1.0, 0.25]]))).tolist()
        [True, False]
    """
    return np.asarray((seen.units == np.rint(seen.units)).all(axis=1))


def family_labels(panel: Panel, column: str | None) -> pl.Series:
    """(N,) text, the family of each series."""
    if column is not None and column not in panel.static.columns:
        raise UsageError(
            f"family must be one of the panel's attributes {panel.static.columns}; got {column!r}"
        )
    named = column or next(
        (name for name in sorted(panel.static.columns) if name.startswith("category")), None
    )
    if named is None:
        return pl.Series("family", [""] * panel.n_series, dtype=pl.String)
    return panel.static[named].cast(pl.String).fill_null("").rename("family")


def rates_of(
    panel: Panel, seen: Seen, labels: pl.Series, neighbours: bool, like: Rates | None = None
) -> Rates:
    """The rates of a panel's series, fitted in the order of their stable numbers.

    With `like`, how local the levels are is taken over from rates of nearly the same buckets: choosing it is dear.

    That order makes the sums over series, and so the result, the same wherever a series stands in the panel.
    """
    order = np.argsort(panel.series_ids, kind="stable")
    back = np.argsort(order)
    units, exposure = seen.units[order], seen.exposure[order]
    rhythm = _rhythm(panel, seen, labels, neighbours, order)
    chosen = None if like is None else (like.decay[order], like.prior[order])
    return fit_rates(units, exposure, whole_units(seen)[order], rhythm, chosen).take(back)


def _rhythm(
    panel: Panel, seen: Seen, labels: pl.Series, neighbours: bool, order: npt.NDArray[np.intp]
) -> Rhythm:
    bucket, buckets = panel.bucket, panel.n_buckets
    season = bucket.season if buckets >= SEASONS_NEEDED * bucket.season else 1
    place, sku = panel.keys["location"].gather(order), panel.keys["sku"].gather(order)
    label = labels.gather(order)
    at_place = label + "\x1f" + place
    nested = [np.zeros(panel.n_series, np.int64), _codes(place), _codes(at_place)]
    if buckets >= SEASONS_FOR_OWN * season:
        nested.append(np.arange(panel.n_series))
    half_lives = [max(bucket.per_year / part, LEAST_HALF_LIFE) for part in HALF_LIVES_PER_YEAR]
    trend = 0.5 ** (1.0 / max(bucket.per_year / TREND_HALF_LIVES_PER_YEAR, LEAST_HALF_LIFE))
    shop, at_location, of_family, item = (Grouping.of(codes) for codes in (*nested[:3], _codes(sku)))
    # Slow drifts first, where they can be told; then what happened in the very bucket.
    shared = (
        (shop, trend),
        (shop, 0.0),
        (at_location, 0.0),
        (of_family, trend),
        (of_family, 0.0),
        (item, trend),
        (item, 0.0),
    )
    features, row = _features(panel)
    return Rhythm(
        phase=(bucket.index(panel.start) + np.arange(buckets, dtype=np.int64)) % season,
        phases=season,
        nested=tuple(nested),
        family=_codes(label),
        neighbours=tuple((group, decay) for group, decay in shared if neighbours and group is not None),
        features=features,
        row=np.ascontiguousarray(row[:, order]),
        decays=np.array([0.5 ** (1.0 / half) for half in dict.fromkeys(half_lives)] + [1.0]),
        gap=_typical_gap(seen),
    )


def _typical_gap(seen: Seen) -> int:
    """Half the mean length of a stock-out: how far the seen buckets are from one in its middle."""
    unseen = seen.alive & (seen.exposure <= 0)
    runs = int((unseen[:, :1]).sum() + (unseen[:, 1:] & ~unseen[:, :-1]).sum())
    return int(np.clip(round(int(unseen.sum()) / (2 * runs)), 1, LONGEST_GAP)) if runs else 1


def _codes(labels: pl.Series) -> Index:
    return labels.rank("dense").to_numpy().astype(np.int64) - 1


def _features(panel: Panel) -> tuple[Floats, Index]:
    """(G, T) covariates and (K, N) rows: promotions, discounts as a log price, price over the series' own mean.

    Events are left out: the shocks of neighbours carry them, and whatever nobody wrote down, too.
    """
    values: list[Floats] = []
    rows: list[Index] = []
    first = 0
    for name in sorted(panel.known):
        known = panel.known[name]
        found = np.nan_to_num(known.values[:, : panel.n_buckets], nan=0.0)
        if name == "discount":
            found = -np.log(1.0 - np.clip(found, 0.0, 0.95))
        elif name == "price":
            found = np.log(np.where(found > 0, found, np.nan))
            known_price = np.isfinite(found)
            mean = np.where(known_price, found, 0).sum(axis=1) / np.maximum(known_price.sum(axis=1), 1)
            found = np.clip(found - mean[:, None], -LARGEST_LOG_PRICE, LARGEST_LOG_PRICE)
            found = np.nan_to_num(found, nan=0.0)
        elif name.split(":")[0] != "promotion":
            continue
        if np.any(found):
            values.append(found.astype(np.float32))
            rows.append(known.group.astype(np.int64) + first)
            first += len(found)
    if not values:
        return np.zeros((0, panel.n_buckets), np.float32), np.zeros((0, panel.n_series), np.int64)
    return np.concatenate(values), np.stack(rows)
