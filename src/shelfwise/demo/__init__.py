"""A demo shop with known truth: what `shelfwise demo`, the tests and the docs run on."""

from shelfwise.demo.dirty import Fault, dirty_faults, write_dirty_folder
from shelfwise.demo.shop import make_shop
from shelfwise.demo.truth import DemoShop, ShopTruth
from shelfwise.demo.writing import write_shop

__all__ = [
    "DemoShop",
    "Fault",
    "ShopTruth",
    "dirty_faults",
    "make_shop",
    "write_dirty_folder",
    "write_shop",
]
