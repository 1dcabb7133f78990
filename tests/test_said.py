"""A sentence that knows where it came from reads as English and can be said again."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from contract.shops import AS_OF, plain_shop
from shelfwise.cli import main
from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra, ShelfwiseError, UsageError
from shelfwise.forecast.fallback import fit_or_fall_back, stand_in_note
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.newcomers import NewItemForecaster
from shelfwise.messages import Said, retold, said_of, say

INNER = Said("forecast.no_history")
NOTE = Said("forecast.stand_in", count=3, reason=INNER)


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def test_it_is_a_text():
    assert (
        NOTE == "3 series forecast by a stand-in, the first: no history: level of the shop's new items used"
    )
    assert {str(NOTE): 1}[NOTE] == 1
    assert NOTE.startswith("3 series")


def test_what_it_holds_is_said_again_too():
    assert retold(NOTE, "zh") == say(
        "forecast.stand_in", "zh", count=3, reason=say("forecast.no_history", "zh")
    )
    assert retold(NOTE, "en") == NOTE
    assert retold("somebody's own words", "zh") == "somebody's own words"


@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda text: pickle.loads(pickle.dumps(text))])
def test_a_copy_remembers(again):
    copied = again(NOTE)
    assert copied == NOTE
    assert retold(copied, "zh") == retold(NOTE, "zh")


def test_unknown_codes_and_languages_are_errors():
    with pytest.raises(KeyError):
        Said("no.such")
    with pytest.raises(KeyError):
        Said("forecast.stand_in", count=3)
    with pytest.raises(UsageError, match="language"):
        retold(NOTE, "tlh")


class Breaks(MovingAverage):
    name = "breaks"

    def fit(self, panel):
        raise ZeroDivisionError("by zero")


def test_what_befalls_a_model_is_told_in_both_languages():
    panel = Panel.from_arrays(np.ones((2, 20)))
    model, note = fit_or_fall_back(Breaks, panel)
    assert note == "model breaks failed (ZeroDivisionError: by zero); used moving_average"
    assert is_chinese(retold(note, "zh"))
    assert "breaks" in retold(note, "zh")
    model.failures = {0: INNER}
    assert is_chinese(retold(stand_in_note(model), "zh").split("：")[-1])


@pytest.mark.parametrize("genuine", [True, False])
def test_a_newcomers_reason_is_told_in_both_languages(genuine):
    demand = np.full((9, 30), 4.0)
    if genuine:
        for row in range(8):
            demand[row, : 8 + row] = np.nan
    demand[8] = np.nan
    reason = NewItemForecaster().fit(Panel.from_arrays(demand)).reasons(np.array([8]))[0]
    assert reason.startswith("no history")
    assert ("guessed from the launches of 8 items" in reason) == genuine
    assert ("guessed from the level of 8 items" in reason) != genuine
    told = retold(reason, "zh")
    assert told.startswith("没有历史")
    assert "s0000003@main" in told
    assert "nearest" not in told


def test_no_history_at_all_is_told_in_both_languages():
    empty = Panel.from_arrays(np.full((2, 9), np.nan))
    assert is_chinese(retold(NewItemForecaster().fit(empty).reasons(np.array([0]))[0], "zh"))
    assert is_chinese(retold(MovingAverage().fit(empty).failures[0], "zh"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_backtests_notes_come_in_the_language_asked_for(tmp_path, capsys, monkeypatch, lang):
    monkeypatch.delenv("SHELFWISE_LANG", raising=False)
    folder = plain_shop().write(tmp_path / "shop")
    asked = ["backtest", str(folder), "--from", "2024-11-04", "--to", str(AS_OF), "--lang", lang]
    assert main([*asked, "--policy", "days_of_cover", "-o", str(tmp_path / "out.csv")]) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    set_up = {say("backtest.starting_stock", lang)}
    assert set_up <= {note.removeprefix("note: ") for note in notes}
    assert is_chinese(notes[0]) == (lang == "zh")


def test_a_missing_extra_is_told_in_the_words_of_the_error():
    error = MissingExtra("torch", "deep")
    assert said_of(error) == str(error)
    assert "未安装 torch" in retold(said_of(error), "zh")


def test_an_error_keeps_the_code_it_was_raised_with():
    error = ShelfwiseError(Said("forecast.not_finite"))
    assert (str(error), retold(said_of(error), "zh")) == ("its forecast is not finite", "预测值不是有限的数")
    assert retold(said_of(ShelfwiseError("in plain words")), "zh") == "in plain words"
