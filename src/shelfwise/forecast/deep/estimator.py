"""`LSTM` and `GRU`: one recurrent network over all series, with sampled, joint, non-negative paths.

All learning happens in an order of the series that depends on their names alone, so shuffled rows give
shuffled results; see `learning` for how it goes and `paths` for how paths are drawn.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.deep.augmentation import Augmentation
from shelfwise.forecast.deep.heads import make_head
from shelfwise.forecast.deep.inputs import InputNames, InputTable
from shelfwise.forecast.deep.runtime import chosen_device, load_torch, repeatable
from shelfwise.forecast.deep.settings import Cell, NetworkShape, TrainingSettings, windows_for
from shelfwise.forecast.newcomers import NewItemForecaster
from shelfwise.progress import Progress, silent

if TYPE_CHECKING:
    from shelfwise.forecast.deep.learning import Learnt, Recipe
    from shelfwise.forecast.deep.training import Trained

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
GROWN_UP_BUCKETS = 26
SERIES_AT_ONCE = 512


class RecurrentForecaster(Forecaster):
    """What `LSTM` and `GRU` share.

    An untrained network says that the level goes on, with the spread that is usual around it; so it begins
    as exponential smoothing, and stays there where there is too little to learn from (600 known buckets).

    Args:
        head: `negative_binomial`, `tweedie`, `quantile`, or `mse` with paths from held-out residuals.
        head_options: of the head, for instance `{"power": 1.3}` of tweedie.
        hidden, layers, dropout: size of the network, see `NetworkShape`.
        horizon: buckets that validation is made for; by default what the panel prepares, else 28 days, 13
            weeks, 6 months. Longer horizons can be sampled still.
        networks: trained from different seeds, each drawing its share of the samples.
        training, augmentation: see `TrainingSettings`, `Augmentation`.
        device: `auto` (a GPU where there is one), `cpu` or `cuda`; the same device gives the same bytes.
        seed: of first weights, batches and dropout.
        progress: told of the rounds of training.

    Raises:
        MissingExtra: torch is not installed.
        UsageError: an unknown head or device, a size out of range.
    """

    cell: ClassVar[Cell]
    recursive: bool = True
    """What is planned for one bucket reaches later ones through the demand it makes."""

    def __init__(
        self,
        head: str = "negative_binomial",
        head_options: dict[str, Any] | None = None,
        *,
        hidden: int = 48,
        layers: int = 1,
        dropout: float = 0.1,
        horizon: int | None = None,
        networks: int = 1,
        training: TrainingSettings | None = None,
        augmentation: Augmentation | None = None,
        device: str = "auto",
        seed: int = 0,
        progress: Progress = silent,
    ) -> None:
        super().__init__()
        load_torch()
        if horizon is not None and horizon < 1:
            raise UsageError(f"horizon must be at least 1 bucket; got {horizon}")
        if networks < 1:
            raise UsageError(f"networks must be at least 1; got {networks}")
        self.head = make_head(head, **(head_options or {}))
        self.shape = NetworkShape(hidden, layers, dropout)
        self.horizon, self.networks, self.seed = horizon, networks, seed
        self.training = training or TrainingSettings()
        self.augmentation = augmentation or Augmentation()
        self.device = chosen_device(device)
        self._progress = progress
        self._names: InputNames | None = None

    def fit(self, panel: Panel) -> Self:
        """Learn twice: without the last buckets, to see when to stop; then with them."""
        from shelfwise.forecast.deep.learning import learn

        self._names = None
        self._look_at(panel)
        horizon = self.horizon or panel.horizon or windows_for(panel.bucket).horizon
        self._learnt: Learnt = learn(self._table, self._whole, self._recipe(), horizon, self._progress)
        self._names = self._table.names
        return self

    def update(self, panel: Panel) -> Self:
        """Forecast from other or longer history with what was learnt before.

        Raises:
            UsageError: nothing was learnt yet, or the panel has other buckets.
        """
        self._check_learnt()
        if panel.bucket.name != self.panel.bucket.name:
            raise UsageError(
                f"{self.name} was fitted to {self.panel.bucket.name}s; got a panel of {panel.bucket.name}s"
            )
        self._look_at(panel)
        return self

    @property
    def trained(self) -> list[Trained]:
        """Rounds and held-out losses of each network's trial; empty where there was too little to learn from."""
        self._check_learnt()
        return self._learnt.trained

    def saved_state(self) -> dict[str, Any]:
        """What a model file holds (`shelfwise.forecast.persistence`): options, weights as arrays, history."""
        names = self._check_learnt()
        options = {
            "head": self.head.name,
            "head_options": self.head.options(),
            **asdict(self.shape),
            "horizon": self.horizon,
            "networks": self.networks,
            "seed": self.seed,
        }
        return {
            "options": options,
            "training": asdict(self.training),
            "augmentation": asdict(self.augmentation),
            "names": names.as_json(),
            "learnt": self._learnt.packed(),
            "panel": self.panel,
        }

    def restore_state(self, state: dict[str, Any]) -> None:
        """Become the model that gave `state`, on whatever device there is here."""
        load_torch()
        from shelfwise.forecast.deep.learning import Learnt

        training, augmentation = TrainingSettings(**state["training"]), Augmentation(**state["augmentation"])
        vars(self).update(vars(type(self)(**state["options"], training=training, augmentation=augmentation)))
        self._names = InputNames.from_json(state["names"])
        self._learnt = Learnt.unpacked(state["learnt"], self._recipe(), self._names.vocabularies)
        self._look_at(state["panel"])

    def _check_learnt(self) -> InputNames:
        if self._names is None:
            raise UsageError(f"{self.name} has learnt nothing yet; call fit first")
        return self._names

    def _recipe(self) -> Recipe:
        from shelfwise.forecast.deep.learning import Recipe

        return Recipe(
            self.cell,
            self.head,
            self.shape,
            self.networks,
            self.training,
            self.augmentation,
            self.device,
            self.seed,
        )

    def _look_at(self, panel: Panel) -> None:
        self.panel = panel
        order = np.argsort(panel.series_ids, kind="stable")
        self._place = np.empty_like(order)
        self._place[order] = np.arange(len(order))
        self._table = InputTable(panel.take(order), self._names)
        self._whole = self._table.panel.whole_units
        self._is_new = np.asarray(~np.isfinite(self._table.demand).any(axis=1))
        self.failures = {}
        if self._is_new.any():
            self._newcomers = NewItemForecaster().fit(self._table.panel)
            rows = np.sort(order[self._is_new])
            reasons = self._newcomers.reasons(self._place[rows])
            self.failures = dict(zip(rows.tolist(), reasons, strict=True))

    def _sample_rows(
        self, rows: Rows, horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        place = self._place[rows]
        paths = np.zeros((len(rows), n_samples, horizon), np.float32)
        expected = np.zeros((len(rows), horizon), np.float32)
        known = np.flatnonzero(~self._is_new[place])
        for first in range(0, len(known), SERIES_AT_ONCE):
            slots = known[first : first + SERIES_AT_ONCE]
            with repeatable(self.device, self.seed):
                paths[slots], expected[slots] = self._forecast(place[slots], horizon, n_samples, root)
        new = np.flatnonzero(self._is_new[place])
        if len(new):
            # A network reads an item by its past; one without any is guessed from the launches of others.
            paths[new], expected[new] = self._newcomers.sample_rows(place[new], horizon, n_samples, root)
        return paths, expected

    def _forecast(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Doubles]:
        """Paths (n, S, H) and means (n, H) of series with a past, rows in the table's order."""
        from shelfwise.forecast.deep.paths import Walker

        whole, ceiling = self._whole[rows], self._ceiling(rows)
        paths = np.zeros((len(rows), n_samples, horizon), np.float32)
        mean = np.zeros((len(rows), horizon))
        scaler = self._recipe().scaler(self._table, self.panel.n_buckets)
        count = len(self._learnt.networks)
        for number, network in enumerate(self._learnt.networks):
            walker = Walker(self._table, self.head, network, self.device, scaler)
            at = walker.encode(rows, self.panel.n_buckets, horizon)
            if scaler is not None:
                mean += walker.points(at, ceiling) / count
                continue
            mine = np.arange(number, n_samples, count)
            if len(mine):
                paths[:, mine], total = walker.paths(at, whole, ceiling, mine, root)
                mean += total / n_samples
        if scaler is not None and self._learnt.bank is not None:
            ids = self._table.panel.series_ids[rows]
            level = scaler.transform(at.readings[:, 2], rows)
            point = mean.astype(np.float32)
            paths = self._learnt.bank.draw(point, level, scaler.scale[rows], whole, ids, n_samples, root)
        parts = self._table.parts[rows]
        told = np.flatnonzero(parts != 1.0)
        # Less than one part is nothing at all.
        paths[told] = np.where(paths[told] < 1.0, np.float32(0), paths[told]) / parts[told, None, None]
        return paths, mean / parts[:, None]

    def _ceiling(self, rows: Rows) -> Doubles:
        """(n,) the most one bucket may bring: well above anything seen, more loosely while young."""
        demand = self._table.demand[rows]
        known = np.isfinite(demand)
        most = np.where(known, demand, 0.0).max(axis=1)
        room = np.where(known.sum(axis=1) >= GROWN_UP_BUCKETS, 2.0, 5.0)
        level = np.where(known, demand, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        return np.asarray(np.ceil(room * most + 6.0 * (level + 1.0)))


class LSTM(RecurrentForecaster):
    """Long short-term memory over all series, a negative binomial a bucket unless told otherwise.

    Hochreiter & Schmidhuber 1997, "Long short-term memory"; as a global model of demand, Salinas et al.
    2020, "DeepAR".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> demand = np.random.default_rng(1).poisson(5, (10, 40))
        >>> model = LSTM().fit(Panel.from_arrays(demand))
        >>> model.sample(4, 100, np.random.default_rng(0)).paths.shape
        (10, 100, 4)
    """

    name: ClassVar[str] = "lstm"
    cell: ClassVar[Cell] = "lstm"


class GRU(RecurrentForecaster):
    """Gated recurrent units over all series, a negative binomial a bucket unless told otherwise.

    Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> demand = np.random.default_rng(1).poisson(5, (10, 40))
        >>> model = GRU().fit(Panel.from_arrays(demand))
        >>> model.sample(4, 100, np.random.default_rng(0)).paths.shape
        (10, 100, 4)
    """

    name: ClassVar[str] = "gru"
    cell: ClassVar[Cell] = "gru"
