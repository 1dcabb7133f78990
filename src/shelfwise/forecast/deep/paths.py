"""Ancestral sampling: a bucket is drawn, becomes the past of the next one, and so on to the horizon.

So the buckets of a path hang together as the network learnt that they do (Salinas et al. 2020, "DeepAR").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from shelfwise.forecast.deep.blocks import SAMPLES, blocks
from shelfwise.forecast.deep.heads import Head
from shelfwise.forecast.deep.inputs import InputTable
from shelfwise.forecast.deep.kernels.uniforms import uniforms
from shelfwise.forecast.deep.network import RecurrentNetwork
from shelfwise.forecast.scaling import SeriesScaler

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
# Outputs (M, O), levels (M,) and step to the demand (M,) that is taken for the past of the next bucket.
Choose = Callable[[Floats, Doubles, int], Doubles]


@dataclass(frozen=True)
class Encoded:
    """n series as they stand at an origin.

    Attributes:
        rows: (n,) of the table; origin: the first bucket to forecast.
        states: of the network, each (layers, n, hidden).
        memory, readings: (n, …) of `kernels.memory`.
        known: (n, H, …) columns of what is known ahead.
    """

    rows: Rows
    origin: int
    states: tuple[Floats, ...]
    memory: Doubles
    readings: Doubles
    known: Floats


class Walker:
    """Takes a network through the buckets of series: known ones first, then those it makes up itself."""

    def __init__(
        self,
        table: InputTable,
        head: Head,
        network: RecurrentNetwork,
        device: str,
        scaler: SeriesScaler | None,
    ) -> None:
        self._table, self._head, self._device, self._scaler = table, head, device, scaler
        self._network = network.eval()
        self._ids = table.panel.series_ids

    def encode(self, rows: Rows, origin: int, horizon: int) -> Encoded:
        """Read the context of these series, and what is known of `horizon` buckets from the origin on."""
        first = max(0, origin - self._table.windows.context)
        context, ahead = np.arange(first, origin), np.arange(origin, origin + horizon)
        states: list[Floats] = []
        parts: list[list[npt.NDArray[np.generic]]] = []
        places = blocks(self._ids[rows])
        for block in places:
            some = rows[np.maximum(block, 0)]
            origins = np.full(len(some), origin)
            demand = self._table.demand[some, :origin]
            readings, memory = self._table.remember(demand)
            steps = np.tile(np.concatenate([context, ahead]), (len(some), 1))
            known = self._table.known_columns(some, steps, origins, demand, readings)
            seen = self._table.memory_columns(readings[:, context], self._scaler, some)
            inputs = np.concatenate([seen, known[:, : len(context)]], axis=2)
            with torch.inference_mode():
                _, state = self._network(self._tensor(inputs), self._codes(some))
            states.append(np.stack([part.cpu().numpy() for part in state]))
            parts.append([memory, readings[:, -1], known[:, len(context) :]])
        slot = np.flatnonzero(places.ravel() >= 0)
        back = np.empty(len(rows), np.intp)
        back[places.ravel()[slot]] = slot
        state_parts = np.concatenate(states, axis=2)[:, :, back]
        memory, reading, columns = (np.concatenate(part)[back] for part in zip(*parts, strict=True))
        return Encoded(rows, origin, tuple(state_parts), memory, reading, columns)

    def paths(
        self, at: Encoded, whole: npt.NDArray[np.bool_], ceiling: Doubles, samples: Integers, root: int
    ) -> tuple[Floats, Doubles]:
        """Drawn demand (n, S, H) of these sample numbers, and (n, H) the sum of the means it was drawn around.

        A path depends on root, series and sample number alone.
        """
        n, horizon = at.known.shape[:2]
        chunks = -(-len(samples) // SAMPLES)
        counted = np.arange(chunks * SAMPLES).reshape(chunks, SAMPLES) < len(samples)
        numbers = np.resize(samples, (chunks, SAMPLES))
        unit_row, unit_chunk = np.repeat(np.arange(n), chunks), np.tile(np.arange(chunks), n)
        drawn = np.empty((n, chunks, SAMPLES, horizon), np.float32)
        sums = np.empty((n, chunks, horizon))
        ids = self._ids[at.rows]
        for block in blocks(ids[unit_row] + unit_chunk.astype(np.uint64)):
            row, chunk, filled = unit_row[block], unit_chunk[block], block >= 0
            member = np.repeat(row, SAMPLES)
            sample = numbers[chunk].ravel()
            mean = np.empty((len(member), horizon))
            choose = self._drawing(mean, ceiling[member], whole[member], ids[member], sample, root)
            values = self._walk(at, member, choose).reshape(len(block), SAMPLES, horizon)
            drawn[row[filled], chunk[filled]] = values[filled]
            means = mean.reshape(values.shape) * counted[chunk][:, :, None]
            sums[row[filled], chunk[filled]] = means.sum(axis=1)[filled]
        total = np.zeros((n, horizon))
        # One after another: a sum that is split by its length would round by how many samples there are.
        for chunk_sum in np.moveaxis(sums, 1, 0):
            total += chunk_sum
        return drawn.reshape(n, -1, horizon)[:, : len(samples)], total

    def points(self, at: Encoded, ceiling: Doubles) -> Doubles:
        """(n, H) forecasts, each bucket's point being the past of the next."""
        out = np.empty(at.known.shape[:2])
        for block in blocks(self._ids[at.rows]):
            row, filled = np.maximum(block, 0), block >= 0
            choose = self._pointing(ceiling[row], at.rows[row])
            out[row[filled]] = self._walk(at, row, choose)[filled]
        return out

    def _drawing(
        self,
        mean: Doubles,
        ceiling: Doubles,
        whole: npt.NDArray[np.bool_],
        series: npt.NDArray[np.uint64],
        sample: Integers,
        root: int,
    ) -> Choose:
        """Draws (M,) buckets and notes in `mean` (M, H) what they were drawn around."""

        def choose(outputs: Floats, level: Doubles, step: int) -> Doubles:
            mean[:, step] = np.minimum(self._head.mean(outputs, level), ceiling)
            random = uniforms(np.uint64(root), series, sample, step, self._head.draws)
            return np.minimum(self._head.draw(outputs, level, whole, random), ceiling)

        return choose

    def _pointing(self, ceiling: Doubles, rows: Rows) -> Choose:
        """Takes the point itself, in units."""

        def choose(outputs: Floats, level: Doubles, step: int) -> Doubles:
            point = self._head.mean(outputs, level)
            if self._scaler is not None:
                point = self._scaler.inverse(point, rows).astype(np.float64)
            return np.clip(point, 0.0, ceiling)

        return choose

    def _walk(self, at: Encoded, member: Rows, choose: Choose) -> Doubles:
        """(M, H) what `choose` makes of each bucket, for M copies of the encoded series."""
        rows, horizon = at.rows[member], at.known.shape[1]
        memory, readings = at.memory[member], at.readings[member]
        state = tuple(self._tensor(part[:, member]) for part in at.states)
        codes = self._codes(rows)
        out = np.empty((len(member), horizon))
        for step in range(horizon):
            columns = [self._table.memory_columns(readings, self._scaler, rows), at.known[member, step]]
            with torch.inference_mode():
                inputs = self._tensor(np.concatenate(columns, axis=1)[:, None])
                outputs, state = self._network(inputs, codes, state)
            level = readings[:, 2]
            if self._scaler is not None:
                level = self._scaler.transform(level, rows)
            out[:, step] = choose(outputs[:, 0].cpu().numpy(), level, step)
            readings = self._table.move_on(memory, out[:, step], at.origin + step)
        return out

    def _tensor(self, array: npt.NDArray[np.float32]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._device)

    def _codes(self, rows: Rows) -> torch.Tensor:
        return torch.from_numpy(self._table.codes[rows]).to(self._device)
