"""Random lead times: the right mean and spread, and the same draws however the work is cut up."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.errors import UsageError
from shelfwise.simulate import draw_lead_times


@pytest.mark.parametrize(
    ("mean", "sd"),
    [
        (2.0, 0.5),
        (2.4, 0.7),
        (5.0, 2.0),
        (1.0, 1.2),
        (3.0, 0.2),
        (0.5, 0.6),
        (30.0, 9.0),
        (7.5, 0.5),
        (4.0, 0.05),
    ],
)
def test_mean_and_spread_hold_after_rounding(mean: float, sd: float):
    draws = draw_lead_times([mean], sd, 20, 20_000, seed=3).astype(float)
    error = sd / np.sqrt(draws.size)
    assert draws.min() >= 0
    assert abs(draws.mean() - mean) < 4 * error
    assert draws.std() == pytest.approx(sd, rel=0.03, abs=0.01)


def test_no_spread_draws_whole_means_as_they_are_and_others_between_neighbours():
    draws = draw_lead_times([3.0, 2.25, 0.0], 0.0, 10, 5000)
    assert (draws[0] == 3).all()
    assert set(np.unique(draws[1])) == {2, 3}
    assert draws[1].mean() == pytest.approx(2.25, abs=0.01)
    assert (draws[2] == 0).all()


def test_long_lead_times_have_a_gamma_tail():
    draws = draw_lead_times([40.0], 20.0, 10, 20_000).astype(float).ravel()
    skewness = ((draws - draws.mean()) ** 3).mean() / draws.std() ** 3
    assert skewness == pytest.approx(2 * 20 / 40, abs=0.05)


def test_draws_do_not_depend_on_chunks_order_or_amount():
    mean, sd = np.linspace(0.5, 9, 40), np.linspace(3, 0, 40)
    whole = draw_lead_times(mean, sd, 4, 30, seed=11)
    for rows in (np.arange(10, 25), np.arange(40)[::-1]):
        assert (draw_lead_times(mean[rows], sd[rows], 4, 30, seed=11, series=rows) == whole[rows]).all()
    assert (draw_lead_times(mean, sd, 2, 50, seed=11)[:, :, :30] == whole[:, :2]).all()


def test_neighbours_in_every_direction_are_unrelated():
    draws = draw_lead_times(np.full(200, 10.0), 3.0, 20, 50).astype(float)
    other = draw_lead_times(np.full(200, 10.0), 3.0, 20, 50, seed=1).astype(float)
    pairs = [(draws[1:], draws[:-1]), (draws[:, 1:], draws[:, :-1]), (draws[..., 1:], draws[..., :-1])]
    for left, right in [*pairs, (draws, other)]:
        assert abs(np.corrcoef(left.ravel(), right.ravel())[0, 1]) < 4 / np.sqrt(left.size)


def test_threads_do_not_change_draws():
    import numba

    mean = np.full(100, 3.3)
    many = draw_lead_times(mean, 1.0, 2, 20)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert (draw_lead_times(mean, 1.0, 2, 20) == many).all()
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"mean": [1.0, -1.0]}, "mean lead time must be .* got -1.0 at series 1"),
        ({"sd": [1.0, np.nan]}, "lead time sd must be .* got nan at series 1"),
        ({"series": [0.5, 1.5]}, "series must be 2 whole numbers"),
        ({"series": [1]}, "series must be 2 whole numbers"),
        ({"n_paths": -1}, "must not be negative; got -1 and 3"),
        ({"mean": 2.0}, "mean must have one value a series"),
    ],
)
def test_nonsense_is_refused(changed: dict, message: str):
    arguments = {"mean": [1.0, 2.0], "sd": [1.0, 1.0], "n_paths": 2, "n_buckets": 3} | changed
    with pytest.raises(UsageError, match=message):
        draw_lead_times(**arguments)
