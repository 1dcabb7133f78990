"""What a model file is: a zip of a header, a tree and numbered members, and how it is told from others.

Members are NumPy arrays (``.npy``, never pickled) and texts. The header bears a digest of all of it. The same
model gives the same bytes, since nothing in the file tells when or where it was written.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError

FORMAT_NAME, FORMAT = "shelfwise model", 1
HEADER, TREE = "header.json", "tree.json"
# A tree takes some twenty times its size in memory once it is read, and holds no numbers in bulk.
MOST_TREE_BYTES = 128 << 20
CHUNK_BYTES = 1 << 20

Bytes = npt.NDArray[np.uint8]


class ModelFileError(ShelfwiseError):
    """A model file that cannot be used: cut off, damaged, of a newer format, too large."""


def as_bytes(values: npt.NDArray[Any]) -> Bytes:
    """The memory of a C-contiguous array."""
    return values.reshape(-1).view(np.uint8) if values.size else np.empty(0, np.uint8)


def canonical(header: dict[str, Any]) -> bytes:
    """A header as it goes into the digest."""
    return json.dumps(header, sort_keys=True).encode()
