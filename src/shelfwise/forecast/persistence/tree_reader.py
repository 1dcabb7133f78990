"""A tree of plain JSON back to the objects it was made of; classes and functions by their names in our own lists."""

from __future__ import annotations

import base64
import math
from dataclasses import MISSING, fields, is_dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import MissingExtra, ShelfwiseError
from shelfwise.forecast.persistence.archive_reader import ArchiveReader
from shelfwise.forecast.persistence.classes import FUNCTIONS, MODULES, OwnState, Savable, savable
from shelfwise.forecast.persistence.foreign import FOREIGN
from shelfwise.forecast.persistence.plain import FROM_PLAIN, Left
from shelfwise.messages import Said

Tree = dict[str, Any]


class TreeReader:
    """Puts the root of a tree together again."""

    def __init__(self, archive: ArchiveReader) -> None:
        self._archive = archive
        self._nodes: list[Any] = archive.tree["nodes"]
        self._made: dict[int, Any] = {}
        self._begun: set[int] = set()

    def read(self) -> Any:
        """The object that was written.

        Raises:
            ShelfwiseError: it holds what this installation does not know.
        """
        return self._value(self._archive.tree["root"])

    def _value(self, told: Any) -> Any:
        if not isinstance(told, dict):
            return told
        ((name, body),) = told.items()
        if name == "ref":
            return self._node(body)
        if name == "float":
            return float(body)
        if name == "text":
            return self._archive.text(body)
        if name == "tuple":
            return tuple(map(self._value, body))
        if name in ("set", "frozenset"):
            return {"set": set, "frozenset": frozenset}[name](map(self._value, body))
        if name == "said":
            return self._said(*body)
        if name == "scalar":
            return self._array(body)[()]
        if name == "enum":
            return self._class(body[0])[0][body[1]]
        if name == "module":
            return _module(body)
        return FROM_PLAIN[name](body)

    def _node(self, number: int) -> Any:
        if number in self._made:
            return self._made[number]
        if number in self._begun:
            raise ValueError("an object that is made from itself")
        self._begun.add(number)
        told = self._nodes[number]
        if "list" in told:
            items: list[Any] = []
            self._made[number] = items
            items.extend(map(self._value, told["list"]))
        elif "dict" in told:
            entries: dict[Any, Any] = {}
            self._made[number] = entries
            entries.update((self._value(key), self._value(value)) for key, value in told["dict"])
        elif "object" in told:
            self._object(number, told)
        else:
            self._made[number] = self._whole(told)
        return self._made[number]

    def _whole(self, told: Tree) -> Any:
        """Of a node that is made in one go."""
        if "array" in told:
            return self._array(told["array"])
        if "foreign" in told:
            return FOREIGN[told["foreign"]].made(self._state(told["parts"]))
        if "partial" in told:
            parts = self._state(told["partial"])
            return partial(parts["func"], *parts["args"], **parts["keywords"])
        if "class" in told:
            return self._class(told["class"])[0]
        if "function" in told:
            module, _, name = FUNCTIONS[told["function"]].partition(":")
            return getattr(import_module(module), name)
        return Left(told["left"])

    def _object(self, number: int, told: Tree) -> None:
        kind, entry = self._class(told["object"])
        if told["version"] != entry.version:
            raise ShelfwiseError(
                f"{self._archive.path}: {told['object']} was saved in version {told['version']} and is version "
                f"{entry.version} here; load the file with Shelfwise {self._writer}, or fit the model again"
            )
        made = self._made[number] = object.__new__(kind)
        state = self._state(told["state"])
        if isinstance(made, OwnState):
            made.restore_state(state)
            return
        state |= {name: fresh() for name, fresh in entry.fresh.items()}
        for name, value in self._complete(kind, state).items():
            object.__setattr__(made, name, value)
        if is_dataclass(kind) and hasattr(made, "__post_init__"):
            made.__post_init__()
        if entry.rebuild is not None:
            entry.rebuild(made)

    def _complete(self, kind: type[Any], state: dict[str, Any]) -> dict[str, Any]:
        """The state of a dataclass with the defaults of fields that the file does not know yet."""
        if not is_dataclass(kind):
            return state
        known = {each.name: each for each in fields(kind)}
        strange = state.keys() - known.keys()
        for name in sorted(known.keys() - state.keys()):
            each = known[name]
            if each.default is not MISSING:
                state[name] = each.default
            elif each.default_factory is not MISSING:
                state[name] = each.default_factory()
            else:
                strange.add(name)
        if strange:
            raise ShelfwiseError(
                f"{self._archive.path}: {kind.__name__} is made of other fields here ({', '.join(sorted(strange))}); "
                f"load the file with Shelfwise {self._writer}, or fit the model again"
            )
        return state

    @property
    def _writer(self) -> str:
        """The version of Shelfwise that wrote the file."""
        return str(self._archive.header.get("shelfwise"))

    def _class(self, tag: str) -> tuple[type[Any], Savable]:
        try:
            return savable(tag)
        except KeyError:
            raise ShelfwiseError(
                f"{self._archive.path} holds a {tag!r}, which is unknown here (it was written by Shelfwise "
                f"{self._writer}). Install that version; if the class is yours, import the module that passes it to "
                "shelfwise.forecast.persistence.allow first"
            ) from None

    def _said(self, code: str, told: Tree) -> Said:
        try:
            return Said(code, **self._state(told))
        except KeyError:
            raise ShelfwiseError(
                f"{self._archive.path} tells of {code!r}, for which there are no words here; load it with Shelfwise "
                f"{self._writer}, or fit the model again"
            ) from None

    def _state(self, told: Tree) -> dict[str, Any]:
        return {name: self._value(value) for name, value in told.items()}

    def _array(self, told: Tree) -> npt.NDArray[Any]:
        if "items" in told:
            filled = np.empty(math.prod(told["shape"]), dtype=object)
            filled[:] = [self._value(item) for item in told["items"]]
            return filled.reshape(told["shape"])
        if "member" in told:
            laid = self._archive.array(told["member"])
        else:
            kind = np.lib.format.descr_to_dtype(told["dtype"])
            body = bytearray(base64.b64decode(told["base64"]))
            laid = np.frombuffer(body, kind).reshape(told["shape"])
        return laid.transpose(np.argsort(told["axes"])) if "axes" in told else laid


def _module(name: str) -> ModuleType:
    if name not in MODULES:
        raise ValueError(f"{name} is no module a model may hold")
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra("statsforecast", "classical") from error
