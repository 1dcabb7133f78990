"""The command as a process of its own: pipes, signals, exit codes, what an installed script would do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import shelfwise
from contract.shops import AS_OF, plain_shop

SOURCE = Path(shelfwise.__file__).parent.parent
SCRIPT = "from shelfwise.cli import main; main()"
FAST = ["--model", "moving_average"]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE), "SHELFWISE_LANG": "en", **more}


def run(*argv: object, **more: str) -> subprocess.CompletedProcess[bytes]:
    words = [str(part) for part in argv]
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        capture_output=True,
        env=environment(**more),
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return plain_shop().write(tmp_path_factory.mktemp("shop") / "shop")


def test_standard_output_is_the_table_alone(folder, tmp_path):
    done = run("plan", folder, "--as-of", AS_OF, *FAST, "-o", "-")
    written = run("plan", folder, "--as-of", AS_OF, *FAST, "-o", tmp_path / "plan.csv")
    assert (done.returncode, written.returncode, written.stdout) == (0, 0, b"")
    assert done.stdout == (tmp_path / "plan.csv").read_bytes()
    assert done.stdout.startswith(b"sku,location,supplier,quantity,")
    assert b"note: " in done.stderr


def test_exit_codes_reach_the_shell(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert run("check", folder).returncode == 0
    assert run("plan", folder, "--as-of", AS_OF, "-o", tmp_path / "no" / "plan.csv").returncode == 1
    assert run("plan", folder).returncode == 2
    assert run("check", tmp_path / "empty").returncode == 3


def test_no_argument_is_a_call_for_help():
    done = run()
    assert done.returncode == 2
    assert b"shelfwise plan my-shop" in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["check", "forecast", "plan", "backtest", "explain", "demo"])
def test_every_command_has_help_with_an_example(command):
    done = run(command, "--help")
    assert done.returncode == 0
    assert f"Example:  shelfwise {command}".encode() in done.stdout


def test_version():
    done = run("--version")
    assert (done.returncode, done.stdout.decode().strip()) == (0, f"shelfwise {shelfwise.__version__}")


def test_a_reader_that_goes_away_is_no_news(folder):
    """As in `shelfwise forecast ... -o - | head -1`."""
    words = ["forecast", str(folder), "--as-of", str(AS_OF), "--horizon", "1500", *FAST, "-o", "-"]
    running = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert running.stdout is not None
    assert running.stderr is not None
    assert running.stdout.readline().startswith(b"sku,")
    running.stdout.close()
    said = running.stderr.read().decode()
    running.wait(timeout=60)
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert "error" not in said.lower()
    assert running.returncode in (0, 1)


def test_interrupted_from_outside(folder, tmp_path):
    """SIGINT while it works: 130, a word, no file."""
    slow = (
        "import sys, time; from shelfwise import planner; from shelfwise.cli import main\n"
        "def wait(*a, **k):\n"
        "    print('ready', flush=True); time.sleep(60)\n"
        "planner.plan = wait\n"
        "main()"
    )
    target = tmp_path / "plan.csv"
    running = subprocess.Popen(
        [sys.executable, "-c", slow, "plan", str(folder), "--as-of", str(AS_OF), "-o", str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"interrupted" in said
    assert b"Traceback" not in said
    assert not list(tmp_path.iterdir())
