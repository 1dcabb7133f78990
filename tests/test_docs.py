"""The documentation says what the code does: parts read out of it, names that exist, code that runs."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest
import typer.main

import shelfwise
from shelfwise import errors
from shelfwise.cli import main
from shelfwise.cli.app import app
from shelfwise.demo import make_shop, write_shop
from shelfwise.evaluate.scoreboard import COLUMNS, Scoreboard
from shelfwise.forecast.register import FORECASTERS
from shelfwise.forecast.result import Forecast
from shelfwise.messages import codes
from shelfwise.replenish.explanation import Explanation
from shelfwise.replenish.plan import Plan
from shelfwise.tables.schema import SCHEMAS
from shelfwise.tables.settings import DemandSettings, Settings
from shelfwise.tables.summary import CheckSummary

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "shelfwise"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "benchmarks" / "README.md"])
ENGLISH = [page for page in PAGES if page.name != "README.zh-CN.md"]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
AS_OF = "2026-06-01"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MARKED = re.compile(r"<!-- runnable -->\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\n]+)`")


def called(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """The text without its code blocks."""
    return FENCE.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(text) if kind == language]


def quoted(text: str) -> set[str]:
    """Everything in backticks, and the words within it."""
    pieces = set(QUOTED.findall(prose(text)))
    return pieces | {word for piece in pieces for word in re.findall(r"[\w.\-]+", piece)}


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with `my-shop`, as the README asks for it: one location, sales and stock, nothing else."""
    place = tmp_path_factory.mktemp("docs")
    tables = make_shop(n_skus=12, days=200).tables
    here = pl.col("location") == "shanghai"
    kept = tables["sales"].filter(here & (pl.col("status") != "cancelled"))
    sales = kept.select("sku", pl.col("timestamp").str.head(10).alias("date"), "quantity")
    stock = tables["stock"].filter(here).select("sku", "on_hand").join(sales, on="sku", how="semi")
    (place / "my-shop").mkdir()
    sales.write_csv(place / "my-shop" / "sales.csv")
    stock.write_csv(place / "my-shop" / "stock.csv")
    return place


@pytest.fixture
def there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In that place, with a quick model behind `auto`."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SHELFWISE_LANG", "en")
    monkeypatch.setattr(import_module("shelfwise.forecast.register"), "DEFAULT_MODEL", "moving_average")
    return folder


# What is read out of the code.


