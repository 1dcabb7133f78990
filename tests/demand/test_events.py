from __future__ import annotations

from datetime import date, timedelta

import pytest

from shelfwise.demand import build_panel
from shelfwise.demand.events import MAX_NAMES

AS_OF = date(2024, 1, 22)


def event(day: str, name: str, location: str = "*", kind: str | None = None) -> dict[str, object]:
    return {"date": date.fromisoformat(day), "name": name, "location": location, "kind": kind}


def known_of(make_dataset, sale, events, bucket="week", horizon=1):
    sales = [sale("2024-01-01", 1, location=place) for place in "xy"]
    return build_panel(make_dataset(bucket, sales=sales, events=events), AS_OF, horizon).known


def test_an_event_is_the_share_of_the_bucket_it_fills(make_dataset, sale):
    events = [event(day, "fair") for day in ("2024-01-02", "2024-01-02", "2024-01-03", "2024-01-22")]
    found = known_of(make_dataset, sale, events)["event:fair"].rows()
    assert found[0] == pytest.approx([2 / 7, 0, 0, 1 / 7])
    by_day = known_of(make_dataset, sale, events, "day")["event:fair"].rows()
    assert by_day[0].nonzero()[0].tolist() == [1, 2, 21]
    assert set(by_day[0].tolist()) == {0, 1}


def test_an_event_of_one_location_stays_there(make_dataset, sale):
    events = [event("2024-01-02", "fair", "y"), event("2024-01-09", "fair", "y"), event("2024-01-16", "all")]
    known = known_of(make_dataset, sale, events)
    assert known["event:fair"].rows().tolist() == [[0, 0, 0, 0], pytest.approx([1 / 7, 1 / 7, 0, 0])]
    assert (known["event:any"].rows() > 0).tolist() == [
        [False, False, True, False],
        [True, True, True, False],
    ]


def test_what_occurs_once_is_only_part_of_any(make_dataset, sale):
    events = [
        event("2024-01-02", "once", kind="holiday"),
        event("2024-01-16", "other", kind="holiday"),
        event("2024-01-17", "third", kind="sport"),
        event("2024-03-17", "once", kind="sport"),
    ]
    assert set(known_of(make_dataset, sale, events)) == {"event:any", "event_kind:holiday"}


def test_an_event_shared_by_all_is_stored_once(make_dataset, sale):
    known = known_of(make_dataset, sale, [event("2024-01-02", "fair"), event("2024-01-22", "fair")])
    assert known["event:fair"].values.shape == (1, 4)
    assert known["event:fair"].group.tolist() == [0, 0]


def test_of_many_names_the_most_frequent_stay_in_alphabetical_order(make_dataset, sale):
    start = date(2024, 1, 1)
    events = [
        event(str(start + timedelta(days=day)), f"n{name:02}")
        for name in range(MAX_NAMES + 2)
        for day in range(2 + (name == MAX_NAMES + 1))
    ]
    known = known_of(make_dataset, sale, events, "day")
    names = [name for name in known if name.startswith("event:n")]
    assert names == [f"event:n{name:02}" for name in (MAX_NAMES + 1, *range(MAX_NAMES - 1))]
