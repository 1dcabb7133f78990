"""Writes a kept model anew; see README.md beside it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.forecast import make_forecaster

HERE = Path(__file__).parent
HORIZON, SAMPLES = 3, 200


def write(name: str) -> None:
    """Fit `name` to a small made-up shop, save it, and save the means it forecasts."""
    panel = Panel.from_arrays(np.random.default_rng(0).negative_binomial(3, 0.4, (8, 60)))
    model = make_forecaster(name).fit(panel)
    model.save(HERE / f"{name}.model")
    means = model.sample(HORIZON, SAMPLES, np.random.default_rng(0)).mean()
    np.save(HERE / f"{name}.npy", means, allow_pickle=False)


if __name__ == "__main__":
    for asked in sys.argv[1:]:
        write(asked)
