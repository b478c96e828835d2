"""The compiled functions of a plan, and those that all plans share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from .host import Host
from .jit import Library, compiled
from .plan import Plan
from .words import Words, backward_words, forward_words

if TYPE_CHECKING:
    from .ir import Lanes


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
    from .ir import Lanes

    return Lanes(kind, machine.vector_bytes // (4 if kind == "float" else 8))


@lru_cache(maxsize=1024)
def forward(plan: Plan, kind: str, machine: Host, keep: bool, panels: str = "whole") -> Kernel:
    """The forward pass; with `keep` it writes down what the backward pass wants.

    Its matrices are given as a key of `forward.PANELS` says.
    """

    def write() -> str:
        from .forward import Forward

        return Forward(plan, lanes(machine, kind), machine.registers, keep, panels).text()

    about = f"forward {kind} {keep} {panels} {plan.key}"
    return Kernel(compiled(about, write, machine).address("forward"), forward_words(plan))


@lru_cache(maxsize=1024)
def backward(plan: Plan, kind: str, machine: Host, name: str = "backward") -> Kernel:
    """The backward pass; or `rebuild`, which computes states for it again."""

    def write() -> str:
        from .backward import Backward

        return Backward(plan, lanes(machine, kind)).text()

    library = compiled(f"backward {kind} {plan.key}", write, machine)
    return Kernel(library.address(name), backward_words(plan))


@lru_cache(maxsize=64)
def product(name: str, kind: str, machine: Host) -> int:
    """The address of a function of `products`."""
    return _shared("products", kind, machine).address(name)


@lru_cache(maxsize=64)
def move(name: str, kind: str, machine: Host) -> int:
    """The address of a function of `moving`."""
    return _shared("moving", kind, machine).address(name)


@lru_cache(maxsize=64)
def pack(name: str, kind: str, machine: Host) -> int:
    """The address of a function of `packing`."""
    return _shared("packing", kind, machine).address(name)


def _shared(module: str, kind: str, machine: Host) -> Library:
    """The functions that all plans share, of one file."""

    def write() -> str:
        from . import moving, packing, products

        vector, registers = lanes(machine, kind), machine.registers
        if module == "moving":
            return moving.text(vector)
        return {"products": products, "packing": packing}[module].text(vector, registers)

    return compiled(f"{module} {kind}", write, machine)
