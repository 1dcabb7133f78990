"""`render_report`: the views of all sections, put into one page that needs nothing from outside."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from shelfwise.errors import UsageError
from shelfwise.evaluate.report.data import ReportData
from shelfwise.evaluate.report.found import found_view
from shelfwise.evaluate.report.made import glossary, methods, settings
from shelfwise.evaluate.report.orders import orders_view
from shelfwise.evaluate.report.quality import quality_view
from shelfwise.evaluate.report.why import stories
from shelfwise.evaluate.report.wording import MISSING, Wording, capitalised, clean, shorten
from shelfwise.evaluate.report.worth import worth_view
from shelfwise.messages import LANGUAGES

SECTIONS = ("orders", "why", "worth", "quality", "found", "made")
HTML_LANG = {"en": "en", "zh": "zh-Hans"}


def render_report(data: ReportData, lang: str = "en") -> str:
    """One self-contained HTML page: no network, no outside font, script or image; readable without script.

    Everything that comes from the user's data is escaped, rid of invisible control characters and cut to a
    readable length; the page's own policy lets no script run but the one that sorts and filters the table.
    The same data give the same bytes.

    Args:
        data: what to show; a part that is None is left out with a sentence saying so.
        lang: ``en`` or ``zh``.

    Raises:
        UsageError: an unknown language.

    Example:
        >>> from datetime import date
        >>> from shelfwise.evaluate.report import ReportMeta
        >>> page = render_report(ReportData(ReportMeta(date(2026, 6, 1))), "zh")
        >>> page.startswith("<!doctype html>"), page.count("<section")
        (True, 6)
    """
    if lang not in LANGUAGES:
        raise UsageError(f"language must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    words = Wording(lang, shorten(clean(data.meta.currency), 12))
    script = _text("table.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            words=words,
            say=words.say,
            missing=MISSING,
            capitalised=capitalised,
            html_lang=HTML_LANG[lang],
            sections=SECTIONS,
            meta=data.meta,
            source=shorten(data.meta.source, 80),
            rejected_source=shorten(data.rejected_source, 80),
            style=Markup(_text("style.css")),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            orders=orders_view(data, words),
            stories=stories(data, words),
            worth=worth_view(data, words),
            quality=quality_view(data, words),
            found=found_view(data, words),
            glossary=glossary(words),
            methods=methods(words),
            settings=settings(data.meta, words),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Runs on every value before it is escaped, so no template can forget it.
        finalize=clean,
    )


def _text(name: str) -> str:
    return files("shelfwise.evaluate.report").joinpath("templates", name).read_text(encoding="utf-8")
