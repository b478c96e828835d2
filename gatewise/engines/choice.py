"""Which engine runs a call, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..errors import InputError, nearest
from .call import Call, Engine
from .cpu.engine import TYPES, Cpu, unable
from .native import Kernel, Native, kernel_for
from .reference import Reference
from .tracing import autocast_type

CPU, NATIVE, REFERENCE = Cpu(), Native(), Reference()

ENGINES: tuple[Engine, ...] = (CPU, NATIVE, REFERENCE)
"""All engines, in order of preference: the first that can run a call does."""

_forced: ContextVar[Engine | None] = ContextVar("gatewise_engine", default=None)


def choose(call: Call) -> Engine:
    """Pick the engine that runs a call: the forced one, else the first that can.

    Raises:
        InputError: The forced engine cannot run the call; the sentence holds its reason.
    """
    forced = _forced.get()
    if forced is None:
        return next(engine for engine in ENGINES if engine.why_not(call) is None)
    reason = forced.why_not(call)
    if reason is not None:
        raise InputError(
            f"engine={forced.name!r} cannot run this {call.cell.name} layer: {reason}; leave the "
            "choice open, or see gatewise.explain(layer, x) for the engines that can"
        )
    return forced


def may_be_native(x: Tensor) -> bool:
    """Whether torch's kernels may be what runs a layer on an input: a look, before `choose`."""
    if torch.compiler.is_compiling():
        return False  # There is one operator then.
    ours = x.is_cpu and x.dtype in TYPES and unable() is None
    return not ours or _forced.get() is not None


def whole_stack(call: Call) -> Kernel | None:
    """Give torch's kernel if it may run all layers of a stack at once, of which this is one.

    Torch's kernels do so with equal results and less ado, where they are what would run each
    layer and nothing is traced.
    """
    if torch.compiler.is_compiling() or choose(call) is not NATIVE:
        return None
    return kernel_for(call.cell)


@contextmanager
def engine(name: str) -> Iterator[None]:
    """Run every recurrent layer inside the `with` block on one engine.

    An engine that cannot run a layer raises its reason; nothing falls back in silence.

    Args:
        name: Name of an engine, as in the first column of `gatewise.explain`.

    Raises:
        InputError: There is no engine of this name.

    Example:
        >>> import torch, gatewise
        >>> layer = gatewise.nn.LSTM(3, 8)
        >>> with gatewise.engine("reference"):
        ...     y, _ = layer(torch.zeros(5, 2, 3))
    """
    known = {engine.name: engine for engine in ENGINES}
    if name not in known:
        raise InputError(f"engine={name!r} is not an engine; {nearest(name, known)}")
    token = _forced.set(known[name])
    try:
        yield
    finally:
        _forced.reset(token)


@dataclass(frozen=True)
class Explanation:
    """Each engine beside the reason why it does not run a call.

    Attributes:
        reasons: Engine to reason, in order of preference; nothing where it can run the call.
        chosen: The engine that runs it; nothing where a forced engine cannot.
    """

    reasons: dict[str, str | None]
    chosen: str | None

    def __str__(self) -> str:
        width = max(map(len, self.reasons))
        return "\n".join(
            f"{name:{width}}  {self._verdict(name, reason)}"
            for name, reason in self.reasons.items()
        )

    def _verdict(self, name: str, reason: str | None) -> str:
        if reason is not None:
            return f"no: {reason}"
        return "yes, runs" if name == self.chosen else "yes"

    __repr__ = __str__


class Layer(Protocol):
    """A module that can say what it would ask of an engine."""

    def call(self, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None) -> Call:
        """The call for the first layer, forward in time."""
        ...


def explain(
    layer: Layer, x: Tensor, *, lengths: Tensor | Sequence[int] | None = None
) -> Explanation:
    """Say for each engine whether it can run a layer on an input here and now, and if not, why.

    Args:
        layer: A recurrent layer of `gatewise.nn`.
        x: Input as the layer takes it.
        lengths: Steps of each sequence, [batch].

    Example:
        >>> import torch, gatewise
        >>> print(gatewise.explain(gatewise.nn.GRU(3, 8), torch.zeros(5, 2, 3)))
        cpu        yes, runs
        native     yes
        reference  yes
    """
    call = layer.call(x, lengths=lengths)
    dtype = autocast_type(call.x)
    call = call if dtype is None else call.cast(dtype)
    reasons = {engine.name: engine.why_not(call) for engine in ENGINES}
    forced = _forced.get()
    able = [name for name, reason in reasons.items() if reason is None]
    if forced is not None:
        able = [name for name in able if name == forced.name]
    return Explanation(reasons, able[0] if able else None)
