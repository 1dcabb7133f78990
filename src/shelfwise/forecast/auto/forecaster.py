"""`AutoForecaster`: the winners of a competition on the shop's own history, by class of demand."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.auto.blend import Doubles, shares
from shelfwise.forecast.auto.budget import Budget, Clock
from shelfwise.forecast.auto.candidates import Candidate, Models, candidates_for
from shelfwise.forecast.auto.choice import Choice, choose
from shelfwise.forecast.auto.competition import CLASSES, BlendCost, Evidence, LeftOut, compete
from shelfwise.forecast.auto.demand_classes import demand_classes
from shelfwise.forecast.auto.judge import ChooseBy, JudgeMaker, checked_choice
from shelfwise.forecast.auto.report import AutoReport, Contest, sentences, write_report
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.fallback import fit_or_fall_back
from shelfwise.forecast.scenarios import Floats, Scenarios


class AutoForecaster(Forecaster):
    """Lets models compete on held-out history and forecasts each class of demand with the best, or a blend.

    A blend is a linear pool (Stone 1961): each whole path comes from one member, in proportion to weights
    fitted on held-out pinball loss, so that dependence over the horizon stays the members' own. How many
    origins are looked back from, and which models compete, depends on how much data there is.

    Args:
        time_budget_seconds: models whose predicted cost exceeds what is left are not started; the last fits
            count too. Models of ours are predicted from the size of the data, so that the same data get the same
            choice; the clock is read for others alone. None = no limit.
        models: register names, or labels and what makes them; None = all that fit the data.
        by: `pinball` (all levels), `wape` (the mean) or `cost` (what orders decided on the forecast came to).
        horizon: buckets to judge; None = what the panel prepares, at most 28 days, 13 weeks or 6 months.
        seed: of the held-out forecasts.
        judge: makes a judge of the cost of orders from the panel, for `cost`; see `shelfwise.evaluate.decision_cost`.
        clock: what reads seconds under a budget.

    Raises:
        UsageError: an unknown model or measure, no model, a budget or horizon that is not positive, `cost`
            without a judge.
        ShelfwiseError: nobody could compete, and the first model asked for cannot be used, say for want
            of an extra.

    Example:
        >>> import numpy as np
        >>> from shelfwise.buckets import Bucket
        >>> from shelfwise.demand.panel import Panel
        >>> demand = np.random.default_rng(1).poisson(5, (30, 60))
        >>> auto = AutoForecaster(models=["seasonal_naive", "moving_average"])
        >>> auto = auto.fit(Panel.from_arrays(demand, bucket=Bucket("day")))
        >>> auto.sample(4, 100, np.random.default_rng(0)).paths.shape
        (30, 100, 4)
        >>> auto.report().table["model"][0]
        'moving_average'
    """

    name: ClassVar[str] = "auto"

    def __init__(
        self,
        time_budget_seconds: float | None = None,
        models: Models | None = None,
        by: ChooseBy = "pinball",
        horizon: int | None = None,
        seed: int = 0,
        judge: JudgeMaker | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        super().__init__()
        self._members: dict[str, Forecaster] = {}
        self._fixed: tuple[list[Candidate], Doubles] | None = None
        self.notes: list[str] = []
        self.by = checked_choice(by, judge)
        self.time_budget_seconds, self.models = time_budget_seconds, models
        self.horizon, self.seed, self._judge, self._clock = horizon, seed, judge, clock
        Budget(time_budget_seconds, clock)

    def fit(self, panel: Panel) -> Self:
        """Hold the competition, then fit its winners on all history."""
        if self._fixed is not None:
            chosen, self._weights = self._fixed
            self._fit_members(chosen, panel)
            self._take(panel)
            return self
        budget = Budget(self.time_budget_seconds, self._clock)
        candidates, unfit = candidates_for(panel, self.models)
        left_out = {label: LeftOut(code) for label, code in unfit.items()}
        evidence: Evidence | None = None
        blend_cost: BlendCost | None = None
        choices: tuple[Choice, ...] = ()
        if len(candidates) > 1:
            ordered = panel.take(np.argsort(panel.series_ids, kind="stable"))
            checked_choice(self.by, self._judge)
            judge = self._judge(ordered) if self._judge is not None and self.by == "cost" else None
            evidence, refused, blend_cost = compete(
                ordered, candidates, self.horizon, self.seed, budget, self.by, judge
            )
            left_out |= refused
        if evidence is None:
            why = "one" if len(candidates) == 1 else "nobody" if left_out.keys() - unfit.keys() else "short"
            self._weights = np.ones((CLASSES, 1))
            chosen, only = candidates[:1], candidates[0].label
            left_out.pop(only, None)
        else:
            why, only = "", ""
            choices = choose(evidence, blend_cost)
            weights = np.stack([choice.weights for choice in choices])
            used = np.flatnonzero(weights.any(axis=0))
            self._weights = weights[:, used]
            by_label = {candidate.label: candidate for candidate in candidates}
            chosen = [by_label[evidence.labels[m]] for m in used]
        self._fit_members(chosen, panel)
        self._take(panel)
        series = np.bincount(self._classes, minlength=CLASSES)
        self._contest = Contest(self.by, series, evidence, choices, left_out, only, why, tuple(self.notes))
        return self

    def update(self, panel: Panel) -> Self:
        """New buckets for the members; classes are looked at again, the choice for each class stays."""
        self._members = {label: member.update(panel) for label, member in self._members.items()}
        self._take(panel)
        return self

    @property
    def members(self) -> tuple[Forecaster, ...]:
        """The fitted winners."""
        return tuple(self._members.values())

    def member_weights(self, rows: npt.NDArray[np.intp]) -> Doubles:
        """(n, members) what each winner counts for in the forecasts of these series."""
        return self._weights[self._classes[rows]]

    def report(self, lang: str = "en") -> AutoReport:
        """What was chosen at the last fit, and why, in English or Chinese (`zh`)."""
        return write_report(self._contest, lang)

    def told(self) -> tuple[str, ...]:
        """What was chosen at the last fit, and why, in sentences that can be said again in any language."""
        return tuple(sentences(self._contest))

    def settled(self) -> AutoForecaster:
        """A new, unfitted forecaster of the same winners with the same weights, that holds no competition."""
        candidates, _ = candidates_for(self.panel, self.models)
        winners = [candidate for candidate in candidates if candidate.label in self._members]
        again = AutoForecaster(
            self.time_budget_seconds, self.models, self.by, self.horizon, self.seed, self._judge
        )
        again._fixed, again._contest = (winners, self._weights), self._contest
        return again

    def _fit_members(self, chosen: list[Candidate], panel: Panel) -> None:
        self._members.clear()
        self.notes.clear()
        for candidate in chosen:
            self._members[candidate.label], failed = fit_or_fall_back(candidate.make, panel)
            if failed:
                self.notes.append(failed)

    def _take(self, panel: Panel) -> None:
        self.panel = panel
        self._classes = demand_classes(panel.demand, panel.bucket)
        self.failures = {}
        for m, member in enumerate(self._members.values()):
            for row, reason in member.failures.items():
                if self._weights[self._classes[row], m] > 0:
                    self.failures[row] = reason

    def _sample_rows(
        self, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        paths = np.empty((len(rows), n_samples, horizon), np.float32)
        expected = np.zeros((len(rows), horizon), np.float32)
        rng = np.random.default_rng(root)
        start, order = float(rng.random()), rng.permutation(n_samples)
        for c in np.unique(self._classes[rows]):
            mine = np.flatnonzero(self._classes[rows] == c)
            self._pool(rows[mine], mine, self._weights[c], order, start, root, paths, expected)
        return paths, expected

    def _pool(
        self,
        rows: npt.NDArray[np.intp],
        slots: npt.NDArray[np.intp],
        weights: Doubles,
        order: npt.NDArray[np.intp],
        start: float,
        root: int,
        paths: Floats,
        expected: Floats,
    ) -> None:
        """Fill the slots of `paths` and `expected` for rows of one class."""
        n_samples, horizon = paths.shape[1:]
        member_of = shares(weights, n_samples, start)
        for m, (label, member) in enumerate(self._members.items()):
            if not weights[m] > 0:
                continue
            places = order[member_of == m]
            # A member without a place among few samples still has its say in the mean.
            drawn, mean = member._sample_rows(rows, horizon, max(len(places), 1), _branch(root, label))
            paths[slots[:, None], places] = drawn[:, : len(places)]
            expected[slots] += np.float32(weights[m]) * (drawn.mean(axis=1) if mean is None else mean)

    def _draw(self, rows: npt.NDArray[Any], horizon: int, n_samples: int, root: int) -> Scenarios:
        scenarios = super()._draw(rows, horizon, n_samples, root)
        labels = np.array(list(self._members), dtype=object)
        names = np.array(["+".join(labels[weights > 0]) for weights in self._weights], dtype=object)
        return replace(scenarios, models=names[self._classes[rows]])


def _branch(root: int, label: str) -> int:
    """A root of a member's own, so that members do not share their luck."""
    digest = hashlib.blake2b(label.encode(), digest_size=8).digest()
    return (root ^ int.from_bytes(digest, "little")) & (2**63 - 1)
