"""What is set before anything is learnt: the windows by bucket, and how training goes. Data, not branches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError

Cell = Literal["lstm", "gru"]


@dataclass(frozen=True)
class Windows:
    """Lengths in buckets.

    `context`: buckets a network reads before a forecast; `warm_up`: buckets of a training window that only
    fill its memory; `half_lives` of the running levels, the first one being the series' level; `season`:
    short season whose phase has a level of its own; `year`: one year back, same phase; `around`: half-width
    of the look at last year; `horizon`: what validation is made for when nobody says; `harmonics` of the year.
    """

    context: int
    warm_up: int
    half_lives: tuple[float, ...]
    season: int
    year: int
    around: int
    horizon: int
    harmonics: int


WINDOWS: dict[str, Windows] = {
    "day": Windows(56, 14, (28.0, 7.0, 112.0), 7, 364, 3, 28, 3),
    "week": Windows(52, 12, (8.0, 2.0, 26.0), 1, 52, 1, 13, 3),
    "month": Windows(24, 6, (4.0, 1.5, 12.0), 1, 12, 0, 6, 2),
}


def windows_for(bucket: Bucket) -> Windows:
    """The windows of this bucket."""
    return WINDOWS[bucket.name]


@dataclass(frozen=True)
class NetworkShape:
    """How large a network is.

    Attributes:
        hidden: units of each recurrent layer; layers: how many; dropout: share of units left out in training.

    Raises:
        UsageError: a size below 1, or a share outside 0…1.
    """

    hidden: int = 48
    layers: int = 1
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.hidden < 1 or self.layers < 1:
            raise UsageError(f"hidden and layers must be at least 1; got {self.hidden} and {self.layers}")
        if not 0 <= self.dropout < 1:
            raise UsageError(f"dropout must be at least 0 and below 1; got {self.dropout}")


@dataclass(frozen=True)
class TrainingSettings:
    """How a network is trained.

    Attributes:
        learning_rate, weight_decay: of AdamW (Loshchilov & Hutter 2019).
        batch: windows a step.
        rounds: at most so many; after each the held-out buckets are looked at.
        patience: rounds without a better held-out loss before training stops.
        averaging: share of the old kept a step in the running mean of weights that is used and judged
            (Polyak & Juditsky 1992); 0 uses the weights as they are.
        largest_gradient: norm at which gradients are clipped.

    Raises:
        UsageError: a setting outside its range.
    """

    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    batch: int = 64
    rounds: int = 60
    patience: int = 6
    averaging: float = 0.0
    largest_gradient: float = 1.0

    def __post_init__(self) -> None:
        for name in ("learning_rate", "batch", "patience", "largest_gradient"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} must be above 0; got {getattr(self, name)}")
        if self.rounds < 0 or self.weight_decay < 0:
            raise UsageError(
                f"rounds and weight_decay must be at least 0; got {self.rounds} and {self.weight_decay}"
            )
        if not 0 <= self.averaging < 1:
            raise UsageError(f"averaging must be at least 0 and below 1; got {self.averaging}")
