"""The report: every section in both languages, self-contained, safe against what stands in the data."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from shelfwise.demand.build import build_panel
from shelfwise.demo import make_shop, write_dirty_folder
from shelfwise.errors import DataRejected, Problem, UsageError
from shelfwise.evaluate.report import ReportData, ReportMeta, render_report, telling_series
from shelfwise.evaluate.scoreboard import COLUMNS, Scoreboard
from shelfwise.forecast import make_forecaster
from shelfwise.replenish.example import small_situation
from shelfwise.replenish.plan import make_plan
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.situation_build import build_situation
from shelfwise.tables import resolve_costs, resolve_terms, summarise
from shelfwise.tables.folder import read_folder
from shelfwise.tables.frames import dataset_from_frames

AS_OF = date(2026, 6, 1)
SECTIONS = ("orders", "why", "worth", "quality", "found", "made")
SETTINGS = {
    "series": {"bucket": "day", "timezone": "Asia/Shanghai"},
    "supply": {"lead_time": 12, "review_period": 7},
    "costs": {"holding_rate": 0.25, "shortage": "margin"},
}
VOID = {"meta", "br", "input", "link", "img"}


class Page(HTMLParser):
    """Tags opened and closed, ids, text and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.pieces: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()
        self.text = " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.pieces.append(data)

    def values(self, tag, name):
        return [value for found, attribute, value in self.attributes if (found, attribute) == (tag, name)]


SCORES = pl.DataFrame(
    {
        "model": ["gbm", "seasonal_naive", "moving_average"],
        "wape": [0.52, 0.81, 0.63],
        "bias": [-0.004, 0.05, -0.06],
        "pinball": [0.31, 0.47, 0.39],
    }
)
COVERAGE = pl.DataFrame(
    {
        "level": [0.1, 0.25, 0.5, 0.75, 0.9, 0.95],
        "below": [0.0, 0.17, 0.42, 0.70, 0.79, 0.93],
        "at_or_below": [0.38, 0.44, 0.60, 0.80, 0.85, 0.96],
    }
)


def scoreboard(costs=(4200.0, 5400.0), low=-1900.0, high=-450.0):
    rows = []
    for name, cost, gap in (("order_up_to", costs[0], costs[0] - costs[1]), ("days_of_cover", costs[1], 0.0)):
        ours = name == "order_up_to"
        rows.append(
            {
                "policy": name, "cost": cost, "holding_cost": cost * 0.5, "shortage_cost": cost * 0.3,
                "order_cost": cost * 0.2, "profit": 9000.0 - cost, "fill_rate": 0.968 if ours else 0.941,
                "cycle_service": 0.91,
                "stockouts": 31, "turns": 11.4, "mean_stock": 812.0, "units_ordered": 2300.0, "orders": 64,
                "purchase_value": 88000.0, "lost_units": 74.0, "wape": 0.52, "bias": -0.02, "pinball": 0.31,
                "perfect_foresight_cost": 2900.0, "reference": "days_of_cover", "cost_vs_reference": gap,
                "cost_vs_reference_low": low if ours else 0.0,
                "cost_vs_reference_high": high if ours else 0.0,
            }
        )  # fmt: skip
    table = pl.DataFrame(rows)
    assert tuple(table.columns) == COLUMNS
    return Scoreboard(table, pl.DataFrame(), SCORES, COVERAGE, notes=("24 series over 91 day buckets",))


