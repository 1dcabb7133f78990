"""How a fit goes: a trial without the last buckets, then the network that is kept.

The trial says after how many rounds to stop, and what a point misses; the final network starts anew from the
same seed and learns from everything for as many rounds. Imports torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shelfwise.forecast.deep.augmentation import Augmentation
from shelfwise.forecast.deep.batches import Windows
from shelfwise.forecast.deep.heads import Head
from shelfwise.forecast.deep.heads.squared_error import SquaredError
from shelfwise.forecast.deep.inputs import InputTable
from shelfwise.forecast.deep.network import RecurrentNetwork
from shelfwise.forecast.deep.paths import Walker
from shelfwise.forecast.deep.residual_bank import ResidualBank
from shelfwise.forecast.deep.runtime import repeatable
from shelfwise.forecast.deep.settings import Cell, NetworkShape, TrainingSettings
from shelfwise.forecast.deep.training import Trained, train
from shelfwise.forecast.scaling import SeriesScaler, fit_scaler
from shelfwise.progress import Progress

Flags = npt.NDArray[np.bool_]
# Known buckets, over all series, below which a network would learn noise and is left as it begins.
FEWEST_VALUES = 600
RESIDUAL_ORIGINS = 8
MOST_RESIDUAL_SERIES = 4000


@dataclass(frozen=True)
class Recipe:
    """What to train: see `estimator.RecurrentForecaster` for each."""

    cell: Cell
    head: Head
    shape: NetworkShape
    networks: int
    training: TrainingSettings
    augmentation: Augmentation
    device: str
    seed: int

    def network(self, n_inputs: int, vocabularies: Sequence[int], start: Sequence[float]) -> RecurrentNetwork:
        """An untrained network."""
        return RecurrentNetwork(self.cell, self.shape, n_inputs, vocabularies, start).to(self.device)

    def scaler(self, table: InputTable, until: int) -> SeriesScaler | None:
        """Of heads that want one, fitted to the history before `until`."""
        if not isinstance(self.head, SquaredError):
            return None
        return fit_scaler(self.head.scaler, table.demand[:, :until])


@dataclass(frozen=True)
class Learnt:
    """What was learnt.

    Attributes:
        networks: ready to forecast with; trained: what their trials came to, none where none was made.
        bank: what a point misses; None for distributions.
    """

    networks: list[RecurrentNetwork]
    trained: list[Trained]
    bank: ResidualBank | None

    def packed(self) -> dict[str, Any]:
        """As plain values and arrays, which a model file can hold."""
        weights = [
            {key: tensor.cpu().numpy() for key, tensor in network.state_dict().items()}
            for network in self.networks
        ]
        return {
            "n_inputs": self.networks[0].n_inputs,
            "weights": weights,
            "trained": [(one.rounds, one.losses) for one in self.trained],
            "bank": None if self.bank is None else (self.bank.paths, self.bank.levels),
        }

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any], recipe: Recipe, vocabularies: Sequence[int]) -> Learnt:
        """Back from `packed`, by the recipe it was made by."""
        networks = []
        for weights in packed["weights"]:
            network = recipe.network(packed["n_inputs"], vocabularies, [0.0] * recipe.head.n_outputs)
            network.load_state_dict({key: torch.from_numpy(array) for key, array in weights.items()})
            networks.append(network.eval())
        trained = [Trained(rounds, losses) for rounds, losses in packed["trained"]]
        return cls(networks, trained, None if packed["bank"] is None else ResidualBank(*packed["bank"]))


def learn(table: InputTable, whole: Flags, recipe: Recipe, horizon: int, progress: Progress) -> Learnt:
    """Train on all but the last 2 `horizon` buckets (at most a third of history), then on everything.

    Args:
        table: the panel's inputs, series in an order of their own; whole: (N,) whether in whole units.
    """
    buckets = table.demand.shape[1]
    horizon = min(horizon, max(1, buckets // 3))
    held = min(2 * horizon, buckets // 3)
    cut = buckets - held
    networks: list[RecurrentNetwork] = []
    trained: list[Trained] = []
    banks: list[ResidualBank] = []
    for number in range(recipe.networks):
        fitting = _Fitting(table, whole, recipe, number, progress)
        with repeatable(recipe.device, recipe.seed + number):
            trial = fitting.begin(cut)
            rounds = 0
            if held and fitting.windows(cut).n_known >= FEWEST_VALUES:
                trained.append(fitting.train(trial, cut, buckets, recipe.training.rounds))
                rounds = trained[-1].rounds
            if held and not recipe.head.draws:
                banks.append(missed(table, recipe, trial, cut, min(horizon, held)))
        with repeatable(recipe.device, recipe.seed + number):
            final = fitting.begin(buckets)
            if rounds:
                fitting.train(final, buckets, None, rounds)
            networks.append(final.eval())
    return Learnt(networks, trained, _joined(banks))


class _Fitting:
    """One network's fit."""

    def __init__(
        self, table: InputTable, whole: Flags, recipe: Recipe, number: int, progress: Progress
    ) -> None:
        self._table, self._whole, self._recipe, self._number = table, whole, recipe, number
        self._progress = progress

    def windows(self, until: int) -> Windows:
        scaler = self._recipe.scaler(self._table, until)
        return Windows(self._table, self._whole, until, scaler, self._recipe.augmentation)

    def begin(self, until: int) -> RecurrentNetwork:
        """A network that says the level goes on, with the spread that was usual around it until then."""
        start = self._recipe.head.start(*self.windows(until).start_cells())
        return self._recipe.network(self._table.n_columns, self._table.names.vocabularies, start)

    def train(self, network: RecurrentNetwork, until: int, held_until: int | None, rounds: int) -> Trained:
        stage = f"{self._recipe.cell}: {'learning' if held_until is None else 'trial'} {self._number + 1}"

        def report(done: int) -> None:
            self._progress(stage, done, rounds)

        report(0)
        done = train(
            network,
            self._recipe.head,
            self.windows(until),
            self._recipe.training,
            held_until=held_until,
            rounds=rounds,
            seed=self._recipe.seed + self._number,
            device=self._recipe.device,
            report=report,
        )
        report(rounds)
        return done


