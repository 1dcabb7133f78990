"""True demand: what customers would have bought, as an exact expectation and as one draw from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.demo.assortment import LINES
from shelfwise.demo.calendar import LOCATIONS, Window, event_lift
from shelfwise.demo.catalogue import Catalogue
from shelfwise.demo.pricing import Pricing

Floats = npt.NDArray[np.float64]

# Kind: median units a day at a location of mean size, spread of its logarithm, mean units a purchase.
SIZES = {
    "smooth": (1.6, 0.6, 1.3),
    "seasonal": (1.1, 0.5, 1.3),
    "intermittent": (0.16, 0.4, 1.6),
    "lumpy": (0.35, 0.4, 9.0),
    "new": (2.0, 0.5, 1.3),
    "ended": (1.5, 0.5, 1.3),
}
# Monday to Sunday; a location buys by one of them or by a mixture.
WEEK_PATTERNS = np.array(
    [
        [0.88, 0.86, 0.90, 0.95, 1.08, 1.22, 1.11],
        [1.08, 1.06, 1.04, 1.02, 0.98, 0.88, 0.94],
    ]
)
RAMP_DAYS = 18.0
FADE_DAYS = 30


@dataclass(frozen=True)
class Profiles:
    """What each of M items responds to; the numbers a model would have to find.

    Attributes:
        rate: (N,) units a day before season, week, trend, prices and occasions.
        purchase_size: (M,) mean units a purchase; 1 and more, geometric.
        elasticity: (M,) price elasticity of demand, below 0.
        event_sensitivity: (M,) exponent on the calendar's lift.
        annual_growth: (M,) growth of demand a year, 0.1 = 10 %.
        season_amplitude: (M,) half the range of the yearly wave, of the logarithm.
        week: (N, 7) factors Monday to Sunday, mean 1.
    """

    rate: Floats
    purchase_size: Floats
    elasticity: Floats
    event_sensitivity: Floats
    annual_growth: Floats
    season_amplitude: Floats
    week: Floats


def make_profiles(catalogue: Catalogue, rng: np.random.Generator) -> Profiles:
    """Draw the demand parameters of all items."""
    count = len(catalogue)
    median, spread, size = np.array([SIZES[kind] for kind in catalogue.kind]).T
    level = median * np.exp(spread * rng.standard_normal(count))
    shares = np.array([1.15, 0.85]) * np.exp(0.2 * rng.standard_normal((count, len(LOCATIONS))))
    seasonal = catalogue.kind == "seasonal"
    clothes = np.array([LINES[row].category_1 == "服饰" for row in catalogue.line])
    amplitude = np.where(seasonal, rng.uniform(0.6, 1.1, count), rng.uniform(0.03, 0.15, count))
    mix = rng.beta(2.0, 1.2, (count * len(LOCATIONS), 1))
    week = mix * WEEK_PATTERNS[0] + (1 - mix) * WEEK_PATTERNS[1]
    return Profiles(
        rate=(level[:, None] * shares).ravel(),
        purchase_size=size,
        elasticity=-rng.uniform(0.8, 2.4, count).round(2),
        event_sensitivity=rng.uniform(0.5, 1.1, count).round(2),
        annual_growth=rng.uniform(-0.12, 0.25, count).round(3),
        season_amplitude=np.where(clothes & seasonal, amplitude + 0.3, amplitude).round(3),
        week=week / week.mean(axis=1, keepdims=True),
    )


def expected_demand(catalogue: Catalogue, profiles: Profiles, pricing: Pricing, window: Window) -> Floats:
    """(N, T + H) mean demand in units, 0 on days an item is not in the assortment.

    The product of: rate, trend, yearly season, weekday, occasions, price ** elasticity, promotions,
    and the ramp of a launch or the fade before an end.
    """
    places = len(LOCATIONS)
    days = np.arange(window.total)
    dates = window.dates()
    weekday = (dates.astype(int) + 3) % 7
    day_of_year = (dates - dates.astype("datetime64[Y]")).astype(int)

    years = (days - window.days / 2) / 365.25
    trend = (1 + profiles.annual_growth[:, None]) ** years
    peak = np.array([LINES[row].peak_day for row in catalogue.line])
    season = np.cos(2 * np.pi * (day_of_year - peak[:, None]) / 365.25) * profiles.season_amplitude[:, None]
    price = (pricing.price / pricing.price[:, :1]) ** profiles.elasticity[:, None]
    age = days - catalogue.launched[:, None]
    left = catalogue.ends[:, None] - days
    life = np.where(age >= 0, 1 - 0.7 * np.exp(-np.maximum(age, 0) / RAMP_DAYS), 0.0)
    life = np.where(left > 0, life * np.clip(0.5 + 0.5 * left / FADE_DAYS, 0.5, 1.0), 0.0)
    by_item = trend * price * life

    occasion = series_event_lift(profiles, window)
    # The south has milder seasons.
    climate = np.tile([1.0, 0.7], len(catalogue))[:, None]
    by_series = np.exp(np.repeat(season, places, axis=0) * climate) * occasion * profiles.week[:, weekday]
    expected: Floats = profiles.rate[:, None] * np.repeat(by_item, places, axis=0) * by_series * pricing.lift
    return expected


def series_event_lift(profiles: Profiles, window: Window) -> Floats:
    """(N, T + H) the factor by which occasions multiply each series' demand."""
    lift = np.tile(event_lift(window), (len(profiles.event_sensitivity), 1))
    sensitivity = np.repeat(profiles.event_sensitivity, len(LOCATIONS))
    series_lift: Floats = lift ** sensitivity[:, None]
    return series_lift


def draw_demand(expected: Floats, purchase_size: Floats, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """(N, T + H) units: a Poisson number of purchases, each of a geometric size, with mean `expected`.

    `purchase_size` is (N,). All series of a location share a small gamma factor of mean 1 a day, so that good
    days are good for the whole shop. A size well above 1 makes lumpy demand (compound Poisson; Adelson 1966).
    """
    places = len(LOCATIONS)
    shared = rng.gamma(300.0, 1 / 300.0, (places, expected.shape[1]))
    mean = expected * np.tile(shared, (len(expected) // places, 1))
    purchases = rng.poisson(mean / purchase_size[:, None])
    extra = rng.negative_binomial(np.maximum(purchases, 1), 1 / purchase_size[:, None])
    return np.where(purchases > 0, purchases + extra, 0).astype(np.int32)
