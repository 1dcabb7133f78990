"""What calibration does to forecasts of VN2: pinball loss of single weeks and of the three-week sum, with and without.

Every fold of `vn2_folds` is forecast eight weeks ahead from its own history, raw and by `Calibrated`; losses are over
demand, at the nineteen levels 0.05 … 0.95, weeks out of stock left out; coverage is the share of weeks at or below
the 0.95 quantile.

    python -m benchmarks.bench_calibration [--folds 109 133 149] [--models gbm moving_average]
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import vn2_folds
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, Cell, append_rows
from benchmarks.vn2_folder import read_history, write_vn2_folder
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.evaluate.metrics import coverage, pinball_loss
from shelfwise.forecast.auto.held_out import LEVELS, known_at
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.calibration import Calibrated
from shelfwise.forecast.register import make_forecaster
from shelfwise.tables import read_folder

RESULTS = REPOSITORY / "benchmarks" / "results" / "calibration.csv"
WEEKS, SUM, SAMPLES, HIGH = 8, (0, 3), 300, 0.95


def losses(paths: npt.NDArray[np.float32], actual: npt.NDArray[np.float32]) -> float:
    """Mean pinball loss over all levels, over mean demand; cells (n, S, B) beside (n, B), NaN unknown."""
    said = np.quantile(paths, LEVELS, axis=1)
    loss = [np.nanmean(pinball_loss(actual, said[q], level)) for q, level in enumerate(LEVELS)]
    return float(np.mean(loss) / np.nanmean(actual))


def judged(model: Forecaster, panel: Panel, week: int) -> dict[str, Cell]:
    """Losses of a model fitted on the weeks before `week`."""
    fitted = model.fit(known_at(panel, week, WEEKS))
    paths = fitted.sample(WEEKS, SAMPLES, np.random.default_rng(0)).paths
    actual = panel.demand[:, week : week + WEEKS]
    first, last = SUM
    total, demanded = paths[:, :, first:last].sum(axis=2), actual[:, first:last].sum(axis=1)
    known = np.isfinite(actual)
    high = np.quantile(paths, HIGH, axis=1)
    return {
        "pinball_week": round(losses(paths, actual), 4),
        "pinball_sum": round(losses(total[:, :, None], demanded[:, None]), 4),
        "covered_0.95": round(coverage(actual[known], high[known])[1], 4),
        "trust": round(getattr(fitted, "trust", 0.0), 3),
    }


def main() -> None:
    """Run the folds, print them and add them to the results."""
    parser = argparse.ArgumentParser(description="calibrated forecasts beside raw ones on VN2's folds")
    parser.add_argument("--folds", type=int, nargs="+", default=list(vn2_folds.FIRST_WEEKS))
    parser.add_argument("--models", nargs="+", default=["gbm", "moving_average"])
    asked = parser.parse_args()
    source = raw_folder("vn2")
    history = read_history(source)
    rows: list[dict[str, Cell]] = []
    with tempfile.TemporaryDirectory() as folder:
        dataset = read_folder(write_vn2_folder(source, Path(folder)))
        panel = build_panel(dataset, history.as_of, 0)
        for week in asked.folds:
            for name in asked.models:
                make = partial(make_forecaster, name)
                for calibrated in (False, True):
                    model = Calibrated(make, horizon=WEEKS, intervals=[SUM]) if calibrated else make()
                    row: dict[str, Cell] = {"fold": week, "model": name, "calibrated": calibrated}
                    rows.append(row | judged(model, panel, week))
                    print(rows[-1], flush=True)
    append_rows(RESULTS, rows)


if __name__ == "__main__":
    run_command(main)
