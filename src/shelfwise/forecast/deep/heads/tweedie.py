"""Tweedie demand: a Poisson number of orders of gamma size; Jørgensen 1987, "Exponential dispersion models".

For powers between 1 and 2 that is the distribution itself, and its density a mixture over the number of
orders (Dunn & Smyth 2005), which is summed here as it stands.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.forecast.deep.heads.base import (
    LEAST_LOG_GROWTH,
    MOST_LOG_GROWTH,
    Doubles,
    Flags,
    Floats,
    Head,
    inverse_softplus,
    rounded_at_random,
    softplus,
)
from shelfwise.forecast.kernels.counts import draw_paths, gamma_table

if TYPE_CHECKING:
    from torch import Tensor

LEAST_ORDERS, MOST_ORDERS = 1e-3, 40.0
TERMS = 72
LEAST_DISPERSION = 1e-3
ALMOST_POISSON = 1e-6
FLOOR = 1e-6


class Tweedie(Head):
    """Mean m = level e^f and variance proportional to m^power; outputs are f and the inverse softplus of phi.

    In units of the level the number of orders is Poisson with mean e^(f (2 - power)) / (phi (2 - power)),
    held between 0.001 and 40, and an order's size is gamma.

    Args:
        power: of the mean in the variance, above 1 and below 2.

    Raises:
        UsageError: a power outside these bounds.
    """

    name: ClassVar[str] = "tweedie"
    draws: ClassVar[int] = 3

    def __init__(self, power: float = 1.5) -> None:
        if not 1.0 < power < 2.0:
            raise UsageError(f"the power of tweedie must lie between 1 and 2; got {power}")
        self.power = power
        self._shape = (2.0 - power) / (power - 1.0)
        self._table = gamma_table()

    @property
    def n_outputs(self) -> int:
        return 2

    def options(self) -> dict[str, Any]:
        return {"power": self.power}

    def start(self, target: Doubles, level: Doubles) -> list[float]:
        # With the level as mean, the squared relative error is phi on average.
        error = (target / level - 1.0) ** 2 if len(target) else np.ones(1)
        phi = float(np.clip(np.mean(np.minimum(error, 25.0)), 0.05, 25.0))
        return [0.0, inverse_softplus(phi - LEAST_DISPERSION)]

    def loss(self, outputs: Tensor, level: Tensor, target: Tensor) -> Tensor:
        """Negative log likelihood, zeros exactly, the rest as a mixture over up to 72 orders."""
        import torch

        log_mean = outputs[..., 0].clamp(LEAST_LOG_GROWTH, MOST_LOG_GROWTH)
        phi = torch.nn.functional.softplus(outputs[..., 1]) + LEAST_DISPERSION
        two = 2.0 - self.power
        log_orders = (two * log_mean - torch.log(phi * two)).clamp(
            math.log(LEAST_ORDERS), math.log(MOST_ORDERS)
        )
        orders = log_orders.exp()
        ratio = (target / level).clamp(min=FLOOR)
        count = torch.arange(1, TERMS + 1, dtype=outputs.dtype, device=outputs.device)
        shape = self._shape * count
        # Sizes are gamma with mean m / orders, so their rate is orders * shape / m.
        log_rate = (log_orders - log_mean + math.log(self._shape))[..., None]
        terms = (
            count * log_orders[..., None]
            - torch.lgamma(count + 1.0)
            + shape * log_rate
            + (shape - 1.0) * torch.log(ratio)[..., None]
            - torch.lgamma(shape)
        )
        density = torch.logsumexp(terms, dim=-1) - log_rate[..., 0].exp() * ratio - torch.log(level)
        return orders - torch.where(target > 0, density, torch.zeros_like(density))

    def mean(self, outputs: Floats, level: Doubles) -> Doubles:
        growth = np.clip(outputs[..., 0].astype(np.float64), LEAST_LOG_GROWTH, MOST_LOG_GROWTH)
        return np.asarray(level * np.exp(growth))

    def draw(self, outputs: Floats, level: Doubles, whole: Flags, uniforms: Doubles) -> Doubles:
        from scipy.special import gammaincinv

        mean, two = self.mean(outputs, np.ones(len(level))), 2.0 - self.power
        phi = softplus(outputs[:, 1]) + LEAST_DISPERSION
        orders = np.clip(mean**two / (phi * two), LEAST_ORDERS, MOST_ORDERS)
        each, once = np.arange(len(level)), np.ones(len(level), np.int64)
        poisson = np.full((len(level), 1), ALMOST_POISSON)
        ids, root = each.astype(np.uint64), np.uint64(0)
        number = draw_paths(
            orders[:, None],
            poisson,
            np.ones(len(level), np.bool_),
            uniforms[:, :1],
            each,
            once,
            ids,
            1,
            root,
            self._table,
        )[:, 0, 0]
        size = gammaincinv(self._shape * np.maximum(number, 1.0).astype(np.float64), uniforms[:, 1])
        drawn = np.where(number > 0, level * size * mean / (orders * self._shape), 0.0)
        return rounded_at_random(drawn, whole, uniforms[:, 2])
