"""A layer one time step at a time, in microseconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from ...engines import Call
from ...engines.cpu.engine import Cpu
from ...errors import InputError
from ..arguments import check_sizes
from .step import Exchange

_INT8, _BFLOAT = "int8", "bfloat16"
_CALIBRATION = 64


@dataclass(frozen=True)
class Source:
    """What a stream asks of its layer.

    Attributes:
        calls: Gives for a batch what each layer asks of an engine, with its weights as they are.
        start: Checks a state for a batch, or gives the usual one; [layers, batch, features] each.
        named: Brings such tensors into the form of the layer's state.
    """

    calls: Callable[[int], list[Call]]
    start: Callable[[Any, int], tuple[Tensor, ...]]
    named: Callable[[tuple[Tensor, ...]], Any]


class Stream:
    """Runs a layer step by step and keeps its state; made by `layer.stream(...)`.

    Weights are packed once, when the stream is made: after they have changed, call `refresh`. A
    step computes as the layer does in evaluation (no dropout, noise at its mean) and on the
    calling thread. Nothing is recorded for autograd, whatever requires a gradient.

    A stream is not for several threads at once; several streams are independent of each other.

    Attributes:
        batch: Sequences that go on side by side.
        weights: Type of the weights: `"float32"`, `"float64"`, `"bfloat16"` or `"int8"`.

    Example:
        >>> import numpy as np
        >>> from gatewise.nn import Recurrent
        >>> stream = Recurrent("gru", 3, 8).stream()
        >>> stream.step(np.ones(3, np.float32)).shape, stream.state.h.shape
        ((8,), torch.Size([1, 1, 8]))
    """

    def __init__(self, source: Source, batch: int, state: Any, weights: str | None) -> None:
        check_sizes({"batch": batch}, 0.0)
        calls = _checked(source.calls(batch))
        own = str(calls[0].x.dtype).removeprefix("torch.")
        kinds = (own, _BFLOAT, _INT8)
        if weights not in (None, *kinds):
            raise InputError(
                f"weights={weights!r}: the layer has {own}; give None for that, or one of "
                f"{', '.join(map(repr, kinds))}"
            )
        self.batch, self.weights, self._source = batch, weights or own, source
        self._steps = steps = _made(calls, self.weights)
        self._form = _form(calls)
        self._error: float | None = None
        self._exchange = Exchange(steps, calls[0].x.dtype)
        # It hides the method: one call less in each step.
        self.__dict__["step"] = self._exchange.quick()
        self.reset(state)

    @overload
    def step(self, x: ndarray, out: ndarray | None = None) -> ndarray: ...

    @overload
    def step(self, x: Tensor, out: Tensor | None = None) -> Tensor: ...

    def step(self, x: Any, out: Any = None) -> Any:
        """Run one time step.

        Args:
            x: Input, [batch, input], or [input] where the batch is 1; a NumPy array or a tensor of
                the layer's type.
            out: Where to write the output, an array or a tensor of its shape; nothing for a new
                one.

        Returns:
            The output, [batch, output] or [output], of the same kind as `x`, or `out`.

        Raises:
            InputError: Kind, shape, type or device of `x` or `out` is not as above.
        """
        return self._exchange.checked(x, out)

    @property
    def state(self) -> Any:
        """A copy of the state, in the layer's form, with the batch: [layers, batch, features]."""
        return self._source.named(tuple(map(torch.from_numpy, self._steps.state())))

    def reset(self, state: Any = None) -> None:
        """Go on from a state, in the layer's form; nothing for the one that the layer starts from.

        Raises:
            InputError: The state is not of the layer's form and this batch.
        """
        with torch.no_grad():
            given = self._source.start(state, self.batch)
        self._steps.start([part.numpy(force=True) for part in given])

    def refresh(self) -> None:
        """Take over the layer's weights as they are now; the state stays.

        Raises:
            InputError: The layer has got other sizes or another type.
        """
        calls = _checked(self._source.calls(self.batch))
        if _form(calls) != self._form:
            raise InputError(
                "the layer has other sizes, another type or other equations than when this stream "
                "was made: make a new one with layer.stream(...)"
            )
        self._steps.pack(calls)
        self._error = None

    @property
    def error(self) -> float:
        """What fewer bits cost: `measure` on 64 steps of standard normal noise; else 0."""
        if self._error is None:
            features = self._steps.x.shape[1]
            noise = np.random.default_rng(0).standard_normal((_CALIBRATION, features))
            self._error = self.measure(noise.astype(self._steps.x.dtype))
        return self._error

    def measure(self, samples: ndarray | Tensor) -> float:
        """Run a sequence with these weights and with the layer's own, from the start.

        With int8 expect about 0.01 of an lstm or a gru, whose outputs lie in [-1, 1], and several
        times as much of a cell without gates, which forgets an error less; with bfloat16 about a
        third of that.

        Args:
            samples: Inputs, [time, input] or [time, batch, input].

        Returns:
            The largest absolute difference of the outputs.

        Raises:
            InputError: Kind, shape or type of the samples is not as above.
        """
        if not isinstance(samples, (ndarray, Tensor)) or samples.ndim not in (2, 3):
            raise InputError(
                f"samples={type(samples).__name__}: give an array or a tensor, [time, input] or "
                "[time, batch, input]"
            )
        batch = samples.shape[1] if samples.ndim == 3 else 1
        exact = Stream(self._source, batch, None, None)
        coarse = Stream(self._source, batch, None, self.weights)
        apart = [abs(exact.step(x) - coarse.step(x)).max() for x in samples]
        return float(max(apart, default=0.0))

    def __reduce__(self) -> Any:
        raise InputError(
            "a stream holds addresses of its own memory and cannot be copied or pickled: keep "
            "stream.state and make a new one with layer.stream(state=...)"
        )

    def __repr__(self) -> str:
        features, outputs = self._steps.x.shape[1], self._steps.y.shape[1]
        return f"Stream({features} -> {outputs}, batch={self.batch}, weights={self.weights!r})"


def _checked(calls: list[Call]) -> list[Call]:
    for call in calls:
        reason = Cpu().why_not(call)
        if reason is not None:
            raise InputError(
                f"no stream for this layer: {reason}; or call the layer on one step at a time and "
                "hand on its state"
            )
    return calls


def _made(calls: list[Call], weights: str) -> Any:
    from ...engines.cpu.stream import Steps

    if weights == _BFLOAT:
        from ...engines.cpu.stream_weights import BfloatPanels

        return Steps(calls, BfloatPanels)
    if weights == _INT8:
        from ...engines.cpu.stream_int8 import Int8Panels

        return Steps(calls, Int8Panels)
    from ...engines.cpu.stream_sparse import SparsePanels, is_sparse

    return Steps(calls, SparsePanels) if is_sparse(calls) else Steps(calls)


def _form(calls: list[Call]) -> list[Any]:
    """What must not change between two packings."""
    return [
        (c.cell.key, c.x.dtype, [(n, tuple(w.shape)) for n, w in c.weights.items()]) for c in calls
    ]
