"""A slow plain twin of orders for goods that expire: batches in a list, the oldest sold first."""

from __future__ import annotations


def expiring_costs(
    path, receipts, ages, owed, lead, review, life, quantity, holding, shortage, waste_cost, lost_share
):
    """One path: cost of the review's buckets and of all waste of stock until its end and of the order until it has
    expired; units short in the review; units of older stock and of the order wasted.

    `ages[k]` units on hand can be sold in k + 1 more buckets. `path` reaches to bucket lead + max(review, life).
    """
    batches = [[k, units, False] for k, units in enumerate(ages)]
    cost = short = older = own = 0.0
    for bucket in range(lead + max(review, life)):
        if bucket <= lead:
            paid = min(owed, receipts[bucket])
            owed -= paid
            batches.append([bucket + life - 1, receipts[bucket] - paid, False])
        if bucket == lead:
            paid = min(owed, quantity)
            owed -= paid
            own_paid = paid
            batches.append([bucket + life - 1, quantity - paid, True])
        rest = path[bucket]
        for batch in sorted(batches, key=lambda one: (one[0], one[2])):
            used = min(batch[1], rest)
            batch[1] -= used
            rest -= used
        counted = lead <= bucket < lead + review
        for batch in batches:
            if batch[0] == bucket:
                if batch[2]:
                    own += batch[1]
                elif bucket < lead + review:
                    older += batch[1]
                batch[1] = 0.0
        unmet, rest = rest, 0.0
        owed += unmet * (1 - lost_share)
        if counted:
            cost += holding * sum(batch[1] for batch in batches) + shortage * (unmet * lost_share + owed)
            short += unmet
    assert own_paid >= 0
    return cost + waste_cost * (older + own), short, older, own
