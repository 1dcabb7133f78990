"""`ModelRequest`: which model is to forecast, how `auto` chooses, and whether what comes out is calibrated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shelfwise.errors import UsageError
from shelfwise.forecast import register
from shelfwise.forecast.auto.judge import ChooseBy, JudgeMaker
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.register import AUTO, make_forecaster
from shelfwise.tables.settings import ForecastSettings


@dataclass(frozen=True)
class ModelRequest:
    """What is asked for; None: as the settings say.

    Attributes:
        name: ``auto`` or a model's name.
        budget_seconds: of `auto`; see `AutoForecaster`.
        choose_by: of `auto`: ``pinball``, ``wape`` or ``cost``.
        calibrate: correct the forecast by how it fared on held-out history; see `Calibrated`.

    Example:
        >>> ModelRequest.of("ets").settled(ForecastSettings()).maker()().name
        'ets'
        >>> ModelRequest().settled(ForecastSettings(model="auto", choose_by="wape"))
        ModelRequest(name='auto', budget_seconds=None, choose_by='wape', calibrate=False)
    """

    name: str | None = None
    budget_seconds: float | None = None
    choose_by: ChooseBy | None = None
    calibrate: bool | None = None

    @classmethod
    def of(cls, model: str | ModelRequest | None) -> ModelRequest:
        """A request from a name alone."""
        return model if isinstance(model, ModelRequest) else cls(model)

    def settled(self, settings: ForecastSettings) -> ModelRequest:
        """With what is not asked for taken from the settings.

        Raises:
            UsageError: a budget or a measure for a model that makes no choice.
        """
        name = self.name or settings.model or register.DEFAULT_MODEL
        if name != AUTO and (self.budget_seconds is not None or self.choose_by is not None):
            raise UsageError(
                f'a time budget and a measure to choose by are for model "auto"; got them for {name!r}'
            )
        return ModelRequest(
            name,
            self.budget_seconds if self.budget_seconds is not None else settings.budget_seconds,
            self.choose_by or settings.choose_by,
            settings.calibrate if self.calibrate is None else self.calibrate,
        )

    def maker(
        self, judge: JudgeMaker | None = None, intervals: Sequence[tuple[int, int]] = ()
    ) -> Callable[[], Forecaster]:
        """What makes the model of a settled request.

        Args:
            judge: of the cost of orders, for `choose_by` ``cost``.
            intervals: sums that calibration looks at, such as lead times and what they protect.
        """
        options: dict[str, Any] = {}
        if self.name == AUTO:
            options = {"time_budget_seconds": self.budget_seconds, "by": self.choose_by, "judge": judge}
        make = partial(make_forecaster, self.name or AUTO, **options)
        if not self.calibrate:
            return make
        from shelfwise.forecast.calibration import Calibrated

        return partial(Calibrated, make, intervals=tuple(intervals))
