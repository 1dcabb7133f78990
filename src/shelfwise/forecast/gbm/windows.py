"""The windows a boosted model looks through, by bucket: data, not branches."""

from __future__ import annotations

from dataclasses import dataclass

from shelfwise.buckets import Bucket


@dataclass(frozen=True)
class Windows:
    """Lengths in buckets.

    `means`: trailing windows of the level; `season`: the short season whose phase a target shares;
    `year`: one year back, same phase; `around`: half-width of the smoothed look at last year;
    `half_life` of the level that scales a series; `horizon`: steps learnt when nobody says.
    """

    means: tuple[int, ...]
    spread: int
    season: int
    phase_depths: tuple[int, ...]
    year: int
    around: int
    half_life: float
    horizon: int
    lags: int


WINDOWS: dict[str, Windows] = {
    "day": Windows((7, 14, 28, 56, 112, 224), 56, 7, (2, 4, 8, 16), 364, 3, 28.0, 28, 3),
    "week": Windows((2, 4, 8, 13, 26, 52), 26, 1, (), 52, 1, 8.0, 13, 3),
    "month": Windows((2, 3, 6, 12, 24), 12, 1, (), 12, 0, 4.0, 6, 2),
}


def windows_for(bucket: Bucket) -> Windows:
    """The windows of this bucket."""
    return WINDOWS[bucket.name]
