"""One step of a stream: what the caller holds goes in, what comes out is handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from numpy import ndarray
from torch import Tensor, from_numpy

from ...engines.cpu.stream import FROM, TO, Steps
from ...engines.cpu.threads import caller
from ...errors import InputError


class Exchange:
    """Brings inputs to the memory of a stream and outputs out of it.

    Args:
        steps: What runs a step.
        dtype: Type of the layer.
    """

    def __init__(self, steps: Steps, dtype: torch.dtype) -> None:
        self._steps, self._array_type, self._tensor_type = steps, steps.x.dtype, dtype
        # For each shape of an input: where it goes, and where the output of such a step is.
        self._places = {steps.x.shape: (steps.x, steps.y)}
        if len(steps.x) == 1:
            self._places = {steps.x.shape[1:]: (steps.x[0], steps.y[0]), **self._places}

    def quick(self) -> Callable[..., Any]:
        """Give a step as a function of `x` and `out`.

        What it needs stands at hand, since of a step of a microsecond a look at an attribute would
        be seen; whatever it is not made for goes to `checked`.
        """
        steps, checked, call = self._steps, self.checked, caller()
        step, between, words = steps.step, steps.between, steps.words
        array_type, tensor_type = self._array_type, self._tensor_type
        shape, (here, y) = next(iter(self._places.items()))
        copy, size, sizes = y.copy, torch.Size(shape), torch.Size(y.shape)
        own = steps.y.ctypes.data

        def run(x: Any, out: Any = None) -> Any:
            if type(x) is ndarray and x.shape == shape and x.dtype is array_type:
                if out is None:
                    here[...] = x
                    call(step)
                    return copy()
                if (
                    type(out) is ndarray and out.shape == y.shape and out.dtype is array_type
                    and out.flags.writeable
                ):  # fmt: skip
                    here[...] = x
                    call(step)
                    out[...] = y
                    return out
            elif (
                type(x) is Tensor and x.shape == size and x.dtype is tensor_type and x.is_cpu
                and x.is_contiguous()
            ):  # fmt: skip
                if out is None:
                    words[FROM], words[TO] = x.data_ptr(), own
                    call(between)
                    return from_numpy(copy())
                if (
                    type(out) is Tensor and out.shape == sizes and out.dtype is tensor_type
                    and out.is_cpu and out.is_contiguous() and not out.requires_grad
                ):  # fmt: skip
                    words[FROM], words[TO] = x.data_ptr(), out.data_ptr()
                    call(between)
                    return out
            return checked(x, out)

        return run

    def checked(self, x: Any, out: Any = None) -> Any:
        """Run a step for whatever `Stream.step` takes.

        Raises:
            InputError: Kind, shape, type or device of `x` or `out` is not as it says.
        """
        given = self._array("x", x)
        here, y = self._places.get(given.shape, (None, None))
        if here is None or y is None:
            raise InputError(
                f"x of shape {tuple(x.shape)}: give one step, "
                f"{' or '.join(map(str, reversed(self._places)))}"
            )
        if out is not None:
            room = self._array("out", out)
            is_open = not out.requires_grad if isinstance(out, Tensor) else room.flags.writeable
            if room.shape != y.shape or not is_open:
                raise InputError(
                    f"out of shape {tuple(out.shape)}: give one of shape {y.shape} that may be "
                    "written to and requires no gradient"
                )
        here[...] = given
        caller()(self._steps.step)
        if out is None:
            return y.copy() if isinstance(x, ndarray) else from_numpy(y.copy())
        if isinstance(out, Tensor):
            return out.copy_(from_numpy(y))
        out[...] = y
        return out

    def _array(self, name: str, values: Any) -> ndarray:
        """An array that looks at what was given, of the right type."""
        if not isinstance(values, (ndarray, Tensor)):
            raise InputError(
                f"{name} of type {type(values).__name__}: give a NumPy array or a torch tensor"
            )
        if isinstance(values, Tensor) and not values.is_cpu:
            raise InputError(f"{name} is on {values.device}: a stream runs on the processor; "
                             f"write {name}.cpu()")  # fmt: skip
        wanted = self._tensor_type if isinstance(values, Tensor) else self._array_type
        if values.dtype != wanted:
            raise InputError(
                f"{name} of type {values.dtype}: the layer has {wanted}; convert {name} to it"
            )
        return values.detach().resolve_neg().numpy() if isinstance(values, Tensor) else values
