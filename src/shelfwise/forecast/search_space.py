"""Where to look for good options: a space of choices and ranges, gone through by grid, at random or by Bayes.

Which options a trial tries is a function of the seed, its number and the trials before it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np

from shelfwise.errors import MissingExtra, UsageError

DEFAULT_TRIALS = 20
NEW_POINT_TRIES = 50
Method = Literal["grid", "random", "bayes"]
METHODS: tuple[Method, ...] = ("grid", "random", "bayes")
# A trial's place in the space: the position in a list of choices, or the number itself.
Point = dict[str, int | float]


@dataclass(frozen=True)
class Between:
    """A number between two bounds, both included; `log` searches evenly over its logarithm.

    Two whole bounds make whole numbers.

    Raises:
        UsageError: bounds that are not in order, or a logarithm of what is not positive.

    Example:
        >>> Between(0.5, 2.0, log=True).at(0.5), Between(1, 4).at(0.99)
        (1.0, 4)
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise UsageError(f"Between needs finite bounds, low < high; got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise UsageError(f"Between(log=True) needs a low bound above 0; got {self.low}")

    @property
    def whole(self) -> bool:
        """Whether it makes whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def at(self, share: float) -> int | float:
        """The number at a share (0 <= share < 1) of the way."""
        high = self.high + 1 if self.whole else self.high
        value = self.low * (high / self.low) ** share if self.log else self.low + share * (high - self.low)
        return min(int(value), int(self.high)) if self.whole else value


Space = Mapping[str, Sequence[Any] | Between]


class Search:
    """Which point of a space each trial tries.

    Args:
        space: option -> list of choices, or `Between` two numbers.
        method, trials, seed: see `tune`.

    Raises:
        UsageError: an impossible space, method or number of trials.
        MissingExtra: `bayes` without Optuna.

    Example:
        >>> search = Search({"window": [4, 13]}, "grid", None, 0)
        >>> [search.options(search.point(trial, [])) for trial in range(search.trials)]
        [{'window': 4}, {'window': 13}]
    """

    def __init__(self, space: Space, method: Method, trials: int | None, seed: int) -> None:
        if method not in METHODS:
            raise UsageError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
        if not space:
            raise UsageError("space is empty: give at least one option and its choices")
        for name, values in space.items():
            if isinstance(values, str) or not isinstance(values, (Between, Sequence)) or not _size(values):
                raise UsageError(
                    f"space[{name!r}] must be a list of choices or Between(low, high); got {values!r}"
                )
        if trials is not None and trials < 1:
            raise UsageError(f"trials must be at least 1; got {trials}")
        self.space, self.method, self.seed = space, method, seed
        self.trials = trials or DEFAULT_TRIALS
        if method == "grid":
            size = math.prod(self._axes().values())
            self.trials = min(trials or size, size)
        if method == "bayes":
            try:
                self._optuna = import_module("optuna")
            except ImportError as error:
                raise MissingExtra("optuna", "tune") from error

    def described(self) -> str:
        """The search in words, for storage: two that are alike try the same points."""
        space = {name: repr(values) for name, values in self.space.items()}
        return json.dumps([self.method, self.seed, space])

    def options(self, point: Point) -> dict[str, Any]:
        """The options at a point."""
        chosen: dict[str, Any] = {}
        for name, values in self.space.items():
            chosen[name] = point[name] if isinstance(values, Between) else values[int(point[name])]
        return chosen

    def point(self, number: int, before: Sequence[Mapping[str, Any]]) -> Point:
        """Where trial `number` looks, given the trials before it."""
        if self.method == "grid":
            axes = self._axes()
            places = np.unravel_index(number, tuple(axes.values()))
            return {name: int(place) for name, place in zip(axes, places, strict=True)}
        if self.method == "random":
            return self._drawn(number, [trial["point"] for trial in before])
        return self._suggested(number, before)

    def _drawn(self, number: int, before: Sequence[Point]) -> Point:
        """A point at random, and a new one as long as one is easily found."""
        rng = np.random.default_rng([self.seed, number])
        point: Point = {}
        for _ in range(NEW_POINT_TRIES):
            for name, values in self.space.items():
                share = rng.random()
                point[name] = values.at(share) if isinstance(values, Between) else int(share * len(values))
            if point not in before:
                break
        return point

    def _axes(self) -> dict[str, int]:
        """The number of choices of each option."""
        axes = {}
        for name, values in self.space.items():
            if isinstance(values, Between):
                raise UsageError(f"a grid needs a list of choices for {name!r}; got {values}")
            axes[name] = len(values)
        return axes

    def _suggested(self, number: int, before: Sequence[Mapping[str, Any]]) -> Point:
        """What Optuna would try next; a new study a trial, so that nothing hangs on when the search began."""
        optuna = self._optuna
        ranges: dict[str, Any] = {}
        for name, values in self.space.items():
            if not isinstance(values, Between):
                ranges[name] = optuna.distributions.CategoricalDistribution(tuple(range(len(values))))
            elif values.whole:
                ranges[name] = optuna.distributions.IntDistribution(values.low, values.high, log=values.log)
            else:
                ranges[name] = optuna.distributions.FloatDistribution(values.low, values.high, log=values.log)
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            sampler = optuna.samplers.TPESampler(seed=(self.seed * 1_000_003 + number) % 2**32)
            study = optuna.create_study(direction="minimize", sampler=sampler)
            for trial in before:
                if trial["score"] is not None:
                    study.add_trial(
                        optuna.trial.create_trial(
                            params=dict(trial["point"]), distributions=ranges, value=trial["score"]
                        )
                    )
            return dict(study.ask(ranges).params)
        finally:
            optuna.logging.set_verbosity(verbosity)


def _size(values: Sequence[Any] | Between) -> int:
    return 1 if isinstance(values, Between) else len(values)