def missed(
    table: InputTable, recipe: Recipe, network: RecurrentNetwork, cut: int, steps: int
) -> ResidualBank:
    """Residual paths of `steps` buckets, on the scale, from origins in the buckets after `cut`."""
    scaler = recipe.scaler(table, cut)
    assert scaler is not None  # points are on a scale
    walker = Walker(table, recipe.head, network, recipe.device, scaler)
    seen = np.flatnonzero(np.isfinite(table.demand[:, :cut]).any(axis=1))
    rows = seen[:: -(-len(seen) // MOST_RESIDUAL_SERIES) or 1]
    last = table.demand.shape[1] - steps
    paths, levels = [np.zeros((0, steps), np.float32)], [np.zeros(0)]
    for origin in sorted({int(t) for t in np.linspace(cut, last, RESIDUAL_ORIGINS)}) if len(rows) else []:
        at = walker.encode(rows, origin, steps)
        points = walker.points(at, np.full(len(rows), np.inf))
        actual = scaler.transform(table.demand[rows, origin : origin + steps], rows)
        paths.append((actual - scaler.transform(points, rows)).astype(np.float32))
        levels.append(scaler.transform(at.readings[:, 2], rows))
    return ResidualBank.of(np.concatenate(paths), np.concatenate(levels))


def _joined(banks: Sequence[ResidualBank]) -> ResidualBank | None:
    if not banks:
        return None
    paths = np.concatenate([bank.paths for bank in banks])
    return ResidualBank.of(paths, np.concatenate([bank.levels for bank in banks]))