@pytest.mark.parametrize("page", [page for page in ENGLISH if page.is_relative_to(DOCS)], ids=called)
def test_generated_parts_are_up_to_date(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFWISE_LANG", "en")
    text = page.read_text(encoding="utf-8")
    assert module_at(DOCS / "generate.py").up_to_date(text) == text, "run: python docs/generate.py"


def test_every_generated_part_has_its_place() -> None:
    generate = module_at(DOCS / "generate.py")
    placed = [name for page in ENGLISH for name, _ in generate.PART.findall(page.read_text(encoding="utf-8"))]
    assert sorted(placed) == sorted(generate.PARTS)


def test_every_alias_and_column_and_setting_is_in_the_data_folder_page() -> None:
    named = quoted(read("docs/data-folder.md"))
    for schema in SCHEMAS.values():
        assert schema.name in named
        for column in schema.columns:
            assert {column.name, *column.aliases} <= named, f"{schema.name}.{column.name}"
    for section, settings in Settings.model_fields.items():
        for key in type(settings.default).model_fields:
            assert f"{section}.{key}" in named


def test_the_demand_settings_are_told_with_their_defaults() -> None:
    told = dict(re.findall(r"^\| `demand\.(\w+)` \| (.+?) \|", read("docs/forecasting.md"), re.MULTILINE))
    defaults = {key: field.default for key, field in DemandSettings.model_fields.items()}
    assert told == {
        key: "none" if value is None else f"`{json.dumps(value)}`" for key, value in defaults.items()
    }


def test_every_problem_code_is_in_the_data_folder_page() -> None:
    problems = [code for code in codes("zh") if code.startswith("problem.") and code.endswith(".rule")]
    known = {code.removeprefix("problem.").removesuffix(".rule") for code in problems}
    assert len(known) > 80
    assert sorted(known - quoted(read("docs/data-folder.md"))) == []


def commands() -> dict[str, list[str]]:
    """Options of every command, and under "" those of the program itself."""
    group = typer.main.get_command(app)
    options = {
        name: [o for p in command.params for o in p.opts if o.startswith("-")]
        for name, command in group.commands.items()
    }
    return {**options, "": [option for parameter in group.params for option in parameter.opts]}


def test_every_command_and_option_is_in_the_commands_page() -> None:
    text = read("docs/commands.md")
    for command, options in commands().items():
        section = text if command == "" else text.partition(f"### `{command}`\n")[2].partition("\n#")[0]
        assert section, command
        assert set(options) <= quoted(section), command


def test_every_exit_code_and_variable_is_in_the_commands_page() -> None:
    text = read("docs/commands.md")
    exits = [value for name, value in vars(errors).items() if name.startswith("EXIT_")]
    assert re.findall(r"^\| (\d+) \|", text, re.MULTILINE) == [str(value) for value in sorted(exits)]
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    assert set(re.findall(r"SHELFWISE_[A-Z_]*[A-Z]", sources)) <= quoted(text)


def test_every_column_of_a_result_is_described(folder: Path) -> None:
    plan = shelfwise.plan(folder / "my-shop", as_of=AS_OF, model="moving_average")
    assert set(plan.table.columns) <= quoted(read("docs/commands.md"))
    assert set(COLUMNS) <= quoted(read("docs/backtest.md"))


@pytest.mark.parametrize(
    "result", [CheckSummary, Forecast, Plan, Explanation, Scoreboard], ids=lambda kind: kind.__name__
)
def test_every_attribute_of_a_result_is_in_the_python_page(result: type) -> None:
    methods = {name for name, _ in inspect.getmembers(result) if not name.startswith("_")}
    row = next(
        line for line in read("docs/python.md").splitlines() if line.startswith(f"| `{result.__name__}`")
    )
    assert methods | {field.name for field in fields(result)} <= quoted(row)


def test_every_export_and_argument_is_in_the_python_page() -> None:
    text = read("docs/python.md")
    assert set(shelfwise.__all__) <= quoted(text)
    for verb in ("check", "forecast", "plan", "backtest", "explain"):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{verb}("))
        assert set(inspect.signature(getattr(shelfwise, verb)).parameters) == set(
            re.findall(r"\w+", row.split("(")[1].split(")")[0])
        )


def test_the_readme_counts_the_models() -> None:
    classical = [place for place in FORECASTERS.values() if place.startswith("shelfwise.forecast.classical.")]
    assert (len(classical), len(FORECASTERS)) == (10, 15), (
        "the README says: a boosted model, two naive, ten classical, two networks"
    )


# Names that exist.


def references() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
            yield page, target


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_no_relative_link_is_dead(page: Path) -> None:
    dead = []
    for target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        path = target.partition("#")[0]
        if not re.match(r"[a-z]+:", target) and path and not (page.parent / path).exists():
            dead.append(target)
    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    linked = {(page.parent / target.partition("#")[0]).resolve() for page, target in references()}
    assert {page for page in PAGES if page not in linked and page.parent not in linked} <= {
        ROOT / "README.md"
    }


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE))
    assert named <= targets
    if page.name == "README.md" and page.parent == ROOT:
        assert {"demo", "test"} <= named


def test_the_install_line_names_a_file_that_is_there() -> None:
    line = next(
        line
        for block in blocks(read("README.md"), "sh")
        for line in block.splitlines()
        if line.startswith("pip")
    )
    words = shlex.split(line)
    assert (ROOT / words[words.index("-c") + 1]).is_file()
    assert (ROOT / words[-1] / "pyproject.toml").is_file()


@pytest.mark.parametrize("page", ENGLISH, ids=called)
def test_files_of_the_code_that_are_named_exist(page: Path) -> None:
    lost = []
    for name in re.findall(r"`([\w./]*\w\.py|[\w/]+/)`", prose(page.read_text(encoding="utf-8"))):
        places = [ROOT / name, SOURCE / name, ROOT / "benchmarks" / name]
        alone = "/" not in name and any(SOURCE.rglob(name))
        if not alone and not any(place.exists() for place in places) and not _written_by_demo_or_tool(name):
            lost.append(name)
    assert lost == []


