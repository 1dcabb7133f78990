"""Reads a model file whole, and believes nothing in it before it has been compared with something else."""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.forecast.persistence.file_format import (
    CHUNK_BYTES,
    FORMAT,
    FORMAT_NAME,
    HEADER,
    MOST_TREE_BYTES,
    TREE,
    ModelFileError,
    as_bytes,
    canonical,
)
from shelfwise.tables.filesize import LIMIT_VARIABLE, available_memory_bytes, max_file_bytes

MOST_HEADER_BYTES, MOST_MEMBERS = 1 << 20, 1_000_000
SHARE_OF_MEMORY = 0.5


class ArchiveReader:
    """Everything in a model file, read whole, its digest compared.

    Attributes:
        path: of the file.
        header: what `ArchiveWriter.finish` was given, and `digest`.
        tree: the same.

    Args:
        path: of the file.
        max_bytes: the most the members may come to; None = `SHELFWISE_MAX_FILE_BYTES`, else half the memory
            that is left.

    Raises:
        UsageError: no such file.
        ModelFileError: no model file, cut off, damaged, of a newer format, too large.
    """

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        self.path = path
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._texts: dict[str, str] = {}
        self._taken: set[str] = set()
        with _opened(path) as (archive, members):
            self.header = _checked_header(path, archive, members)
            _check_sizes(path, members, max_bytes)
            whole = blake2b(digest_size=16)
            # Written in the order of their numbers, the tree after them: in the order of names.
            for name in sorted(members.keys() - {HEADER}):
                whole.update(f"{name}:{members[name].file_size}\n".encode())
                with archive.open(members[name]) as member:
                    self._read(name, members[name].file_size, member, whole)
        told = {key: value for key, value in self.header.items() if key != "digest"}
        whole.update(canonical(told))
        if whole.hexdigest() != self.header["digest"]:
            raise _damaged(path, "its contents do not match its digest")

    def array(self, name: str) -> npt.NDArray[Any]:
        """An array of the caller's own."""
        values = self._arrays[name]
        if name in self._taken:
            return values.copy()
        self._taken.add(name)
        return values

    def text(self, name: str) -> str:
        """The text of a member."""
        return self._texts[name]

    def _read(self, name: str, size: int, member: IO[bytes], whole: Any) -> None:
        if name.endswith(".npy"):
            self._arrays[name] = _read_array(name, size, member, whole)
            return
        body = member.read()
        whole.update(body)
        if name == TREE:
            self.tree = json.loads(body)
        elif name.endswith(".txt"):
            self._texts[name] = body.decode("utf-8", "surrogatepass")
        else:
            raise ValueError(f"a member {name!r} that is neither array nor text")


def read_header(path: Path) -> dict[str, Any]:
    """The header alone, without reading what it is about.

    Raises:
        UsageError: no such file.
        ModelFileError: no model file, cut off, damaged, or of a newer format.
    """
    with _opened(path) as (archive, members):
        return _checked_header(path, archive, members)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """The archive and its members by name; whatever a damaged one makes its readers throw, said plainly."""
    if not path.is_file():
        raise UsageError(
            f"there is no model file {path}. Save a fitted model there first, or correct the path."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = {entry.filename: entry for entry in archive.infolist()}
            if len(members) < len(archive.infolist()):
                raise ValueError("two members of one name")
            yield archive, members
    except (ShelfwiseError, MemoryError):
        raise
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}.") from error
    except Exception as error:  # whatever a damaged file makes its readers throw
        raise _damaged(path, str(error) or type(error).__name__) from error


def _checked_header(
    path: Path, archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]
) -> dict[str, Any]:
    if HEADER not in members or members[HEADER].file_size > MOST_HEADER_BYTES:
        raise ModelFileError(f"{path} is not a Shelfwise model. Save one with `model.save(path)`.")
    header = json.loads(archive.read(HEADER))
    if not isinstance(header, dict) or header.get("format") != FORMAT_NAME:
        raise ModelFileError(f"{path} is not a Shelfwise model. Save one with `model.save(path)`.")
    version = header.get("version")
    if not isinstance(version, int) or version > FORMAT:
        raise ModelFileError(
            f"{path} was written by Shelfwise {header.get('shelfwise')} in format {version}; this one reads up to "
            f"format {FORMAT}. Install that Shelfwise or a newer one, or fit the model again."
        )
    if not isinstance(header.get("digest"), str) or TREE not in members:
        raise ValueError("its header is incomplete")
    return header


def _check_sizes(path: Path, members: dict[str, zipfile.ZipInfo], max_bytes: int | None) -> None:
    """Before anything is unpacked: a small file may claim to hold more than the machine does."""
    limit = max_bytes or _room()
    total = sum(entry.file_size for entry in members.values())
    if total > limit or len(members) > MOST_MEMBERS or members[TREE].file_size > MOST_TREE_BYTES:
        raise ModelFileError(
            f"{path} unpacks to {total:,} bytes in {len(members):,} members, where {limit:,} are allowed. If it is "
            f"yours, give load() a larger max_bytes or set {LIMIT_VARIABLE}."
        )


def _room() -> int:
    if os.environ.get(LIMIT_VARIABLE):
        return max_file_bytes()
    return int(SHARE_OF_MEMORY * available_memory_bytes())


def _read_array(name: str, size: int, member: IO[bytes], whole: Any) -> npt.NDArray[Any]:
    """An ``.npy`` member, whose header is compared with its size before any memory is taken."""
    head = member.read(10)
    if head[:8] != b"\x93NUMPY\x01\x00":
        raise ValueError(f"{name} is not an array of the known kind")
    rest = member.read(int.from_bytes(head[8:10], "little"))
    whole.update(head + rest)
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(BytesIO(head[8:] + rest))
    if fortran_order or dtype.hasobject:
        raise ValueError(f"{name} holds objects or is laid out otherwise than written")
    if math.prod(shape) * dtype.itemsize != size - len(head) - len(rest):
        raise ValueError(f"{name} is not as long as it says")
    values = np.empty(shape, dtype)
    body = as_bytes(values)
    for first in range(0, len(body), CHUNK_BYTES):
        chunk = member.read(min(CHUNK_BYTES, len(body) - first))
        whole.update(chunk)
        body[first : first + CHUNK_BYTES] = np.frombuffer(chunk, np.uint8)
    # To its very end, where the checksum is compared.
    member.read()
    return values


def _damaged(path: Path, why: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is cut off or damaged: {why}. Copy it again, or fit and save the model anew."
    )
