"""A layer's weights: registered under a name of the module, used under their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def register(
    module: nn.Module, shapes: Mapping[str, tuple[int, ...]], name: str, device: Any, dtype: Any
) -> dict[str, str]:
    """Make parameters without values.

    Args:
        module: Whose they are.
        shapes: Each weight's own name and its shape.
        name: Its name in the module, with `{}` for its own.
        device: Device of the weights.
        dtype: Type of the weights.

    Returns:
        Each weight's own name and its name in the module.

    Example:
        >>> module = nn.Module()
        >>> register(module, {"weight_ih": (4, 3)}, "{}_l0", None, None), module.weight_ih_l0.shape
        ({'weight_ih': 'weight_ih_l0'}, torch.Size([4, 3]))
    """
    names = {own: name.format(own) for own in shapes}
    for own, shape in shapes.items():
        weight = torch.empty(shape, device=device, dtype=dtype)
        module.register_parameter(names[own], nn.Parameter(weight))
    return names


def named(module: nn.Module, names: Mapping[str, str]) -> dict[str, Tensor]:
    """Give weights by their own names."""
    return {own: getattr(module, name) for own, name in names.items()}