@pytest.fixture(scope="module")
def shop_data(tmp_path_factory):
    """A report on the demo shop; the plan is the real one, made on a moving average."""
    shop = make_shop(n_skus=12, days=200)
    # The demo shop is well stocked on its last day; a thinner shelf gives the plan something to do.
    stock = shop.tables["stock"].with_columns(on_hand=pl.col("on_hand") // 4)
    inbound = shop.tables["inbound"].gather_every(2)
    tables = {**shop.tables, "stock": stock, "inbound": inbound}
    dataset = dataset_from_frames(**tables, settings=SETTINGS).until(AS_OF)
    terms = resolve_terms(dataset, shop.truth.keys)
    horizon = int((terms["lead_time"] + 3 * terms["lead_time_sd"] + terms["review_period"]).max()) + 2
    panel = build_panel(dataset, AS_OF, horizon)
    terms = resolve_terms(dataset, panel.keys)
    costs = resolve_costs(dataset, panel.keys, terms)
    forecaster = make_forecaster("moving_average").fit(panel)
    scenarios = forecaster.sample(horizon, 128, np.random.default_rng(0))
    situation, notes = build_situation(dataset, panel, scenarios, terms, costs)
    plan = make_plan(situation, make_policy("order_up_to").decide(situation), notes, policy="order_up_to")
    folder = tmp_path_factory.mktemp("dirty")
    write_dirty_folder(folder)
    with pytest.raises(DataRejected) as refused:
        read_folder(folder)
    items = dataset.table("items")
    return ReportData(
        meta=ReportMeta(
            AS_OF, "day", "Spruce & Deer", "CNY", "order_up_to", "gbm", 0, 128, "0.1.0", 42.0,
            {"costs.holding_rate": 0.25},
        ),
        names=dict(items.select("sku", "name").iter_rows()),
        prices=dict(items.select("sku", "price").iter_rows()),
        plan=plan,
        situation=situation,
        scoreboard=scoreboard(),
        replay_start=date(2026, 3, 2),
        replay_end=AS_OF,
        summary=summarise(dataset),
        rejected=refused.value.problems,
        rejected_source="dirty-shop",
    )  # fmt: skip


@pytest.fixture(scope="module", params=["en", "zh"])
def lang(request):
    return request.param


@pytest.fixture(scope="module")
def html(shop_data, lang):
    return render_report(shop_data, lang)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_the_page_is_well_formed_and_has_every_section_once(page):
    assert page.unbalanced == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert [name for name in page.ids if name in SECTIONS] == list(SECTIONS)
    assert page.values("a", "href")[1:] == [f"#{name}" for name in SECTIONS]


def test_nothing_is_left_out_when_everything_is_given(page):
    assert "absent" not in page.values("p", "class")
    assert page.tags.count("svg") == 2 * page.tags.count("article") + 2
    assert page.tags.count("article") == 4


def test_nothing_comes_from_outside_and_the_page_is_small(html, page):
    assert not re.search(r"(?i)https?:|//[a-z]|url\(|@import|<link|<img|<iframe", html)
    assert page.tags.count("script") == 1
    assert not page.values("script", "src")
    assert len(html.encode()) < 1_000_000


def test_language_is_declared_and_spoken(html, page, lang):
    assert page.values("html", "lang") == [{"en": "en", "zh": "zh-Hans"}[lang]]
    chinese = len(re.findall("[\u4e00-\u9fff]", page.text))
    # An English report still shows the shop's Chinese item and supplier names.
    assert (chinese > 0.3 * len(page.text)) if lang == "zh" else (chinese < 0.05 * len(page.text))
    assert "{" not in page.text


def test_headline_figures_are_those_of_the_plan(page, shop_data):
    orders = shop_data.plan.orders
    assert f" {orders.height} " in page.text
    assert f"{orders['quantity'].sum():,.0f}" in page.text
    assert f"{orders['value'].sum():,.0f}" in page.text
    lost = sum(
        row["expected_lost_without"] * shop_data.prices[row["sku"]]
        for row in shop_data.plan.table.iter_rows(named=True)
        if row["expected_lost_without"] is not None
    )
    assert f"{lost:,.0f}" in page.text


def test_every_order_line_is_there_with_its_reason_in_the_language(html, page, shop_data, lang):
    orders = shop_data.plan.to_frame(lang).filter(pl.col("quantity") > 0)
    assert orders.height > 3
    for reason in orders["reason"]:
        assert " ".join(reason.split()) in page.text
    idle = shop_data.plan.table.height - orders.height
    counts = re.findall(r"<td class=\"num\">(\d+)</td></tr>", _idle_table(html))
    shown = sum(int(count) for count in counts)
    assert shown == idle


def _idle_table(html):
    return html[html.index("<h3>", html.index('id="lines"')) : html.index('<section id="why"')]


def test_lines_are_sorted_by_money_at_stake_within_a_supplier(html):
    for body in re.findall(r"<tbody>\s*<tr class=\"supplier\">.*?</tbody>", html, re.DOTALL):
        cells = re.findall(r'data-label="(?:Sales saved|挽回销售额)" data-sort="([^"]*)"', body)
        stakes = [float(cell) for cell in cells]
        assert stakes
        assert stakes == sorted(stakes, reverse=True)


def test_money_sentence_states_period_amount_and_interval(shop_data):
    text = Page(render_report(shop_data, "en")).text
    assert (
        "Over 91 days, the Shelfwise plan would have cost CNY 1,200 less than the rule of thumb "
        "(days of cover): with 95 % confidence between CNY 450 and CNY 1,900 less." in text
    )
    text = Page(render_report(shop_data, "zh")).text
    assert "在 91 天里，Shelfwise 计划比经验法则（按可售天数）少花 1,200 元；" in text
    assert "有 95% 的把握少花 450 元～1,900 元。" in text


@pytest.mark.parametrize(
    ("costs", "low", "high", "words"),
    [
        ((5600.0, 5400.0), 50.0, 380.0, "CNY 200 more than"),
        (
            (5300.0, 5400.0),
            -900.0,
            640.0,
            "chance: with 95 % confidence between CNY 900 less and CNY 640 more",
        ),
        (
            (5500.0, 5400.0),
            -300.0,
            640.0,
            "100 more than the rule of thumb (days of cover), which may be chance",
        ),
    ],
)
def test_money_sentence_does_not_claim_what_is_not_so(shop_data, costs, low, high, words):
    data = replace(shop_data, scoreboard=scoreboard(costs, low, high))
    assert words in Page(render_report(data)).text


def test_forecast_sentence_admits_when_a_simple_rule_is_better(shop_data):
    scores = SCORES.with_columns(wape=pl.Series([0.7, 0.81, 0.63]))
    text = Page(render_report(replace(shop_data, forecast_scores=scores))).text
    assert "off by 70; a simple rule (moving average) did better, with 63" in text
    assert "5 of 6 lines" in text


def test_a_refused_folder_is_shown_with_its_problems(page, shop_data):
    assert len(shop_data.rejected) > 4
    assert page.text.count("sales.csv:") == len(shop_data.rejected)
    places = sum(problem.count for problem in shop_data.rejected)
    assert re.search(rf"{len(shop_data.rejected)}\D+{places}\D", page.text[page.text.index("dirty-shop") :])


def test_of_many_problems_the_first_ten_are_shown(shop_data):
    many = tuple(replace(shop_data.rejected[0], line=line) for line in range(2, 27))
    text = Page(render_report(replace(shop_data, rejected=many))).text
    assert text.count("sales.csv:") == 10
    assert "And 15 more." in text


@pytest.mark.parametrize(
    ("gone", "section"),
    [
        ({"plan": None}, "orders"),
        ({"situation": None}, "why"),
        ({"scoreboard": None}, "worth"),
        ({"scoreboard": replace(scoreboard(), forecasts=SCORES[:0], coverage=COVERAGE[:0])}, "quality"),
        ({"summary": None, "rejected": None}, "found"),
    ],
)
def test_what_is_not_given_is_left_out_and_said_so(shop_data, lang, gone, section):
    html = render_report(replace(shop_data, **gone), lang)
    part = html[html.index(f'<section id="{section}"') :].split("</section>")[0]
    assert part.count('class="absent"') == 1
    assert "<table" not in part
    assert Page(html).unbalanced == []


def test_half_given_sections_show_their_half(shop_data):
    only_coverage = replace(shop_data, scoreboard=None, coverage=COVERAGE)
    html = render_report(replace(only_coverage, rejected=None))
    assert 'id="coverage-t"' in html
    assert "Same as last season" not in html
    html = render_report(replace(shop_data, scoreboard=None, forecast_scores=SCORES, summary=None))
    assert "Same as last season" in html
    assert 'id="coverage-t"' not in html
    assert Page(html).text.count("sales.csv:") == len(shop_data.rejected)


def test_a_plan_whose_policy_knows_no_losses_says_so(shop_data):
    situation = shop_data.situation
    plan = make_plan(situation, make_policy("days_of_cover").decide(situation), policy="days_of_cover")
    text = Page(render_report(replace(shop_data, plan=plan))).text
    assert "does not say how many sales would be lost" in text
    assert "sales expected to be lost without" not in text


ATTACK = "<script>alert(1)</script>\"'><svg onload=x>&\u202ecod.exe\x00\ud800{{7*7}}{sku}"


def test_what_stands_in_the_data_is_shown_and_never_acts(shop_data, lang):
    rename = {sku: f"{ATTACK}{sku}" for sku in shop_data.names}
    plan = replace(
        shop_data.plan,
        table=shop_data.plan.table.with_columns(supplier=pl.lit("<b>" + ATTACK[:-20].replace("\ud800", ""))),
    )
    data = replace(
        shop_data,
        meta=replace(shop_data.meta, source=ATTACK, currency=ATTACK, settings={ATTACK: ATTACK}),
        names=rename,
        plan=plan,
        rejected=(Problem("sku.blank", ATTACK, ATTACK, file=ATTACK, value=ATTACK, column=ATTACK),),
        rejected_source=ATTACK,
        scoreboard=replace(shop_data.scoreboard, notes=(ATTACK,)),
        forecast_scores=SCORES.with_columns(
            model=pl.lit("<script>alert(2)</script>"),
        ),
    )
    html = render_report(data, lang)
    page = Page(html)
    assert page.unbalanced == []
    assert page.tags.count("script") == 1
    assert "onload" not in {name for _, name, _ in page.attributes}
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "{{7*7}}" in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\ud800-\udfff]", html)
    html.encode("utf-8")


