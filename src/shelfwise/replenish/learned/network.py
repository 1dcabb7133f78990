"""`OrderNetwork`: a small network that turns stock and prospects into orders; it never orders more for more stock."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats

FORMAT = 1
HEADER = "header.json"
LARGEST_FILE = 50_000_000
# Orders are the largest of GROUPS values, each the smallest of PLANES planes over the stock.
GROUPS, PLANES = 3, 3


@dataclass(frozen=True, eq=False)
class OrderNetwork:
    """Weights of a perceptron from context to the parameters of a capped, piecewise linear order rule.

    All amounts are in units of a series' mean demand of a bucket. From the context (see `context.py`) the
    network makes GROUPS x PLANES planes and a cap. A plane is an order-up-to level less the stock on hand and
    on order, each slot of it weighted from 0 to 2. The order is the largest over groups of the smallest over
    planes, from 0 to the cap: monotone in every slot of stock whatever the weights.

    Args:
        weights, biases: of each layer, (in, out) and (out,).
        n_slots: D, slots of stock: on hand, then what is due in 1 … D - 1 buckets.

    Raises:
        UsageError: the shapes do not make a network.

    Literature: monotone networks of minima and maxima after Sill (1998); the cap after Xin (2021).

    Example:
        >>> network = OrderNetwork.initial(n_context=4, n_slots=3, hidden=(8,), seed=0)
        >>> context = np.array([[6.0, 1.0, 0.5, 0.0]])
        >>> less, more = (network.orders(np.array([[units, 0.0, 1.0]]), context).item() for units in (1.0, 3.0))
        >>> less > more >= 0
        True
    """

    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    n_slots: int

    def __post_init__(self) -> None:
        layers = list(zip(self.weights, self.biases, strict=True))
        fits = bool(layers) and all(w.ndim == 2 and b.shape == (w.shape[1],) for w, b in layers)
        widths = [w.shape for w in self.weights]
        fits = fits and all(first[1] == second[0] for first, second in itertools.pairwise(widths))
        if not fits or widths[-1][1] != outputs(self.n_slots):
            raise UsageError(f"weights {widths} do not make a network of {self.n_slots} slots of stock")

    @classmethod
    def initial(
        cls, n_context: int, n_slots: int, hidden: tuple[int, ...], seed: int, spread: float = 0.0
    ) -> OrderNetwork:
        """A network that orders up to the first context column, with a cap that seldom binds.

        `spread` draws the slot weights of the planes apart, each plane still through the same point where every
        slot holds one bucket's demand: planes that start alike stay alike, and the rule stays a single plane.
        """
        rng = np.random.default_rng(seed)
        sizes = (n_context, *hidden, outputs(n_slots))
        weights, biases = [], []
        for before, after in itertools.pairwise(sizes):
            weights.append(rng.normal(0.0, 1.0 / np.sqrt(before), (before, after)))
            biases.append(np.zeros(after))
        weights[-1] *= 0.05
        if spread > 0:
            planes = GROUPS * PLANES
            drawn = rng.normal(0.0, spread, (planes, n_slots))
            biases[-1][planes : planes * (1 + n_slots)] = drawn.ravel()
            biases[-1][:planes] = (2.0 * logistic(drawn) - 1.0).sum(axis=1)
        return cls(tuple(weights), tuple(biases), n_slots)

    @property
    def n_context(self) -> int:
        """Columns of context the network was made for."""
        return int(self.weights[0].shape[0])

    def parameters(self, context: Floats) -> tuple[Floats, Floats, Floats]:
        """Levels (M, GROUPS, PLANES), slot weights (M, GROUPS, PLANES, D) and cap (M,) for contexts (M, C)."""
        values = context
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = values @ weight + bias
            if index + 1 < len(self.weights):
                values = values * logistic(values)
        m, planes = len(context), GROUPS * PLANES
        level = context[:, :1] + values[:, :planes]
        # 2 * logistic(0) = 1: an untrained slot counts fully, as in an inventory position.
        slots = 2.0 * logistic(values[:, planes : planes * (1 + self.n_slots)])
        cap = np.log1p(np.exp(np.minimum(values[:, -1] + 4.0, 30.0)))
        return (
            level.reshape(m, GROUPS, PLANES),
            slots.reshape(m, GROUPS, PLANES, self.n_slots),
            cap,
        )

    def orders(self, stock: Floats, context: Floats) -> Floats:
        """(M,) orders for stock (M, D) and context (M, C), all in units of mean demand."""
        if stock.shape[1] != self.n_slots or context.shape[1] != self.n_context:
            raise UsageError(
                f"the network takes {self.n_slots} slots and {self.n_context} context columns; "
                f"got {stock.shape[1]} and {context.shape[1]}"
            )
        level, slots, cap = self.parameters(context)
        planes = level - np.einsum("mgpd,md->mgp", slots, stock)
        return np.asarray(np.clip(planes.min(axis=2).max(axis=1), 0.0, cap))

    def save(self, path: str | Path | IO[bytes], trained_on: dict[str, float] | None = None) -> None:
        """Write weights and a header to one file; no code is stored."""
        header = {"format": FORMAT, "n_slots": self.n_slots, "layers": len(self.weights)}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(
                member(HEADER), json.dumps(header | {"trained_on": trained_on or {}}, sort_keys=True)
            )
            for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
                for name, array in (("weight", weight), ("bias", bias)):
                    buffer = io.BytesIO()
                    np.save(buffer, array.astype(np.float64), allow_pickle=False)
                    file.writestr(member(f"{name}{index}.npy"), buffer.getvalue())

    @classmethod
    def load(cls, path: str | Path | IO[bytes]) -> OrderNetwork:
        """Read a file of `save`.

        Raises:
            UsageError: the file is missing, of another kind or a newer format, or damaged.
        """
        try:
            with zipfile.ZipFile(path) as file:
                if sum(entry.file_size for entry in file.infolist()) > LARGEST_FILE:
                    raise UsageError(f"{path} is larger than a network of orders can be")
                header = json.loads(file.read(HEADER))
                if header["format"] > FORMAT:
                    raise UsageError(
                        f"{path} has format {header['format']}; this version reads up to {FORMAT}"
                    )
                arrays = {
                    name: tuple(
                        np.load(io.BytesIO(file.read(f"{name}{index}.npy")), allow_pickle=False)
                        for index in range(header["layers"])
                    )
                    for name in ("weight", "bias")
                }
                return cls(arrays["weight"], arrays["bias"], int(header["n_slots"]))
        except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
            raise UsageError(
                f"{path} is not a readable network of orders ({error}); train one with train_orders and save it"
            ) from error


def outputs(n_slots: int) -> int:
    """Values the last layer gives: a level and D slot weights for each plane, and the cap."""
    return GROUPS * PLANES * (1 + n_slots) + 1


def logistic(values: npt.NDArray[np.float64]) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))


def member(name: str) -> zipfile.ZipInfo:
    """A member with a fixed date, so that equal networks make equal files."""
    return zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
