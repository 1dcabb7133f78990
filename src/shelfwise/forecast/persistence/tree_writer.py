"""Objects to a tree of plain JSON: a list of nodes that refer to each other by number.

What two objects share stays shared, so a panel that ten members look at is kept once. Values that are more than
JSON knows are dicts of one entry, whose key says what they are.
"""

from __future__ import annotations

import base64
import inspect
import math
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cached_property, partial
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError
from shelfwise.forecast.persistence.archive_writer import ArchiveWriter
from shelfwise.forecast.persistence.classes import FUNCTIONS, MODULES, OwnState, Savable, savable, tag_of
from shelfwise.forecast.persistence.foreign import FOREIGN, foreign_tag_of
from shelfwise.forecast.persistence.plain import INLINE, Left
from shelfwise.messages import Said

# Below these sizes a member of its own would be mostly wrapping.
SMALL_ARRAY_BYTES, SHORT_TEXT = 512, 2000
Tree = dict[str, Any]


class NotSavable(ShelfwiseError):
    """The model holds something that cannot go into a file; the message says where."""


class TreeWriter:
    """Takes one object and all it holds apart.

    Attributes:
        libraries: packages whose objects were met.
    """

    def __init__(self, archive: ArchiveWriter) -> None:
        self._archive = archive
        self._nodes: list[Any] = []
        self._number: dict[int, int] = {}
        # An object's id is its own only while it lives.
        self._met: list[Any] = []
        self.libraries: set[str] = set()

    def write(self, root: Any) -> Tree:
        """The tree of `root`.

        Raises:
            NotSavable: something in it cannot be saved.
        """
        return {"root": self._value(root, type(root).__name__), "nodes": self._nodes}

    def _value(self, value: Any, where: str) -> Any:
        kind = type(value)
        if value is None or kind is bool or kind is int:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is str:
            return value if len(value) <= SHORT_TEXT else {"text": self._archive.text(value)}
        if kind is Said:
            values = {name: self._value(each, where) for name, each in value.values.items()}
            return {"said": [value.code, values]}
        if kind in INLINE:
            name, to_plain, _ = INLINE[kind]
            return {name: to_plain(value)}
        if kind is tuple:
            return {"tuple": self._values(value, where)}
        if kind in (set, frozenset):
            return {kind.__name__: sorted(self._values(value, where), key=repr)}
        if isinstance(value, np.generic):
            return {"scalar": self._array(np.asarray(value), where)}
        if isinstance(value, Enum):
            return {"enum": [self._tag(kind, where), value.name]}
        if isinstance(value, ModuleType) and value.__name__ in MODULES:
            return {"module": value.__name__}
        return {"ref": self._node_of(value, where)}

    def _values(self, values: Any, where: str) -> list[Any]:
        return [self._value(value, f"{where}[{at}]") for at, value in enumerate(values)]

    def _node_of(self, value: Any, where: str) -> int:
        """The number of the node of an object that may be shared."""
        known = self._number.get(id(value))
        if known is not None:
            return known
        number = self._number[id(value)] = len(self._nodes)
        self._met.append(value)
        self._nodes.append(None)
        self._nodes[number] = self._node(value, where)
        return number

    def _node(self, value: Any, where: str) -> Tree:
        kind = type(value)
        if kind is list:
            return {"list": self._values(value, where)}
        if kind is dict:
            pairs = value.items()
            return {"dict": [[self._value(k, where), self._value(v, f"{where}[{k!r}]")] for k, v in pairs]}
        if kind in (np.ndarray, np.memmap):
            return {"array": self._array(value, where)}
        if kind is partial:
            parts = {"func": value.func, "args": value.args, "keywords": value.keywords}
            return {"partial": {name: self._value(part, where) for name, part in parts.items()}}
        if kind is Left:
            return {"left": value.what}
        tag = foreign_tag_of(kind)
        if tag is not None:
            self.libraries.add(tag.partition(".")[0])
            parts = FOREIGN[tag].parts(value)
            self._met.append(parts)
            return {"foreign": tag, "parts": self._state(parts, where)}
        if inspect.isroutine(value) or inspect.isclass(value):
            return self._callable(value)
        tag = self._tag(kind, where)
        entry = savable(tag)[1]
        state = value.saved_state() if isinstance(value, OwnState) else _attributes(value, entry)
        self._met.append(state)
        return {"object": tag, "version": entry.version, "state": self._state(state, where)}

    def _state(self, state: dict[str, Any], where: str) -> Tree:
        return {name: self._value(value, f"{where}.{name}") for name, value in state.items()}

    def _callable(self, value: Any) -> Tree:
        if inspect.isclass(value):
            tag = tag_of(value)
            if tag is not None:
                return {"class": tag}
        place = f"{getattr(value, '__module__', '')}:{getattr(value, '__qualname__', '')}"
        for name, known in FUNCTIONS.items():
            if place == known:
                return {"function": name}
        return {"left": getattr(value, "__qualname__", type(value).__qualname__)}

    def _tag(self, kind: type[Any], where: str) -> str:
        tag = tag_of(kind)
        if tag is None:
            raise NotSavable(
                f"{where} is a {kind.__module__}.{kind.__qualname__}, which a model file cannot hold; if the class is "
                "yours, decorate it with shelfwise.forecast.persistence.allow"
            )
        return tag

    def _array(self, values: npt.NDArray[Any], where: str) -> Any:
        if values.dtype.hasobject:
            if values.dtype != object:
                raise NotSavable(f"{where} is an array of {values.dtype}, which a model file cannot hold")
            return {"shape": list(values.shape), "items": self._values(values.ravel().tolist(), where)}
        # Sums run along memory, so that the last digit may hang on how an array lies there.
        axes = sorted(range(values.ndim), key=lambda axis: -abs(values.strides[axis]))
        laid = np.ascontiguousarray(values.transpose(axes)).reshape([values.shape[axis] for axis in axes])
        told: Tree = {} if axes == sorted(axes) else {"axes": axes}
        if laid.nbytes > SMALL_ARRAY_BYTES:
            return {**told, "member": self._archive.array(laid)}
        body = base64.b64encode(laid.tobytes()).decode()
        kind = np.lib.format.dtype_to_descr(laid.dtype)
        return {**told, "dtype": kind, "shape": list(laid.shape), "base64": body}


def _attributes(value: Any, entry: Savable) -> dict[str, Any]:
    """What an object holds, without what it can make again."""
    kind = type(value)
    if is_dataclass(value):
        held = {each.name: getattr(value, each.name) for each in fields(value)}
    else:
        held = dict(vars(value))
    return {
        name: part
        for name, part in held.items()
        if name not in entry.fresh and not isinstance(getattr(kind, name, None), cached_property)
    }
