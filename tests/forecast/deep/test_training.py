"""Training: early stopping keeps what was best, a bad batch does no harm, the seed settles everything."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError

torch = pytest.importorskip("torch")

from shelfwise.forecast.deep.augmentation import Augmentation  # noqa: E402
from shelfwise.forecast.deep.batches import FAR_BEYOND, Windows  # noqa: E402
from shelfwise.forecast.deep.heads import make_head  # noqa: E402
from shelfwise.forecast.deep.inputs import InputTable  # noqa: E402
from shelfwise.forecast.deep.network import RecurrentNetwork  # noqa: E402
from shelfwise.forecast.deep.settings import NetworkShape, TrainingSettings  # noqa: E402
from shelfwise.forecast.deep.training import train  # noqa: E402
from shelfwise.forecast.scaling import fit_scaler  # noqa: E402

SERIES, BUCKETS, CUT = 20, 120, 100
SHORT = TrainingSettings(rounds=6, patience=2)


def alternating() -> Panel:
    """Weeks in turn high and low: what a level cannot know, and a network sees at once."""
    rng = np.random.default_rng(2)
    rate = rng.uniform(6, 20, (SERIES, 1)) * np.where(np.arange(BUCKETS) % 2, 0.3, 1.7)
    demand = rng.poisson(rate).astype(np.float32)
    demand[rng.random(demand.shape) < 0.05] = np.nan
    return Panel.from_arrays(demand)


def windows(until: int = CUT, scaler: str | None = None, augmentation: Augmentation | None = None) -> Windows:
    table = InputTable(alternating())
    fitted = None if scaler is None else fit_scaler(scaler, table.demand[:, :until])
    return Windows(table, np.ones(SERIES, bool), until, fitted, augmentation or Augmentation())


def begun(made: Windows, name: str, seed: int = 0) -> tuple:
    torch.manual_seed(seed)
    head = make_head(name)
    start = head.start(*made.start_cells())
    return head, RecurrentNetwork("lstm", NetworkShape(16), made.table.n_columns, [], start)


def run(made, head, network, settings=SHORT, held_until=BUCKETS, rounds=None):
    torch.manual_seed(0)
    heard = []
    trained = train(
        network,
        head,
        made,
        settings,
        held_until=held_until,
        rounds=settings.rounds if rounds is None else rounds,
        seed=0,
        device="cpu",
        report=heard.append,
    )
    return trained, heard


@pytest.mark.parametrize("name", ["negative_binomial", "tweedie", "quantile", "mse"])
def test_every_head_learns_what_a_level_cannot_know(name):
    made = windows(scaler="min_max" if name == "mse" else None)
    head, network = begun(made, name)
    trained, _ = run(made, head, network, TrainingSettings(rounds=12, learning_rate=1e-2))
    assert trained.rounds > 0
    assert min(trained.losses) < trained.losses[0] - 0.1 * abs(trained.losses[0])


def test_the_best_weights_are_kept():
    made = windows()
    head, network = begun(made, "negative_binomial")
    # So fast that it breaks what it has learnt.
    trained, heard = run(made, head, network, TrainingSettings(rounds=10, patience=3, learning_rate=0.5))
    again, _ = run(made, head, network, held_until=BUCKETS, rounds=0)
    assert again.losses[0] == pytest.approx(min(trained.losses), rel=1e-6)
    assert trained.losses[trained.rounds] == min(trained.losses)
    assert len(heard) == len(trained.losses) - 1 <= trained.rounds + 3


def test_without_anything_held_out_all_rounds_are_run():
    made = windows(BUCKETS)
    head, network = begun(made, "negative_binomial")
    trained, heard = run(made, head, network, held_until=None, rounds=3)
    assert (trained.rounds, trained.losses, heard) == (3, (), [1, 2, 3])


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_the_same_seed_gives_the_same_weights(averaging):
    settings = TrainingSettings(rounds=2, averaging=averaging)
    weights = []
    for _ in range(2):
        made = windows()
        head, network = begun(made, "negative_binomial")
        run(made, head, network, settings)
        weights.append([p.detach().numpy().copy() for p in network.parameters()])
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_a_batch_without_a_finite_loss_changes_nothing(monkeypatch):
    made = windows()
    head, network = begun(made, "negative_binomial")
    before = [p.detach().clone() for p in network.parameters()]
    monkeypatch.setattr(head, "loss", lambda outputs, level, target: outputs.sum(dim=-1) * float("nan"))
    run(made, head, network, rounds=2, held_until=None)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_windows_lie_before_the_cut_and_masked_buckets_do_not_count():
    made = windows()
    rng = np.random.default_rng(0)
    batch = made.draw(64, rng)
    assert batch.inputs.shape == (64, made.length, made.table.n_columns)
    assert (batch.weight[:, : made.warm_up] == 0).all()
    assert 0.9 < batch.weight[:, made.warm_up :].mean() < 0.99
    assert (batch.target[batch.weight == 0] >= 0).all()
    made.table.demand[:, CUT:] = 1e6
    assert made.draw(64, rng).target.max() < 1e3
    held = next(iter(made.held_out(BUCKETS, rng)))
    assert (held.weight[:, : made.length] == 0).all()
    # A single order far beyond a level is brought to where it cannot bend the network.
    assert held.target.max() <= FAR_BEYOND * (held.level.max() + 1.0) + 1.0


def test_augmented_windows_have_the_shape_of_others():
    plain, more = windows(), windows(augmentation=Augmentation(0.1, 0.5, 0.5, 0.5))
    one, two = (made.draw(32, np.random.default_rng(1)) for made in (plain, more))
    assert one.inputs.shape == two.inputs.shape
    assert np.isfinite(two.inputs).all()
    assert not np.array_equal(one.target, two.target)


@pytest.mark.parametrize(
    "wrong",
    [{"learning_rate": 0}, {"batch": 0}, {"patience": 0}, {"rounds": -1}, {"averaging": 1.0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        TrainingSettings(**wrong)


@pytest.mark.parametrize("wrong", [{"hidden": 0}, {"layers": 0}, {"dropout": 1.0}])
def test_sizes_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        NetworkShape(**wrong)
