"""Values beyond JSON that fit into a line of it, and what stands for a function in a file."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from typing import Any, NoReturn

from shelfwise.errors import ShelfwiseError


class Left:
    """Stands for a function that stayed behind: a file holds no code.

    Raises:
        ShelfwiseError: on being called.
    """

    def __init__(self, what: str) -> None:
        self.what = what

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise ShelfwiseError(
            f"this model was loaded from a file, which holds no code, and {self.what} was left out: it can sample "
            "and update, but to fit it anew make a new one"
        )


# Type -> its name in a file, how it becomes plain and how it comes back.
INLINE: dict[type[Any], tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    date: ("date", date.isoformat, date.fromisoformat),
    bytes: ("bytes", lambda b: base64.b64encode(b).decode(), base64.b64decode),
    complex: ("complex", lambda c: [repr(c.real), repr(c.imag)], lambda told: complex(*map(float, told))),
    range: ("range", lambda r: [r.start, r.stop, r.step], lambda told: range(*told)),
}
FROM_PLAIN = {name: back for name, _, back in INLINE.values()}
