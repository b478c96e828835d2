"""Randomness that belongs to a run and leaves the process's own generators alone."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


def derive(seed: int, *path: str | int) -> int:
    """Give a seed of its own to each named purpose, so that no two share their numbers.

    What is random at step 12 is drawn from `derive(seed, "dropout", 12)`. A resumed run
    therefore has no generator's state to remember: the step number is enough.

    Args:
        seed: Seed of the run.
        path: What it is for.

    Example:
        >>> derive(0, "order", 1) == derive(0, "order", 1) != derive(0, "order", 2)
        True
    """
    name = "/".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *path: str | int) -> torch.Generator:
    """Make a generator of its own for a named purpose."""
    return torch.Generator().manual_seed(derive(seed, *path))


@contextmanager
def isolated(seed: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Seed torch's global generators for what draws from nothing else, then give them back.

    Initialisation and dropout draw from the process's generators; inside this context those
    start from `seed`, and outside of it nobody notices.

    Args:
        seed: What the generators start from.
        device: The accelerator whose generator is kept as well, if it is one.

    Example:
        >>> before = torch.get_rng_state()
        >>> with isolated(7):
        ...     _ = torch.rand(3)
        >>> bool((torch.get_rng_state() == before).all())
        True
    """
    place = torch.device(device)
    kind = "cuda" if place.type == "cpu" else place.type
    devices = [] if place.type == "cpu" else [place.index or 0]
    with torch.random.fork_rng(devices=devices, device_type=kind):
        reseed(seed, place)
        yield


def reseed(seed: int, device: torch.device) -> None:
    """Start the generators of the CPU and of `device` from `seed`; for use inside `isolated`."""
    # `torch.manual_seed` would also queue a seed for every accelerator not yet started.
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        getattr(torch, device.type).manual_seed(seed)
