"""Writes the members of a model file as they come."""

from __future__ import annotations

import json
import zipfile
from hashlib import blake2b
from io import BytesIO
from typing import IO, Any, Self

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError
from shelfwise.forecast.persistence.file_format import (
    CHUNK_BYTES,
    HEADER,
    MOST_TREE_BYTES,
    TREE,
    Bytes,
    as_bytes,
    canonical,
)

# Deflate at its fastest: zeros and ones, of which panels are full, shrink all the same.
COMPRESSION = 1
# Members that may come to more need the zip's 64-bit form, which must be said beforehand.
MOST_PLAIN_BYTES = 1 << 30


class ArchiveWriter:
    """Writes members as they come; equal ones are kept once. To be used in a `with`.

    Args:
        out: a binary file that can seek.
    """

    def __init__(self, out: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
        self._names: dict[bytes, str] = {}
        self._whole = blake2b(digest_size=16)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._zip.close()

    def array(self, values: npt.NDArray[Any]) -> str:
        """The member that holds a C-contiguous array without objects in it."""
        head = BytesIO()
        described = {"descr": np.lib.format.dtype_to_descr(values.dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(head, {**described, "shape": values.shape})
        return self._member("npy", head.getvalue(), as_bytes(values))

    def text(self, text: str) -> str:
        """The member that holds a text."""
        # Half of a character pair may stand in a name that was read from a broken file.
        return self._member("txt", b"", np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8))

    def finish(self, tree: Any, header: dict[str, Any]) -> str:
        """Write tree and header, and give the digest of the whole."""
        body = json.dumps(tree, separators=(",", ":"), allow_nan=False).encode()
        if len(body) > MOST_TREE_BYTES:
            raise ShelfwiseError(f"the model is too intricate to save: its tree takes {len(body)} bytes")
        self._write(TREE, b"", np.frombuffer(body, np.uint8))
        self._whole.update(canonical(header))
        digest = self._whole.hexdigest()
        told = json.dumps({**header, "digest": digest}, indent=1, ensure_ascii=False) + "\n"
        with self._zip.open(HEADER, "w") as member:
            member.write(told.encode())
        return digest

    def _member(self, ending: str, head: bytes, body: Bytes) -> str:
        digest = blake2b(head, digest_size=20)
        digest.update(body.data)
        known = self._names.get(digest.digest())
        if known is None:
            known = f"{len(self._names):07d}.{ending}"
            self._names[digest.digest()] = known
            self._write(known, head, body)
        return known

    def _write(self, name: str, head: bytes, body: Bytes) -> None:
        self._whole.update(f"{name}:{len(head) + len(body)}\n".encode())
        with self._zip.open(name, "w", force_zip64=len(body) >= MOST_PLAIN_BYTES) as member:
            for part in (head, body):
                for first in range(0, len(part), CHUNK_BYTES):
                    chunk = bytes(part[first : first + CHUNK_BYTES])
                    self._whole.update(chunk)
                    member.write(chunk)
