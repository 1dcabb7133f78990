"""A folder of versions: numbered, whole, never overwritten."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from checks.forecaster_checks import draw, same, shop
from shelfwise.errors import UsageError
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.persistence import ModelFileError, ModelStore, NotSavable


@pytest.fixture
def model() -> MovingAverage:
    return MovingAverage().fit(shop())


def test_versions_are_numbered_and_the_last_is_the_latest(model, tmp_path):
    store = ModelStore(tmp_path / "models")
    first = store.keep(model)
    second = store.keep(MovingAverage(window=3).fit(shop()), as_of=model.panel.as_of)
    assert [kept.number for kept in store.versions()] == [1, 2]
    assert store.latest() == second
    assert same(draw(store.latest().load()), draw(MovingAverage(window=3).fit(shop())))
    assert same(draw(first.load()), draw(model))
    assert first.as_of == model.panel.as_of
    assert sorted(path.name for path in store.folder.iterdir()) == ["000001.model", "000002.model"]


def test_the_latest_as_of_a_day_knows_nothing_later(tmp_path):
    store = ModelStore(tmp_path)
    for buckets in (60, 80, 70):
        store.keep(MovingAverage().fit(shop().until(buckets)))
    days = [kept.as_of for kept in store.versions()]
    assert store.latest().number == 3
    assert store.latest(as_of=days[1]).number == 3
    assert store.latest(as_of=days[0]).number == 1
    with pytest.raises(UsageError, match=r"no model as of 2020-01-01 or earlier"):
        store.latest(as_of=date(2020, 1, 1))


def test_a_model_of_another_day_is_refused(model, tmp_path):
    with pytest.raises(UsageError, match="update it before it is kept"):
        ModelStore(tmp_path).keep(model, as_of=date(2020, 1, 1))
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_cannot_be_saved_leaves_nothing(model, tmp_path):
    model.extra = object()
    with pytest.raises(NotSavable):
        ModelStore(tmp_path).keep(model)
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_get_numbers_of_their_own(model, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: ModelStore(tmp_path).keep(model), range(24)))
    assert sorted(each.number for each in kept) == list(range(1, 25))
    assert len(ModelStore(tmp_path).versions()) == 24


def test_a_claim_left_behind_by_a_crash_takes_its_number_with_it(model, tmp_path):
    store = ModelStore(tmp_path)
    store.keep(model)
    (tmp_path / "000002.claim").touch()
    assert store.keep(model).number == 3
    assert [kept.number for kept in store.versions()] == [1, 3]


def test_pruned_only_the_last_stay_and_numbers_go_on(model, tmp_path):
    store = ModelStore(tmp_path)
    for _ in range(4):
        store.keep(model)
    assert store.prune(2) == [1, 2]
    assert store.prune(2) == []
    assert [kept.number for kept in store.versions()] == [3, 4]
    assert store.keep(model).number == 5
    with pytest.raises(UsageError, match="at least 1"):
        store.prune(0)


def test_a_damaged_version_is_named_and_others_files_are_left_alone(model, tmp_path):
    store = ModelStore(tmp_path)
    store.keep(model)
    (tmp_path / "notes.txt").write_text("hello")
    assert len(store.versions()) == 1
    (tmp_path / "000001.model").write_bytes(b"PK")
    with pytest.raises(ModelFileError, match=r"000001\.model"):
        store.versions()


def test_an_empty_store_says_so(tmp_path):
    store = ModelStore(tmp_path / "nowhere")
    assert store.versions() == []
    with pytest.raises(UsageError, match="keep one first"):
        store.latest()
