"""The second process of a first run: stopped with the block, its folder gone, and not missed where it cannot start."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from shelfwise.demo import compile_ahead
from shelfwise.demo.compile_ahead import compiling_ahead


def test_the_second_process_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def recorded(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        started.append(start(command, **options))
        return started[-1]

    monkeypatch.setattr(compile_ahead.subprocess, "Popen", recorded)
    with compiling_ahead():
        folder = Path(started[0].args[-1])
        assert folder.is_dir()
    assert started[0].returncode is not None
    assert not folder.exists()


def test_without_a_second_process_the_block_runs_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(compile_ahead.subprocess, "Popen", refused)
    with compiling_ahead():
        done = True
    assert done


def test_what_the_second_process_does_runs_to_its_end(tmp_path: Path) -> None:
    compile_ahead.run_demo(tmp_path, n_skus=compile_ahead.FEWEST_SKUS, days=compile_ahead.FEWEST_DAYS)
    assert (tmp_path / "report.html").is_file()
