"""Torch, loaded late; while it works for us it keeps to one thread and to repeatable algorithms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from shelfwise.errors import MissingExtra, UsageError

DEVICES = ("auto", "cpu", "cuda")


def load_torch() -> ModuleType:
    """The module torch.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_module("torch")
    except ImportError as error:
        raise MissingExtra("torch", "deep") from error


def chosen_device(name: str) -> str:
    """`cpu` or `cuda`; `auto` takes a GPU where there is one.

    Raises:
        UsageError: an unknown name, or a GPU that is not there.
    """
    if name not in DEVICES:
        raise UsageError(f"device must be one of {', '.join(DEVICES)}; got {name!r}")
    there = bool(load_torch().cuda.is_available())
    if name == "cuda" and not there:
        raise UsageError("device is 'cuda', but torch finds no GPU here; use 'auto' or 'cpu'")
    if not there or name == "cpu":
        return "cpu"
    # Without it cuBLAS may add up in another order from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return "cuda"


@contextmanager
def repeatable(device: str, seed: int) -> Iterator[None]:
    """One thread, deterministic algorithms and a seeded generator; all is put back as it was.

    A sum split over threads rounds by how it was split, so the number of threads must not be the machine's.
    """
    torch = load_torch()
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    fills = torch.utils.deterministic.fill_uninitialized_memory
    devices = [torch.cuda.current_device()] if device == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        torch.use_deterministic_algorithms(True, warn_only=True)
        # Nothing here reads memory before writing it, and filling it all costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.utils.deterministic.fill_uninitialized_memory = fills
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict, warn_only=warns)
