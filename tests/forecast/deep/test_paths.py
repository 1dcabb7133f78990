"""Ancestral paths: a slow twin draws the same, and a path is a function of root, series and sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.demand.panel import Panel

torch = pytest.importorskip("torch")

from shelfwise.forecast.deep.heads import make_head  # noqa: E402
from shelfwise.forecast.deep.inputs import InputTable  # noqa: E402
from shelfwise.forecast.deep.kernels.uniforms import uniforms  # noqa: E402
from shelfwise.forecast.deep.network import RecurrentNetwork  # noqa: E402
from shelfwise.forecast.deep.paths import Walker  # noqa: E402
from shelfwise.forecast.deep.settings import NetworkShape  # noqa: E402
from shelfwise.forecast.scaling import fit_scaler  # noqa: E402

SERIES, BUCKETS, HORIZON = 40, 70, 5
NO_CEILING = np.full(SERIES, np.inf)
WHOLE = np.ones(SERIES, bool)


def table() -> InputTable:
    rng = np.random.default_rng(1)
    demand = rng.negative_binomial(2, 0.2, (SERIES, BUCKETS)).astype(np.float32)
    demand[rng.random(demand.shape) < 0.1] = np.nan
    return InputTable(Panel.from_arrays(demand))


def network(inputs: InputTable, cell: str, outputs: int) -> RecurrentNetwork:
    """One with weights that matter, which an untrained one has not."""
    torch.manual_seed(3)
    made = RecurrentNetwork(cell, NetworkShape(12, 2, 0.2), inputs.n_columns, [], [0.0] * outputs)
    with torch.no_grad():
        made.top.weight.normal_(0.0, 0.15)
    return made.eval()


def slowly(inputs, head, net, row, sample, root):
    """One path, bucket by bucket, the whole history read anew for every bucket."""
    demand = inputs.demand[row : row + 1].copy()
    ids, rows = inputs.panel.series_ids[row : row + 1], np.array([row])
    drawn, means = [], []
    for step in range(HORIZON):
        readings, _ = inputs.remember(demand)
        first = BUCKETS - min(inputs.windows.context, BUCKETS)
        steps = np.arange(first, BUCKETS + step + 1)[None]
        known_readings, _ = inputs.remember(inputs.demand[rows])
        known = inputs.known_columns(rows, steps, np.array([BUCKETS]), inputs.demand[rows], known_readings)
        read = np.concatenate([inputs.memory_columns(readings[:, first:], None, rows), known], axis=2)
        with torch.no_grad():
            outputs, _ = net(torch.from_numpy(read), torch.zeros((1, 0), dtype=torch.long))
        said, level = outputs[:, -1].numpy(), readings[:, -1, 2]
        random = uniforms(np.uint64(root), ids, np.array([sample]), step, head.draws)
        drawn.append(head.draw(said, level, np.array([True]), random)[0])
        means.append(head.mean(said, level)[0])
        demand = np.hstack([demand, [[drawn[-1]]]])
    return drawn, means


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("name", ["negative_binomial", "tweedie", "quantile"])
def test_paths_are_those_of_a_slow_twin(cell, name):
    inputs, head = table(), make_head(name)
    net = network(inputs, cell, head.n_outputs)
    walker = Walker(inputs, head, net, "cpu", None)
    at = walker.encode(np.arange(SERIES), BUCKETS, HORIZON)
    drawn, sums = walker.paths(at, WHOLE, NO_CEILING, np.arange(3), 11)
    for row in (0, 7, 39):
        twins = [slowly(inputs, head, net, row, sample, 11) for sample in range(3)]
        np.testing.assert_array_equal(drawn[row], [twin[0] for twin in twins])
        np.testing.assert_allclose(sums[row], np.sum([twin[1] for twin in twins], axis=0), rtol=1e-4)


def test_a_path_knows_nothing_of_how_many_are_drawn_or_of_which_series():
    inputs, head = table(), make_head("negative_binomial")
    walker = Walker(inputs, head, network(inputs, "lstm", 2), "cpu", None)
    every = walker.encode(np.arange(SERIES), BUCKETS, HORIZON)
    many, _ = walker.paths(every, WHOLE, NO_CEILING, np.arange(100), 5)
    few, _ = walker.paths(every, WHOLE, NO_CEILING, np.arange(7), 5)
    assert many[:, :7].tobytes() == few.tobytes()
    rows = np.array([31, 4])
    some = walker.encode(rows, BUCKETS, HORIZON)
    two, _ = walker.paths(some, WHOLE[rows], NO_CEILING[rows], np.arange(7), 5)
    assert two.tobytes() == few[rows].tobytes()


def test_the_horizon_does_not_change_the_buckets_before_its_end():
    inputs, head = table(), make_head("negative_binomial")
    walker = Walker(inputs, head, network(inputs, "gru", 2), "cpu", None)
    long, short = (walker.encode(np.arange(SERIES), BUCKETS, steps) for steps in (9, 4))
    nine, _ = walker.paths(long, WHOLE, NO_CEILING, np.arange(20), 5)
    four, _ = walker.paths(short, WHOLE, NO_CEILING, np.arange(20), 5)
    assert nine[:, :, :4].tobytes() == four.tobytes()


def test_buckets_of_a_path_hang_together():
    """A path that was drawn high stays high, as the level it moves says."""
    inputs, head = table(), make_head("negative_binomial")
    untrained = RecurrentNetwork("lstm", NetworkShape(), inputs.n_columns, [], [0.0, 1.0])
    walker = Walker(inputs, head, untrained, "cpu", None)
    at = walker.encode(np.arange(SERIES), BUCKETS, HORIZON)
    drawn, _ = walker.paths(at, WHOLE, NO_CEILING, np.arange(400), 5)
    by_series = [np.corrcoef(paths[:, 0], paths[:, 1:].sum(axis=1))[0, 1] for paths in drawn]
    assert np.mean(by_series) > 0.1


def test_the_ceiling_holds_in_every_bucket():
    inputs, head = table(), make_head("negative_binomial")
    walker = Walker(inputs, head, network(inputs, "gru", 2), "cpu", None)
    at = walker.encode(np.arange(SERIES), BUCKETS, HORIZON)
    drawn, sums = walker.paths(at, WHOLE, np.full(SERIES, 6.0), np.arange(40), 5)
    assert drawn.max() == 6.0
    assert (sums <= 40 * 6.0).all()


def test_points_of_an_untrained_network_are_the_level():
    inputs, head = table(), make_head("mse")
    scaler = fit_scaler("min_max", inputs.demand)
    untrained = RecurrentNetwork("lstm", NetworkShape(), inputs.n_columns, [], [0.0])
    walker = Walker(inputs, head, untrained, "cpu", scaler)
    at = walker.encode(np.arange(SERIES), BUCKETS, HORIZON)
    points = walker.points(at, NO_CEILING)
    # A level that is fed itself stays where it is.
    np.testing.assert_allclose(points, np.repeat(at.readings[:, 2:3], HORIZON, axis=1), rtol=1e-4)


def test_no_panel_too_short_for_a_context():
    panel = Panel.from_arrays([[3.0], [5.0]])
    inputs, head = InputTable(replace(panel, horizon=0)), make_head("negative_binomial")
    untrained = RecurrentNetwork("gru", NetworkShape(), inputs.n_columns, [], [0.0, 0.0])
    walker = Walker(inputs, head, untrained, "cpu", None)
    at = walker.encode(np.arange(2), 1, 3)
    assert np.isfinite(walker.paths(at, WHOLE[:2], NO_CEILING[:2], np.arange(4), 1)[0]).all()
