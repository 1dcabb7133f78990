"""Work laid out in blocks of one size, in which every series has its place by name.

A matrix product may round a row by how many rows there are and by which of them it is. In blocks of a fixed
size, with a place that follows from series and samples alone, a row is rounded alike whatever is asked for
beside it: chunks, order and neighbours leave no trace, on any processor.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SLOTS = 32
SAMPLES = 32


def blocks(places: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    """(B, 32) the units of each block, each in column `place` modulo 32; -1 where a place stays empty.

    Example:
        >>> made = blocks(np.array([3, 1, 35], np.uint64))
        >>> made.shape, made[:, [1, 3]].tolist()
        ((2, 32), [[1, 0], [-1, 2]])
    """
    slot = (places % np.uint64(SLOTS)).astype(np.intp)
    order = np.argsort(slot, kind="stable")
    begins = np.searchsorted(slot[order], np.arange(SLOTS))
    turn = np.arange(len(order)) - begins[slot[order]]
    out = np.full((int(turn.max(initial=-1)) + 1, SLOTS), -1, np.intp)
    out[turn, slot[order]] = order
    return out
