"""Same input and seed, same bytes, whatever the order and cut of the rows and the door they come through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

import shelfwise as package
from contract.shops import AS_OF, SKUS, full_shop, plain_shop
from shelfwise import planner

FAST = ("--model", "moving_average")
COMMANDS = {
    "forecast": ("--as-of", AS_OF, "--horizon", 4, "--quantiles", "0.05,0.5,0.95", "-o", "-"),
    "plan": ("--as-of", AS_OF, "-o", "-"),
    "backtest": ("--from", "2024-12-09", "--to", AS_OF, "-o", "-"),
    "explain": ("0017@east", "--as-of", AS_OF),
}


def call(shelfwise, command, folder, *more):
    asked = COMMANDS[command]
    told = shelfwise(command, folder, *asked, *(more or FAST))
    assert told.code == 0, told.err
    return told.out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_call_gives_the_same_bytes(shelfwise, full, command):
    assert call(shelfwise, command, full) == call(shelfwise, command, full, *FAST, "--seed", "0")


@pytest.mark.parametrize("command", ["forecast", "plan"])
def test_another_seed_draws_other_paths(shelfwise, full, command):
    assert call(shelfwise, command, full) != call(shelfwise, command, full, *FAST, "--seed", "1")


def test_gbm_repeats_in_another_process_with_one_thread(shelfwise, plain):
    asked = [str(part) for part in ("forecast", plain, *COMMANDS["forecast"], "--model", "gbm")]
    code = "import sys; from shelfwise.cli import main; sys.exit(main(sys.argv[1:]))"
    source = str(Path(package.__file__).parent.parent)
    threads = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": source, "PYTHONHASHSEED": "9"}
    done = subprocess.run(
        [sys.executable, "-c", code, *asked], capture_output=True, check=True, env={**os.environ, **threads}
    )
    assert done.stdout == call(shelfwise, "forecast", plain, "--model", "gbm")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_order_of_the_rows_changes_nothing(shelfwise, full, written, command):
    shop = full_shop()
    for name, table in shop.tables.items():
        shop = shop.with_table(name, table.sample(fraction=1.0, shuffle=True, seed=4))
    assert call(shelfwise, command, full) == call(shelfwise, command, written(shop))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_line_cut_in_two_changes_nothing(shelfwise, full, written, command):
    shop = full_shop()
    sales = shop.tables["sales"].with_row_index("row")
    cut = (pl.col("quantity") > 1) & (pl.col("row") % 3 == 0)
    pieces = [
        sales.with_columns(quantity=pl.when(cut).then(pl.col("quantity") - 1).otherwise("quantity")),
        sales.filter(cut).with_columns(quantity=pl.lit(1, pl.Int64), line_id=pl.lit("1b")),
    ]
    assert pieces[1].height > 20
    split = shop.with_table("sales", pl.concat(pieces).drop("row"))
    assert call(shelfwise, command, full) == call(shelfwise, command, written(split))


def test_parquet_and_csv_folders_give_the_same_plan(shelfwise, full, tmp_path):
    folder = tmp_path / "parquet"
    folder.mkdir()
    for name, table in full_shop().tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    assert call(shelfwise, "plan", full) == call(shelfwise, "plan", folder)


def test_folder_and_frames_are_two_doors_to_the_same_plan(full):
    shop = full_shop()
    asked = {"as_of": AS_OF, "model": "moving_average"}
    from_folder = planner.plan(full, **asked).to_frame()
    others = {name: table for name, table in shop.tables.items() if name != "sales"}
    assert planner.plan(shop.tables["sales"], **others, **asked).to_frame().equals(from_folder)
    in_pandas = {name: table.to_pandas() for name, table in shop.tables.items()}
    assert planner.plan(in_pandas.pop("sales"), **in_pandas, **asked).to_frame().equals(from_folder)


def test_the_long_format_is_known_by_its_names(plain):
    shop = plain_shop()
    stock = shop.tables["stock"].rename({"sku": "unique_id"})
    long = shop.tables["sales"].rename({"sku": "unique_id", "date": "ds", "quantity": "y"})
    asked = {"as_of": AS_OF, "model": "moving_average"}
    from_folder = planner.plan(plain, **asked).to_frame()
    for frame in (long, long.to_pandas()):
        assert planner.plan(frame, stock=shop.tables["stock"], **asked).to_frame().equals(from_folder)
    assert planner.plan(long, stock=stock, **asked).to_frame().equals(from_folder)
    forecast = package.forecast(long, horizon=2, quantiles=[0.5], **asked).to_long()
    assert forecast.columns == ["unique_id", "ds", "mean", "q0.5"]
    assert forecast["unique_id"].unique(maintain_order=True).to_list() == list(SKUS)


def test_settings_come_the_same_by_file_and_by_mapping(written):
    shop = plain_shop()
    settings = '[supply]\nlead_time = 4\nmoq = 5\n[objective]\nminimise = "service"\n'
    folder = written(shop.with_settings(settings))
    given = {"supply": {"lead_time": 4, "moq": 5}, "objective": {"minimise": "service"}}
    asked = {"as_of": AS_OF, "model": "moving_average"}
    by_mapping = planner.plan(shop.tables["sales"], stock=shop.tables["stock"], settings=given, **asked)
    assert planner.plan(folder, **asked).to_frame().equals(by_mapping.to_frame())
    assert by_mapping.table["lead_time"].unique().to_list() == [4.0]
