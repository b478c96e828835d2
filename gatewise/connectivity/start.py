"""How recurrent matrices start: as a layer's scheme says, or with orthonormal rows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import init

Fill = Callable[[int, Tensor, Tensor | float], None]
"""Starts one gate's matrix in place: the gate's row block, the matrix, a factor on random values.

A connectivity that sends a gate fewer terms than the dense matrix would asks for them larger by
the factor, so that their sum keeps its variance. What is not random takes no notice of it.
"""


def orthogonal(matrix: Tensor) -> None:
    """Fill with orthonormal rows, or columns where these are fewer, in place.

    Saxe, McClelland & Ganguli 2014 (https://arxiv.org/abs/1312.6120).

    Args:
        matrix: Any two axes and floating type.
    """
    # Drawn in a type that torch can decompose.
    wide = matrix.to(torch.promote_types(matrix.dtype, torch.float32))
    matrix.copy_(init.orthogonal_(wide))
