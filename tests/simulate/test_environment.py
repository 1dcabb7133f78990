"""The Gymnasium environment: the library's own check, the simulator's own money, an agent that learns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from shelfwise.errors import UsageError
from shelfwise.simulate import Costs, StockState, SupplyTerms, simulate
from shelfwise.simulate.environment import InventoryEnvironment

COSTS = Costs.same(1, holding=1.0, shortage=4.0, order=2.0, unit=0.5)


def poisson_paths(n_paths: int, n_buckets: int) -> np.ndarray:
    return np.random.default_rng(7).poisson(5.0, (n_paths, n_buckets))


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
@pytest.mark.parametrize("lead_time", [0, 3])
def test_gymnasium_finds_no_fault(actions, lead_time):
    terms = SupplyTerms.same(1, lead_time_buckets=lead_time, multiple=2.0, moq=4.0, review_period_buckets=2)
    env = InventoryEnvironment(poisson_paths(20, 12), terms, COSTS, actions=actions)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", module="gymnasium")
        # An unbounded observation is what stock is: the checker only advises against it.
        warnings.filterwarnings("ignore", message=".*(Box observation space m|`unwrapped`|render_modes).*")
        check_env(env, skip_render_check=True)


@pytest.mark.parametrize("review_period", [1, 3])
def test_an_episode_costs_what_the_simulator_says(review_period):
    demand = poisson_paths(4, 30)
    terms = SupplyTerms.same(
        1, lead_time_buckets=2, multiple=3.0, moq=6.0, review_period_buckets=review_period, unmet="backorder"
    )
    start = StockState(np.array([9.0]), np.array([1.0]), np.array([[0.0, 3.0]]))
    env = InventoryEnvironment(demand, terms, COSTS, start, max_order=30.0, actions="discrete")
    rng = np.random.default_rng(0)
    for path in range(4):
        env.reset(options={"path": path})
        wishes, total, over = [], 0.0, False
        while not over:
            action = int(rng.integers(0, 8))
            _, reward, _, over, info = env.step(action)
            total += reward
            wishes.append(info["ordered"])
        run = simulate(demand[None, path : path + 1], terms, COSTS, start, np.array(wishes)[None, None])
        assert total == pytest.approx(-run.cost.item(), rel=1e-9)


def test_the_same_seed_gives_the_same_episode():
    env = InventoryEnvironment(poisson_paths(50, 10), SupplyTerms.same(1, lead_time_buckets=1), COSTS)
    episodes = []
    for _ in range(2):
        first, info = env.reset(seed=3)
        later = [env.step(np.array([-0.5]))[0] for _ in range(10)]
        episodes.append((info["path"], np.stack([first, *later])))
    assert episodes[0][0] == episodes[1][0]
    np.testing.assert_array_equal(episodes[0][1], episodes[1][1])


def test_ppo_learns_to_order(request):
    import torch
    from stable_baselines3 import PPO as ppo

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    request.addfinalizer(lambda: torch.set_num_threads(threads))
    costs = Costs.same(1, holding=1.0, shortage=9.0)
    env = InventoryEnvironment(
        poisson_paths(200, 40), SupplyTerms.same(1, lead_time_buckets=1), costs, max_order=20.0
    )

    def mean_cost(agent: object) -> float:
        total = 0.0
        for path in range(5):
            seen, _ = env.reset(options={"path": path})
            over = False
            while not over:
                action, _ = agent.predict(seen, deterministic=True)
                seen, reward, _, over, _ = env.step(action)
                total -= reward
        return total

    agent = ppo(
        "MlpPolicy", env, n_steps=256, batch_size=64, learning_rate=3e-3, n_epochs=5, seed=0, device="cpu"
    )
    before = mean_cost(agent)
    agent.learn(2560)
    assert mean_cost(agent) < 0.8 * before


@pytest.mark.parametrize(
    ("demand", "options", "words"),
    [
        (np.ones(5), {}, "demand must be"),
        (-np.ones((2, 5)), {}, "at least 0"),
        (np.ones((2, 5)), {"max_order": 0.0}, "max_order"),
        (np.ones((2, 5)), {"actions": "any"}, "continuous or discrete"),
        (np.ones((2, 5)), {"lead_times": np.ones((3, 5))}, "lead_times"),
    ],
)
def test_what_makes_no_sense_is_refused(demand, options, words):
    with pytest.raises(UsageError, match=words):
        InventoryEnvironment(demand, SupplyTerms.same(1, lead_time_buckets=1), COSTS, **options)


def test_a_step_outside_an_episode_is_refused():
    env = InventoryEnvironment(poisson_paths(2, 3), SupplyTerms.same(1, lead_time_buckets=1), COSTS)
    with pytest.raises(UsageError, match="call reset"):
        env.step(0.0)
    env.reset(seed=0)
    assert [env.step(0.0)[3] for _ in range(3)] == [False, False, True]
    with pytest.raises(UsageError, match="lasts 3 buckets"):
        env.step(0.0)
    env.reset(seed=0)
    assert not env.step(0.0)[3]
