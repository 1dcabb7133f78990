"""Two shops for all tests of this folder: the one `shelfwise demo` shows, and the smallest there is."""

from __future__ import annotations

import pytest

from shelfwise.demo import DemoShop, make_shop


@pytest.fixture(scope="session")
def shop() -> DemoShop:
    return make_shop()


@pytest.fixture(scope="session")
def small_shop() -> DemoShop:
    return make_shop(n_skus=12, days=200)


@pytest.fixture(params=["shop", "small_shop"])
def any_shop(request: pytest.FixtureRequest) -> DemoShop:
    made = request.getfixturevalue(request.param)
    assert isinstance(made, DemoShop)
    return made
