"""The shop's customers: pseudonyms, where they live and what they like."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.demo.assortment import LINES
from shelfwise.demo.calendar import LOCATIONS

CATEGORIES = tuple(dict.fromkeys(line.category_1 for line in LINES))
CATEGORY_OF_LINE = np.array([CATEGORIES.index(line.category_1) for line in LINES])
LOYALTY = 0.75


@dataclass(frozen=True)
class Customers:
    """C customers; index is identity, `name` the pseudonym.

    Attributes:
        name: (C,) pseudonyms.
        location: (C,) index of the location that serves them.
        favourite: (C,) index into `CATEGORIES`; three purchases in four begin with it.
        activity: (C,) relative number of purchases, most customers low.
    """

    name: npt.NDArray[np.str_]
    location: npt.NDArray[np.int64]
    favourite: npt.NDArray[np.int64]
    activity: npt.NDArray[np.float64]

    def pick(
        self, location: npt.NDArray[np.int64], category: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """(K,) a customer for each of K visits to `location` that begin with `category`."""
        chosen = np.zeros(len(location), np.int64)
        loyal = rng.random(len(location)) < LOYALTY
        for place in range(len(LOCATIONS)):
            for wanted in range(-1, len(CATEGORIES)):
                visits = (location == place) & np.where(loyal, category == wanted, wanted < 0)
                pool = np.flatnonzero((self.location == place) & ((self.favourite == wanted) | (wanted < 0)))
                share = self.activity[pool] / self.activity[pool].sum()
                chosen[visits] = rng.choice(pool, size=int(visits.sum()), p=share)
        return chosen


def make_customers(count: int, seed: int, rng: np.random.Generator) -> Customers:
    """Draw `count` customers; each location has lovers of each category."""
    group = rng.permutation(np.arange(count) % (len(LOCATIONS) * len(CATEGORIES)))
    digests = [hashlib.blake2b(f"{seed}:{who}".encode(), digest_size=5).hexdigest() for who in range(count)]
    return Customers(
        name=np.array([f"c{digest}" for digest in digests]),
        location=group // len(CATEGORIES),
        favourite=group % len(CATEGORIES),
        activity=rng.gamma(0.8, 1.0, count) + 0.05,
    )
