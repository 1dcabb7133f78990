"""A slow plain twin of the network simulator: one item, one path, every unit a parcel [age, amount] in a list.

It shares no code with the kernel: stock is a list of parcels sorted by age, transport a list of
(arrival, arc, parcels), and orders owed a list of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Parcels = list[list[float]]


def take(parcels: Parcels, amount: float, oldest_first: bool) -> Parcels:
    """Remove up to `amount` units; returns what was taken."""
    taken: Parcels = []
    for parcel in sorted(parcels, key=lambda p: -p[0] if oldest_first else p[0]):
        part = min(parcel[1], amount)
        if part > 0:
            taken.append([parcel[0], part])
            parcel[1] -= part
            amount -= part
    return taken


def total(parcels: Parcels) -> float:
    return sum(amount for _, amount in parcels)


def share_out(owed: Sequence[float], available: float, by_priority: bool) -> list[float]:
    """What each of the arcs owed gets; whole units by largest remainder."""
    if by_priority or sum(owed) <= available:
        given = []
        for amount in owed:
            given.append(min(amount, available))
            available -= given[-1]
        return given
    exact = [amount * available / sum(owed) for amount in owed]
    if any(value != int(value) for value in (*owed, available)):
        return exact
    given = [math.floor(value) for value in exact]
    rest = round(available - sum(given))
    for index in sorted(range(len(owed)), key=lambda i: (-round(exact[i] - given[i], 9), i))[:rest]:
        given[index] += 1
    return [float(value) for value in given]


def twin_network(case: dict) -> dict[str, list[float]]:
    """Totals a node and an arc of one item and path; `case` holds plain lists."""
    source, destination = case["source"], case["destination"]
    n_nodes, n_arcs = case["n_nodes"], len(source)
    stock: list[Parcels] = [[[0.0, float(units)]] for units in case["on_hand"]]
    back = [float(units) for units in case["backorders"]]
    owed = [0.0] * n_arcs
    coming: list[tuple[int, int, Parcels]] = []
    books = {name: [0.0] * n_nodes for name in ("served", "lost", "wasted", "received", "left", "waiting")}
    arcs = {name: [0.0] * n_arcs for name in ("shipped", "delivered")}
    life = case["shelf_life"]

    def ship(arc: int, parcels: Parcels, t: int) -> None:
        arcs["shipped"][arc] += total(parcels)
        lead, share, delay = case["lead_time"][arc], case["on_time_share"][arc], case["delay"][arc]
        by_age: dict[float, float] = {}
        for age, amount in parcels:
            by_age[age] = by_age.get(age, 0.0) + amount
        for age, amount in by_age.items():
            late = amount * (1 - share)
            if amount == int(amount):
                late = math.floor(late + 1e-9)
            coming.append((t + lead, arc, [[age, amount - late]]))
            if late:
                coming.append((t + lead + delay, arc, [[age, late]]))

    for t in range(len(case["demand"][0])):
        for arc in range(n_arcs):
            owed[arc] += case["orders"][arc][t]
        for arc in range(n_arcs):
            if source[arc] < 0:
                ship(arc, [[0.0, owed[arc]]], t)
                owed[arc] = 0.0
        for node in case["node_order"]:
            for arrival, arc, parcels in [entry for entry in coming if entry[0] == t]:
                if destination[arc] == node:
                    stock[node] += parcels
                    books["received"][node] += total(parcels)
                    arcs["delivered"][arc] += total(parcels)
                    coming.remove((arrival, arc, parcels))
            out = [arc for arc in range(n_arcs) if source[arc] == node]
            given = share_out([owed[arc] for arc in out], total(stock[node]), case["by_priority"])
            for arc, amount in zip(out, given, strict=True):
                owed[arc] -= amount
                ship(arc, take(stock[node], amount, case["oldest_first"]), t)
            late = total(take(stock[node], back[node], case["oldest_first"]))
            asked = case["demand"][node][t]
            served = total(take(stock[node], asked, case["oldest_first"]))
            lost = (asked - served) * case["lost_share"][node]
            back[node] += asked - served - lost - late
            books["served"][node] += late + served
            books["lost"][node] += lost
            books["waiting"][node] += back[node]
            if life:
                for parcel in stock[node]:
                    parcel[0] += 1
                books["wasted"][node] += sum(amount for age, amount in stock[node] if age >= life)
                stock[node] = [parcel for parcel in stock[node] if parcel[0] < life]
            books["left"][node] += total(stock[node])
    return books | arcs | {"owed": owed, "end": [total(parcels) for parcels in stock], "end_back": back}
