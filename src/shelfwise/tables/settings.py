"""`Settings`: what ``shelfwise.toml`` says, every key optional, an unknown key an error.

Each field carries its rule as `description` and a good value as `examples`; `settings_problems` makes
an error message of those two, so a rule is written once.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from shelfwise.buckets import BucketName
from shelfwise.errors import DataRejected
from shelfwise.tables.settings_problems import SETTINGS_FILE, invalid, syntax_broken, unreadable

CONTRACT_HOLDING = 0.2


def _whole(value: object) -> object:
    """Let ``2.0`` stand for ``2``; anything else goes on to the strict check."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _known_timezone(name: str) -> str:
    # Polars turns the timestamps, so its own list of zones decides, not the operating system's.
    try:
        pl.select(pl.lit(0).cast(pl.Datetime("us")).dt.replace_time_zone(name))
    except pl.exceptions.PolarsError as error:
        raise ValueError("unknown time zone") from error
    return name


NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
WholeBuckets = Annotated[int, BeforeValidator(_whole)]


class _Section(BaseModel):
    """A table of the file: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SeriesSettings(_Section):
    """``[series]``: the time step, and the zone in which a timestamp becomes a date."""

    bucket: BucketName = Field(default="week", description='one of "day", "week", "month"', examples=["week"])
    timezone: Annotated[str, AfterValidator(_known_timezone)] = Field(
        default="UTC", description="a time zone of the IANA list", examples=["Asia/Shanghai"]
    )


class SupplySettings(_Section):
    """``[supply]``: defaults that a row of `terms` overrides. Times in buckets, quantities in units."""

    lead_time: WholeBuckets = Field(
        default=2, ge=0, le=1500, description="a whole number of buckets, 0 to 1500", examples=[2]
    )
    lead_time_sd: NonNegative = Field(
        default=0.0, le=1500, description="a number of buckets, 0 to 1500", examples=[0.5]
    )
    review_period: WholeBuckets = Field(
        default=1, ge=1, le=1500, description="a whole number of buckets, 1 to 1500", examples=[1]
    )
    moq: NonNegative = Field(default=0.0, description="a number of units, 0 or more", examples=[12])
    multiple: Positive = Field(default=1.0, description="a number of units above 0", examples=[6])
    unmet: Literal["lost", "backorder"] = Field(
        default="lost", description='one of "lost", "backorder"', examples=["lost"]
    )
    price_breaks: Literal["all_units", "incremental"] = Field(
        default="all_units", description='one of "all_units", "incremental"', examples=["all_units"]
    )


class CostSettings(_Section):
    """``[costs]``: per unit and bucket. Exactly one of `holding` and `holding_rate` (per year) is set."""

    holding: NonNegative | None = Field(
        default=None, description="money per unit and bucket, 0 or more", examples=[0.2]
    )
    holding_rate: NonNegative | None = Field(
        default=None, description="a share of unit_cost per year, 0 or more", examples=[0.25]
    )
    shortage: NonNegative | Literal["margin"] = Field(
        default=1.0, description='money per unit short, 0 or more, or "margin"', examples=[1.0]
    )
    order: NonNegative = Field(default=0.0, description="money per order, 0 or more", examples=[0.0])

    @model_validator(mode="before")
    @classmethod
    def _one_holding(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            if value.get("holding") is not None and value.get("holding_rate") is not None:
                raise ValueError("two holding costs")
            if value.get("holding") is None and value.get("holding_rate") is None:
                return {**value, "holding": CONTRACT_HOLDING}
        return value


class ObjectiveSettings(_Section):
    """``[objective]``: what a plan is judged by."""

    minimise: Literal["cost", "profit", "service"] = Field(
        default="cost", description='one of "cost", "profit", "service"', examples=["cost"]
    )
    service_level: float = Field(
        default=0.95, gt=0, lt=1, description="a share between 0 and 1, both excluded", examples=[0.95]
    )
    kind: Literal["fill_rate", "cycle"] = Field(
        default="fill_rate", description='one of "fill_rate", "cycle"', examples=["fill_rate"]
    )


class LimitSettings(_Section):
    """``[limits]``: shared by all orders of one review; None is no limit."""

    budget: NonNegative | None = Field(default=None, description="money, 0 or more", examples=[50000.0])
    volume: NonNegative | None = Field(
        default=None, description="a volume in the unit of items.volume, 0 or more", examples=[120.0]
    )


class ForecastSettings(_Section):
    """``[forecast]``: a model's name or ``auto`` (None: the default model), how ``auto`` chooses, and calibration."""

    model: str | None = Field(
        default=None, min_length=1, description='"auto" or a model\'s name', examples=["auto"]
    )
    budget_seconds: Positive | None = Field(
        default=None, description="a number of seconds above 0", examples=[60]
    )
    choose_by: Literal["pinball", "wape", "cost"] = Field(
        default="pinball", description='one of "pinball", "wape", "cost"', examples=["pinball"]
    )
    calibrate: bool = Field(default=False, description="true or false", examples=[True])


class DemandSettings(_Section):
    """``[demand]``: how the demand behind the sales is told; what was sold is kept beside it."""

    stockouts: Literal["censored", "mask", "raw"] = Field(
        default="censored", description='one of "censored", "mask", "raw"', examples=["censored"]
    )
    infer_stockouts: Literal["auto", "on", "off"] = Field(
        default="auto", description='one of "auto", "on", "off"', examples=["auto"]
    )
    spikes: bool = Field(default=True, description="true or false", examples=[True])
    bots: bool = Field(default=True, description="true or false", examples=[True])
    country: str | None = Field(
        default=None,
        min_length=1,
        description="a country's ISO 3166 code or English name, with a subdivision if wanted",
        examples=["CN"],
    )


class Settings(_Section):
    """Everything ``shelfwise.toml`` can say, with the contract's defaults.

    Raises:
        DataRejected: from `load` and `from_mapping`; one problem for every bad key.

    Example:
        >>> Settings().supply.lead_time
        2
        >>> Settings.from_mapping({"costs": {"holding_rate": 0.25, "shortage": "margin"}}).costs.holding
    """

    series: SeriesSettings = SeriesSettings()
    supply: SupplySettings = SupplySettings()
    costs: CostSettings = CostSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    limits: LimitSettings = LimitSettings()
    forecast: ForecastSettings = ForecastSettings()
    demand: DemandSettings = DemandSettings()

    @classmethod
    def load(cls, folder: Path, asked: Mapping[str, Any] | None = None) -> Settings:
        """Read ``shelfwise.toml`` of a data folder; the defaults where there is none.

        `asked` holds what goes before the file, key by key: a nested mapping like the file itself.
        """
        path = Path(folder) / SETTINGS_FILE
        if not path.exists():
            return cls.from_mapping(asked or {})
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise DataRejected([unreadable(error)]) from error
        try:
            mapping = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise DataRejected([syntax_broken(error)]) from error
        for section, keys in (asked or {}).items():
            known = mapping.get(section)
            if isinstance(known, dict) and isinstance(keys, Mapping):
                keys = {**known, **keys}
            mapping[section] = keys
        return cls.from_mapping(mapping, text=text)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, text: str | None = None) -> Settings:
        """Check a nested mapping of settings; `text` is the file it came from, for line numbers."""
        try:
            return cls.model_validate(dict(mapping))
        except ValidationError as error:
            raise DataRejected(list(invalid(error, cls, text))) from error
