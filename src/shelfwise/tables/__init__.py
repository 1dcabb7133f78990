"""The shop's tables: schemas, settings, reading, checking, and the `Dataset` they become."""

from shelfwise.tables.assembling import TablesRejected
from shelfwise.tables.closures import closures
from shelfwise.tables.costs import cost_notes, resolve_costs
from shelfwise.tables.dataset import DEFAULT_LOCATION, Dataset
from shelfwise.tables.folder import read_folder
from shelfwise.tables.frames import dataset_from_frames
from shelfwise.tables.price_breaks import parse_price_breaks
from shelfwise.tables.schema import SCHEMAS
from shelfwise.tables.settings import Settings
from shelfwise.tables.summary import CheckSummary, summarise
from shelfwise.tables.terms import resolve_terms

__all__ = [
    "DEFAULT_LOCATION",
    "SCHEMAS",
    "CheckSummary",
    "Dataset",
    "Settings",
    "TablesRejected",
    "closures",
    "cost_notes",
    "dataset_from_frames",
    "parse_price_breaks",
    "read_folder",
    "resolve_costs",
    "resolve_terms",
    "summarise",
]
