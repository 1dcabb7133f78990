"""Training: rounds of batches under teacher forcing, until the held-out buckets are forecast no better.

Teacher forcing (Williams & Zipser 1989): at every bucket the network is given what really was sold before.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shelfwise.forecast.deep.batches import Batch, Windows
from shelfwise.forecast.deep.heads import Head
from shelfwise.forecast.deep.network import RecurrentNetwork
from shelfwise.forecast.deep.settings import TrainingSettings

# A round is about half a pass over the known buckets, but no fewer and no more steps than this.
FEWEST_STEPS, MOST_STEPS = 8, 200
LEAST_GAIN = 5e-4
KNOWN_A_WINDOW, FEWEST_WINDOWS = 100, 16


@dataclass(frozen=True)
class Trained:
    """What training came to.

    Attributes:
        rounds: how many served the held-out buckets best; 0 leaves the network as it began.
        losses: held-out loss before the first round and after each one; empty where nothing was held out.
    """

    rounds: int
    losses: tuple[float, ...]


def train(
    network: RecurrentNetwork,
    head: Head,
    windows: Windows,
    settings: TrainingSettings,
    *,
    held_until: int | None,
    rounds: int,
    seed: int,
    device: str,
    report: Callable[[int], None],
) -> Trained:
    """Train in place; with `held_until` the weights that served the buckets up to it best are kept.

    Args:
        rounds: at most so many, or exactly so many where nothing is held out.
        report: called with the number of rounds done.
    """
    rng = np.random.default_rng(seed)
    held = [] if held_until is None else [_on(b, device) for b in windows.held_out(held_until, rng)]
    average = _Average(network, settings.averaging)
    losses = [_held_out_loss(average.network, head, held)] if held else []
    best, best_round, best_weights = (losses or [np.inf])[0], 0, copy.deepcopy(network.state_dict())
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    batch = windows_in_batch(windows, settings)
    steps = steps_in_round(windows, batch)
    for number in range(1, rounds + 1):
        network.train()
        for _ in range(steps):
            loss = _loss(network, head, _on(windows.draw(batch, rng), device))
            if not torch.isfinite(loss):
                continue
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), settings.largest_gradient)
            optimiser.step()
            average.take_in(network)
        report(number)
        if not held:
            continue
        losses.append(_held_out_loss(average.network, head, held))
        if losses[-1] < best - LEAST_GAIN:
            best, best_round = losses[-1], number
            best_weights = copy.deepcopy(average.network.state_dict())
        elif number - best_round >= settings.patience:
            break
    network.load_state_dict(best_weights if held else average.network.state_dict())
    network.eval()
    return Trained(best_round if held else rounds, tuple(losses))


def windows_in_batch(windows: Windows, settings: TrainingSettings) -> int:
    """Fewer than asked for where there is little to draw from: they would tell the same again."""
    return int(
        np.clip(windows.n_known // KNOWN_A_WINDOW, min(FEWEST_WINDOWS, settings.batch), settings.batch)
    )


def steps_in_round(windows: Windows, batch: int) -> int:
    """Batches in a round."""
    forecast = batch * max(1, windows.length - windows.warm_up)
    return int(np.clip(round(0.5 * windows.n_known / forecast), FEWEST_STEPS, MOST_STEPS))


@dataclass(frozen=True)
class _Tensors:
    inputs: Tensor
    codes: Tensor
    level: Tensor
    target: Tensor
    weight: Tensor


def _on(batch: Batch, device: str) -> _Tensors:
    arrays = (batch.inputs, batch.codes, batch.level, batch.target, batch.weight)
    return _Tensors(*(torch.from_numpy(array).to(device) for array in arrays))


def _loss(network: RecurrentNetwork, head: Head, batch: _Tensors) -> Tensor:
    outputs, _ = network(batch.inputs, batch.codes)
    losses = head.loss(outputs, batch.level, batch.target) * batch.weight
    return losses.sum() / batch.weight.sum().clamp(min=1.0)


def _held_out_loss(network: RecurrentNetwork, head: Head, held: list[_Tensors]) -> float:
    """Mean loss of the held-out buckets; infinite where it is no number, so that it is never the best."""
    network.eval()
    total = weight = 0.0
    with torch.no_grad():
        for batch in held:
            known = float(batch.weight.sum())
            total, weight = total + float(_loss(network, head, batch)) * known, weight + known
    mean = total / weight if weight else float("inf")
    return mean if np.isfinite(mean) else float("inf")


class _Average:
    """A running mean of weights; without averaging the network itself."""

    def __init__(self, network: RecurrentNetwork, keep: float) -> None:
        self._keep, self._taken = keep, 0
        self.network = copy.deepcopy(network) if keep else network

    def take_in(self, network: RecurrentNetwork) -> None:
        """One more step's weights; the first ones count fully, so that the start is soon forgotten."""
        if not self._keep:
            return
        self._taken += 1
        new = max(1.0 - self._keep, 1.0 / (self._taken + 1))
        with torch.no_grad():
            for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True):
                mine.lerp_(theirs, new)
