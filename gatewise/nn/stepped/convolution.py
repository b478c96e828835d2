"""Convolutions over one to three axes of space, as values: sizes without weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from ...errors import InputError, nearest

_BY_DIMS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_WORDS = ("same", "valid")


@dataclass(frozen=True)
class Convolution:
    """A convolution without its weights; channels are the last axis.

    Attributes:
        kernel: Places that it covers, by axis.
        stride: Steps from one result to the next, by axis.
        dilation: Steps from one place that it covers to the next, by axis.
        padding: Zeros before and after the space, by axis.

    Example:
        >>> convolution(kernel_size=(3, 2), stride=2, padding="same").places((5, 6))
        (3, 3)
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]

    def places(self, space: Sequence[int]) -> tuple[int, ...]:
        """Size of the result for the size of an input.

        Raises:
            InputError: The kernel does not fit into the padded input.
        """
        axes = zip(space, self.kernel, self.stride, self.dilation, self.padding, strict=True)
        found = tuple((n + sum(pad) - d * (k - 1) - 1) // s + 1 for n, k, s, d, pad in axes)
        if min(found) < 1:
            raise InputError(
                f"x with the space {tuple(space)}: a kernel of {self.kernel} with the padding "
                f"{self.padding} does not fit; give a larger input, or padding='same'"
            )
        return found

    def __call__(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Apply it.

        Args:
            x: Values, [batch, *space, channels].
            weight: [rows, channels, *kernel].
            bias: One value a row, or nothing.

        Returns:
            [batch, *places, rows].
        """
        x = x.movedim(-1, 1)
        before, after = zip(*self.padding, strict=True)
        if before != after:
            x = F.pad(x, [zeros for pad in reversed(self.padding) for zeros in pad])
            before = (0,) * len(before)
        convolve = _BY_DIMS[len(self.kernel)]
        return convolve(x, weight, bias, self.stride, before, self.dilation).movedim(1, -1)


def convolution(
    kernel_size: tuple[int, ...],
    stride: int | Sequence[int] = 1,
    padding: str | int | Sequence[int] = "same",
    dilation: int | Sequence[int] = 1,
) -> Convolution:
    """Make a convolution of what users write.

    Args:
        kernel_size: Places that it covers, by axis.
        stride: Steps between results; one number is for all axes.
        padding: Zeros on each side; `"valid"` for none; `"same"` for as many as keep the size at
            stride 1, one more after than before where the number is odd.
        dilation: Steps between the places that it covers.

    Raises:
        InputError: An argument is not as above.
    """
    dims = len(kernel_size)
    spread = by_axis("dilation", dilation, dims)
    if isinstance(padding, str) and padding not in _WORDS:
        raise InputError(
            f"padding={padding!r}: give a number, or one of these; {nearest(padding, _WORDS)}"
        )
    if padding == "same":
        total = [d * (k - 1) for k, d in zip(kernel_size, spread, strict=True)]
        around = tuple((zeros // 2, zeros - zeros // 2) for zeros in total)
    else:
        sides = by_axis("padding", 0 if isinstance(padding, str) else padding, dims, least=0)
        around = tuple((zeros, zeros) for zeros in sides)
    return Convolution(kernel_size, by_axis("stride", stride, dims), spread, around)


def by_axis(name: str, value: int | Sequence[int], dims: int, least: int = 1) -> tuple[int, ...]:
    """Give one whole number for each axis of space.

    Raises:
        InputError: It is neither a whole number nor one for each axis, or one is too small.

    Example:
        >>> by_axis("stride", 2, 3)
        (2, 2, 2)
    """
    values = tuple(value) if isinstance(value, Sequence) else (value,) * dims
    if len(values) != dims or any(type(n) is not int or n < least for n in values):
        raise InputError(
            f"{name}={value!r}: give a whole number of at least {least}, or {dims} of them, one "
            "for each axis of space"
        )
    return values
