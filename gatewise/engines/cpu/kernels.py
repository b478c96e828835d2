"""The compiled functions of a plan, and those that all plans share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from . import moving, packing, products
from .backward import Backward
from .backward import words as backward_words
from .block import Words
from .forward import Forward
from .forward import words as forward_words
from .host import Host
from .ir import Lanes
from .jit import compile_text
from .plan import Plan


@dataclass(frozen=True)
class Kernel:
    """One compiled function.

    Attributes:
        address: Where it begins.
        words: What it is told.
    """

    address: int
    words: Words


def lanes(machine: Host, kind: str) -> Lanes:
    """The vector of a machine, of `"float"` or `"double"`."""
    return Lanes(kind, machine.vector_bytes // (4 if kind == "float" else 8))


@lru_cache(maxsize=1024)
def forward(plan: Plan, kind: str, machine: Host, keep: bool, panels: str = "whole") -> Kernel:
    """The forward pass; with `keep` it writes down what the backward pass wants.

    Its matrices are given as a key of `forward.PANELS` says.
    """
    writer = Forward(plan, lanes(machine, kind), machine.registers, keep, panels)
    library = compile_text(writer.text(), machine)
    return Kernel(library.address("forward"), forward_words(plan))


@lru_cache(maxsize=1024)
def backward(plan: Plan, kind: str, machine: Host, name: str = "backward") -> Kernel:
    """The backward pass; or `rebuild`, which computes states for it again."""
    writer = Backward(plan, lanes(machine, kind))
    library = compile_text(writer.text(), machine)
    return Kernel(library.address(name), backward_words(plan))


@lru_cache(maxsize=64)
def product(name: str, kind: str, machine: Host) -> int:
    """The address of a function of `products`."""
    return _shared(products.text, kind, machine).address(name)


@lru_cache(maxsize=64)
def move(name: str, kind: str, machine: Host) -> int:
    """The address of a function of `moving`."""
    return compile_text(moving.text(lanes(machine, kind)), machine).address(name)


@lru_cache(maxsize=64)
def pack(name: str, kind: str, machine: Host) -> int:
    """The address of a function of `packing`."""
    return _shared(packing.text, kind, machine).address(name)


def _shared(text: Callable[[Lanes, int], str], kind: str, machine: Host):
    return compile_text(text(lanes(machine, kind), machine.registers), machine)
