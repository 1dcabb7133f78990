"""Results to files: csv, parquet or json by the ending, `-` for CSV on standard output, all or nothing."""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import polars as pl

from shelfwise.errors import OutputNotWritable, UsageError
from shelfwise.tables.rejects import guard_text

ENDINGS = (".csv", ".parquet", ".json")
STDOUT = "-"


def prepare_output(target: str) -> None:
    """Fail before any work if `target` cannot be written.

    Raises:
        UsageError: an ending that is none of csv, parquet, json.
        OutputNotWritable: the folder is missing or refuses, or the target is a folder.
    """
    if target == STDOUT:
        return
    path = Path(target)
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"-o takes a file ending in {', '.join(ENDINGS)}, or - ; got {target!r}")
    if path.is_dir():
        raise OutputNotWritable(f"cannot write {target}: it is a folder. Give a file name in it.")
    if not path.parent.is_dir():
        raise OutputNotWritable(
            f"cannot write {target}: the folder {path.parent} does not exist. Create it first."
        )
    if path.exists() and not os.access(path, os.W_OK):
        raise OutputNotWritable(f"cannot write {target}: the file is read-only. Choose another name.")
    try:
        handle, probe = tempfile.mkstemp(dir=path.parent, prefix=".shelfwise-")
        os.close(handle)
        os.unlink(probe)
    except OSError as error:
        raise OutputNotWritable(
            f"cannot write {target}: {error.strerror or error}. Choose a folder you may write to."
        ) from error


def write_frame(frame: pl.DataFrame, target: str) -> None:
    """Write a table; an existing file is replaced only once the new one is complete."""
    if target == STDOUT:
        # By way of memory: Polars would hide from us that the reader of a pipe has gone.
        table = io.BytesIO()
        frame.pipe(guard_formulas).write_csv(table, float_precision=6)
        sys.stdout.buffer.write(table.getbuffer())
        sys.stdout.flush()
        return
    path = Path(target)
    writers: dict[str, Callable[[IO[bytes]], object]] = {
        ".csv": lambda out: frame.pipe(guard_formulas).write_csv(out, float_precision=6),
        ".parquet": lambda out: frame.write_parquet(out, compression="zstd"),
        ".json": lambda out: out.write(_json(frame)),
    }
    replace_file(path, writers[path.suffix.lower()])


def replace_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write beside `path`, then put it in place in one step."""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".shelfwise-", suffix=path.suffix)
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}.") from error
    try:
        with os.fdopen(handle, "wb") as out:
            write(out)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        Path(beside).unlink(missing_ok=True)
        raise OutputNotWritable(
            f"cannot write {path}: {error.strerror or error}. Nothing was changed."
        ) from error
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def guard_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Text cells that a spreadsheet would run get a leading quote; numbers stay as they are."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(guard_text(pl.col(name)).alias(name) for name in texts)


def _json(frame: pl.DataFrame) -> bytes:
    """Records with ISO dates; what is not a number becomes null, as JSON knows no NaN."""
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    dates = [name for name, kind in frame.schema.items() if kind == pl.Date]
    clean = frame.with_columns(
        *(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in floats),
        *(pl.col(name).dt.to_string("iso") for name in dates),
    )
    return clean.write_json().encode()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
