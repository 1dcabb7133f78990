"""`Effort`: what a model of ours costs in seconds, told from the size of the data and not from a clock.

So a budget leaves out the same models whenever and wherever the same command is run.
"""

from __future__ import annotations

from dataclasses import dataclass

MICRO = 1e-6
# A model fitted at the first origin is out of date at the last; up to here that need not be borne.
REFIT_SECONDS = 4.0


@dataclass(frozen=True)
class Effort:
    """Seconds on two cores of 2026, measured at 400 to 1,500 series of 144 to 702 buckets.

    Attributes:
        start: seconds whatever the size.
        fit, update, draw: microseconds for a bucket of history, for one taken as new history, and for a bucket
            of a path.
        most: buckets of history beyond which a fit takes no longer.

    Example:
        >>> Effort(start=1.0, fit=2.0, update=1.0, draw=0.02).fitting(series=1000, buckets=100)
        1.2
    """

    start: float
    fit: float
    update: float
    draw: float
    most: float = float("inf")

    def fitting(self, series: int, buckets: int) -> float:
        """Seconds to fit."""
        return self.start + MICRO * self.fit * min(series * buckets, self.most)

    def refits(self, series: int, buckets: int) -> bool:
        """Whether it can be fitted anew at each origin, as it would be in use, and not only be brought up to date."""
        return self.fitting(series, buckets) <= REFIT_SECONDS

    def competing(
        self, learnt: int, scored: int, buckets: int, horizon: int, samples: int, origins: int
    ) -> float:
        """Seconds to fit at the first origin, to fit or to take new buckets at each later one, and to draw at all."""
        update = MICRO * self.update * learnt * buckets
        later = (origins - 1) * (self.fitting(learnt, buckets) if self.refits(learnt, buckets) else update)
        drawn = origins * MICRO * self.draw * scored * horizon * samples
        return self.fitting(learnt, buckets) + later + drawn
