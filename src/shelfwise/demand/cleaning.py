"""`CleaningReport`: what was flagged on the way from sales to demand, bucket by bucket, and how to take it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from shelfwise.demand.bots import BotBurst
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.messages import Said

FLAG_COLUMNS = {
    "kind": pl.String,
    "sku": pl.String,
    "location": pl.String,
    "date": pl.Date,
    "was": pl.Float64,
    "now": pl.Float64,
}


@dataclass(frozen=True, slots=True)
class Spike:
    """One bucket of one series whose demand was capped; `sold` in the panel keeps `value`."""

    sku: str
    location: str
    date: date
    value: float
    capped_to: float


@dataclass(frozen=True, slots=True)
class Shift:
    """A series that sold `before` units a bucket up to `date` and `after` from it on; told, nothing is changed."""

    sku: str
    location: str
    date: date
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class CleaningReport:
    """Every order and bucket flagged, by kind. Nothing of it touches `Panel.sold`.

    Attributes:
        bots: bursts of orders no person places, left out of the demand.
        spikes: single orders far beyond a series' level, capped.
        level_shifts: lasting changes of level, which are no outliers and stay.
    """

    bots: tuple[BotBurst, ...] = ()
    spikes: tuple[Spike, ...] = ()
    level_shifts: tuple[Shift, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {kind: len(getattr(self, kind)) for kind in ("bots", "spikes", "level_shifts")}

    def to_frame(self) -> pl.DataFrame:
        """A row a flag: `kind`, `sku`, `location`, `date`, and the units it `was` and is `now`.

        Example:
            >>> spike = Spike("a", "main", date(2024, 1, 1), 900.0, 6.0)
            >>> CleaningReport(spikes=(spike,)).to_frame().rows()
            [('spike', 'a', 'main', datetime.date(2024, 1, 1), 900.0, 6.0)]
        """
        rows = [
            ("bot", bot.sku, bot.location, bot.date, bot.units, bot.units - bot.left_out) for bot in self.bots
        ]
        rows += [("spike", one.sku, one.location, one.date, one.value, one.capped_to) for one in self.spikes]
        rows += [
            ("level_shift", one.sku, one.location, one.date, one.before, one.after)
            for one in self.level_shifts
        ]
        return pl.DataFrame(rows, schema=FLAG_COLUMNS, orient="row")

    def undone(self, panel: Panel) -> Panel:
        """The panel with the demand of every changed bucket as it was sold.

        Raises:
            UsageError: a flag is of a series or bucket the panel does not have.
        """
        place = {key: row for row, key in enumerate(panel.keys.iter_rows())}
        demand = panel.demand.copy()
        flagged = [(one.sku, one.location, one.date) for one in self.bots]
        flagged += [(one.sku, one.location, one.date) for one in self.spikes]
        for sku, location, day in flagged:
            row = place.get((sku, location))
            column = panel.bucket.count(panel.start, panel.bucket.floor(day))
            if row is None or not 0 <= column < panel.n_buckets:
                raise UsageError(
                    f"the panel must be the one the report tells of; it has no {sku}@{location} on {day}"
                )
            demand[row, column] = panel.sold[row, column]
        return replace(panel, demand=demand)

    def notes(self) -> tuple[str, ...]:
        """What a user should know, one sentence a kind."""
        told: list[str] = []
        if self.bots:
            first = self.bots[0]
            told.append(
                Said(
                    "demand.bots",
                    count=len(self.bots),
                    units=f"{sum(bot.left_out for bot in self.bots):.10g}",
                    series=f"{first.sku}@{first.location}",
                    date=first.date,
                    orders=first.orders,
                )
            )
        if self.spikes:
            spike = self.spikes[0]
            told.append(
                Said(
                    "demand.spikes",
                    count=len(self.spikes),
                    series=f"{spike.sku}@{spike.location}",
                    date=spike.date,
                    value=f"{spike.value:g}",
                    cap=f"{spike.capped_to:g}",
                )
            )
        if self.level_shifts:
            shift = self.level_shifts[0]
            told.append(
                Said(
                    "demand.level_shifts",
                    count=len(self.level_shifts),
                    series=f"{shift.sku}@{shift.location}",
                    date=shift.date,
                    before=f"{shift.before:.3g}",
                    after=f"{shift.after:.3g}",
                )
            )
        return tuple(told)
