"""The command line in this process: exit code, what went to standard output, what to standard error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.shops import Shop, full_shop, plain_shop
from shelfwise.cli import main


@dataclass(frozen=True)
class Told:
    """What a command did."""

    code: int
    out: bytes
    err: str


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFWISE_LANG", "en")


@pytest.fixture
def shelfwise(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Told]:
    """`shelfwise("plan", folder, ...)`, arguments as they are typed."""

    def run(*argv: object) -> Told:
        capfdbinary.readouterr()
        code = main([str(part) for part in argv])
        out, err = capfdbinary.readouterr()
        told = Told(code, out, err.decode())
        assert "Traceback" not in told.err
        assert "fault of shelfwise" not in told.err, told.err
        return told

    return run


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `plain_shop`; read only."""
    return plain_shop().write(tmp_path_factory.mktemp("plain") / "shop")


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `full_shop`; read only."""
    return full_shop().write(tmp_path_factory.mktemp("full") / "shop")


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Shop], Path]:
    """Writes a shop into a new folder."""
    count = 0

    def write(shop: Shop) -> Path:
        nonlocal count
        count += 1
        return shop.write(tmp_path / f"shop{count}")

    return write
