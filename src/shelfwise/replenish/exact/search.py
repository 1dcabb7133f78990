"""Pattern search over a few policy parameters whose cost is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

Parameters = tuple[float, ...]


@dataclass(frozen=True)
class Tuned:
    """The best parameters a search met, their cost, and how many it tried."""

    parameters: Parameters
    cost: float
    tried: int


def pattern_search(
    cost: Callable[[Parameters], float],
    start: Sequence[float],
    *,
    steps: Sequence[float] = (1.0,),
    reach: int = 2,
) -> Tuned:
    """Walk to better neighbours until there is none, then go on with the next, finer step.

    Neighbours of a point lie up to `reach` steps away along one parameter, or one step along several at
    once; so ridges do not stop it. Where the cost has one valley the answer is its minimum on the grid; where it
    has several, only a point without a better neighbour. `cost` may answer inf for what is not allowed.

    Literature: Hooke and Jeeves (1961), "Direct search solution of numerical and statistical problems".

    Example:
        >>> pattern_search(lambda x: (x[0] - 3) ** 2 + (x[0] + x[1] - 1) ** 2, (0, 0))
        Tuned(parameters=(3.0, -2.0), cost=0.0, tried=...)
    """
    known: dict[Parameters, float] = {}

    def value(point: Parameters) -> float:
        if point not in known:
            known[point] = cost(point)
        return known[point]

    best = tuple(float(number) for number in start)
    size = len(best)
    far = [
        tuple(float(sign * length) if i == axis else 0.0 for i in range(size))
        for length in range(2, reach + 1)
        for axis in range(size)
        for sign in (-1, 1)
    ]
    near = [tuple(map(float, move)) for move in product((-1, 0, 1), repeat=size) if any(move)]
    moves = [*sorted(near, key=lambda move: sum(map(abs, move))), *far]
    for step in steps:
        moved = True
        while moved:
            moved = False
            for move in moves:
                point = tuple(round(at + step * length, 9) for at, length in zip(best, move, strict=True))
                if value(point) < value(best) - 1e-12:
                    best, moved = point, True
                    break
    return Tuned(best, value(best), len(known))
