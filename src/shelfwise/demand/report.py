"""`DemandReport`: what was done to the sales on their way to a panel, so that nothing happens unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Spike:
    """One bucket of one series whose demand was capped; `sold` in the panel keeps `value`."""

    sku: str
    location: str
    date: date
    value: float
    capped_to: float


@dataclass(frozen=True, slots=True)
class DemandReport:
    """Counts of what `build_panel_with_report` did. Quantities are in units of the items.

    The books balance: `net_units` + `remainder_units` = units in `Panel.sold` + `outside_life_units`.

    Attributes:
        as_of: first day of the first bucket that is not known, and `asked`, the day that was given for it.
        lines: sales rows dated before as_of.
        net_units: their quantities summed, returns negative.
        return_lines: rows with a negative quantity.
        return_units: units given back in these rows (positive).
        returns_netted: returns (rows of one day and order merged) that found the sale they undo.
        carried_units: units by which a bucket's returns exceeded its sales and that earlier buckets bore.
        remainder_units: units returned that no earlier sale could bear; dropped.
        outside_life_units: net units before `items.launched` or from `items.ends` on; not in the panel.
        masked_buckets: series-buckets whose demand is unknown because the item was not on sale.
        scaled_buckets: series-buckets whose demand was scaled up, being on sale for a part only.
        contradicted_buckets: series-buckets sold while never on sale; taken as sold.
        closures: first days of the buckets in which the whole shop was closed.
        spikes: single orders far beyond a series' level, capped in `Panel.demand`.
        calendar: what kept a country's holidays from being used.
    """

    as_of: date | None = None
    asked: date | None = None
    lines: int = 0
    net_units: float = 0.0
    return_lines: int = 0
    return_units: float = 0.0
    returns_netted: int = 0
    carried_units: float = 0.0
    remainder_units: float = 0.0
    outside_life_units: float = 0.0
    masked_buckets: int = 0
    scaled_buckets: int = 0
    contradicted_buckets: int = 0
    closures: tuple[date, ...] = ()
    spikes: tuple[Spike, ...] = ()
    calendar: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """What a user should know, one sentence a thing that happened."""
        told = []
        if self.asked != self.as_of:
            told.append(
                f"as_of {self.asked} lies within the bucket that begins on {self.as_of}; that bucket is not known "
                "as a whole, so history ends before it"
            )
        if self.masked_buckets or self.scaled_buckets:
            told.append(
                f"{self.masked_buckets} series-buckets out of stock were left out of the demand, "
                f"{self.scaled_buckets} on sale for a part were scaled up"
            )
        if self.contradicted_buckets:
            told.append(
                f"{self.contradicted_buckets} series-buckets sold while marked out of stock; taken as sold"
            )
        if self.remainder_units > 0:
            told.append(f"{self.remainder_units:g} returned units have no earlier sale and were dropped")
        if self.closures:
            told.append(f"{len(self.closures)} buckets without any sale in the shop count as closed")
        if self.spikes:
            first = self.spikes[0]
            told.append(
                f"{len(self.spikes)} single orders far beyond the usual were capped, the first: {first.sku}@"
                f"{first.location} on {first.date}, {first.value:g} to {first.capped_to:g}"
            )
        return (*told, *self.calendar)
