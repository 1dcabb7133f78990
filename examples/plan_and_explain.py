"""A plan from a data folder, and how its largest order came about.

Run: python examples/plan_and_explain.py [FOLDER AS_OF]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import shelfwise
from shelfwise.demo import make_shop, write_shop


def main(folder: Path, as_of: str, model: str = "auto") -> None:
    """Plan the shop in `folder` and explain the order of the greatest value."""
    plan = shelfwise.plan(folder, as_of=as_of, model=model)
    for note in plan.notes:
        print(f"note: {note}")
    if plan.orders.is_empty():
        print("nothing to order")
        return
    largest = plan.orders.sort("value", descending=True, nulls_last=True).row(0, named=True)
    print(plan.explain(largest["sku"], largest["location"]))

    # The steps are data too, for whoever wants to show them in another way.
    told = plan.explain(largest["sku"], largest["location"]).to_dict()
    print({step["code"]: step["value"] for step in told["steps"]})


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(Path(sys.argv[1]), sys.argv[2])
    else:
        with tempfile.TemporaryDirectory() as place:
            shop = make_shop(n_skus=12, days=200)
            write_shop(shop, Path(place))
            main(Path(place), str(shop.truth.end))
