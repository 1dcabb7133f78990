"""The rows of a CSV as bytes: where each begins, how wide it is, and which ones are broken.

One pass of NumPy over the raw bytes in chunks finds what a CSV parser would silently repair: ragged rows,
quotes that never close, NUL bytes. It also tells the true line of every row, quoted line breaks
included (RFC 4180).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 8 << 20
_NEWLINE, _RETURN, _QUOTE = 10, 13, 34


@dataclass(frozen=True, slots=True)
class BrokenQuote:
    """A quote that breaks the rules: on which line, and whether it merely never closed."""

    line: int
    unclosed: bool


@dataclass(frozen=True, slots=True)
class Records:
    """The rows of a CSV, header included.

    Args:
        ends: byte after the last of each row, line break excluded, shape (rows,).
        starts: first byte of each row, shape (rows,).
        lines: physical line each row begins on, counted from 1, shape (rows,).
        widths: number of fields of each row, shape (rows,).
        broken: first quote that breaks the rules, if any.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    lines: NDArray[np.int32]
    widths: NDArray[np.int32]
    broken: BrokenQuote | None


def unify_line_ends(data: bytes, *, quoted: bool) -> bytes:
    """Turn a lone CR that ends a row into LF; CRLF and anything inside quotes stay as they are.

    Example:
        >>> unify_line_ends(b'a,b\\r1,"x\\ry"\\r', quoted=True)
        b'a,b\\n1,"x\\ry"\\n'
    """
    if b"\r" not in data:
        return data
    raw = np.frombuffer(data, np.uint8)
    returns = np.flatnonzero(raw == _RETURN)
    followed = raw[np.minimum(returns + 1, len(raw) - 1)] == _NEWLINE
    lone = returns[~followed]
    if quoted and len(lone):
        quotes = np.flatnonzero(raw == _QUOTE)
        lone = lone[np.searchsorted(quotes, lone) % 2 == 0]
    if not len(lone):
        return data
    patched = raw.copy()
    patched[lone] = _NEWLINE
    return patched.tobytes()


def find_records(data: bytes, delimiter: str, *, quoted: bool) -> Records:
    """Split `data` into rows without decoding it; `quoted` says whether ``"`` has a meaning.

    Example:
        >>> records = find_records(b'a,b\\n1,"x\\ny"\\n2\\n', ",", quoted=True)
        >>> records.widths.tolist(), records.lines.tolist()
        ([2, 2, 1], [1, 2, 4])
    """
    raw = np.frombuffer(data, np.uint8)
    row_ends: list[NDArray[np.int64]] = []
    widths: list[NDArray[np.int32]] = []
    lines_after: list[NDArray[np.int64]] = []
    open_fields, lines_seen, inside, broken = 1, 0, 0, None
    last_quote_line = 1
    for offset in range(0, len(raw), _CHUNK_BYTES):
        chunk = raw[offset : offset + _CHUNK_BYTES]
        breaks = np.flatnonzero(chunk == _NEWLINE)
        splits = np.flatnonzero(chunk == ord(delimiter))
        outside = breaks
        if quoted:
            quotes = np.flatnonzero(chunk == _QUOTE)
            if broken is None and len(quotes):
                broken = _first_broken(
                    raw, quotes + offset, inside, ord(delimiter), breaks, lines_seen, offset, last_quote_line
                )
            if len(quotes) or inside:
                splits = splits[(np.searchsorted(quotes, splits) + inside) % 2 == 0]
                outside = breaks[(np.searchsorted(quotes, breaks) + inside) % 2 == 0]
            if len(quotes):
                last_quote_line = lines_seen + 1 + int(np.searchsorted(breaks, quotes[-1]))
            inside = (inside + len(quotes)) % 2
        fields = np.searchsorted(splits, outside)
        counts = np.diff(fields, prepend=0) + 1
        if len(outside):
            counts[0] += open_fields - 1
            open_fields = 1 + len(splits) - int(fields[-1])
        else:
            open_fields += len(splits)
        row_ends.append(outside + offset)
        widths.append(counts.astype(np.int32))
        lines_after.append(np.searchsorted(breaks, outside) + lines_seen + 2)
        lines_seen += len(breaks)
    ends = np.concatenate([*row_ends, np.empty(0, np.int64)])
    width = np.concatenate([*widths, np.empty(0, np.int32)])
    next_lines = np.concatenate([np.ones(1, np.int64), *lines_after])
    starts = np.concatenate([np.zeros(1, np.int64), ends + 1])
    if int(starts[-1]) < len(raw):
        ends = np.append(ends, len(raw))
        width = np.append(width, np.int32(open_fields))
    else:
        starts, next_lines = starts[:-1], next_lines[:-1]
    if broken is None and inside:
        broken = BrokenQuote(last_quote_line, unclosed=True)
    return Records(starts, ends, next_lines.astype(np.int32), width.astype(np.int32), broken)


def _first_broken(
    raw: NDArray[np.uint8],
    quotes: NDArray[np.int64],
    inside: int,
    delimiter: int,
    breaks: NDArray[np.int64],
    lines_seen: int,
    offset: int,
    last_quote_line: int,
) -> BrokenQuote | None:
    """The first quote that opens in the middle of a field or closes before its end."""
    edges = (delimiter, _NEWLINE, _RETURN, _QUOTE)
    opens = (np.arange(len(quotes)) + inside) % 2 == 0
    before = raw[np.maximum(quotes - 1, 0)]
    after = raw[np.minimum(quotes + 1, len(raw) - 1)]
    opens_well = np.isin(before, edges) | (quotes == 0)
    closes_well = np.isin(after, edges) | (quotes == len(raw) - 1)
    faults = np.flatnonzero(np.where(opens, ~opens_well, ~closes_well))
    if not len(faults):
        return None
    first = int(faults[0])
    # A quote that closes too early was most likely never closed where it was opened.
    culprit = first if opens[first] else first - 1
    if culprit < 0:
        return BrokenQuote(last_quote_line, unclosed=False)
    line = lines_seen + 1 + int(np.searchsorted(breaks, quotes[culprit] - offset))
    return BrokenQuote(line, unclosed=False)


def damaged_rows(data: bytes, records: Records) -> NDArray[np.int64]:
    """Indices of the rows that hold a NUL byte, which is also what bytes that are no text became."""
    if b"\0" not in data:
        return np.empty(0, np.int64)
    places = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
    return np.unique(np.searchsorted(records.starts, places, side="right") - 1)


def keep_rows(data: bytes, records: Records, keep: NDArray[np.bool_]) -> bytes:
    """The text with only the rows marked in `keep`, each ended by LF."""
    if keep.all():
        return data
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]]).astype(np.int8)))
    runs = [
        data[int(records.starts[first]) : int(records.ends[last - 1])]
        for first, last in zip(edges[0::2], edges[1::2], strict=True)
    ]
    return b"\n".join(runs) + b"\n"
