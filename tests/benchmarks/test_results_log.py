from __future__ import annotations

import csv
import math
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from benchmarks.results_log import append_rows, current_commit, referee_problems

from shelfwise.errors import UsageError

HEADER = "date,commit,cores,python,policy,cost\n"


def test_rows_carry_where_they_come_from(tmp_path: Path) -> None:
    path = tmp_path / "results" / "vn2.csv"
    append_rows(path, [{"policy": "base, stock", "cost": 1.5}])
    append_rows(path, [{"policy": "other", "cost": 2}])
    with path.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["policy"], first["cost"], second["cost"]) == ("base, stock", "1.5", "2")
    assert first["date"] == datetime.now(UTC).date().isoformat()
    assert int(first["cores"]) >= 1
    assert first["python"].count(".") == 2
    assert first["commit"]
    assert referee_problems(path) == []
    assert list(path.parent.iterdir()) == [path], "nothing half-written is left"


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "at least one row"),
        ([{"policy": "a", "cost": math.nan}], "cost of row 0 is nan"),
        ([{"policy": "a", "cost": 1.0}, {"policy": "b", "cost": math.inf}], "cost of row 1 is inf"),
        ([{"policy": "", "cost": 1.0}], "policy of row 0 is ''"),
        ([{"policy": "a", "cost": 1.0}, {"policy": "a"}], "row 1 has"),
        ([{"policy": "a", "date": "today"}], "filled in by the log"),
        ([{"policy": "a", "price": 1.0}], "another file"),
    ],
)
def test_bad_rows_leave_the_file_as_it_was(
    tmp_path: Path, rows: list[dict[str, float]], complaint: str
) -> None:
    path = tmp_path / "vn2.csv"
    append_rows(path, [{"policy": "a", "cost": 1.0}])
    before = path.read_bytes()
    with pytest.raises(UsageError, match=complaint):
        append_rows(path, rows)
    assert path.read_bytes() == before


def test_a_file_without_its_last_line_end_is_continued_on_a_new_line(tmp_path: Path) -> None:
    path = tmp_path / "vn2.csv"
    append_rows(path, [{"cost": 1.0}])
    path.write_text(path.read_text().rstrip("\n"))
    append_rows(path, [{"cost": 2.0}])
    assert len(path.read_text().splitlines()) == 3
    assert referee_problems(path) == []


def test_the_commit_says_whether_tracked_files_differ(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert current_commit(tmp_path) == "none"
    git("init", "-q")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "--short", "HEAD")
    assert current_commit(tmp_path) == commit
    (tmp_path / "result.csv").write_text("new")
    assert current_commit(tmp_path) == commit
    (tmp_path / "file").write_text("2")
    assert current_commit(tmp_path) == commit + "+"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no rows"),
        (HEADER, "has no rows"),
        ("date,cores,python,cost\n2026-01-01,2,3.11.9,1\n", "lacks the column commit"),
        (HEADER + "2026-01-01,abc,2,3.11.9,a,1\n" + HEADER, "line 3 is the header again"),
        (HEADER.replace("policy", "cost") + "2026-01-01,abc,2,3.11.9,1,1\n", "'cost' 2 times"),
        (HEADER + "2026-01-01,abc,2,3.11.9,a,1\n2026-01-01,abc,2,3.11.9,a,nan\n", "line 3: cost is 'nan'"),
        (HEADER + "2026-01-01,abc,2,3.11.9,a,1\n2026-01-01,abc,2,3.11.9,a,\n", "line 3: cost is ''"),
        (HEADER + "2026-01-01,abc,2,3.11.9,a,inf\n", "cost has no finite number"),
        (HEADER + "2026-01-01,,2,3.11.9,a,1\n", "line 2: commit is empty"),
        (HEADER + "2026-01-01,abc,2,3.11.9,a\n", "line 2 has 5 cells"),
        (HEADER + '2026-01-01,abc,2,3.11.9,a,"1\n', "cannot be parsed"),
    ],
)
def test_the_referee_sees(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    found = referee_problems(path)
    assert any(complaint in problem for problem in found), found


def test_the_referee_takes_a_hash_for_a_hash_and_a_text_for_a_text(tmp_path: Path) -> None:
    path = tmp_path / "good.csv"
    path.write_text(HEADER + "2026-01-01,12e4567,2,3.11.9,a,1\n2026-01-01,none,2,3.11.9,nanna,2e3\n")
    assert referee_problems(path) == []
