"""A `Problem` as a reader of another language sees it; English, which it carries itself, otherwise."""

from __future__ import annotations

from shelfwise.errors import Problem
from shelfwise.messages.catalogue import say


def problem_text(problem: Problem, lang: str = "en") -> str:
    """One line for a problem: place, rule, value, count, way out and code.

    Translations hang on the code, as ``problem.<code>.rule`` and ``.fix``; a code without one is
    shown in English.

    Example:
        >>> from shelfwise.errors import Problem
        >>> problem_text(Problem("stock.repeated", "rule", "fix", file="stock.csv"), "zh").split("：")[0]
        'stock.csv'
    """
    values = {
        "file": problem.file or "",
        "column": problem.column or "",
        "value": problem.value or "",
        "count": problem.count,
    }
    try:
        rule = say(f"problem.{problem.code}.rule", lang, **values)
        fix = say(f"problem.{problem.code}.fix", lang, **values)
    except KeyError:
        return str(problem)
    where = f"{problem.place}：" if problem.place else ""
    found = "" if problem.value is None else f"（实际为 {problem.value!r}）"
    times = f"[共 {problem.count} 处]" if problem.count > 1 else ""
    return f"{where}{rule}{found}{times}。{fix} [{problem.code}]"
