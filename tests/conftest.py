"""For all tests: the loud word on what was not run for lack of real data, and the last line of a session."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator, Sequence

import pytest

DATA_VARIABLE = "SHELFWISE_DATA"
NOT_RUN = f"NOT RUN: needs the folder with the real data, named by {DATA_VARIABLE}, which is not set"
# What pytest says of a package that is not installed.
ABSENT = re.compile(r"could not import '([^'.]+)")
# How pytest files its reports, by what our line calls them; a warning or a deselected test is neither.
COUNTED = {"passed": ("passed", "xpassed"), "failed": ("failed", "error"), "skipped": ("skipped", "xfailed")}


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Skip what needs real data where there are none."""
    if os.environ.get(DATA_VARIABLE):
        return
    for item in items:
        if item.get_closest_marker("real_data"):
            item.add_marker(pytest.mark.skip(reason=NOT_RUN))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """Speak after everyone else has: the counts alone on the very last line."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    # The workers of pytest-xdist have no terminal; the session that started them counts for all.
    if reporter is None or hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    skipped = reporter.stats.get("skipped", [])
    not_run = sum(NOT_RUN in str(report.longrepr) for report in skipped)
    reporter.ensure_newline()
    if not_run:
        text = f"NOT RUN: {not_run} tests on real data. Set {DATA_VARIABLE} to the folder that holds them."
        reporter.write_line(f"!!! {text} !!!", yellow=True, bold=True)
    absent = Counter(found[1] for report in skipped if (found := ABSENT.search(str(report.longrepr))))
    if absent:
        packages = ", ".join(f"{name} ({count})" for name, count in sorted(absent.items()))
        text = f"NOT RUN for lack of packages: {packages}. The extras test and bench hold them."
        reporter.write_line(f"!!! {text} !!!", yellow=True, bold=True)
    counts = {name: sum(len(reporter.stats.get(key, [])) for key in keys) for name, keys in COUNTED.items()}
    reporter.write_line("shelfwise: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
