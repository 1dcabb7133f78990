"""A slow plain twin of the scenario policy: it walks the simulator's rules and tries every lot."""

from __future__ import annotations

import math


def bucket_costs(path, receipts, on_hand, owed, lead, review, quantity, holding, shortage, lost_share):
    """Cost and units short of the buckets lead … lead + review - 1 of one path, counted by hand."""
    cost = short = 0.0
    for bucket in range(lead + review):
        on_hand += receipts[bucket] if bucket < len(receipts) else 0.0
        if bucket == lead:
            on_hand += quantity
        late = min(max(on_hand, 0.0), owed)
        on_hand -= late
        owed -= late
        served = min(max(on_hand, 0.0), path[bucket])
        on_hand -= served
        unmet = path[bucket] - served
        owed += unmet * (1 - lost_share)
        if bucket >= lead:
            cost += holding * max(on_hand, 0.0) + shortage * (unmet * lost_share + owed)
            short += unmet
    return cost, short


def expected(paths, leads, receipts, on_hand, owed, review, quantity, holding, shortage, lost_share):
    """Mean cost, mean units short and share of paths without a shortage."""
    runs = [
        bucket_costs(path, receipts, on_hand, owed, lead, review, quantity, holding, shortage, lost_share)
        for path, lead in zip(paths, leads, strict=True)
    ]
    costs, shorts = zip(*runs, strict=True)
    return sum(costs) / len(runs), sum(shorts) / len(runs), sum(s <= 0 for s in shorts) / len(runs)


def allowed(moq, multiple, most, reach):
    """All quantities a supplier accepts, up to what could ever be of use."""
    lots = [0]
    for count in range(1, math.ceil(max(reach, moq) / multiple) + 2):
        if count * multiple >= moq - 1e-9 and count * multiple <= most + 1e-9:
            lots.append(count)
    return [count * multiple for count in lots]


def least_cost(paths, leads, receipts, on_hand, owed, review, terms, costs, lost_share):
    """(least expected cost, the smallest quantity that has it), order cost included."""
    moq, multiple, most = terms
    holding, shortage, order_cost = costs
    reach = max(sum(path) for path in paths) + owed + max(0.0, -on_hand)
    best = (math.inf, 0.0)
    for quantity in allowed(moq, multiple, most, reach):
        cost = expected(
            paths, leads, receipts, on_hand, owed, review, quantity, holding, shortage, lost_share
        )[0]
        cost += order_cost if quantity > 0 else 0.0
        if cost < best[0] - 1e-9:
            best = (cost, quantity)
    return best


def least_service(paths, leads, receipts, on_hand, owed, review, terms, lost_share, kind, level):
    """The smallest allowed quantity that reaches the level, or the largest there is."""
    reach = max(sum(path) for path in paths) + owed + max(0.0, -on_hand)
    asked = sum(sum(path[lead : lead + review]) for path, lead in zip(paths, leads, strict=True)) / len(paths)
    choices = allowed(*terms, reach)
    for quantity in choices:
        _, short, unbroken = expected(
            paths, leads, receipts, on_hand, owed, review, quantity, 0, 0, lost_share
        )
        reached = short <= (1 - level) * asked + 1e-9 if kind == "fill_rate" else unbroken >= level - 1e-9
        if reached:
            return quantity
    return choices[-1]