def test_endless_names_are_cut(shop_data):
    endless = "无尽" * 5000
    data = replace(
        shop_data,
        names=dict.fromkeys(shop_data.names, endless),
        meta=replace(shop_data.meta, source=endless, currency=endless, settings={endless: endless}),
    )
    html = render_report(data)
    assert endless[:40] in html
    assert endless[:250] not in html
    assert len(html) < 1_000_000


def test_thousands_of_lines_stay_below_the_size_limit_and_the_rest_is_counted(shop_data):
    one = shop_data.plan.table
    many = pl.concat(
        [one.with_columns(sku=pl.col("sku") + f"-{copy}", quantity=pl.lit(6.0)) for copy in range(400)]
    )
    html = render_report(replace(shop_data, plan=replace(shop_data.plan, table=many), situation=None))
    assert len(html.encode()) < 5_000_000
    assert f"{many.height - 250:,}" in Page(html).text


def test_same_data_same_bytes(shop_data, lang, html):
    assert render_report(shop_data, lang) == html


def test_unknown_language_is_refused(shop_data):
    with pytest.raises(UsageError, match="en, zh"):
        render_report(shop_data, "de")


def test_only_the_scripts_own_hash_may_run(html):
    import base64
    import hashlib

    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "default-src 'none'" in html


