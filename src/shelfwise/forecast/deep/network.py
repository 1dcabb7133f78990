"""The network: embeddings beside the inputs of each bucket, an LSTM or GRU over them, a linear layer on top.

Imports torch; only what runs after `runtime.load_torch` may import this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from shelfwise.forecast.deep.settings import Cell, NetworkShape

# Of an LSTM the hidden and the cell state; of a GRU the hidden state alone. Each (layers, B, hidden).
State = tuple[Tensor, ...]
WIDEST_EMBEDDING = 8


class RecurrentNetwork(nn.Module):
    """Outputs of a head for every bucket, from the inputs up to it.

    Args:
        n_inputs: columns of the inputs; vocabularies: values of each attribute.
        start: (O,) what an untrained network says of every bucket.
    """

    def __init__(
        self,
        cell: Cell,
        shape: NetworkShape,
        n_inputs: int,
        vocabularies: Sequence[int],
        start: Sequence[float],
    ) -> None:
        super().__init__()
        self.n_inputs = n_inputs
        # Code 0 is a value nobody has seen; it stays at zero.
        widths = [min(WIDEST_EMBEDDING, math.ceil(math.sqrt(size))) for size in vocabularies]
        self.embeddings = nn.ModuleList(
            nn.Embedding(size + 1, width, padding_idx=0)
            for size, width in zip(vocabularies, widths, strict=True)
        )
        for embedding in self.embeddings:
            with torch.no_grad():
                embedding.weight.mul_(0.1)  # type: ignore[operator]
        width = n_inputs + sum(widths)
        between = shape.dropout if shape.layers > 1 else 0.0
        recurrent = nn.LSTM if cell == "lstm" else nn.GRU
        self.recurrent = recurrent(width, shape.hidden, shape.layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(shape.dropout)
        self.top = nn.Linear(shape.hidden + width, len(start))
        nn.init.zeros_(self.top.weight)
        with torch.no_grad():
            self.top.bias.copy_(torch.tensor(start))

    def forward(self, inputs: Tensor, codes: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Outputs (B, L, O) and the state after the last bucket, from inputs (B, L, F) and codes (B, A)."""
        known = [embedding(codes[:, at]) for at, embedding in enumerate(self.embeddings)]
        if known:
            beside = torch.cat(known, dim=1)[:, None].expand(-1, inputs.shape[1], -1)
            inputs = torch.cat([inputs, beside], dim=2)
        before = None if state is None else state if len(state) > 1 else state[0]
        hidden, after = self.recurrent(inputs, before)
        outputs = self.top(torch.cat([self.dropout(hidden), inputs], dim=2))
        return outputs, after if isinstance(after, tuple) else (after,)
