"""The demand a replay is run on: what was sold, and a stated guess where the shelf was empty."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel

Floats = npt.NDArray[np.float32]
HALF_WINDOW = 6


def replay_demand(panel: Panel, first: int, last: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """(N, last - first) demand of the buckets first … last - 1, and where it was guessed.

    Where demand is not known (out of stock, closure) it is the mean of the known buckets within six
    on either side, to whole units if the series sells in whole units; with none known nearby, the mean
    of the series. Before launch and after the end it is 0. What models are told of stock-outs does not enter,
    so the yardstick is the same however the settings ask for them. The guess may look at both sides: it is the
    yardstick, which no policy ever sees ahead of time, and it is the same for all of them.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> demand, guessed = replay_demand(Panel.from_arrays([[2.0, np.nan, 4.0]]), 0, 3)
        >>> demand.tolist(), guessed.tolist()
        ([[2.0, 3.0, 4.0]], [[False, True, False]])
    """
    recorded = panel.recorded
    known = np.isfinite(recorded)
    value = np.where(known, recorded, np.float32(0)).astype(np.float64)
    total = np.concatenate([np.zeros((len(value), 1)), np.cumsum(value, axis=1)], axis=1)
    count = np.concatenate([np.zeros((len(value), 1)), np.cumsum(known, axis=1)], axis=1)
    at = np.arange(first, last)
    low, high = np.maximum(at - HALF_WINDOW, 0), np.minimum(at + HALF_WINDOW + 1, panel.n_buckets)
    near, seen = total[:, high] - total[:, low], count[:, high] - count[:, low]
    overall = total[:, -1] / np.maximum(count[:, -1], 1)
    guess = np.where(seen > 0, near / np.maximum(seen, 1), overall[:, None])
    whole = (np.isnan(panel.sold) | (panel.sold == np.rint(panel.sold))).all(axis=1)
    guess = np.where(whole[:, None], np.rint(guess), guess)
    alive = (at[None, :] >= panel.launched[:, None]) & (at[None, :] < panel.ends[:, None])
    guessed = ~known[:, first:last] & alive
    demand = np.where(guessed, guess, value[:, first:last])
    return np.where(alive, np.maximum(demand, 0.0), 0.0).astype(np.float32), guessed
