"""`DemandReport`: what was done to the sales on their way to a panel, so that nothing happens unseen."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from shelfwise.demand.cleaning import CleaningReport, Spike
from shelfwise.demand.stockouts import StockoutReport
from shelfwise.messages import Said


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
        outside_life: (sku, location) of the series that sold them.
        masked_buckets: series-buckets of which the records tell no demand, the item being out of stock.
        scaled_buckets: series-buckets on sale for a part, of which the records tell it by that part.
        contradicted_buckets: series-buckets sold while never on sale; taken as sold.
        closures: first days of the buckets in which the whole shop was closed.
        stockouts: what was made of buckets out of stock, recorded and inferred.
        cleaning: bot orders, spikes and level shifts that were flagged.
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
    outside_life: tuple[tuple[str, str], ...] = ()
    masked_buckets: int = 0
    scaled_buckets: int = 0
    contradicted_buckets: int = 0
    closures: tuple[date, ...] = ()
    stockouts: StockoutReport = field(default_factory=StockoutReport)
    cleaning: CleaningReport = field(default_factory=CleaningReport)
    calendar: tuple[str, ...] = ()

    @property
    def spikes(self) -> tuple[Spike, ...]:
        """Single orders far beyond a series' level, capped in `Panel.demand`."""
        return self.cleaning.spikes

    def notes(self) -> tuple[str, ...]:
        """What a user should know, one sentence a thing that happened."""
        told: list[str] = []
        if self.asked != self.as_of:
            told.append(Said("demand.within_bucket", asked=self.asked, as_of=self.as_of))
        if self.outside_life:
            told.append(
                Said(
                    "demand.life.outside",
                    units=f"{self.outside_life_units:.10g}",
                    series=len(self.outside_life),
                    first="@".join(self.outside_life[0]),
                )
            )
        told += self.stockouts.notes()
        if self.contradicted_buckets:
            told.append(Said("demand.contradicted", count=self.contradicted_buckets))
        if self.remainder_units > 0:
            told.append(Said("demand.remainder", units=f"{self.remainder_units:g}"))
        if self.closures:
            told.append(Said("demand.closures", count=len(self.closures)))
        return (*told, *self.cleaning.notes(), *self.calendar)
