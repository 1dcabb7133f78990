"""Section 6, words used and how each number was made: the glossary and the run's settings."""

from __future__ import annotations

from shelfwise.evaluate.report.data import ReportMeta
from shelfwise.evaluate.report.quality import model_name
from shelfwise.evaluate.report.wording import Wording, shorten
from shelfwise.evaluate.report.worth import policy_name

TERMS = (
    "series", "as_of", "on_order", "lead_time", "review_period", "days_of_cover", "stock_out", "demand",
    "forecast", "range", "stake", "lost_sales", "holding_cost", "shortage_cost", "order_cost", "fill_rate",
    "cycle_service", "turns", "foresight", "interval", "wape", "bias", "pinball",
)  # fmt: skip
METHODS = ("forecast", "demand", "quantity", "stake", "worth")


def glossary(words: Wording) -> tuple[tuple[str, str], ...]:
    """(term, meaning) of every word a merchant might stumble over."""
    return tuple((words.say(f"term.{name}.name"), words.say(f"term.{name}.meaning")) for name in TERMS)


def methods(words: Wording) -> tuple[tuple[str, str], ...]:
    """(number, how it was made)."""
    return tuple((words.say(f"method.{name}.name"), words.say(f"method.{name}.how")) for name in METHODS)


def settings(meta: ReportMeta, words: Wording) -> tuple[tuple[str, str], ...]:
    """(what, value) of the run, then the further settings as given."""
    rows = [
        ("as_of", words.day(meta.as_of)),
        ("bucket", words.say(f"bucket.{meta.bucket}")),
        ("policy", policy_name(meta.policy, words)),
        ("model", model_name(meta.model, words) if meta.model else ""),
        ("n_samples", "" if meta.n_samples is None else words.count(meta.n_samples)),
        ("seed", str(meta.seed)),
        ("currency", words.currency or words.say("made.no_currency")),
        ("version", shorten(meta.version)),
        (
            "run_seconds",
            ""
            if meta.run_seconds is None
            else words.say("made.seconds", seconds=words.count(meta.run_seconds)),
        ),
    ]
    told = [(words.say(f"made.{name}"), value) for name, value in rows if value]
    return (*told, *((shorten(str(name)), shorten(str(value), 200)) for name, value in meta.settings.items()))