def test_charts_speak_to_screen_readers(html, page):
    assert page.values("svg", "role") == ["img"] * page.tags.count("svg")
    for label in page.values("svg", "aria-labelledby"):
        for ident in label.split():
            assert re.search(rf'<(title|desc) id="{ident}">[^<]+</', html)


def test_the_charted_series_alone_give_the_same_stories(shop_data):
    frame = shop_data.plan.to_frame()
    situation = shop_data.situation
    picks = telling_series(frame, situation.panel, situation.scenarios, shop_data.prices)
    assert [pick.why for pick in picks] == ["stake", "moved", "slow", "nothing"]
    assert len({pick.row for pick in picks}) == 4
    few = situation.take(np.array(sorted(pick.row for pick in picks)))
    again = telling_series(frame, few.panel, few.scenarios, shop_data.prices)
    assert [(p.sku, p.location, p.why) for p in again] == [(p.sku, p.location, p.why) for p in picks]
    assert _stories(render_report(replace(shop_data, situation=few))) == _stories(render_report(shop_data))


def test_a_weekly_shop_without_names_prices_or_currency(lang):
    situation = small_situation()
    plan = make_plan(situation, make_policy("order_up_to").decide(situation))
    data = ReportData(ReportMeta(situation.as_of, "week"), plan=plan, situation=situation)
    page = Page(render_report(data, lang))
    assert page.unbalanced == []
    assert "s0000000" in page.text
    assert ("counted at what they cost" if lang == "en" else "按成本价计算") in page.text
    # Cover is told in days: on a weekly plan, seven times the weeks.
    weeks = plan.table.row(0, named=True)["cover_buckets"]
    assert f" {weeks * 7:.0f} " in page.text or f" {weeks * 7:.1f} " in page.text


def test_a_day_without_orders_says_so(shop_data):
    situation = replace(shop_data.situation, on_hand=shop_data.situation.on_hand + 10_000)
    plan = make_plan(situation, make_policy("order_up_to").decide(situation))
    html = render_report(replace(shop_data, plan=plan, situation=situation))
    assert "Nothing has to be ordered today." in html
    assert 'id="lines"' not in html
    assert "lasts until the next order" in html


def _stories(html):
    return html[html.index('<section id="why"') : html.index('<section id="worth"')]


def test_telling_series_follow_their_rules(shop_data):
    frame = shop_data.plan.to_frame()
    situation = shop_data.situation
    picks = {
        pick.why: pick
        for pick in telling_series(frame, situation.panel, situation.scenarios, shop_data.prices)
    }
    stake = frame.select(
        pl.col("sku"),
        pl.col("location"),
        pl.col("quantity"),
        money=(pl.col("expected_lost_without") - pl.col("expected_lost_with"))
        * pl.col("sku").replace_strict(shop_data.prices, return_dtype=pl.Float64),
    ).filter(pl.col("quantity") > 0)
    top = stake.sort("money", descending=True).row(0)
    assert (picks["stake"].sku, picks["stake"].location) == top[:2]
    quantity = {row[:2]: row[2] for row in frame.select("sku", "location", "quantity").iter_rows()}
    assert quantity[picks["nothing"].sku, picks["nothing"].location] == 0
