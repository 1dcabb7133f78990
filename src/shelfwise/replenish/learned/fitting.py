"""Fitting a network of orders to the costs that roll-outs found (extra `deep`)."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from shelfwise.errors import MissingExtra
from shelfwise.replenish.learned.network import GROUPS, PLANES, OrderNetwork
from shelfwise.simulate.per_series import Floats

LARGEST_GRADIENT = 1.0


class Answers(NamedTuple):
    """What roll-outs found of M decisions, amounts in units of mean demand.

    context: (M, C). stock: (M, D). lowest, step: (M,); the candidate orders are lowest + 0 … A - 1 steps.
    costs: (M, A) above the least of the candidates, in units of what a bucket costs by and large.
    """

    context: Floats
    stock: Floats
    lowest: Floats
    step: Floats
    costs: Floats


class Fitter:
    """A network's weights and their optimiser, kept from round to round.

    What a network orders is priced by the roll-outs, on a straight line between two candidates. So costly mistakes
    weigh more than near ties, and the noise of roll-outs averages out, as it would not if the network were shown
    the best candidate as a label.

    Raises:
        MissingExtra: torch is not installed.

    Literature: cost-weighted classification in policy iteration, Lazaric, Ghavamzadeh and Munos (2016), "Analysis of
    classification-based policy iteration algorithms", Journal of Machine Learning Research 17.
    """

    def __init__(self, network: OrderNetwork) -> None:
        try:
            self._torch = import_module("torch")
        except ImportError as error:
            raise MissingExtra("torch", "deep") from error
        self._n_slots = network.n_slots
        self._weights, self._biases = (
            [self._torch.tensor(values, dtype=self._torch.float32, requires_grad=True) for values in layers]
            for layers in (network.weights, network.biases)
        )
        self._optimiser = self._torch.optim.Adam([*self._weights, *self._biases])

    def fit(
        self, found: Answers, batches: npt.NDArray[np.int64], learning_rates: Floats, softness: float
    ) -> None:
        """One step of Adam on every batch of decisions.

        Args:
            batches: (B, b) decisions by number; learning_rates: (B,).
            softness: in units of mean demand. Gradients flow through minima and maxima smoothed by so much, so that
                planes which nearly bind learn too; at 0 only the one that binds does.
        """
        torch = self._torch
        parts = [torch.as_tensor(part, dtype=torch.float32) for part in found]
        for batch, rate in zip(torch.as_tensor(batches), learning_rates, strict=True):
            context, stock, lowest, step, costs = (part[batch] for part in parts)
            loss = self._priced((self._orders(context, stock, softness) - lowest) / step, costs).mean()
            self._optimiser.param_groups[0]["lr"] = float(rate)
            self._optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*self._weights, *self._biases], LARGEST_GRADIENT)
            self._optimiser.step()

    @property
    def network(self) -> OrderNetwork:
        """The network as it is now."""
        weights, biases = (
            tuple(values.detach().numpy().astype(np.float64) for values in layers)
            for layers in (self._weights, self._biases)
        )
        return OrderNetwork(weights, biases, self._n_slots)

    def _priced(self, wanted: Any, costs: Any) -> Any:
        """(b,) costs of orders `wanted` (b,) steps above the lowest candidate."""
        left = wanted.detach().floor().clamp(0, costs.shape[1] - 2).long()[:, None]
        below, above = costs.gather(1, left)[:, 0], costs.gather(1, left + 1)[:, 0]
        # Further than a step beyond the candidates nothing is known, so nothing pulls there.
        share = (wanted - left[:, 0]).clamp(-1.0, 2.0)
        return below + share * (above - below)

    def _orders(self, context: Any, stock: Any, softness: float) -> Any:
        """`OrderNetwork.orders` on tensors (b, C) and (b, D), with the gradient of a smoothed rule."""
        torch = self._torch
        level, slots, cap = rule_parameters(torch, self._weights, self._biases, context, self._n_slots)
        planes = level - (slots * stock[:, None, None, :]).sum(dim=3)
        order = planes.amin(dim=2).amax(dim=1)
        if softness > 0:
            groups = -softness * torch.logsumexp(-planes / softness, dim=2)
            smooth = softness * torch.logsumexp(groups / softness, dim=1)
            # Planes that do not bind learn from what the order itself is priced at.
            order = order.detach() + smooth - smooth.detach()
        return torch.minimum(order.clamp(min=0.0), cap)


def rule_parameters(
    torch: Any, weights: list[Any], biases: list[Any], context: Any, n_slots: int
) -> tuple[Any, Any, Any]:
    """`OrderNetwork.parameters`, on tensors (…, C)."""
    values = context
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        values = values @ weight + bias
        if index + 1 < len(weights):
            values = torch.nn.functional.silu(values)
    planes = GROUPS * PLANES
    shape = (*context.shape[:-1], GROUPS, PLANES)
    level = (context[..., :1] + values[..., :planes]).reshape(shape)
    slots = (2.0 * torch.sigmoid(values[..., planes : planes * (1 + n_slots)])).reshape(*shape, n_slots)
    return level, slots, torch.nn.functional.softplus(values[..., -1] + 4.0)
