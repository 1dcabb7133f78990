"""How large a file may be before it is read: a share of the memory the machine has left."""

from __future__ import annotations

import os
from pathlib import Path

from shelfwise.errors import UsageError

LIMIT_VARIABLE = "SHELFWISE_MAX_FILE_BYTES"
# Reading a CSV takes about five times its size: bytes, cells as text, typed columns (measured, 7M rows).
SHARE_OF_MEMORY = 0.2
_FALLBACK_BYTES = 2 << 30


def max_file_bytes() -> int:
    """The largest file to read, in bytes: the variable if it is set, else a fifth of the available memory.

    Raises:
        UsageError: the variable is not a whole number above 0.
    """
    given = os.environ.get(LIMIT_VARIABLE)
    if given:
        if not given.isascii() or not given.isdigit() or int(given) == 0:
            raise UsageError(f"{LIMIT_VARIABLE} must be a whole number of bytes above 0; got {given!r}")
        return int(given)
    return int(SHARE_OF_MEMORY * available_memory_bytes())


def available_memory_bytes() -> int:
    """Memory that can still be used, in bytes: the machine's or the container's, whichever is less."""
    known = [amount for amount in (_machine_bytes(), _container_bytes()) if amount is not None]
    return min(known, default=_FALLBACK_BYTES)


def _machine_bytes() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _container_bytes() -> int | None:
    control = Path("/sys/fs/cgroup")
    try:
        limit = (control / "memory.max").read_text(encoding="ascii").strip()
        used = int((control / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if not limit.isdigit() else max(int(limit) - used, 0)