def _written_by_demo_or_tool(name: str) -> bool:
    """Folders of the demo, of the raw data and of a data set, which are in no checkout."""
    return name in {"shop/", "dirty/", "my-shop/", "vn2/", "m5/", "online_retail/"}


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_shell_blocks_use_commands_and_options_that_exist(page: Path) -> None:
    known = commands()
    for block in blocks(page.read_text(encoding="utf-8"), "sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["shelfwise"]:
                assert words[1] in known, line
                assert {word for word in words[2:] if word.startswith("-")} <= set(known[words[1]]), line


def test_decision_records_are_numbered_and_have_the_same_four_parts() -> None:
    assert [path.name[:4] for path in DECISIONS] == [
        f"{number:04d}" for number in range(1, len(DECISIONS) + 1)
    ]
    for path in DECISIONS:
        headings = re.findall(r"^#+ .*", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings[0].startswith(f"# {path.name[:4]} ")
        assert headings[1:] == ["## Context", "## Decision", "## Consequences", "## Alternatives"]


# The Chinese README.


def test_the_chinese_readme_has_the_same_headings_code_tables_and_links() -> None:
    english, chinese = read("README.md"), read("README.zh-CN.md")
    assert FENCE.findall(english) == FENCE.findall(chinese)
    for pattern in (r"^(#+) ", r"^(\|).*\|$", r"^(- )"):
        assert re.findall(pattern, english, re.MULTILINE) == re.findall(pattern, chinese, re.MULTILINE)
    swapped = {"README.md": "README.zh-CN.md"}
    assert LINK.findall(english) == [swapped.get(target, target) for target in LINK.findall(chinese)]
    assert set(QUOTED.findall(prose(english))) == set(QUOTED.findall(prose(chinese)))


# Code that runs.


@pytest.mark.parametrize("page", [page for page in ENGLISH if page.name != "CHANGELOG.md"], ids=called)
def test_every_python_block_is_marked_runnable_and_runs(
    page: Path, there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = page.read_text(encoding="utf-8")
    runnable = MARKED.findall(text)
    assert runnable == blocks(text, "python")
    names: dict[str, object] = {"__name__": called(page)}
    for code in runnable:
        exec(compile(code, called(page), "exec"), names)
        assert capsys.readouterr().out.strip()


def test_there_is_code_to_run() -> None:
    counts = {
        page: len(MARKED.findall(read(page)))
        for page in ("README.md", "docs/python.md", "docs/forecasting.md")
    }
    assert all(counts.values()), counts


def test_the_first_plan_of_the_readme_runs(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        line
        for block in blocks(read("README.md"), "sh")
        for line in block.splitlines()
        if line.startswith("shelfwise ")
    ]
    assert [shlex.split(line)[1] for line in lines] == ["check", "plan", "explain"]
    for line in lines:
        assert main(shlex.split(line)[1:]) == 0, capsys.readouterr().err
    assert "0017 @ main" in capsys.readouterr().out
    assert pl.read_csv(there / "orders.csv").height > 0


def test_the_settings_of_the_data_folder_page_are_accepted() -> None:
    import tomllib

    (text,) = blocks(read("docs/data-folder.md"), "toml")
    assert Settings.from_mapping(tomllib.loads(text)).supply.lead_time == 2


def test_there_are_examples() -> None:
    assert {path.name for path in EXAMPLES} >= {
        "from_frames.py",
        "plan_and_explain.py",
        "compare_policies.py",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=called)
def test_every_example_runs(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = module_at(path)
    if path.stem == "plan_and_explain":
        shop = make_shop(n_skus=12, days=200)
        write_shop(shop, tmp_path / "shop")
        example.main(tmp_path / "shop", str(shop.truth.end), model="moving_average")
    elif path.stem == "compare_policies":
        example.main(model="moving_average", days=7)
    else:
        example.main(model="moving_average")
    assert len(capsys.readouterr().out.splitlines()) > 5
    assert f"Run: python examples/{path.name}" in (example.__doc__ or "")
    assert os.listdir(tmp_path) in ([], ["shop"])
