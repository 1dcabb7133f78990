"""Level shifts: a series that sells at another level from one bucket on, and stays there.

Told from an outlier by lasting, from a ramp by the step explaining more than a line does, from the shop's ups and
downs by going beyond them, and from a season by not having happened a year before or after. Two windows are
compared on square roots, on which counts of any size are about equally noisy (Anscombe 1948); a shift is where
they differ most (the two-sample scan of Bai 1997, "Estimating multiple breaks one at a time").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.buckets import Bucket

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]

WINDOW = {"day": 56, "week": 13, "month": 6}
LEAST_KNOWN = 0.5
LEAST_RATIO = 2.0
# With less than a year on either side a season cannot be ruled out, so more is asked for.
LEAST_RATIO_UNPROVEN = 4.0
LEAST_SCORE = 6.0
# Square roots of Poisson counts vary by a quarter.
LEAST_VARIANCE = 0.25
MOST_PER_SERIES = 3
CHUNK_ROWS = 4096


@dataclass(frozen=True, slots=True)
class LevelShift:
    """Series `row` sold `before` units a bucket up to bucket `column`, and `after` from it on."""

    row: int
    column: int
    before: float
    after: float


@dataclass(frozen=True)
class _Sides:
    """Count, mean and variance in the window before and after each bucket; (R, T - 2 W + 1)."""

    count: tuple[Doubles, Doubles]
    mean: tuple[Doubles, Doubles]
    variance: tuple[Doubles, Doubles]


def find_level_shifts(demand: Floats, bucket: Bucket) -> tuple[LevelShift, ...]:
    """Lasting shifts to half the level or less, or to twice or more; sorted by series and bucket.

    Args:
        demand: (N, T) units, NaN where unknown.
        bucket: the time step; a shift needs 56 days, 13 weeks or 6 months on both sides.

    Example:
        >>> demand = np.random.default_rng(0).poisson(8, (3, 80)).astype(np.float32)
        >>> demand[1, 40:] += 32
        >>> [(shift.row, shift.column) for shift in find_level_shifts(demand, Bucket("week"))]
        [(1, 40)]
    """
    width = WINDOW[bucket.name]
    if demand.shape[1] < 2 * width:
        return ()
    shop = _window_sums(np.nan_to_num(demand).sum(axis=0, dtype=np.float64, keepdims=True), width)
    found: list[LevelShift] = []
    for low in range(0, len(demand), CHUNK_ROWS):
        part = demand[low : low + CHUNK_ROWS].astype(np.float64)
        for row, at, before, after in _of_chunk(part, shop, width, round(bucket.per_year)):
            found.append(LevelShift(low + row, at + width, before, after))
    return tuple(sorted(found, key=lambda shift: (shift.row, shift.column)))


def _of_chunk(
    part: Doubles, shop: tuple[Doubles, Doubles], width: int, year: int
) -> list[tuple[int, int, float, float]]:
    """Series and first window's end of each shift in a chunk, and the levels beside it."""
    units, root = _sides(part, width), _sides(np.sqrt(part), width)
    ratio = _log_ratio(*units.mean, *units.count)
    # What all others did is the shop's own up or down.
    before, after = (
        np.maximum(total - mean * n, 0.0)
        for total, mean, n in zip(shop, units.mean, units.count, strict=True)
    )
    beyond = ratio - _log_ratio(before, after, np.ones(1), np.ones(1))
    far = np.minimum(np.abs(ratio), np.abs(beyond)) * (np.sign(ratio) == np.sign(beyond))
    clear = (far >= np.log(LEAST_RATIO)) & (_score(root, width) >= LEAST_SCORE)
    clear &= _is_step(np.sqrt(part), root, width)
    rows, steps = np.nonzero(clear)
    base = np.log(units.mean[0] + 0.5 / width)
    again, unproven = _comes_again(ratio, base, rows, steps, year, max(width // 4, 1))
    kept = ~again & (~unproven | (far[rows, steps] >= np.log(LEAST_RATIO_UNPROVEN)))
    place = (rows[kept], steps[kept])
    size = np.zeros(clear.shape)
    size[place] = np.abs(root.mean[1] - root.mean[0])[place]
    picked: list[tuple[int, int, float, float]] = []
    for _ in range(MOST_PER_SERIES):
        at = size.argmax(axis=1)
        for row in np.flatnonzero(size[np.arange(len(size)), at] > 0).tolist():
            step = int(at[row])
            picked.append((row, step, float(units.mean[0][row, step]), float(units.mean[1][row, step])))
        size[np.abs(np.arange(size.shape[1]) - at[:, None]) < width] = 0.0
    return picked


def _window_sums(values: Doubles, width: int) -> tuple[Doubles, Doubles]:
    """(R, T - 2 W + 1) sums over the W buckets before, and over the W from each bucket on."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    sums = total[:, width:] - total[:, :-width]
    return sums[:, :-width], sums[:, width:]


def _sides(values: Doubles, width: int) -> _Sides:
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    count = _window_sums(known.astype(np.float64), width)
    mean = [part / np.maximum(n, 1) for part, n in zip(_window_sums(filled, width), count, strict=True)]
    square = zip(_window_sums(filled**2, width), count, mean, strict=True)
    variance = [np.maximum(part / np.maximum(n, 1) - m**2, 0.0) for part, n, m in square]
    return _Sides(count, (mean[0], mean[1]), (variance[0], variance[1]))


def _log_ratio(before: Doubles, after: Doubles, n_before: Doubles, n_after: Doubles) -> Doubles:
    """Logarithm of the mean after over the one before; half a unit in a window is the least that counts."""
    return np.asarray(
        np.log(after + 0.5 / np.maximum(n_after, 1)) - np.log(before + 0.5 / np.maximum(n_before, 1))
    )


def _score(root: _Sides, width: int) -> Doubles:
    """Standard errors between the two means; 0 where too little is known."""
    pairs = zip(root.variance, root.count, strict=True)
    error = sum(np.maximum(v, LEAST_VARIANCE) / np.maximum(n, 1) for v, n in pairs)
    enough = np.minimum(*root.count) >= LEAST_KNOWN * width
    return np.asarray(np.abs(root.mean[1] - root.mean[0]) / np.sqrt(error) * enough)


def _is_step(root: Doubles, sides: _Sides, width: int) -> npt.NDArray[np.bool_]:
    """Where a step explains more of the two windows than a line does."""
    known = np.isfinite(root)
    filled, time = np.where(known, root, 0.0), np.arange(root.shape[1], dtype=np.float64)

    def both(part: Doubles) -> Doubles:
        total = np.concatenate([np.zeros((len(part), 1)), np.cumsum(part, axis=1)], axis=1)
        return np.asarray(total[:, 2 * width :] - total[:, : -2 * width])

    n = np.maximum(both(known.astype(np.float64)), 1)
    x, y = both(known * time), both(filled)
    xx, xy = both(known * time**2) - x**2 / n, both(filled * time) - x * y / n
    line = xy**2 / np.maximum(xx, 1e-9)
    first, last = sides.count
    step = first * last / np.maximum(first + last, 1) * (sides.mean[1] - sides.mean[0]) ** 2
    return np.asarray(step > line)


def _comes_again(
    ratio: Doubles, base: Doubles, row: Numbers, step: Numbers, year: int, slack: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Where about a year before or after the level rose or fell alike from the same base, and where neither was seen."""
    again, unproven = np.zeros(len(row), bool), np.ones(len(row), bool)
    own, stood = ratio[row, step], base[row, step]
    for away in (sign * (year + late) for sign in (-1, 1) for late in range(-slack, slack + 1)):
        at = step + away
        seen = (at >= 0) & (at < ratio.shape[1])
        place = (row, np.clip(at, 0, ratio.shape[1] - 1))
        alike = (np.sign(ratio[place]) == np.sign(own)) & (np.abs(ratio[place]) >= np.abs(own) / 2)
        again |= seen & alike & (np.abs(base[place] - stood) <= np.abs(own) / 2)
        unproven &= ~seen
    return again, unproven
