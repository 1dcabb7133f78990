"""VN2 history: what policies cost on folds of 8 weeks inside the 157 weeks that were handed out.

Weeks 1 and 2 of a fold are decided before anyone can order; the cost of weeks 3 to 8 is compared. Every policy
starts from the same stock and meets the same demand (see `vn2_folds`). ``tuned`` chose its factors on the weeks
before the fold alone. Models are learnt and sampled anew with every seed. Run with
``python -m benchmarks.bench_vn2 [--seeds 5]`` and SHELFWISE_DATA set.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from benchmarks import vn2_folds
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, append_rows
from benchmarks.vn2_folder import read_history, write_vn2_folder
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.evaluate.foresight import perfect_foresight
from shelfwise.evaluate.policy_tuning import tune_policy
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.rolling import RollingForecast, aligned
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.register import make_forecaster
from shelfwise.replenish.base import Policy
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.situation import Decision, Situation
from shelfwise.simulate import Costs, Ledger, SupplyTerms
from shelfwise.tables import Dataset, read_folder

HORIZON, SAMPLES = 4, 300
BENCHMARK = "days_of_cover (13-week average, 4 weeks)"


class QuantileNewsvendor(Policy):
    """Order up to the critical quantile of demand over lead time and review, three weeks here, as if what
    finds no stock waited: the usual way from a forecast to an order."""

    name: ClassVar[str] = "quantile_newsvendor"

    def decide(self, situation: Situation) -> Decision:
        """The orders for this review."""
        assert situation.scenarios is not None  # it is only given a model
        reach = vn2_folds.LEAD_TIME_WEEKS + 1
        ratio = vn2_folds.SHORTAGE / (vn2_folds.SHORTAGE + vn2_folds.HOLDING)
        totals = situation.scenarios.paths[:, :, :reach].sum(axis=2)
        level = np.quantile(totals, ratio, axis=1, method="inverted_cdf")
        wanted = np.maximum(level - situation.position, 0.0)
        return Decision(wanted, np.ceil(wanted - 1e-6))


@dataclass(frozen=True)
class Contestant:
    """A policy, the model whose scenarios it decides on (None: it needs none), and whether it is tuned first."""

    label: str
    policy: Policy
    model: str | None
    tuned: bool = False


def contestants() -> list[Contestant]:
    """Who is compared; the first is the benchmark rule."""
    rule = make_policy("days_of_cover", cover_buckets=4, window=13)
    return [
        Contestant(BENCHMARK, rule, None),
        Contestant("order_up_to tuned (gbm)", make_policy("order_up_to"), "gbm", tuned=True),
        Contestant("order_up_to (gbm)", make_policy("order_up_to"), "gbm"),
        Contestant("quantile newsvendor on three weeks (gbm)", QuantileNewsvendor(), "gbm"),
        Contestant("textbook (gbm)", make_policy("textbook"), "gbm"),
        Contestant(
            "order_up_to tuned (moving_average)", make_policy("order_up_to"), "moving_average", tuned=True
        ),
        Contestant("order_up_to (moving_average)", make_policy("order_up_to"), "moving_average"),
        Contestant("reorder_point", make_policy("reorder_point"), None),
    ]


def maker(model: str, seed: int) -> Callable[[], Forecaster]:
    """Makes the model; those that draw while they learn take the seed."""
    return lambda: make_forecaster(model, **({"seed": seed} if model == "gbm" else {}))


def run_fold(
    dataset: Dataset,
    fold: vn2_folds.Fold,
    keys: list[tuple[str, str]],
    who: list[Contestant],
    seed: int = 0,
) -> dict[str, float]:
    """Cost of weeks 3-8 of each contestant, and with perfect foresight."""
    bucket = dataset.bucket
    begin = dataset.table("sales")["date"].min()
    assert isinstance(begin, date)

    def panel_at(t: int) -> Panel:
        day = bucket.shift(begin, fold.first_week + t)
        return aligned(build_panel(dataset.until(day), day, HORIZON), keys)

    n = len(keys)
    terms = SupplyTerms.same(n, lead_time_buckets=vn2_folds.LEAD_TIME_WEEKS)
    shop = Shop(terms, Costs.same(n, holding=vn2_folds.HOLDING, shortage=vn2_folds.SHORTAGE), np.zeros(n))
    costs: dict[str, float] = {}
    for model in sorted({one.model or "" for one in who}):
        make = maker(model, seed) if model else None
        mine = {}
        for one in who:
            if (one.model or "") != model:
                continue
            mine[one.label] = one.policy
            if one.tuned and make is not None:
                learnt = tune_policy(one.policy, panel_at(0), shop, make, horizon=HORIZON, seed=seed)
                mine[one.label] = learnt.policy
                print(f"  {one.label}: {learnt.note}", flush=True)
        rolling = RollingForecast(panel_at, make, horizon=HORIZON, n_samples=SAMPLES, seed=seed)
        ledger = replay(fold.demand.astype(np.float32), rolling, mine, shop, fold.start)
        weekly = weekly_cost(ledger)
        for path, label in enumerate(mine):
            costs[label] = float(weekly[path, vn2_folds.COMPARED].sum())
        decided = float(weekly[0, : vn2_folds.COMPARED.start].sum())
    best = perfect_foresight(fold.demand, shop.terms, shop.operating_costs, fold.start).sum()
    costs["perfect foresight"] = float(best - decided)
    return costs


def weekly_cost(ledger: Ledger) -> npt.NDArray[np.float64]:
    """(P, T) holding and shortage cost of all series in each week, a row a policy."""
    assert ledger.buckets is not None  # `replay` records them
    left = ledger.buckets.on_hand_end.sum(axis=0, dtype=np.float64)
    lost = ledger.buckets.lost.sum(axis=0, dtype=np.float64)
    return np.asarray(left * vn2_folds.HOLDING + lost * vn2_folds.SHORTAGE)


def main() -> None:
    """Run all folds with every seed, print them and add them to the results."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    n_seeds = parser.parse_args().seeds
    source = raw_folder("vn2")
    history = read_history(source)
    rows: list[dict[str, str | int | float]] = []
    with tempfile.TemporaryDirectory() as folder:
        dataset = read_folder(write_vn2_folder(source, Path(folder)))
        keys = list(history.keys.iter_rows())
        for seed in range(n_seeds):
            for fold in vn2_folds.folds(history):
                started = time.perf_counter()
                for label, cost in run_fold(dataset, fold, keys, contestants(), seed).items():
                    rows.append(
                        {
                            "fold": fold.first_week,
                            "policy": label,
                            "cost_weeks_3_8": round(cost, 1),
                            "seed": seed,
                        }
                    )
                    print(f"seed {seed}  week {fold.first_week}  {label:45s} {cost:10.1f}", flush=True)
                print(f"  {time.perf_counter() - started:.0f} s", flush=True)
    means = {
        label: [
            float(
                np.mean(
                    [row["cost_weeks_3_8"] for row in rows if (row["policy"], row["seed"]) == (label, seed)]
                )
            )
            for seed in range(n_seeds)
        ]
        for label in dict.fromkeys(str(row["policy"]) for row in rows)
    }
    base = float(np.mean(means[BENCHMARK]))
    for label, by_seed in means.items():
        rows += [
            {"fold": "mean", "policy": label, "cost_weeks_3_8": round(mean, 1), "seed": seed}
            for seed, mean in enumerate(by_seed)
        ]
        mean = float(np.mean(by_seed))
        rows.append({"fold": "mean", "policy": label, "cost_weeks_3_8": round(mean, 1), "seed": "all"})
        told = f"{mean:10.1f}  {mean / base - 1:+.1%}  seeds {min(by_seed):.0f} to {max(by_seed):.0f}"
        print(f"mean      {label:45s} {told}")
    append_rows(REPOSITORY / "benchmarks" / "results" / "vn2_folds.csv", rows)


if __name__ == "__main__":
    run_command(main)
